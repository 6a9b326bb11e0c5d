"""The engine's parts on arrays: circles by hand, sampling against shapely's distances, ties, pruning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from shapely import Point, box

from gapmap import triangulation as tri
from gapmap.errors import EngineError
from gapmap.noding import edges_of_union


def edges_of(*shapes: shapely.Geometry) -> tri.Edges:
    return edges_of_union(np.array(shapes, dtype=object), grid_m=tri.GRID_M)


def area_of(pieces: tri.Pieces) -> float:
    quads = shapely.polygons(np.stack([pieces.a0, pieces.a1, pieces.b1, pieces.b0], axis=1))
    return float(shapely.area(quads).sum())


def test_circle_through_three_points() -> None:
    corners = np.array([[[0, 0], [4, 0], [0, 3]], [[1, 1], [1, 3], [3, 1]], [[0, 0], [1, 1], [2, 2]]], dtype=float)
    centre, radius = tri.circumcircles(corners)
    assert centre[:2].tolist() == [[2, 1.5], [2, 2]]
    assert radius.tolist() == [2.5, pytest.approx(np.sqrt(2)), np.inf]


def test_densify_splits_evenly_and_keeps_the_outline() -> None:
    edges = edges_of(box(0, 0, 2_500, 600))
    dense = tri.densify(edges, length_max_m=1_000)
    lengths = np.hypot(*(dense.xy[dense.ends[:, 0]] - dense.xy[dense.ends[:, 1]]).T)
    assert sorted(lengths.round(6)) == [600, 600, *[833.333333] * 6]
    assert np.bincount(dense.ends[:, 0]).tolist() == np.bincount(dense.ends[:, 1]).tolist() == [1] * 8


@pytest.mark.parametrize("offset", [0, 137, 500])
@pytest.mark.parametrize("gap", [3, 40, 600])
def test_refined_edges_are_at_most_a_third_as_long_as_forces_are_apart(gap: float, offset: float) -> None:
    edges = tri.refine(
        tri.densify(edges_of(box(0, gap, 9_000, gap + 3_000), box(offset, -3_000, 9_000 + offset, 0)), length_max_m=1e3)
    )
    segments = shapely.linestrings(edges.xy[edges.ends])
    for own in np.unique(edges.label):
        mine, others = edges.label == own, edges.label != own
        distance = shapely.distance(segments[mine], shapely.union_all(segments[others]))
        assert (shapely.length(segments[mine]) <= np.maximum(distance / 3, tri.SPACING_MIN_M) + 1e-9).all()


def test_the_triangulation_does_not_depend_on_the_order_of_points() -> None:
    # Every square of a grid of boxes is a tie.
    edges = edges_of(
        *(shapely.union_all([box(x, y, x + 500, y + 500) for x in range(0, 5_000, 1_000)]) for y in (0, 1_000))
    )
    turned = np.random.default_rng(1).permutation(len(edges.xy))
    back = np.argsort(turned)
    other = replace(edges, xy=edges.xy[turned], ends=back[edges.ends])

    def corners(some: tri.Edges) -> set[frozenset[tuple[float, float]]]:
        return {frozenset(map(tuple, some.xy[row].tolist())) for row in tri.triangulate(some)}

    assert corners(edges) == corners(other)


def test_coordinates_must_be_finite_and_edges_may_not_cross() -> None:
    edges = edges_of(box(0, 0, 10, 10))
    with pytest.raises(EngineError, match="finite"):
        tri.triangulate(replace(edges, xy=edges.xy * np.nan))
    crossing = replace(edges, ends=np.array([[0, 2], [1, 3], [0, 3], [1, 2]]))
    with pytest.raises(EngineError, match="failed"):
        tri.triangulate(crossing)


@pytest.mark.parametrize("limit", [8_000, 8_000.01, 20_000])
def test_strips_are_swept_whole(limit: float) -> None:
    pieces = tri.facing_pieces(edges_of(box(0, 8_000, 30_000, 9_000), box(0, -1_000, 30_000, 0)), limit_m=limit)
    assert area_of(pieces) == pytest.approx(8_000 * 30_000)
    assert pieces.width_0 == pytest.approx(8_000)
    assert set(pieces.force_a) == {0}
    assert set(pieces.force_b) == {1}


def test_strips_wider_than_the_limit_have_no_piece() -> None:
    pieces = tri.facing_pieces(edges_of(box(0, 8_000, 30_000, 9_000), box(0, -1_000, 30_000, 0)), limit_m=7_999.9)
    assert len(pieces.width_0) == 0


def test_pruning_keeps_what_blocks() -> None:
    wall = box(-300_000, 3_900, 300_000, 4_000)
    edges = edges_of(box(0, 8_000, 30_000, 9_000), box(0, -1_000, 30_000, 0), wall)
    pieces = tri.facing_pieces(edges, limit_m=20_000)
    assert (0, 1) not in set(zip(pieces.force_a.tolist(), pieces.force_b.tolist(), strict=True))


def test_far_zones_change_nothing() -> None:
    near = (box(0, 8_000, 30_000, 9_000), Point(15_000, 0).buffer(2_000))
    far = shapely.MultiPolygon([near[0], box(900_000, 0, 950_000, 50_000)])
    one, other = (tri.facing_pieces(edges_of(*shapes), limit_m=9_000) for shapes in (near, (far, near[1])))

    def rows(pieces: tri.Pieces) -> list[tuple[float, ...]]:
        return sorted(
            map(tuple, np.column_stack([pieces.a0, pieces.b0, pieces.a1, pieces.b1, pieces.width_0]).tolist())
        )

    assert rows(one) == rows(other)


def test_a_triangle_near_the_limit_is_flagged() -> None:
    # Posts of 100 m, one 9 km from two others at 124 degrees: the circle through the three has a radius of
    # 9 / (2 cos 62) = 9.585 km, the disc that touches them 9.485 km.
    turn = np.radians(62)
    post = Point(0, 0).buffer(100, quad_segs=64)
    others = [Point(side * 9_000 * np.sin(turn), 9_000 * np.cos(turn)).buffer(100, quad_segs=64) for side in (-1, 1)]
    edges = edges_of(post, shapely.MultiPolygon(others))
    assert tri.facing_pieces(edges, limit_m=9_500).near_limit.any()
    assert not tri.facing_pieces(edges, limit_m=11_000).near_limit.any()


def test_ground_enclosed_by_one_force() -> None:
    notch = box(0, 0, 30_000, 10_000) - box(10_000, 4_000, 14_000, 10_000)
    corners = tri.enclosed_triangles(tri.densify(edges_of(notch), length_max_m=100), limit_m=5_000)
    assert shapely.area(shapely.polygons(corners)).sum() == pytest.approx(4_000 * 6_000)
