"""The words of the command line. Imports nothing else of the library, so that help comes at once."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from emotion_core.errors import BadInput

RUN_HELP = "id of a run, the beginning of one, or 'latest'"


def _path(text: str) -> Path:
    """Return a path with `~` written out, which not every shell does."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:  # nobody has that name here
        raise argparse.ArgumentTypeError(f"{text!r} names the home of nobody on this machine") from error


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{message[:1].upper()}{message[1:]} (see {self.prog} --help).")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options; `command` is the module and the function that carry it out. Raises BadInput."""
    parser = _Parser(prog="python -m emotion_core", description="Facial-emotion recognition from the command line.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in (
        _presets,
        _data,
        _train,
        _submit,
        _reproduce,
        _runs,
        _evaluate,
        _predict,
        _classify,
        _fetch_detector,
        _doctor,
    ):
        add(commands)
    return parser.parse_args(arguments)


def _command(commands: Any, name: str, target: tuple[str, str], summary: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=summary, description=summary)
    command.set_defaults(command=target)
    command.add_argument("--json", action="store_true", help="print one JSON document")
    return command


def _add_runs_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--runs", type=_path, metavar="DIR", help="folder of runs (default: EMOTION_RUNS, else trained/)"
    )


def _presets(commands: Any) -> None:
    _command(commands, "presets", ("catalogue", "presets"), "List the presets.")


def _data(commands: Any) -> None:
    command = _command(commands, "data", ("catalogue", "data"), "Check a data set and summarise it.")
    command.add_argument("source", metavar="CSV", help="CSV, zip or folder of images, or 'sample'")
    _add_drop_option(command)


def _train(commands: Any) -> None:
    command = _command(commands, "train", ("train", "train"), "Train a preset here and now, and wait for it.")
    command.add_argument("preset", metavar="PRESET", help="name of a preset; 'presets' lists them")
    _add_seed_option(command)
    _add_run_options(command)


def _submit(commands: Any) -> None:
    command = _command(commands, "submit", ("train", "submit"), "Queue presets to be trained in the background.")
    command.add_argument("presets", metavar="PRESET", nargs="+", help="names of presets; 'presets' lists them")
    seeds = command.add_mutually_exclusive_group()
    _add_seed_option(seeds)
    seeds.add_argument("--seeds", metavar="N,N,...", help="several seeds: a run for each")
    command.add_argument(
        "--grid",
        action="append",
        default=[],
        metavar="path=value,value,...",
        help="values that a setting takes in turn, for example training.batch_size=32,64: a run for each combination; "
        "may be given several times",
    )
    _add_run_options(command)


def _reproduce(commands: Any) -> None:
    command = _command(
        commands,
        "reproduce",
        ("train", "reproduce"),
        "Queue the coursework's table, every preset with its seeds, except the runs that exist already.",
    )
    command.add_argument("presets", metavar="PRESET", nargs="*", help="only these presets of the table")
    command.add_argument("--again", action="store_true", help="also queue the runs that exist already")
    _add_data_option(command, required=True)
    _add_epochs_option(command)
    _add_drop_option(command)
    _add_runs_option(command)


def _add_seed_option(command: Any) -> None:
    command.add_argument("--seed", type=int, metavar="N", help="seed of every random draw")


def _add_run_options(command: argparse.ArgumentParser) -> None:
    _add_data_option(command)
    _add_epochs_option(command)
    command.add_argument("--name", metavar="TEXT", help="display name")
    command.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="path=value",
        help="any other setting, for example training.batch_size=64; may be given several times",
    )
    _add_drop_option(command)
    _add_runs_option(command)


def _add_data_option(command: argparse.ArgumentParser, *, required: bool = False) -> None:
    command.add_argument(
        "--data", required=required, metavar="CSV", help="CSV, zip or folder of images, or 'sample' for drawn faces"
    )


def _add_epochs_option(command: argparse.ArgumentParser) -> None:
    command.add_argument("--epochs", type=int, metavar="N", help="maximum number of passes over the data")


def _add_drop_option(command: argparse.ArgumentParser) -> None:
    command.add_argument("--drop-incomplete", action="store_true", help="leave out rows with missing pixels")


