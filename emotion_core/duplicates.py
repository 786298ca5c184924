"""Faces that are in a data set more than once, exactly or nearly, and those that are nothing but one brightness.

Near copies are found in two steps. All faces are compared at a quarter of their size by Pearson's correlation, in which
light and contrast cancel; the even and odd halves of a face about its middle column give the correlation as it is and
mirrored at the price of one. The few pairs that pass are laid over each other in full size, moved by up to two pixels.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emotion_core.chunks import chunks
from emotion_core.emotions import IMAGE_SIZE

Progress = Callable[[float], None]
"""Told the share that is done, 0 to 1."""

Groups = list[list[int]]
"""Row numbers that belong together: ascending in each group, groups by their first row."""

BLANK_CONTRAST: Final = 6.0
"""Standard deviation in gray levels below which a picture is blank. One odd pixel makes 5.3 at most; FER-2013 has
twelve pictures below 0.7 and none from there to 9."""

NEAR_SIMILARITY: Final = 0.92
"""Correlation from which two faces, laid over each other, are the same picture: 95 of 96 pairs drawn from
FER-2013's, and 93 of the 96 least alike, looked at one by one.
From 0.90 to 0.92 a third of them are different people."""

_CANDIDATE_SIMILARITY: Final = 0.90
"""Correlation at a quarter of the size from which a pair is looked at closely; one pixel of shift leaves more."""

_REDUCTION: Final = 4
_HALF: Final = (IMAGE_SIZE // _REDUCTION) ** 2 // 2
_SHIFTS: Final = range(-2, 3)
_MARGIN: Final = max(_SHIFTS)
_WINDOW: Final = IMAGE_SIZE - 2 * _MARGIN

_CHUNK: Final = 512
"""Faces, or pairs of them, in hand at once."""

_TILE: Final = 2_048
"""Faces that a chunk is compared with at once: their similarities stay in the processor's cache."""

_MOST_CANDIDATES: Final = 32
"""A face that resembles more of a tile is compared closely with these only, lest a set of drawn faces takes hours."""


@dataclass(frozen=True)
class Pair:
    """Two rows with the same picture: correlation of the best overlay, to 1, and whether one of them is mirrored."""

    first: int
    second: int
    similarity: float
    mirrored: bool


