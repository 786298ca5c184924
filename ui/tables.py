"""Tables from plain data: runs side by side, scores by emotion, a configuration in words.

Nothing here calls Streamlit.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import pandas as pd

from emotion_core.comparison import MISSING, Figure, RunGroup, SettingPath, Statistic, difference
from emotion_core.config import RunConfig, unused_settings
from emotion_core.evaluation import Evaluation
from emotion_core.presets import PRESETS
from emotion_core.runs import RunSummary, State
from ui.fields import label_of

SHARES: Final = (
    "Validation accuracy",
    "Validation deviation",
    "Against the baseline",
    "Coursework validation",
    "Against the coursework",
    "Test accuracy",
    "Test deviation",
    "Test against the baseline",
    "Coursework test",
    "Test against the coursework",
    "Training accuracy",
)
"""Columns of shares and of differences between them."""


def runs_table(groups: Sequence[RunGroup], baseline: RunGroup | None = None) -> pd.DataFrame:
    """Return a row per group, with means over its runs, unrounded, in the order given."""
    return pd.DataFrame(
        {
            "Run": [group.name for group in groups],
            "State": [group.state.capitalize() for group in groups],
            "States": [[state.capitalize() for state in group.states] for group in groups],
            "Runs": _integers(len(group.counted) for group in groups),
            "Seeds": [", ".join(map(str, group.seeds)) for group in groups],
            "Family": [label_of(group.newest.family) for group in groups],
            "Preset": [_preset_of(group) for group in groups],
            "Data": [group.newest.data for group in groups],
            "Tags": [list(group.tags) for group in groups],
            **_scores(groups, "val_accuracy", "Validation"),
            **_against_coursework(groups, "val_accuracy", "Coursework validation", "Against the coursework"),
            **_against_baseline(groups, baseline, "val_accuracy", "Against the baseline", "Standing"),
            **_scores(groups, "test_accuracy", "Test"),
            "Runs with a test score": _integers(_count(group.statistic("test_accuracy")) for group in groups),
            **_against_coursework(groups, "test_accuracy", "Coursework test", "Test against the coursework"),
            **_against_baseline(groups, baseline, "test_accuracy", "Test against the baseline", "Test standing"),
            "Training accuracy": _means(groups, "training_accuracy"),
            "Macro-F1": _means(groups, "macro_f1"),
            "Test macro-F1": _means(groups, "test_macro_f1"),
            "Kept epoch": _means(groups, "best_epoch"),
            "Validation loss": _means(groups, "val_loss"),
            "Epochs": [group.epochs for group in groups],
            "Parameters": _integers(group.best.parameters for group in groups),
            "Seconds": _means(groups, "seconds"),
            "Images per second": _means(groups, "images_per_second"),
            "Submitted": pd.to_datetime(pd.Series([_local_time(group.newest.submitted) for group in groups])),
            "Reason": [group.newest.reason for group in groups],
            "Notes": [" · ".join(dict.fromkeys(line.notes for line in group.lines if line.notes)) for group in groups],
            "Ids": [[line.id for line in group.lines] for group in groups],
        }
    )


def on_screen(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of runs with shares in percent, states as badges and times as durations."""
    return table.assign(
        **{name: table[name] * 100 for name in SHARES},
        State=[[state] for state in table["State"]],
        **{name: [[text] if text else [] for text in table[name]] for name in ("Standing", "Test standing")},
        Time=pd.to_timedelta(table["Seconds"].round().astype("float64"), unit="s"),
    ).drop(columns="Seconds")


def _preset_of(group: RunGroup) -> str:
    preset = group.newest.preset
    return f"{preset}, changed" if preset in PRESETS and not group.newest.as_preset else preset


def _scores(groups: Sequence[RunGroup], figure: Figure, name: str) -> dict[str, pd.Series]:
    known = [group.statistic(figure) for group in groups]
    return {
        f"{name} accuracy": _floats(one and one.mean for one in known),
        f"{name} deviation": _floats(one and one.deviation for one in known),
    }


def _against_coursework(
    groups: Sequence[RunGroup], figure: Figure, name: str, difference_name: str
) -> dict[str, pd.Series]:
    reported = _floats(_reported(group, figure) for group in groups)
    return {name: reported, difference_name: _means(groups, figure) - reported}


def _reported(group: RunGroup, figure: Figure) -> float | None:
    if group.reported is None:
        return None
    return group.reported.compared if figure == "val_accuracy" else group.reported.kaggle


def _against_baseline(
    groups: Sequence[RunGroup], baseline: RunGroup | None, figure: Figure, name: str, verdict_name: str
) -> dict[str, Any]:
    differences = [baseline and difference(group, baseline, figure) for group in groups]
    return {
        name: _floats(found and found.value for found in differences),
        verdict_name: [str(found.verdict) if found else "" for found in differences],
    }


def _means(groups: Sequence[RunGroup], figure: Figure) -> pd.Series:
    return _floats(group.mean(figure) for group in groups)


def _count(known: Statistic | None) -> int:
    return known.count if known else 0


