"""`presets` and `data`: what there is to train, and to train on."""

import argparse
from typing import Any

from emotion_core.commands.output import print_json, print_line, print_table
from emotion_core.coursework import SEEDS
from emotion_core.models.counts import count_parameters
from emotion_core.presets import PRESETS


def presets(options: argparse.Namespace) -> None:
    """List the presets."""
    lines = [
        {
            "name": preset.name,
            "title": preset.title,
            "summary": preset.summary,
            "family": preset.config.model.family,
            "parameters": count_parameters(preset.config.model),
            "epochs": preset.config.training.epochs,
            "batch_size": preset.config.training.batch_size,
            "coursework": preset.name in SEEDS,
        }
        for preset in PRESETS.values()
    ]
    if options.json:
        print_json(lines)
    else:
        columns = ("name", "family", "parameters", "epochs", "title")
        print_table(columns, ([line[column] for column in columns] for line in lines))


def data(options: argparse.Namespace) -> None:
    """Check a data set and summarise it."""
    from emotion_core.dataset import load_dataset

    summary = load_dataset(options.source, drop_incomplete=options.drop_incomplete).summary()
    if options.json:
        print_json(summary)
    else:
        _print_summary(summary)


def _print_summary(summary: dict[str, Any]) -> None:
    print_line(f"{summary['name']}: {summary['images']:,} images{'' if summary['labelled'] else ', without labels'}")
    if summary["labelled"]:
        print_table(("emotion", "images"), summary["counts"].items())
    for usage, count in (summary["usage"] or {}).items():
        print_line(f"{usage}: {count:,}")
    for problem in summary["problems"]:
        print_line(f"left out: line {problem['row']} {problem['message']}")
