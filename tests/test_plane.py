"""Points as complex numbers, against numpy's own functions on rows of coordinates."""

from __future__ import annotations

import numpy as np

from gapmap import plane


def test_products_and_lengths() -> None:
    one, other = np.random.default_rng(1).normal(size=(2, 50, 2))
    a, b = plane.points(one), plane.points(other)
    assert np.allclose(plane.dot(a, b), (one * other).sum(axis=1))
    assert np.allclose(plane.cross(a, b), np.linalg.det(np.stack([one, other], axis=1)))
    assert np.allclose(plane.length(a), np.linalg.norm(one, axis=1))
    assert plane.cross(np.array([1 + 0j]), np.array([1j])).tolist() == [1], "the other is on the left"


def test_points_and_coordinates_are_two_views_of_one_memory() -> None:
    xy = np.random.default_rng(2).normal(size=(7, 3, 2))
    at = plane.points(xy)
    assert at.tolist() == (xy[..., 0] + 1j * xy[..., 1]).tolist()
    assert np.shares_memory(at, xy)
    assert np.shares_memory(plane.coordinates(at), xy)
    assert plane.coordinates(at).tolist() == xy.tolist()
    assert plane.coordinates(at.T[1]).tolist() == xy[:, 1].tolist(), "rows apart in memory are copied"


def test_between_is_exact_at_both_ends_and_runs_linearly() -> None:
    random = np.random.default_rng(3)
    start, stop = plane.points(random.normal(size=(2, 40, 2)) * 1e6)
    assert plane.between(start, stop, np.zeros(40)).tolist() == start.tolist()
    assert plane.between(start, stop, np.ones(40)).tolist() == stop.tolist()
    assert np.allclose(plane.between(start, stop, np.full(40, 0.25)), 0.75 * start + 0.25 * stop)
    assert plane.between(np.array([2.0]), np.array([6.0]), np.array([0.5])).tolist() == [4.0]
