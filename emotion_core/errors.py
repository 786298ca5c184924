"""What can go wrong, as sentences for a person.

Every error that this package raises on purpose is an `EmotionError` whose text says what was found, where, and
what was expected. The pages show that sentence; the command line prints it and ends with `exit_code`.
"""


class EmotionError(Exception):
    """Something failed; the text is one sentence for the person in front of the screen."""

    exit_code = 1


class BadInput(EmotionError):
    """What was handed in cannot be used: a file, a setting, a name."""

    exit_code = 2


class RunNotFound(BadInput):
    """No saved run answers to the reference that was given, or several do."""


class DamagedRun(EmotionError):
    """A file of a run folder is missing or unreadable."""


class ModelUnavailable(EmotionError):
    """A run has no model that can be used for serving."""
