from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyproj import Geod

from gapmap.readers.doubts import count_at_position, first_telling

WGS84 = Geod(ellps="WGS84")


def one_by_one(day: np.ndarray, kind: np.ndarray, lon: np.ndarray, lat: np.ndarray, reach_m: float) -> list[int]:
    """The same, row against row: the earliest row at most a day and so many metres away."""
    out = []
    for i in range(len(day)):
        way = WGS84.inv(np.full(i, lon[i]), np.full(i, lat[i]), lon[:i], lat[:i])[2]
        near = (np.abs(day[:i] - day[i]) <= 1) & (kind[:i] == kind[i]) & (np.asarray(way) <= reach_m)
        out.append(int(np.flatnonzero(near)[0]) if near.any() else i)
    return out


ROWS = st.lists(
    st.tuples(st.integers(-3, 8), st.integers(0, 1), st.integers(0, 40), st.integers(0, 40)), min_size=0, max_size=40
)


@given(rows=ROWS, west=st.sampled_from([43.0, 0.0, -120.0, 179.95]), south=st.sampled_from([36.0, -0.01, -55.0, 70.0]))
@example(rows=[(0, 0, 19, 5), (0, 0, 33, 13)], west=43.0, south=36.0)  # 1545 m
@settings(max_examples=150, deadline=None)
def test_near_ones_are_found_and_far_ones_are_not(
    rows: list[tuple[int, int, int, int]], west: float, south: float
) -> None:
    table = np.array(rows, dtype=np.int64).reshape(-1, 4)
    day, kind = table[:, 0], table[:, 1]
    lon, lat = west + table[:, 2] / 1_000, south + table[:, 3] / 1_000  # steps of about 100 m and less
    got = first_telling(day, kind, lon, lat).tolist()
    surely, perhaps = (one_by_one(day, kind, lon, lat, reach_m) for reach_m in (490.0, 1_500.0))
    for row, first in enumerate(got):
        assert first <= surely[row]
        if first != row:
            assert perhaps[row] <= first
            way = WGS84.inv(lon[row], lat[row], lon[first], lat[first])[2]
            assert way < 1_500
            assert abs(day[row] - day[first]) <= 1
            assert kind[row] == kind[first]


def test_across_the_globe() -> None:
    lon, lat = np.array([-179.9, 179.9, 0.0, 0.0]), np.array([-89.9, 89.9, 0.0, 0.0])
    assert first_telling(np.array([-30_000, 30_000, 0, 1]), np.zeros(4, dtype=int), lon, lat).tolist() == [0, 1, 2, 2]


def test_positions_are_counted() -> None:
    lon = np.array([43.0, 43.0000004, 43.1, 43.0])
    assert count_at_position(lon, np.full(4, 36.0)).tolist() == [3, 3, 1, 3]
    assert len(count_at_position(np.zeros(0), np.zeros(0))) == 0
    assert len(first_telling(*(np.zeros(0, dtype=int),) * 2, np.zeros(0), np.zeros(0))) == 0


@pytest.mark.parametrize("spread", [0.0, 0.002])
def test_a_heap_at_one_spot_takes_no_longer(spread: float) -> None:
    n = 200_000
    rng = np.random.default_rng(0)
    lon, lat = 43 + rng.random(n) * spread, 36 + rng.random(n) * spread
    started = time.process_time()
    assert (first_telling(np.zeros(n, dtype=int), np.zeros(n, dtype=int), lon, lat) < n).all()
    assert count_at_position(lon, lat).max() >= 1
    assert time.process_time() - started < 5
