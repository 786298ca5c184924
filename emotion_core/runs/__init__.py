"""Saved runs: one folder each, and the only code that knows the paths inside it.

The folder is the truth; every list is made by scanning. While a run is computing, its trainer holds a lock on it
and alone writes its status, so what a status says is never two writers' mixture, and a status that says "running"
without a held lock is a run that was cut off.
"""

from emotion_core.runs.about import About
from emotion_core.runs.checkpoints import Checkpoint, Checkpoints
from emotion_core.runs.folder import Runs
from emotion_core.runs.log import SITTING
from emotion_core.runs.rows import HISTORY_COLUMNS, PROGRESS_COLUMNS
from emotion_core.runs.run import Run
from emotion_core.runs.states import State, Status
from emotion_core.runs.summary import RunSummary, effort_of, settings_digest, summarise
from emotion_core.runs.validation import Validation
from emotion_core.runs.way_on import WayOn, way_on

__all__ = [
    "HISTORY_COLUMNS",
    "PROGRESS_COLUMNS",
    "SITTING",
    "About",
    "Checkpoint",
    "Checkpoints",
    "Run",
    "RunSummary",
    "Runs",
    "State",
    "Status",
    "Validation",
    "WayOn",
    "effort_of",
    "settings_digest",
    "summarise",
    "way_on",
]
