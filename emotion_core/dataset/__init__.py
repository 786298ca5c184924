"""Data sets of faces: found in a folder, read from whatever file holds them, split into training and validation.

What the rest of the library knows of data. Files are read by `readers`, and the sample is drawn by `sample`; nothing
here trains or scores.
"""

from emotion_core.dataset.dataset import Dataset
from emotion_core.dataset.finding import chance_of_labels, find_datasets
from emotion_core.dataset.loading import forget_parsed, load_dataset
from emotion_core.dataset.splits import Rows, class_weights, labels_of_run, rows_of_run, split_rows
from emotion_core.readers.blocks import Problem
from emotion_core.readers.label_file import read_labels

__all__ = [
    "Dataset",
    "Problem",
    "Rows",
    "chance_of_labels",
    "class_weights",
    "find_datasets",
    "forget_parsed",
    "labels_of_run",
    "load_dataset",
    "read_labels",
    "rows_of_run",
    "split_rows",
]
