"""Whether a run is ever lost: many queued runs, and a killer that ends a process of ours every few seconds.

    python benchmarks/soak.py [--seconds 300] [--seed 1] [--runs 30] [--networks 0]

A process stands for the app: it queues the runs at the start, takes up what waits whenever it is started again, and
resumes what was cut off, as a person does with one button. The killer picks the app, the worker or a trainer and sends
SIGKILL. Whenever all runs are finished before its time is over, each is given more epochs, so that there is always
something to hit. Then the killer stops, and everything is resumed to its end.

Printed are the kills by kind, the resumes, what became of the runs and the worst case. The exit code is 1 if a run is
lost, unfinished, has not each of its epochs once, or learnt anything else than a run of the same settings that nobody
killed (looked at for a few).
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from emotion_core.config import RunConfig, with_settings  # noqa: E402
from emotion_core.engine import LocalEngine  # noqa: E402
from emotion_core.errors import EmotionError  # noqa: E402
from emotion_core.presets import find_preset  # noqa: E402
from emotion_core.runs import Run, Runs, State  # noqa: E402

FACES = 140
EPOCHS = (30, 200)
MORE_EPOCHS = 40
SECONDS_BETWEEN_KILLS = (1.0, 5.0)
SECONDS_WITHOUT_APP = (0.0, 3.0)
TICK = 0.5
SECONDS_BETWEEN_LINES = 10.0
SECONDS_TO_THE_END = 3_600.0
COMPARED = 3
KINDS = {"worker": "emotion_core.engine.worker", "trainer": "emotion_core.training", "app": "--app"}
"""What is killed, by the word of its command line."""


class App:
    """The process that uses the engine as the app does; whoever watches over it starts it again."""

    def __init__(self, runs: Runs, chance: random.Random) -> None:
        self.starts = 0
        self._runs = runs
        self._chance = chance
        self._restart_at = 0.0
        self._process: subprocess.Popen[str] | None = None

    def keep_alive(self) -> bool:
        """Start it, a while after it died; return whether it lives."""
        if self._process and self._process.poll() is None:
            return True
        if self._process:
            self._process = None
            self._restart_at = time.monotonic() + self._chance.uniform(*SECONDS_WITHOUT_APP)
        if time.monotonic() >= self._restart_at:
            self.starts += 1
            self._process = subprocess.Popen(
                [sys.executable, __file__, "--app", str(self._runs.folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        return self._process is not None

    def ask(self, *words: str) -> str:
        """Have it do something, and return its answer; empty where it died over it."""
        with suppress(OSError):  # it was killed
            assert self._process
            assert self._process.stdin
            assert self._process.stdout
            self._process.stdin.write(" ".join(words) + "\n")
            self._process.stdin.flush()
            return self._process.stdout.readline().strip()
        return ""

    def close(self) -> None:
        """End it in good order."""
        if self._process:
            self._process.communicate()


def be_app(folder: Path) -> None:
    """Do what a server does when it starts, and then what is asked for on the standard input."""
    runs = Runs(folder)
    engine = LocalEngine(runs)
    engine.wake()
    for line in sys.stdin:
        action, *words = line.split()
        try:
            if action == "submit":
                configs = [RunConfig.model_validate_json(text) for text in Path(words[0]).read_text().splitlines()]
                answer = " ".join(run.id for run in engine.submit_all(configs))
            elif action == "wake":
                answer = str(engine.wake())
            else:
                epochs = int(words[1]) if words[1:] else None
                answer = f"done {engine.resume(runs.find(words[0]), epochs)}"
        except EmotionError as error:
            answer = f"refused: {error}"
        print(answer, flush=True)


def processes(runs: Runs) -> dict[str, list[psutil.Process]]:
    """Return the living processes of this soak, by kind."""
    found: dict[str, list[psutil.Process]] = {kind: [] for kind in KINDS}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            words = process.cmdline()
            kind = next((kind for kind, word in KINDS.items() if word in words), None)
            if kind and any(word.startswith(str(runs.folder)) for word in words):
                found[kind].append(process)
    return found


def kill_one(runs: Runs, chance: random.Random) -> str:
    """Kill a random process of a random kind; return the kind, empty where none lives."""
    present = {kind: members for kind, members in processes(runs).items() if members}
    if not present:
        return ""
    kind = chance.choice(sorted(present))
    with suppress(ProcessLookupError):
        os.kill(chance.choice(present[kind]).pid, signal.SIGKILL)
    return kind


def supervise(app: App, runs: Runs, resumes: Counter[str], *, more: bool) -> bool:
    """Do what a person would who looks at the page; return whether all runs are finished."""
    if not app.keep_alive():
        return False
    lines = runs.summaries()
    for line in lines:
        if line.state in (State.INTERRUPTED, State.FAILED, State.STOPPED) and app.ask("resume", line.id):
            resumes[line.id] += 1
    if any(line.state is State.QUEUED for line in lines):
        app.ask("wake")
    finished = all(line.state is State.FINISHED for line in lines)
    if finished and more:
        for line in lines:
            app.ask("resume", line.id, str(line.epochs + MORE_EPOCHS))
    return finished


def configurations(folder: Path, count: int, networks: int, chance: random.Random) -> list[RunConfig]:
    """Return tiny runs, linear ones but for some dense networks, in a random order."""
    data = {"data.source": str(write_faces(folder / "faces.csv", chance)), "training.early_stopping_patience": None}
    linear = with_settings(find_preset("sgd").config, data)
    tiny = {"model.hidden_layers": 1, "model.first_units": 16, "training.epochs": 10}
    dense = with_settings(find_preset("dense-5").config, data | tiny)
    made = [
        with_settings(dense, {"name": f"Dense {number}", "training.seed": number})
        if number < networks
        else with_settings(
            linear,
            {"name": f"Linear {number}", "training.seed": number, "training.epochs": chance.randint(*EPOCHS)},
        )
        for number in range(count)
    ]
    chance.shuffle(made)
    return made


def write_faces(path: Path, chance: random.Random) -> Path:
    """Write a data set of noise."""
    pixels = np.random.default_rng(chance.randrange(2**32)).integers(0, 256, (FACES, 48 * 48))
    rows = [f"{number},{number % 7},{' '.join(map(str, face))}" for number, face in enumerate(pixels)]
    path.write_text("\n".join(["id,emotion,pixels", *rows]) + "\n", encoding="utf-8")
    return path


def troubles(runs: Runs, ids: list[str], seed: int) -> list[str]:
    """Return what is wrong with the runs at the end, a sentence each."""
    found = []
    states = {line.id: line for line in runs.summaries()}
    for run_id in ids:
        if run_id not in states:
            found.append(f"{run_id} is lost.")
        elif states[run_id].state is not State.FINISHED:
            found.append(f"{run_id} is {states[run_id].state}: {states[run_id].reason}")
        elif runs.find(run_id).history()["epoch"].tolist() != list(range(1, states[run_id].epochs + 1)):
            found.append(f"{run_id} has not each of its epochs once.")
    whole = [run for run in map(runs.find, set(ids) & set(states)) if run.linear_path.exists()]
    for run in random.Random(seed).sample(whole, min(COMPARED, len(whole))):
        if not learns_the_same(run, runs):
            found.append(f"{run.id} did not learn what a run of its settings does that nobody kills.")
    return found


def learns_the_same(run: Run, runs: Runs) -> bool:
    """Whether a run's curves are those of a run of the same settings, computed without a break, to the last digit."""
    other = Runs(runs.folder.with_name("compared")).create(run.config)
    subprocess.run(
        [sys.executable, "-m", "emotion_core.training", str(other.folder)],
        cwd=PROJECT,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return run.history().drop(columns="seconds").equals(other.history().drop(columns="seconds"))


def computed_again(run: Run) -> int:
    """Return how many epochs were computed more than once."""
    return run.log_path.read_text(encoding="utf-8", errors="replace").count("\nepoch ") - run.status().epoch


def soak(folder: Path, seconds: float, seed: int, count: int, networks: int) -> int:
    """Queue, kill, resume to the end, and say what became of it; return the exit code."""
    chance, runs = random.Random(seed), Runs(folder / "runs")
    os.environ["EMOTION_CACHE"] = str(folder / "cache")
    configs = configurations(folder, count, networks, chance)
    wish = folder / "wish.jsonl"
    wish.write_text("\n".join(config.model_dump_json() for config in configs), encoding="utf-8")
    app = App(runs, chance)
    app.keep_alive()
    ids = app.ask("submit", str(wish)).split()
    print(f"{len(ids)} runs queued, {networks} of them networks; killing for {seconds:.0f} s with seed {seed}.")
    kills, resumes, began = Counter[str](), Counter[str](), time.monotonic()
    next_kill, next_line = began + chance.uniform(*SECONDS_BETWEEN_KILLS), began
    while True:
        now = time.monotonic()
        killing = now < began + seconds
        if killing and now >= next_kill:
            kills[kill_one(runs, chance)] += 1
            next_kill = now + chance.uniform(*SECONDS_BETWEEN_KILLS)
        if supervise(app, runs, resumes, more=killing) and not killing:
            break
        if now > began + seconds + SECONDS_TO_THE_END:
            break
        if now >= next_line:
            report_moment(runs, now - began, kills)
            next_line = now + SECONDS_BETWEEN_LINES
        time.sleep(TICK)
    app.close()
    wrong = troubles(runs, ids, seed)
    report_end(runs, ids, kills, resumes, app.starts, time.monotonic() - began)
    print("\n".join(wrong) or "No run is lost, and every one is finished.")
    return 1 if wrong else 0


def report_moment(runs: Runs, seconds: float, kills: Counter[str]) -> None:
    states = Counter(line.state for line in runs.summaries())
    told = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    print(f"{seconds:6.0f} s  {kills.total():3} kills  {told}", file=sys.stderr, flush=True)


def report_end(
    runs: Runs, ids: list[str], kills: Counter[str], resumes: Counter[str], starts: int, seconds: float
) -> None:
    lines = [line for line in runs.summaries() if line.id in ids]
    finished = sum(line.state is State.FINISHED for line in lines)
    again = [computed_again(runs.run_of(line)) for line in lines]
    by_kind = ", ".join(f"{kind} {kills[kind]}" for kind in KINDS)
    print(f"seconds                 {seconds:.0f}")
    print(f"kills                   {sum(kills[kind] for kind in KINDS)} ({by_kind})")
    print(f"resumes                 {resumes.total()}; the app was started {starts} times")
    print(f"runs                    {len(ids)}: {finished} finished, {len(ids) - len(lines)} lost")
    print(f"epochs                  {sum(line.epoch for line in lines):,}, and {sum(again):,} computed again")
    print(f"worst case              {max(resumes.values(), default=0)} resumes of one run; {max(again)} epochs again")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300.0, help="how long the killer is at work")
    parser.add_argument("--seed", type=int, default=1, help="seed of the runs and of the killer")
    parser.add_argument("--runs", type=int, default=30, help="number of runs")
    parser.add_argument("--networks", type=int, default=0, help="how many of them are small dense networks")
    parser.add_argument("--app", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.app:
        be_app(options.app)
    else:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
            sys.exit(soak(Path(place).resolve(), options.seconds, options.seed, options.runs, options.networks))
