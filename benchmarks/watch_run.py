"""What one refresh of a live run costs the server, however long its history.

    python -m benchmarks.watch_run [--epochs 10000] [--runs 500] [--rounds 30]

A folder of runs is made in which one computes (its lock is held) with the given number of epochs behind it, and some
are over. Printed are medians of many refreshes, each a real run of a page's script through Streamlit: the live view as
it is; those of its refreshes that look at the whole folder, as one in some seconds does for all tabs together; and the
way it was done before, which reads every run's files and draws every epoch. Then, what the steps of a refresh take by
themselves. The budget is 50 ms a refresh.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

from emotion_core.diagnosis import diagnose
from emotion_core.errors import DamagedRun
from emotion_core.presets import find_preset
from emotion_core.runs import HISTORY_COLUMNS, Run, Runs, State
from emotion_core.watch import watch
from ui.curves import CurveView, curve_points

BUDGET = 50
BATCHES = 400


def main(epochs: int, count: int, rounds: int) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        runs = Runs(folder)
        run = make_runs(runs, epochs, count)
        with run.alive():
            report_refreshes(folder, rounds)
            report_steps(runs, run, rounds)
    finally:
        shutil.rmtree(folder)


def make_runs(runs: Runs, epochs: int, count: int) -> Run:
    """Make a folder of runs that are over, and one that computes; return that one."""
    config = find_preset("cnn-small").config
    over = runs.create(config)
    over.record(state=State.FINISHED, epoch=30, best_epoch=30, best_val_accuracy=0.66)
    for number in range(count - 2):
        shutil.copytree(over.folder, runs.folder / f"{over.id[:-8]}{number:08x}")
    run = runs.create(config)
    rng = np.random.default_rng(0)
    epoch = np.arange(1, epochs + 1)
    loss = 1 + np.exp(-epoch / epochs) + rng.normal(0, 0.05, epochs)
    columns = (epoch, loss, 1 - loss / 3, loss + 0.1, 1 - loss / 3, np.full(epochs, 1e-3), np.full(epochs, 12.3))
    rows = "\n".join(",".join(f"{value:.7g}" for value in row) for row in zip(*columns, strict=True))
    (run.folder / "history.csv").write_text(",".join(HISTORY_COLUMNS) + "\n" + rows + "\n")
    run.append_progress({"epoch": epochs + 1, "batch": 9, "loss": 1.4, "accuracy": 0.5, "seconds": 3.0})
    run.log_path.write_text("epoch 1: loss 1.9, accuracy 0.25, validation loss 1.8\n" * epochs)
    run.record(state=State.RUNNING, backend="jax", device="CPU", epoch=epochs, batch=9, batches=BATCHES, best_epoch=3)
    return run


# --- whole refreshes -----------------------------------------------------------------------------------------------


def live_page(folder: str, way: str) -> None:
    """The script of a page that holds nothing but one refresh of the live view."""
    import os
    import time

    import streamlit as st

    from benchmarks.watch_run import as_before
    from ui import cache
    from ui.live import _refresh

    os.environ["EMOTION_RUNS"] = folder
    if way == "listing":
        cache.list_anew()
    start, computing = time.perf_counter(), time.thread_time()
    as_before(folder) if way == "before" else _refresh(moving=True)
    st.session_state["seconds"] = time.perf_counter() - start, time.thread_time() - computing


def as_before(folder: str) -> None:
    """Refresh as the first version would: every run read and asked whether it lives, every epoch drawn."""
    import streamlit as st

    from ui.curves import curve_chart

    hand = runs_in_hand(Runs(Path(folder)))
    seen = watch(hand[0])
    for metric in ("loss", "accuracy"):
        st.vega_lite_chart(every_point(seen.history, metric), curve_chart(metric), theme=None, key=metric)


def runs_in_hand(runs: Runs) -> list[Run]:
    """Return the runs that are not over by reading the files of every run."""
    found = []
    for run in runs.all():
        try:
            if run.config and not run.state().is_over:
                found.append(run)
        except DamagedRun:
            continue
    return found


def every_point(history: Any, metric: str) -> Any:
    """Return all points of both lines, in the columns of `curve_points`."""
    import pandas as pd

    lines = {"Training": metric, "Validation": f"val_{metric}"}
    columns = {name: history[column] for name, column in lines.items()}
    table = pd.DataFrame({"x": history["epoch"], **columns}).melt("x", var_name="series")
    return table.assign(epoch=table["x"], measured=table["value"], part="epoch")


def report_refreshes(folder: Path, rounds: int) -> None:
    """Print the medians of all ways, taken in turn so that a slow moment of the machine meets each."""
    pages = {
        way: AppTest.from_function(live_page, default_timeout=120, args=(str(folder), way)).run()
        for way in ("listing", "usual", "before")
    }
    taken: dict[str, list[tuple[float, float]]] = {way: [] for way in pages}
    for _ in range(rounds):
        for way, page in pages.items():
            page.run()
            assert not page.exception, page.exception
            taken[way].append(page.session_state["seconds"])
    usual, listing, before = (1_000 * np.median(taken[way], axis=0) for way in ("usual", "listing", "before"))
    print(f"milliseconds by the clock (budget {BUDGET}), and those computing, which a busy machine changes less")
    print(f"one refresh                             {usual[0]:6.1f} {usual[1]:6.1f}")
    print(f"one that lists the whole folder, too    {listing[0]:6.1f} {listing[1]:6.1f}")
    print(f"reading every run, drawing every epoch  {before[0]:6.1f} {before[1]:6.1f}")
    print(f"ratio                                   {before[0] / usual[0]:6.1f} {before[1] / usual[1]:6.1f}")


# --- steps ---------------------------------------------------------------------------------------------------------


def report_steps(runs: Runs, run: Run, rounds: int) -> None:
    seen = watch(run, state=State.RUNNING)
    smooth = CurveView(smoothing=0.8)
    steps: dict[str, Callable[[], object]] = {
        "list the whole folder": runs.summaries,
        "look at the run": lambda: watch(run, state=State.RUNNING),
        "points of a chart": lambda: curve_points(seen.history, seen.progress, "loss", BATCHES, 3),
        "points of a chart, smoothed": lambda: curve_points(seen.history, seen.progress, "loss", BATCHES, 3, smooth),
        "say what the curves show": lambda: diagnose(seen.history),
    }
    for name, step in steps.items():
        print(f"  {name:38}{median_of(step, rounds):6.1f}")


def median_of(step: Callable[[], object], rounds: int) -> float:
    """Return the median time of a step in milliseconds, after one to warm up."""
    step()
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        step()
        taken.append(1_000 * (time.perf_counter() - start))
    return statistics.median(taken)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    main(options.epochs, options.runs, options.rounds)
