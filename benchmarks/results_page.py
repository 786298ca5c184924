"""What it costs the server to open the page of results with many runs.

    python -m benchmarks.results_page [--runs 500] [--rounds 15]

A folder of runs is made through the library's own writing: every preset with as many seeds as it takes, scored, with
curves of a hundred epochs. Then processes of their own open the page through Streamlit:

- cold: the first page that the process opens at all, so that pandas, Plotly and much of Streamlit are still to be read;
- first: the first time, after another page; the lines of all runs and Plotly are still to be read;
- warm: again, each time in a new session.

Others open the first page of Streamlit's own `hello`, for comparison, or read the list of runs alone. Printed are the
time by the clock and the time computing, which a busy machine changes less. The budget is one second on a server that
has opened a page before; a cold one is held against `hello`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from emotion_core.config import with_settings
from emotion_core.emotions import NUM_EMOTIONS
from emotion_core.evaluation import HeldOutEvaluation, RunEvaluation, evaluate
from emotion_core.models.counts import count_parameters
from emotion_core.presets import PRESETS, Preset
from emotion_core.runs import HISTORY_COLUMNS, Run, Runs, State, Validation
from emotion_core.settings import runs_folder

BUDGET = 1.0
EPOCHS = 100
FACES = 700
COLD_ROUNDS = 3
LOOKS = ("hello", "results", "results after hello", "the list")
PROJECT = Path(__file__).resolve().parent.parent


def main(count: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        make_runs(Runs(Path(folder)), count)
        looks = {name: [measured(name, folder, rounds) for _ in range(COLD_ROUNDS)] for name in LOOKS}
    print(f"{count} runs; medians of seconds by the clock, and computing")
    hello, first = median(looks["hello"], "first"), median(looks["results after hello"], "first")
    cold, warm = median(looks["results"], "first"), median(looks["results"], "again")
    say("hello, cold", hello)
    say("hello, warm", median(looks["hello"], "again"))
    say("results, cold", cold, f"x{cold.clock / hello.clock:.2f} of hello")
    say("results, first", first, verdict(first))
    say("results, warm", warm, verdict(warm))
    say("within it, the list of runs, first", median(looks["the list"], "first"))
    say("within it, the list of runs, again", median(looks["the list"], "again"))


class Taken(NamedTuple):
    """Seconds by the clock, and seconds computing."""

    clock: float
    computing: float


def median(looks: list[dict[str, list[list[float]]]], kind: str) -> Taken:
    pairs = [pair for look in looks for pair in look[kind]]
    return Taken(*(statistics.median(column) for column in zip(*pairs, strict=True)))


def verdict(taken: Taken) -> str:
    return "within budget" if taken.clock <= BUDGET else f"OVER the budget of {BUDGET:g} s"


def say(what: str, taken: Taken, remark: str = "") -> None:
    print(f"{what:36}{taken.clock:6.3f} {taken.computing:6.3f}  {remark}")


# --- runs ----------------------------------------------------------------------------------------------------------


def make_runs(runs: Runs, count: int) -> None:
    """Save finished runs of every preset in turn, each preset with one seed after the other."""
    presets = list(PRESETS.values())
    for number in range(count):
        make_run(runs, presets[number % len(presets)], number % len(presets), seed=42 + number // len(presets))


def make_run(runs: Runs, preset: Preset, rank: int, seed: int) -> Run:
    """Save a finished run as its trainer would; presets of higher rank are better."""
    rng = np.random.default_rng((rank, seed))
    name = f"{preset.title} · seed {seed}"
    run = runs.create(
        with_settings(preset.config, {"training.seed": seed, "name": name, "data.source": "data/my_emotion_train.csv"})
    )
    save_history(run, rng)
    labels = rng.integers(0, NUM_EMOTIONS, FACES).astype(np.uint8)
    probabilities = rng.dirichlet(np.ones(NUM_EMOTIONS), FACES).astype(np.float32)
    sure = rng.random(FACES) < 0.05 + 0.04 * rank
    probabilities[sure] = np.eye(NUM_EMOTIONS, dtype=np.float32)[labels[sure]]
    scores = evaluate(labels, probabilities).model_dump()
    parameters, seconds = count_parameters(preset.config.model), 60.0 * (1 + rank) * rng.uniform(0.9, 1.1)
    run.save_evaluation(
        RunEvaluation(
            **scores,
            best_epoch=EPOCHS - 7,
            training_accuracy=0.4,
            parameters=parameters,
            seconds=seconds,
            images_per_second=2_000.0,
            test=HeldOutEvaluation(**scores, data="my_emotion_test.csv"),
        ),
        Validation(np.arange(FACES), labels, probabilities),
    )
    run.record(state=State.FINISHED, epoch=run.config.training.epochs, parameters=parameters, best_epoch=EPOCHS - 7)
    return run


def save_history(run: Run, rng: np.random.Generator) -> None:
    """Write the curves of a run; row by row would wait for the disk a hundred times."""
    epoch = np.arange(1, EPOCHS + 1)
    loss = 1.1 + np.exp(-epoch / 30) + rng.normal(0, 0.01, EPOCHS)
    columns = (epoch, loss, 0.9 - loss / 3, loss + 0.1, 0.85 - loss / 3, np.full(EPOCHS, 1e-3), np.full(EPOCHS, 12.3))
    rows = (",".join(f"{value:.7g}" for value in row) for row in zip(*columns, strict=True))
    (run.folder / "history.csv").write_text("\n".join([",".join(HISTORY_COLUMNS), *rows]) + "\n", encoding="utf-8")


# --- opening -------------------------------------------------------------------------------------------------------


def measured(name: str, folder: str, rounds: int) -> dict[str, list[list[float]]]:
    """Open a page in a process of its own and return the times that it prints."""
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks.results_page", "--open", name, "--rounds", str(rounds)],
        cwd=PROJECT,
        env=os.environ | {"EMOTION_RUNS": folder, "EMOTION_CACHE": f"{folder}/.cache", "PYTHONWARNINGS": "ignore"},
        stdout=subprocess.PIPE,
        check=True,
    )
    document: dict[str, list[list[float]]] = json.loads(answer.stdout.splitlines()[-1])
    return document


def report_times(name: str, rounds: int) -> None:
    """Print how long a page takes, first and again."""
    import streamlit.testing.v1  # noqa: F401  a server has it from its start

    if name == "results after hello":
        open_hello()
    look = {"hello": open_hello, "the list": list_runs}.get(name, open_results)
    print(json.dumps({"first": [timed(look)], "again": [timed(look) for _ in range(rounds)]}))


def timed(look: Callable[[], None]) -> Taken:
    """Return seconds by the clock, and seconds computing."""
    start, computing = time.perf_counter(), time.process_time()
    look()
    return Taken(time.perf_counter() - start, time.process_time() - computing)


def open_results() -> None:
    from streamlit.testing.v1 import AppTest

    page = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=120).switch_page("pages/compare_runs.py").run()
    assert not page.exception, page.exception
    assert [title.value for title in page.title] == ["Results"]


def open_hello() -> None:
    import streamlit
    from streamlit.testing.v1 import AppTest

    hello = Path(streamlit.__file__).parent / "hello" / "hello.py"
    assert AppTest.from_file(str(hello), default_timeout=120).run().title


def list_runs() -> None:
    assert Runs(runs_folder()).summaries()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--open", choices=LOOKS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.open:
        report_times(options.open, options.rounds)
    else:
        main(options.runs, options.rounds)
