"""What is doubtful in a table of incidents: positions that many share, and incidents that may be told twice.

In: incidents as coded. Out: for each how many share its position, and which it may repeat. Method: grids and hashes, no pairs,
so that a million rows take half a second and a heap at one spot no more. Nothing is removed.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gapmap import sorting, threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

STACK = 5  # so many at one position are a stack: of a town's middle, or a district's
_HALF_CELL_KM = 0.5  # cells of 1 km
_MIDDLE_DAY = 10_957  # 1 January 2000, in days since 1970
_KM_A_DEGREE = 111.32
_DAY_BITS = 17
_KEY_BITS = 48  # of a cell's hash and the day: the fewer, the sooner sorted
_WIDE_BITS = 3  # cells of 4 km, for a first look
_BESIDE = 2  # half cells: two in a small cell lie less than two apart, and a thousandth more where a degree is longer
# Odd, and without a pattern: products of small numbers then differ in their upper bits, and wrap around.
_HASH_X, _HASH_Y, _HASH_KIND = 0x1E3779B97F4A7C15, 0x42B2AE3D27D4EB4F, 0x165667B19E3779F9
_POSITION = 1e6  # positions that agree to the sixth decimal of a degree are one


def count_at_position(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count for each incident how many have its position, itself included.

    Parameters
    ----------
    lon, lat : ndarray
        Degrees.

    Returns
    -------
    ndarray of int
        1 or more.

    Examples
    --------
    >>> count_at_position(np.array([43.0, 43.0, 44.0]), np.array([36.0, 36.0, 36.0])).tolist()
    [2, 2, 1]
    """
    codes = pd.factorize(_integers(lon * _POSITION) * 10**9 + _integers(lat * _POSITION))[0]
    return np.bincount(codes)[codes] if len(codes) else np.zeros(0, dtype=np.int64)


def first_telling(
    day: NDArray[np.int64], kind: NDArray[np.int64], lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Find for each incident an earlier row that may tell the same.

    Parameters
    ----------
    day : ndarray of int
        The first day, as a number.
    kind : ndarray of int
        The kind, as a number.
    lon, lat : ndarray
        Degrees.

    Returns
    -------
    ndarray of int
        The place of the first row of the same kind, at most a day away, and near: surely where within 500 m, never from 1.5 km
        on. Its own place where there is none.

    Examples
    --------
    >>> at = np.array([43.0, 43.001, 43.1])
    >>> first_telling(np.array([7, 8, 7]), np.zeros(3, dtype=int), at, np.full(3, 36.0)).tolist()
    [0, 0, 2]
    """
    first = np.arange(len(day))
    # Two that are near share a cell of one of the four grids, each shifted by half a cell one way or the other.
    half_y = _integers(lat * _KM_A_DEGREE / _HALF_CELL_KM)
    since = day - _MIDDLE_DAY
    few = _with_company(since, kind, lon, half_y)
    if not len(few):
        return first
    lon = lon[few]
    half_y, since, kind = (each[few] for each in (half_y, since, kind))
    rows = [(row, _half_x(lon, 2 * row - up, 2)) for up, row in enumerate((half_y >> 1, half_y + 1 >> 1))]
    for (row, half_x), right in product(rows, (0, 1)):
        # Each fits its share of 64 bits: days of two centuries, 2 ** 16 cells each way on the globe, kinds by thousands.
        keys = (half_x + right >> 1 << 17) + (row << 33) + (kind << 49) + since
        order = sorting.argsort(keys)  # numbers are sorted faster than hashed
        ranked = keys[order]
        near = np.diff(ranked) <= 1  # in one cell, on one day or the day after
        several = np.append(near, False) | np.append(False, near)
        shared, ranked = few[order[several]], ranked[several]
        if len(shared):
            heads = np.flatnonzero(np.append(True, np.diff(ranked) > 0))
            earliest = np.minimum.reduceat(shared, heads)
            next_day = np.flatnonzero(np.diff(ranked[heads]) == 1)
            with_next = earliest.copy()
            with_next[next_day] = np.minimum(earliest[next_day], earliest[next_day + 1])
            with_next[next_day + 1] = np.minimum(with_next[next_day + 1], earliest[next_day])
            first[shared] = np.minimum(first[shared], np.repeat(with_next, np.diff(heads, append=len(shared))))
    return first


def _with_company(
    since: NDArray[np.int64], kind: NDArray[np.int64], lon: NDArray[np.float64], half_y: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the rows that may share a cell on neighbouring days, and a few more: hardly one in ten of a million.

    Cells are wide here, and those so near to a cell's west or south side that they may share a small cell with one beyond
    it count there too: so one sort finds what takes four with small cells. The key is a hash of the cell above the day.
    """

    def keys_and_rows(part: slice) -> NDArray[np.int64]:
        found = _wide_keys(since[part], kind[part], lon[part], half_y[part])
        found[1] += part.start
        return found

    keys, owner = threads.by_rows(keys_and_rows, len(since))
    order = sorting.argsort(keys)
    near = np.flatnonzero(np.diff(keys[order]) <= 1)
    found = np.zeros(len(since), dtype=bool)
    found[owner[order[near]]] = True
    found[owner[order[near + 1]]] = True
    return np.flatnonzero(found)


def _wide_keys(
    since: NDArray[np.int64], kind: NDArray[np.int64], lon: NDArray[np.float64], half_y: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the keys of rows in wide cells, and below each the place of its row."""
    halves = 1 << _WIDE_BITS
    parts = []
    for south, some in ((0, np.arange(len(since))), (1, np.flatnonzero(half_y % halves == 0))):
        row = (half_y[some] >> _WIDE_BITS) - south
        half_x = _half_x(lon[some], row * halves, halves)
        hashed = row * _HASH_Y + kind[some] * _HASH_KIND
        for west, here in ((0, slice(None)), (1, np.flatnonzero(half_x % halves <= _BESIDE))):
            keys = (half_x[here] >> _WIDE_BITS) - west
            keys *= _HASH_X
            keys += hashed[here]
            keys >>= 64 - _KEY_BITS + _DAY_BITS
            keys &= (1 << _KEY_BITS - _DAY_BITS) - 1
            keys <<= _DAY_BITS
            keys += since[some[here]] + (1 << _DAY_BITS - 1)
            parts.append(np.stack([keys, some[here]]))
    return np.concatenate(parts, axis=1)


def _half_x(lon: NDArray[np.float64], half_y: NDArray[np.int64], halves: int) -> NDArray[np.int64]:
    """Return how many half cells east each lies, in a row of cells from ``half_y`` on, so many half cells high.

    A degree is as long for all in a row: far from longitude 0, the true length would shift one against another.
    """
    middle = (half_y + halves / 2) * (_HALF_CELL_KM / _KM_A_DEGREE)
    return _integers(lon * np.cos(np.radians(middle)) * (_KM_A_DEGREE / _HALF_CELL_KM))


def _integers(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.floor(values).astype(np.int64)