def distinct_names(lines: Sequence[RunSummary]) -> dict[str, str]:
    """Return a name per run id; runs that share a name are told apart by seed, then by the end of the id."""
    seeds, ends = ({line.id: tail(line) for line in lines} for tail in (_seed_tail, lambda line: f" {line.id[-4:]}"))
    return _told_apart({line.id: line.name for line in lines}, seeds, ends)


def row_names(groups: Sequence[RunGroup]) -> dict[str, str]:
    """Return a name per group's key; groups that share a name are told apart by seed or data, then by the key."""
    seeds = {group.key: _seed_tail(group.newest) if len(group.lines) == 1 else "" for group in groups}
    data = {group.key: f" ({group.newest.data})" for group in groups}
    ends = {group.key: f" {group.key[-4:]}" for group in groups}
    return _told_apart({group.key: group.name for group in groups}, data, seeds, ends)


def _seed_tail(line: RunSummary) -> str:
    return f" (seed {line.seed})"


def _told_apart(names: dict[str, str], *tails: Mapping[str, str]) -> dict[str, str]:
    """Lengthen names that several have by a tail that tells any of them apart, until no two are the same.

    Names that differ in white space alone are the same, since pages show them alike.
    """
    names = {key: " ".join(name.split()) for key, name in names.items()}
    for tail in tails:
        having = defaultdict(list)
        for key, name in names.items():
            having[name].append(key)
        several = [keys for keys in having.values() if len({tail[key] for key in keys}) > 1]
        names = names | {key: names[key] + tail[key] for keys in several for key in keys}
    return names


def run_labels(lines: Sequence[RunSummary]) -> dict[str, str]:
    """Return a line per run id for lists to choose from: name, score, when."""
    names = distinct_names(lines)
    return {line.id: " · ".join(filter(None, (_apart(names[line.id]), *_facts(line)))) for line in lines}


def seed_untold(name: str, seed: int | None) -> list[str]:
    """Return what to say of a run's seed beside its name: nothing where the name says it."""
    return [] if re.search(rf"\bseed {seed}\b", name) else [f"seed {seed}"]


def class_table(scores: Evaluation, test: Evaluation | None = None) -> pd.DataFrame:
    """Return a row per emotion with its scores in percent, those on test faces beside each where they are known."""
    columns = {
        title: _floats(None if share is None else 100 * share for share in part.by_emotion(score))
        for score, *titles in (
            ("precision", "Precision", "Test precision"),
            ("recall", "Recall", "Test recall"),
            ("f1", "F1", "Test F1"),
        )
        for title, part in zip(titles, (scores, test), strict=True)
        if part is not None
    }
    counts = {
        title: [each.support for each in part.per_class.values()]
        for title, part in (("Faces", scores), ("Test faces", test))
        if part is not None
    }
    return pd.DataFrame({"Emotion": list(scores.per_class)} | columns | counts)


def configuration(config: RunConfig, run_names: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return the settings that a run has a use for by section, each as words; runs by their names where known."""
    document, unused = config.model_dump(), unused_settings(config)
    sections = {
        section.capitalize(): {
            label_of(name): in_words(_with_names((section, name), value, run_names))
            for name, value in document[section].items()
            if f"{section}.{name}" not in unused
        }
        for section in ("data", "augmentation", "model", "training", "prediction", "device")
    }
    return {section: settings for section, settings in sections.items() if settings}


def settings_table(
    differing: Mapping[SettingPath, Sequence[Any]], names: Sequence[str], run_names: Mapping[str, str]
) -> pd.DataFrame:
    """Return a row per setting that differs, in words, and a column per configuration; runs by names where known."""
    rows = [
        ["\u2013" if value is MISSING else in_words(_with_names(path, value, run_names)) for value in values]
        for path, values in differing.items()
    ]
    index = [" · ".join(map(label_of, path)) for path in differing]
    return pd.DataFrame(rows, index=index, columns=list(names))


_SAVED_RUNS: Final = (("training", "start_from"), ("training", "teachers"))
"""Settings that hold ids of runs."""


def _with_names(path: SettingPath, value: Any, run_names: Mapping[str, str]) -> Any:
    return [run_names.get(run_id, run_id) for run_id in value] if path in _SAVED_RUNS else value


def in_words(value: Any) -> str:
    """Write a setting as a person would: `1cycle, start 0.001, peak 0.01`."""
    match value:
        case None | [] | ():
            return "none"
        case bool():
            return "yes" if value else "no"
        case dict() if "blocks" in value:
            return f"{value['blocks']} {'block' if value['blocks'] == 1 else 'blocks'} of {value['filters']}"
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


def as_csv(table: pd.DataFrame) -> str:
    """Return the table as the text of a CSV file, whose cells hold lists with commas between."""
    lists = {name: table[name].map(lambda items: ", ".join(map(str, items))) for name in _LISTS}
    return table.assign(**lists).to_csv(index=False, lineterminator="\n")


_LISTS: Final = ("States", "Tags", "Ids")


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
