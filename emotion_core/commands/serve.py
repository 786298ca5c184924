"""`evaluate`, `predict` and `classify`: what a saved run makes of faces."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_core.classifier import Classifier, best_run, load_classifier
from emotion_core.commands.options import runs_of
from emotion_core.commands.output import Narrator, file_to_write, print_json, print_line, print_note, print_table
from emotion_core.dataset import Dataset, load_dataset, read_labels
from emotion_core.detection import open_detector
from emotion_core.emotions import EMOTIONS
from emotion_core.ensemble import load_ensemble
from emotion_core.errors import BadInput
from emotion_core.evaluation import Evaluation, HeldOutEvaluation, evaluate
from emotion_core.faces import ClassifiedFace, classify_faces
from emotion_core.images import decode_image
from emotion_core.origins import learnt_from, seen_rows
from emotion_core.runs import Run, Runs
from emotion_core.submission import Style, say_left_out, score_predictions, write_submission


def evaluate_run(options: argparse.Namespace) -> None:
    """Score a run on a labelled data set, or on one whose labels are in a file of their own.

    Of the very data that it learnt from, also through its start and its teachers, those rows are scored that had no
    part in that, if there are any.
    """
    runs = runs_of(options)
    run, dataset = runs.find(options.run, latest_with_model=True), _load(options)
    if dataset.labels is None and not options.labels:
        raise BadInput(f"{dataset.name} has no emotion column; name the file of its labels with --labels.")
    answers = read_labels(options.labels) if options.labels else None  # before the faces, which may take minutes
    classifier, scores_before = load_classifier(run), run.evaluation()
    rows = _rows_to_score(run, runs, dataset, as_test=options.save)
    probabilities = _probabilities(classifier, dataset.images[rows])
    if answers:
        scores = score_predictions(dataset.ids[rows], probabilities, *answers)
    else:
        assert dataset.labels is not None
        scores = evaluate(dataset.labels[rows], probabilities)
    if options.save:
        if run.evaluation() != scores_before:
            raise BadInput(f"Run {run.id} was scored anew meanwhile; evaluate it again to test its new model.")
        run.save_test_scores(HeldOutEvaluation(**scores.model_dump(), data=dataset.name))
    _print_scores(run, dataset, scores, as_json=options.json)


def predict(options: argparse.Namespace) -> None:
    """Write what a run, or several on average, predict for a data set as Kaggle takes it: the whole file or none."""
    output = file_to_write(options.output, read=Path(options.source).expanduser())
    runs = runs_of(options)
    run, *others = (runs.find(name, latest_with_model=True) for name in (options.run, *options.average_with))
    classifier, dataset = load_ensemble([run, *others]), _load(options)
    labels = _probabilities(classifier, dataset.images).argmax(axis=1)
    write_submission(output, dataset.ids, labels, Style(options.header, options.names))
    if left_out := say_left_out(len(dataset.problems)):
        print_note(left_out)
    others_named = [other.id for other in others]
    if options.json:
        document = {"run": run.id, "data": dataset.name, "images": len(dataset), "output": str(output)}
        print_json(document | ({"averaged_with": others_named} if others else {}))
    else:
        whose = f"the average of runs {', '.join((run.id, *others_named))}" if others else f"run {run.id}"
        print_line(f"{output}: {len(dataset):,} predictions of {whose}.")


def classify(options: argparse.Namespace) -> None:
    """Find the faces in pictures and classify them."""
    runs = runs_of(options)
    run = runs.find(options.run, latest_with_model=True) if options.run else best_run(runs)
    classifier, detector = load_classifier(run), open_detector(options.detector, options.smallest)
    contents = ((path, decode_image(_read(path), path.name)) for path in options.images)  # one in memory at a time
    answers = [(path, classify_faces(picture, classifier, detector, whole=options.whole)) for path, picture in contents]
    if options.json:
        print_json([{"image": str(path), "faces": [_describe(face) for face in faces]} for path, faces in answers])
        return
    for path, faces in answers:
        print_line(f"{path}: {'; '.join(map(_sentence, faces)) or 'no face found'}")


def _load(options: argparse.Namespace) -> Dataset:
    return load_dataset(options.source, drop_incomplete=options.drop_incomplete)


def _rows_to_score(run: Run, runs: Runs, dataset: Dataset, *, as_test: bool) -> NDArray[np.int64]:
    """Return the rows of a data set that a run is scored on: those it has not seen, or all where it saw all.

    Raises BadInput where it saw all and the score is to be that of a test.
    """
    every = np.arange(len(dataset))
    seen = None if dataset.labels is None else seen_rows(run, runs, dataset)
    if seen is None:
        return every
    unseen = np.setdiff1d(every, np.concatenate([seen.training, seen.validation]))
    how = "" if learnt_from(run.config, dataset) else ", through the runs that it began with or that taught it,"
    known = (
        f"Run {run.id} learnt{how} from {len(seen.training):,} faces of {dataset.name} and was validated on "
        f"{len(seen.validation):,} others"
    )
    if len(unseen):
        print_note(f"{known}; it is scored on the remaining {len(unseen):,}.")
        return unseen
    if as_test:
        raise BadInput(f"{known}, which is all of them, so none are left to test it on.")
    print_note(f"{known}, which is all of them, so the score flatters it.")
    return every


def _probabilities(classifier: Classifier, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    narrator = Narrator()
    probabilities = classifier.probabilities(images, narrator.show_count)
    narrator.clear()
    return probabilities


def _print_scores(run: Run, dataset: Dataset, scores: Evaluation, *, as_json: bool) -> None:
    if as_json:
        intervals = {"accuracy_interval": scores.accuracy_interval(), "macro_f1_interval": scores.macro_f1_interval()}
        print_json({"run": run.id, "data": dataset.name, **scores.model_dump(), **intervals})
        return
    print_line(f"{scores.images:,} images; 95 % confidence intervals in brackets")
    print_line("accuracy {:.4f} ({:.4f} to {:.4f})".format(scores.accuracy, *scores.accuracy_interval()))
    print_line("macro-F1 {:.4f} ({:.4f} to {:.4f})".format(scores.macro_f1, *scores.macro_f1_interval()))
    columns = (scores.by_emotion(score) for score in ("precision", "recall", "f1"))
    faces = (each.support for each in scores.per_class.values())
    rows = zip(EMOTIONS, *columns, faces, strict=True)
    print_table(("emotion", "precision", "recall", "F1", "images"), rows)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}.") from error


def _describe(face: ClassifiedFace) -> dict[str, Any]:
    return {
        "box": [face.box.x, face.box.y, face.box.width, face.box.height],
        "emotion": face.emotion,
        "probabilities": face.shares,
    }


def _sentence(face: ClassifiedFace) -> str:
    return f"{face.emotion} ({face.confidence:.0%}) at x {face.box.x}, y {face.box.y}, {face.box.width} pixels wide"
