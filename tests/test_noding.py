"""The edge of covered ground: its area, its closure and the forces of each edge, by shapely's own union."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
from shapely import Point, box

from gapmap import threads
from gapmap.noding import edges_of_union

if TYPE_CHECKING:
    from gapmap.triangulation import Edges

GRID_M = 0.01


def covers(*shapes: shapely.Geometry) -> np.ndarray:
    return np.array(shapes, dtype=object)


def enclosed_area(edges: Edges) -> float:
    start, end = edges.xy[edges.ends].transpose(1, 0, 2)
    return float((start[:, 0] * end[:, 1] - start[:, 1] * end[:, 0]).sum() / 2)


def forces_of(edges: Edges, x: float, y: float) -> set[int]:
    middle = edges.xy[edges.ends].mean(axis=1)
    nearest = np.argmin(np.hypot(*(middle - (x, y)).T))
    return set(np.flatnonzero(edges.members[edges.label[nearest]]))


CASES = {
    "apart": covers(Point(0, 0).buffer(1_000), Point(5_000, 0).buffer(1_000)),
    "overlapping": covers(Point(0, 0).buffer(1_000), Point(1_500, 0).buffer(1_000)),
    "nested in a hole": covers(Point(0, 0).buffer(3_000) - Point(0, 0).buffer(2_000), Point(0, 0).buffer(500)),
    "touching in a point": covers(box(0, 0, 100, 100), box(100, 100, 200, 200)),
    "sharing an edge": covers(box(0, 0, 100, 100), box(100, 20, 200, 80)),
    "many parts": covers(
        shapely.union_all([Point(x, 0).buffer(400) for x in range(0, 10_000, 1_000)]),
        shapely.union_all([Point(x, 700).buffer(400) for x in range(0, 10_000, 1_000)]),
    ),
    # In steps of the grid this is so far that the number of a cell does not fit into 64 bits.
    "very far apart": covers(
        shapely.union_all([box(0, 0, 10_000, 10_000), box(39e6, 39e6, 40e6, 40e6)]), box(15_000, 0, 20_000, 10_000)
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_edges_enclose_the_union(name: str) -> None:
    edges = edges_of_union(CASES[name], grid_m=GRID_M)
    union = shapely.union_all(CASES[name])
    # Snapping moves each vertex by less than the grid.
    assert enclosed_area(edges) == pytest.approx(union.area, abs=GRID_M * union.length)


@pytest.mark.parametrize("name", CASES)
def test_every_vertex_is_left_as_often_as_it_is_reached(name: str) -> None:
    edges = edges_of_union(CASES[name], grid_m=GRID_M)
    left, reached = (np.bincount(end, minlength=len(edges.xy)) for end in edges.ends.T)
    assert (left == reached).all()
    assert left.min() >= 1
    assert len(np.unique(edges.xy, axis=0)) == len(edges.xy)


def test_edges_belong_to_the_covers_they_bound() -> None:
    edges = edges_of_union(CASES["overlapping"], grid_m=GRID_M)
    assert forces_of(edges, -1_000, 0) == {0}
    assert forces_of(edges, 2_500, 0) == {1}


def test_an_edge_on_two_covers_belongs_to_both() -> None:
    outer, inner = box(0, 0, 300, 100), box(100, 0, 200, 50)
    edges = edges_of_union(covers(outer, inner), grid_m=GRID_M)
    assert forces_of(edges, 150, 0) == {0, 1}
    assert forces_of(edges, 50, 0) == {0}
    assert forces_of(edges, 150, 100) == {0}


def test_covers_closer_than_the_grid_touch() -> None:
    edges = edges_of_union(covers(box(0, 0, 100, 100), box(100.004, 0, 200, 100)), grid_m=GRID_M)
    assert enclosed_area(edges) == pytest.approx(200 * 100)
    assert edges.xy[:, 0].max() == 200
    assert not ((edges.xy[:, 0] > 99) & (edges.xy[:, 0] < 101) & (edges.xy[:, 1] > 1) & (edges.xy[:, 1] < 99)).any()


def test_the_order_of_parts_changes_nothing() -> None:
    a, b = CASES["many parts"]
    shuffled = covers(shapely.multipolygons(shapely.get_parts(a)[::-1]), b)
    one, other = (edges_of_union(each, grid_m=GRID_M) for each in (CASES["many parts"], shuffled))

    def rows(edges: Edges) -> set[tuple[float, ...]]:
        return {tuple(segment) for segment in edges.xy[edges.ends].reshape(-1, 4)}

    assert rows(one) == rows(other)


@pytest.mark.parametrize("name", CASES)
def test_the_number_of_cores_changes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "cores", lambda: 1)
    one = edges_of_union(CASES[name], grid_m=GRID_M)
    for cores in (2, 7):
        monkeypatch.setattr(threads, "cores", lambda cores=cores: cores)
        several = edges_of_union(CASES[name], grid_m=GRID_M)
        for column in ("xy", "ends", "label", "members", "merged"):
            assert getattr(several, column).tolist() == getattr(one, column).tolist()


def test_no_ground_has_no_edges() -> None:
    edges = edges_of_union(covers(shapely.Polygon(), shapely.MultiPolygon()), grid_m=GRID_M)
    assert len(edges.ends) == 0
    assert edges.members.shape == (0, 2)


def test_what_is_rounded_to_an_axis_lies_on_it_from_either_side() -> None:
    """A vertex just west or south of an axis is put at 0, never at -0: that would show in a file, and turn angles round."""
    shapes = covers(
        box(-0.003, -0.004, 1_000, 1_000), box(-0.002, 3_000, 900, 4_000), box(-2_000, -0.001, -1_000, 1_000)
    )
    for some in (shapes, shapely.union_all(shapes[:2]) | box(900, 900, 1_100, 1_100), covers(shapes[0], shapes[0])):
        edges = edges_of_union(np.atleast_1d(some), grid_m=GRID_M)
        assert (edges.xy == 0).any()
        assert not np.signbit(edges.xy[edges.xy == 0]).any()