def _runs(commands: Any) -> None:
    group = commands.add_parser(
        "runs", help="List, show, wait for, stop, resume, move, export, import or delete saved runs."
    )
    verbs = group.add_subparsers(metavar="VERB", required=True)
    _verb(verbs, "list", "list_runs", "List the saved runs, newest first.", run=False)
    _verb(verbs, "show", "show", "Show one run.")
    _verb(verbs, "wait", "wait", "Wait until a run has ended; fails if it failed.")
    stop = _verb(verbs, "stop", "stop", "Ask a run to stop after the current batch, keeping its whole epochs.")
    stop.add_argument("--now", action="store_true", help="end its processes at once instead")
    resume = _verb(verbs, "resume", "resume", "Queue a run that has ended, to continue after its last complete epoch.")
    resume.add_argument("--epochs", type=int, metavar="N", help="total passes over the data, for training longer")
    move = _verb(verbs, "move", "move", "Move a waiting run earlier or later in the queue.")
    move.add_argument("places", type=int, metavar="PLACES", help="how many places later; negative for earlier")
    export = _verb(verbs, "export", "export", "Write a run that has ended as one zip.")
    export.add_argument("file", type=_path, metavar="FILE", help="zip to write")
    take_in = _verb(verbs, "import", "take_in", "Check a zip that 'export' wrote, and add its run.", run=False)
    take_in.add_argument("file", type=_path, metavar="FILE", help="zip to read")
    _verb(verbs, "delete", "delete", "Delete a run for good.")


def _verb(verbs: Any, name: str, function: str, summary: str, *, run: bool = True) -> argparse.ArgumentParser:
    verb = _command(verbs, name, ("saved_runs", function), summary)
    if run:
        verb.add_argument("run", metavar="ID", help=RUN_HELP)
    _add_runs_option(verb)
    return verb


def _evaluate(commands: Any) -> None:
    command = _command(commands, "evaluate", ("serve", "evaluate_run"), "Score a run on a labelled data set.")
    _add_run_and_data(command)
    command.add_argument("--labels", type=_path, metavar="CSV", help="id,emotion of a data set without its own labels")
    command.add_argument("--save", action="store_true", help="save the scores with the run as its test scores")


def _predict(commands: Any) -> None:
    command = _command(commands, "predict", ("serve", "predict"), "Write a run's predictions in Kaggle's format.")
    _add_run_and_data(command)
    command.add_argument("--output", type=_path, required=True, metavar="FILE", help="CSV to write")
    command.add_argument(
        "--average-with",
        action="append",
        default=[],
        metavar="RUN",
        help="another run, for the mean of their probabilities; may be given several times",
    )
    command.add_argument(
        "--header",
        choices=("kaggle", "emotion"),
        default="kaggle",
        help="the first line: 'id,predicted class' (the default) or 'id,emotion'",
    )
    command.add_argument("--names", action="store_true", help="write names of emotions, not their numbers")


def _add_run_and_data(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", metavar="RUN", help=RUN_HELP)
    command.add_argument("source", metavar="CSV", help="CSV, zip or folder of images, or 'sample'")
    _add_drop_option(command)
    _add_runs_option(command)


def _classify(commands: Any) -> None:
    command = _command(commands, "classify", ("serve", "classify"), "Find the faces in pictures and classify them.")
    command.add_argument("images", metavar="IMAGE", nargs="+", type=_path, help="JPEG, PNG, WebP or BMP")
    command.add_argument("--run", metavar="RUN", help=f"{RUN_HELP} (default: the best run)")
    command.add_argument("--detector", metavar="NAME", help="yunet or haar (default: yunet if it was fetched)")
    command.add_argument(
        "--smallest",
        type=float,
        metavar="SHARE",
        help="smallest face to look for, as a share of the picture's longer side",
    )
    command.add_argument("--whole", action="store_true", help="take the whole picture where no face is found")
    _add_runs_option(command)


def _fetch_detector(commands: Any) -> None:
    _command(
        commands,
        "fetch-detector",
        ("machine", "fetch"),
        "Fetch the YuNet face detector (0.2 MB) from the OpenCV Zoo; it finds more faces than what comes with OpenCV.",
    )


def _doctor(commands: Any) -> None:
    command = _command(
        commands, "doctor", ("machine", "doctor"), "Say what is here, what is missing and how to get it."
    )
    _add_runs_option(command)
