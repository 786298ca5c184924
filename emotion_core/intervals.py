"""How far a measured score can be trusted."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np

Z_95: Final = 1.959963984540054
"""The standard normal distribution holds 95 % between minus and plus this."""
_RESAMPLES: Final = 2000


def wilson_interval(share: float, count: int) -> tuple[float, float]:
    """Return between which shares the true one lies, with 95 % confidence (Wilson 1927).

    Args:
        share: What was measured, 0-1.
        count: On how many faces, at least 1.
    """
    spread = Z_95**2 / count
    middle = (share + spread / 2) / (1 + spread)
    half = Z_95 / (1 + spread) * math.sqrt(share * (1 - share) / count + spread / (4 * count))
    return max(0.0, middle - half), min(1.0, middle + half)


def macro_f1_interval(confusion: Sequence[Sequence[int]]) -> tuple[float, float]:
    """Return between which values the true macro-F1 lies, with 95 % confidence.

    The percentile bootstrap (Efron 1979): as many faces again are drawn, with replacement, from those that were scored,
    2,000 times, and 2.5 % of the results lie below and above. The draws are the same each time, and what was asked
    lately is remembered: a page asks again whenever it runs.

    Args:
        confusion: How many faces, square, `confusion[true][predicted]`; of no faces at all, nothing is known.
    """
    return _bootstrap(tuple(map(tuple, confusion)))


@lru_cache(maxsize=64)
def _bootstrap(confusion: tuple[tuple[int, ...], ...]) -> tuple[float, float]:
    counts = np.array(confusion, np.int64)
    faces = int(counts.sum())
    if faces == 0:
        return 0.0, 1.0
    draws = np.random.default_rng(0).multinomial(faces, counts.ravel() / faces, size=_RESAMPLES)
    draws = draws.reshape(_RESAMPLES, *counts.shape)
    hits, wholes = draws.diagonal(axis1=1, axis2=2), draws.sum(axis=1) + draws.sum(axis=2)
    f1 = np.divide(2 * hits, wholes, out=np.zeros(wholes.shape), where=wholes > 0)
    low, high = np.quantile(f1.mean(axis=1), (0.025, 0.975))
    return float(low), float(high)
