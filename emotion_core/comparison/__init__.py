"""Runs side by side: groups over seeds, their means and spread, and how they differ from each other.

Reads what `runs` says of each run, and nothing from disk itself.
"""

from emotion_core.comparison.differences import Difference, Verdict, difference, standard_error
from emotion_core.comparison.finding import Filter, Order, best_of_each_family, in_order
from emotion_core.comparison.groups import RunGroup, group_runs, single_runs
from emotion_core.comparison.scores import added_confusion, recalls
from emotion_core.comparison.settings import MISSING, SettingPath, differing_settings
from emotion_core.comparison.statistic import Figure, Statistic

__all__ = [
    "MISSING",
    "Difference",
    "Figure",
    "Filter",
    "Order",
    "RunGroup",
    "SettingPath",
    "Statistic",
    "Verdict",
    "added_confusion",
    "best_of_each_family",
    "difference",
    "differing_settings",
    "group_runs",
    "in_order",
    "recalls",
    "single_runs",
    "standard_error",
]
