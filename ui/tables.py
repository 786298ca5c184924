"""Tables from plain data: runs side by side, scores by emotion, a configuration in words.

Nothing here calls Streamlit.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from emotion_core.config import SAMPLE, RunConfig
from emotion_core.evaluation import ClassScores
from emotion_core.runs import RunSummary, State
from ui.fields import label_of

DRAWN = "Sample (drawn)"
"""How data drawn by code is called wherever a run tells what it learnt from."""


def runs_table(lines: Sequence[RunSummary]) -> pd.DataFrame:
    """Return a row per run, with the numbers of its best epoch, in the order given."""
    return pd.DataFrame(
        {
            "Run": [line.name for line in lines],
            "Tags": [list(line.tags) for line in lines],
            "State": [line.state.capitalize() for line in lines],
            "Validation accuracy": _floats(line.val_accuracy for line in lines),
            "Macro-F1": _floats(line.macro_f1 for line in lines),
            "Training accuracy": _floats(line.training_accuracy for line in lines),
            "Best epoch": _integers(line.best_epoch for line in lines),
            "Epochs": _integers(line.epoch for line in lines),
            "Parameters": _integers(line.parameters for line in lines),
            "Seconds": _floats(line.seconds for line in lines),
            "Preset": [line.preset for line in lines],
            "Seed": _integers(line.seed for line in lines),
            "Data": [data_label(line.data) for line in lines],
            "Submitted": pd.to_datetime(pd.Series([_local_time(line.submitted) for line in lines])),
            "Note": [line.reason for line in lines],
            "Id": [line.id for line in lines],
        }
    )


def on_screen(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of runs with shares in percent, states as badges and times as durations."""
    shares = ["Validation accuracy", "Training accuracy"]
    return table.assign(
        **{name: table[name] * 100 for name in shares},
        State=[[state] for state in table["State"]],
        Time=pd.to_timedelta(table["Seconds"].round().astype("float64"), unit="s"),
    ).drop(columns="Seconds")


def distinct_names(lines: Sequence[RunSummary]) -> dict[str, str]:
    """Return a name per run id; runs that share a name are told apart by seed, then by the end of the id."""
    names = {line.id: line.name for line in lines}
    for tail in (lambda line: f" (seed {line.seed})", lambda line: f" {line.id[-4:]}"):
        count = Counter(names.values())
        names |= {line.id: names[line.id] + tail(line) for line in lines if count[names[line.id]] > 1}
    return names


def run_labels(lines: Sequence[RunSummary]) -> dict[str, str]:
    """Return a line per run id for lists to choose from: name, score, when."""
    names = distinct_names(lines)
    return {line.id: " · ".join(filter(None, (_apart(names[line.id]), *_facts(line)))) for line in lines}


def class_table(per_class: Mapping[str, ClassScores]) -> pd.DataFrame:
    """Return a row per emotion with its scores in percent."""
    return pd.DataFrame(
        {
            "Emotion": list(per_class),
            "Precision": [100 * scores.precision for scores in per_class.values()],
            "Recall": [100 * scores.recall for scores in per_class.values()],
            "F1": [100 * scores.f1 for scores in per_class.values()],
            "Faces": [scores.support for scores in per_class.values()],
        }
    )


def configuration(config: RunConfig) -> dict[str, dict[str, str]]:
    """Return the settings of a run by section, each as words."""
    document = config.model_dump()
    return {
        section.capitalize(): {label_of(name): in_words(value) for name, value in document[section].items()}
        for section in ("data", "augmentation", "model", "training", "device")
    }


def in_words(value: Any) -> str:
    """Write a setting as a person would: `one_cycle, start 0.001, peak 0.01`."""
    match value:
        case None | [] | ():
            return "none"
        case bool():
            return "yes" if value else "no"
        case dict() if "filters" in value:
            return f"{value['filters']} of {value['kernel_size']}x{value['kernel_size']}"
        case dict():
            kind = [label_of(value["kind"])] if "kind" in value else []
            rest = [f"{label_of(name).lower()} {in_words(inner)}" for name, inner in value.items() if name != "kind"]
            return ", ".join(kind + rest)
        case list() | tuple():
            separator = "; " if any(isinstance(inner, dict) and "filters" not in inner for inner in value) else ", "
            return separator.join(in_words(inner) for inner in value)
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def data_label(source: str) -> str:
    """Return what a data source is called on screen."""
    return DRAWN if source == SAMPLE else Path(source).name


def as_csv(table: pd.DataFrame) -> str:
    """Return the table as the text of a CSV file."""
    return table.assign(Tags=table["Tags"].map(", ".join)).to_csv(index=False, lineterminator="\n")


def as_json(config: RunConfig) -> str:
    """Return the configuration as the text of a JSON file."""
    return json.dumps(config.model_dump(mode="json"), indent=2)


def _apart(name: str) -> str:
    """Return a name whose writing direction does not reach what follows it in a line."""
    return name if name.isascii() else f"\u2068{name}\u2069"


def _facts(line: RunSummary) -> tuple[str, ...]:
    if line.state is State.DAMAGED:
        return ("damaged",)
    return ("" if line.val_accuracy is None else f"{line.val_accuracy:.1%}", _moment(line))


def _moment(line: RunSummary) -> str:
    moment = _local_time(line.submitted)
    return "" if moment is None else f"{moment.day} {moment:%b %H:%M}"


def _local_time(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds).replace(microsecond=0) if seconds else None


def _floats(values: Iterable[float | None]) -> pd.Series:
    return pd.Series(list(values), dtype="Float64")


def _integers(values: Iterable[int | None]) -> pd.Series:
    return pd.Series(list(values), dtype="Int64")
