"""How far a measured share can be trusted."""

import math
from typing import Final

Z_95: Final = 1.959963984540054
"""The standard normal distribution holds 95 % between minus and plus this."""


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
