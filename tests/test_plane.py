"""Vectors against numpy's own functions."""

from __future__ import annotations

import numpy as np

from gapmap import plane


def test_products_lengths_and_points_that_fall_together() -> None:
    one, other = np.random.default_rng(1).normal(size=(2, 50, 2))
    other[::7] = one[::7]
    assert np.allclose(plane.dot(one, other), (one * other).sum(axis=1))
    assert np.allclose(plane.cross(one, other), np.linalg.det(np.stack([one, other], axis=1)))
    assert np.allclose(plane.length(one), np.linalg.norm(one, axis=1))
    assert plane.same(one, other).tolist() == [k % 7 == 0 for k in range(50)]
    assert plane.cross(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])).tolist() == [1], "the other is on the left"