def blank_rows(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the rows of pictures (n, 48, 48) with nearly no contrast, int64 (k,): below `BLANK_CONTRAST` levels."""
    contrasts = np.empty(len(images), np.float32)
    for part in chunks(len(images), _CHUNK):
        contrasts[part] = images[part].reshape(-1, IMAGE_SIZE**2).astype(np.float32).std(axis=1)
    return np.flatnonzero(contrasts < BLANK_CONTRAST)


def exact_groups(images: NDArray[np.uint8], rows: NDArray[np.int64]) -> Groups:
    """Return which of some rows of pictures (n, 48, 48) have the same pixels."""
    groups: defaultdict[bytes, list[int]] = defaultdict(list)
    for row in rows.tolist():
        groups[hashlib.blake2b(images[row].tobytes(), digest_size=16).digest()].append(row)
    return [group for group in groups.values() if len(group) > 1]


def near_pairs(images: NDArray[np.uint8], rows: NDArray[np.int64], progress: Progress | None = None) -> list[Pair]:
    """Return which of some rows of pictures (n, 48, 48) are nearly the same, the least alike first.

    Found are copies that are brighter, of other contrast, compressed, mirrored or moved by a pixel; of those moved by
    two pixels half, and few that are larger by a tenth.

    Args:
        images: uint8 (n, 48, 48), 0-255.
        rows: int64 (k,), ascending and not blank.
        progress: Told the share that is done.
    """
    if len(rows) < 2:
        return []
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    # Threads that wait for each other at every product would take five times as long where training holds the cores.
    with threadpool_limits(1, user_api="blas"):
        pairs = _find_pairs(images, rows, progress)
    return sorted(pairs, key=lambda pair: pair.similarity)


def linked(links: Iterable[tuple[int, int]]) -> Groups:
    """Return the groups of rows that hang together by links, through other rows too."""
    groups: dict[int, list[int]] = {}
    for first, second in links:
        one, other = groups.setdefault(first, [first]), groups.setdefault(second, [second])
        if one is not other:
            one += other
            groups |= dict.fromkeys(other, one)
    return sorted({id(group): sorted(group) for group in groups.values()}.values())


def _find_pairs(images: NDArray[np.uint8], rows: NDArray[np.int64], progress: Progress | None) -> list[Pair]:
    vectors = _halves(images, rows)
    keys = _keys(vectors)
    order = np.argsort(keys)
    rows, vectors, keys = rows[order], vectors[order], keys[order]
    pairs: list[Pair] = []
    for part in chunks(len(rows), _CHUNK):
        places = _candidates(vectors, keys, part.start)
        for some in chunks(len(places), _CHUNK):
            pairs += _confirmed(images, rows, vectors, places[some])
        if progress is not None:
            progress(part.stop / len(rows))
    return pairs


def _halves(images: NDArray[np.uint8], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return faces at a quarter of the size with mean 0 and length 1, float32 (k, 144).

    The first 72 are even parts, the others odd: mirroring a face turns the sign of those.
    """
    vectors = np.empty((len(rows), 2 * _HALF), np.float32)
    side = IMAGE_SIZE // _REDUCTION
    for part in chunks(len(rows), _CHUNK):
        squares = images[rows[part]].reshape(-1, side, _REDUCTION, side, _REDUCTION)
        small = squares.sum(axis=(2, 4), dtype=np.uint32).astype(np.float32)  # (c, 12, 12)
        left, right = small[:, :, : side // 2], small[:, :, : side // 2 - 1 : -1]  # (c, 12, 6) each
        even, odd = (half.reshape(-1, _HALF) for half in (left + right, left - right))
        vectors[part] = _unit(np.hstack([even - even.mean(axis=1, keepdims=True), odd]))
    return vectors


def _keys(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the even parts' first principal component, float32 (k,).

    A face and its near copy, mirrored or not, are no farther apart along it than they are in all.
    """
    even = vectors[:, :_HALF]
    _, directions = np.linalg.eigh(even.T @ even - len(even) * np.outer(even.mean(axis=0), even.mean(axis=0)))
    keys: NDArray[np.float32] = even @ directions[:, -1]
    return keys


def _candidates(vectors: NDArray[np.float32], keys: NDArray[np.float32], start: int) -> NDArray[np.int64]:
    """Return which faces of the chunk from `start` may be the same as later ones: places (k, 2), int64.

    Vectors of length 1 with correlation c are sqrt(2 - 2c) apart, so faces whose keys differ by more are passed over.
    """
    chunk = vectors[start : start + _CHUNK]
    reach = keys[start : start + _CHUNK][-1] + np.sqrt(2 - 2 * _CANDIDATE_SIMILARITY) + 1e-4  # for rounding
    end = int(np.searchsorted(keys, reach, side="right"))
    tiles = [slice(first, min(first + _TILE, end)) for first in range(start, end, _TILE)]
    places = np.concatenate([np.add(_alike(chunk, vectors[tile]), (start, tile.start)) for tile in tiles])
    return places[places[:, 0] < places[:, 1]]


def _alike(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the places (k, 2) of vectors whose correlation, as they are or mirrored, makes them candidates."""
    similarities = ours[:, _HALF:] @ theirs[:, _HALF:].T  # (a, b)
    np.abs(similarities, out=similarities)
    similarities += ours[:, :_HALF] @ theirs[:, :_HALF].T
    places: NDArray[np.int64] = np.stack(
        np.divmod(np.flatnonzero(similarities >= _CANDIDATE_SIMILARITY), len(theirs)), axis=1
    )
    floors = np.full(len(ours), _CANDIDATE_SIMILARITY, np.float32)
    for crowded in np.flatnonzero(np.bincount(places[:, 0], minlength=len(ours)) > _MOST_CANDIDATES):
        floors[crowded] = np.partition(similarities[crowded], -_MOST_CANDIDATES)[-_MOST_CANDIDATES]
    kept: NDArray[np.int64] = places[similarities[places[:, 0], places[:, 1]] >= floors[places[:, 0]]]
    return kept


def _confirmed(
    images: NDArray[np.uint8], rows: NDArray[np.int64], vectors: NDArray[np.float32], places: NDArray[np.int64]
) -> list[Pair]:
    """Return those of some candidates, places (k, 2), that are the same picture in full size."""
    one, other = places.T
    mirrored = np.einsum("ij,ij->i", vectors[one, _HALF:], vectors[other, _HALF:]) < 0
    firsts, seconds = images[rows[one]], images[rows[other]]
    seconds[mirrored] = seconds[mirrored][:, :, ::-1]
    similarities = _overlay_similarities(firsts, seconds)
    return [
        Pair(
            int(min(rows[one[k]], rows[other[k]])),
            int(max(rows[one[k]], rows[other[k]])),
            float(min(1.0, similarities[k])),
            bool(mirrored[k]),
        )
        for k in np.flatnonzero(similarities >= NEAR_SIMILARITY)
    ]


def _overlay_similarities(firsts: NDArray[np.uint8], seconds: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the largest correlation of pictures (k, 48, 48) over moves by up to two pixels, float32 (k,)."""
    middles = _unit(_centred(_window(firsts, 0, 0)).reshape(len(firsts), -1))  # (k, 44 * 44)
    middles = middles.reshape(-1, _WINDOW, _WINDOW)
    centred = _centred(seconds)
    best = np.zeros(len(firsts), np.float32)
    for down, right in product(_SHIFTS, _SHIFTS):
        np.maximum(best, _correlations(middles, _window(centred, down, right)), out=best)
    return best


def _correlations(middles: NDArray[np.float32], windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return Pearson's of pictures (k, 44, 44), those of the first with mean 0 and length 1, float32 (k,).

    A window of less than a gray level of contrast is like nothing.
    """
    squares = np.einsum("kij,kij->k", windows, windows) - windows.sum(axis=(1, 2)) ** 2 / _WINDOW**2
    products = np.einsum("kij,kij->k", middles, windows)
    products[squares < _WINDOW**2] = 0
    correlations: NDArray[np.float32] = products / np.sqrt(np.maximum(squares, 1))
    return correlations


def _centred(images: NDArray[Any]) -> NDArray[np.float32]:
    pixels = images.astype(np.float32)
    pixels -= pixels.mean(axis=(1, 2), keepdims=True)
    return pixels


def _window(images: NDArray[Any], down: int, right: int) -> NDArray[Any]:
    """Return the moved middles (k, 44, 44) of pictures (k, 48, 48), a view."""
    rows, columns = (slice(_MARGIN + move, IMAGE_SIZE - _MARGIN + move) for move in (down, right))
    return images[:, rows, columns]


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units: NDArray[np.float32] = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return units
