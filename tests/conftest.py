"""Throw-away folders, and saved runs made through the library's own writing."""

import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import hypothesis
import numpy as np
import psutil
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from emotion_core import presets
from emotion_core.config import RunConfig, with_settings
from emotion_core.emotions import NUM_EMOTIONS
from emotion_core.evaluation import RunEvaluation, evaluate
from emotion_core.runs import Run, Runs, State, Validation

PROJECT = Path(__file__).parent.parent

pytest_plugins = ["tests.engine_helpers"]

hypothesis.settings.register_profile("shared", deadline=None)  # how long an example takes says how busy the machine is
hypothesis.settings.load_profile("shared")


@pytest.fixture(autouse=True)
def own_main_module() -> Iterator[None]:
    """Put back the main module, in whose place a page under test puts itself: new processes would begin with it."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture
def runs_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder of runs, cache and data that the environment points to; what computes in it ends with it."""
    for variable, name in (("EMOTION_RUNS", "runs"), ("EMOTION_CACHE", "cache"), ("EMOTION_DATA", "data")):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(variable, str(tmp_path / name))
    monkeypatch.setenv("EMOTION_DETECTORS", str(tmp_path / "detectors"))
    yield tmp_path / "runs"
    if (tmp_path / "runs" / ".engine").exists():
        end_processes_of(tmp_path)


def end_processes_of(folder: Path) -> None:
    """Kill the workers and trainers that were started for runs in a folder: they outlive whoever started them."""
    for process in psutil.process_iter(["cmdline"]):
        if any(str(folder) in part for part in process.info["cmdline"] or ()):
            with suppress(psutil.Error):
                process.kill()


@pytest.fixture
def finished_run(runs_folder: Path) -> Run:
    """A finished run of the linear preset on the sample, with curves, scores, a log and a model."""
    return save_finished_run(Runs(runs_folder), name="Fixture run")


def open_app(path: str, **parameters: str) -> AppTest:
    """Open a page of the app with query parameters, as a link or a reload does; nothing may go wrong on it."""
    page = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=60).run().switch_page(path)
    page.query_params.clear()  # those of the page that opened first
    for name, value in parameters.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception, page.exception
    return page


def shown(text: str) -> str:
    """Return what Markdown shows of a text in which each odd character is escaped, without invisible joints."""
    return re.sub(r"\\(.)", r"\1", text).replace("\u2060", "")


def checked(page: AppTest) -> AppTest:
    """Return the page, on which nothing may have gone wrong."""
    assert not page.exception, page.exception
    return page


def the_button(page: AppTest, beginning: str) -> Button:
    """The one button whose key begins so; the rest of the key names what it does something to."""
    (button,) = (button for button in page.button if str(button.key).startswith(beginning))
    return button


def said(page: AppTest) -> str:
    """All sentences on the page."""
    return "\n".join(
        shown(str(element.value))
        for kind in ("markdown", "caption", "info", "warning", "error", "subheader", "title")
        for element in getattr(page, kind)
    )


def figures(page: AppTest) -> str:
    """All that is drawn as HTML on the page."""
    return "\n".join(element.value for element in page.html)


def save_finished_run(
    runs: Runs, *, preset: str = "sgd", name: str = "", seed: int = 42, epochs: int = 6, skill: float = 0.5
) -> Run:
    """Save a finished run as the trainer would; `skill` is the share of faces that it gets right for sure."""
    config = named(presets.find_preset(preset).config, name, seed)
    run = runs.create(config)
    for epoch in range(1, epochs + 1):
        run.append_history(history_row(epoch, epochs))
    labels, probabilities = outcome(skill, seed)
    scores = evaluate(labels, probabilities)
    run.save_evaluation(
        RunEvaluation(
            **scores.model_dump(),
            best_epoch=epochs - 1,
            training_accuracy=0.61,
            parameters=16_135,
            seconds=75.0,
            images_per_second=2_300.0,
        ),
        Validation(np.arange(len(labels)), labels, probabilities),
    )
    save_linear_model(run)
    run.log_path.write_text("epoch 1: loss 1.9\n<b>not markup</b>\n", encoding="utf-8")
    run.record(
        state=State.FINISHED,
        epoch=epochs,
        parameters=16_135,
        best_epoch=epochs - 1,
        best_val_accuracy=scores.accuracy,
        started=run.status().submitted,
        finished=run.status().submitted + 75.0,
    )
    return run


def named(config: RunConfig, name: str, seed: int) -> RunConfig:
    """Return the configuration with a display name and a seed."""
    return with_settings(config, {"name": name, "training.seed": seed})


def history_row(epoch: int, epochs: int) -> dict[str, float]:
    """A plausible epoch: losses fall, and validation turns up at the end."""
    done = epoch / epochs
    return {
        "epoch": epoch,
        "loss": 1.9 - done,
        "accuracy": 0.25 + 0.4 * done,
        "val_loss": 1.85 - 0.6 * done + 1.5 * max(0.0, done - 0.8),
        "val_accuracy": 0.24 + 0.3 * done,
        "learning_rate": 0.001,
        "seconds": 12.5,
    }


def outcome(skill: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels of 210 faces, thirty of each emotion, and probabilities that are right for a share of them."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(NUM_EMOTIONS, dtype=np.uint8), 30)
    probabilities = rng.dirichlet(np.ones(NUM_EMOTIONS), len(labels)).astype(np.float32)
    sure = rng.random(len(labels)) < skill
    probabilities[sure] = np.eye(NUM_EMOTIONS, dtype=np.float32)[labels[sure]]
    return labels, probabilities


def save_linear_model(run: Run) -> None:
    """Save a small model in the form in which linear runs serve."""
    rng = np.random.default_rng(0)
    np.savez(
        run.linear_path,
        coefficients=rng.normal(0, 0.01, (NUM_EMOTIONS, 48 * 48)).astype(np.float32),
        intercepts=np.zeros(NUM_EMOTIONS, np.float32),
        temperature=np.float32(1.0),
    )


@pytest.fixture
def faces_csv(runs_folder: Path) -> Path:
    """A CSV of 70 labelled faces in the data folder, ten of each emotion in turn."""
    return save_csv(runs_folder.parent / "data" / "faces.csv", [number % NUM_EMOTIONS for number in range(70)])


def save_csv(path: Path, labels: list[int] | None, count: int = 70) -> Path:
    """Save a CSV in the coursework's form, of faces that differ; without labels it is one to predict."""
    rng = np.random.default_rng(7)
    rows = [" ".join(map(str, rng.integers(0, 256, 48 * 48))) for _ in range(count if labels is None else len(labels))]
    if labels is None:
        lines = ["id,pixels", *(f"{number},{pixels}" for number, pixels in enumerate(rows))]
    else:
        numbered = enumerate(zip(labels, rows, strict=True))
        lines = ["id,emotion,pixels", *(f"{number},{label},{pixels}" for number, (label, pixels) in numbered)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
