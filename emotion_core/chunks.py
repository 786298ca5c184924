"""Long arrays taken in chunks, so that what is computed from them fits into memory."""

from collections.abc import Iterator


def chunks(count: int, size: int) -> Iterator[slice]:
    """Yield slices of `size` that cover `count` items; the last may be shorter."""
    return (slice(start, min(start + size, count)) for start in range(0, count, size))
