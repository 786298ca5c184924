"""What a face is for, in the words of Kaggle's Usage column, whatever words a file or a folder has for it."""

import re
from functools import lru_cache
from typing import Final

TRAINING: Final = "Training"
VALIDATION: Final = "PublicTest"
TEST: Final = "PrivateTest"

_WORDS: Final = {
    "training": TRAINING,
    "train": TRAINING,
    "publictest": VALIDATION,
    "validation": VALIDATION,
    "valid": VALIDATION,
    "val": VALIDATION,
    "dev": VALIDATION,
    "privatetest": TEST,
    "testing": TEST,
    "test": TEST,
}


@lru_cache(maxsize=256)
def usage_of(word: str) -> str | None:
    """Return Kaggle's word for what "train", "Public Test" or "val" stand for, or None if it stands for none."""
    return _WORDS.get(re.sub(r"[\s_-]", "", word).lower())
