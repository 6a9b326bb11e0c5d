"""Pieces of corridor from triangles: strips, limits, walls, far zones, and what is flagged."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from shapely import Point, box

from gapmap import triangulation as tri
from gapmap.noding import edges_of_union
from gapmap.pieces import Pieces, split
from gapmap.plane import coordinates
from gapmap.tiling import facing_triangles


def edges_of(*shapes: shapely.Geometry) -> tri.Edges:
    return edges_of_union(np.array(shapes, dtype=object), grid_m=tri.GRID_M)


def pieces_within(edges: tri.Edges, *, limit_m: float) -> Pieces:
    return split(facing_triangles(edges, limit_m=limit_m), limit_m=limit_m)


def area_of(pieces: Pieces) -> float:
    quads = shapely.polygons(coordinates(np.stack([pieces.a0, pieces.a1, pieces.b1, pieces.b0], axis=1)))
    return float(shapely.area(quads).sum())


@pytest.mark.parametrize("limit", [8_000, 8_000.01, 20_000])
def test_strips_are_swept_whole(limit: float) -> None:
    pieces = pieces_within(edges_of(box(0, 8_000, 30_000, 9_000), box(0, -1_000, 30_000, 0)), limit_m=limit)
    assert area_of(pieces) == pytest.approx(8_000 * 30_000)
    assert pieces.width_0 == pytest.approx(8_000)
    assert set(pieces.force_a) == {0}
    assert set(pieces.force_b) == {1}


def test_strips_wider_than_the_limit_have_no_piece() -> None:
    pieces = pieces_within(edges_of(box(0, 8_000, 30_000, 9_000), box(0, -1_000, 30_000, 0)), limit_m=7_999.9)
    assert len(pieces.width_0) == 0


def test_pruning_keeps_what_blocks() -> None:
    wall = box(-300_000, 3_900, 300_000, 4_000)
    edges = edges_of(box(0, 8_000, 30_000, 9_000), box(0, -1_000, 30_000, 0), wall)
    pieces = pieces_within(edges, limit_m=20_000)
    assert (0, 1) not in set(zip(pieces.force_a.tolist(), pieces.force_b.tolist(), strict=True))


def test_far_zones_change_nothing() -> None:
    near = (box(0, 8_000, 30_000, 9_000), Point(15_000, 0).buffer(2_000))
    far = shapely.MultiPolygon([near[0], box(900_000, 0, 950_000, 50_000)])
    one, other = (pieces_within(edges_of(*shapes), limit_m=9_000) for shapes in (near, (far, near[1])))

    def rows(pieces: Pieces) -> list[tuple[float, ...]]:
        ends = coordinates(np.column_stack([pieces.a0, pieces.b0, pieces.a1, pieces.b1])).reshape(-1, 8)
        return sorted(map(tuple, np.column_stack([ends, pieces.width_0]).tolist()))

    assert rows(one) == rows(other)


def test_a_triangle_near_the_limit_is_flagged() -> None:
    # Posts of 100 m, one 9 km from two others at 124 degrees: the circle through the three has a radius of
    # 9 / (2 cos 62) = 9.585 km, the disc that touches them 9.485 km.
    turn = np.radians(62)
    post = Point(0, 0).buffer(100, quad_segs=64)
    others = [Point(side * 9_000 * np.sin(turn), 9_000 * np.cos(turn)).buffer(100, quad_segs=64) for side in (-1, 1)]
    edges = edges_of(post, shapely.MultiPolygon(others))
    assert pieces_within(edges, limit_m=9_500).near_limit.any()
    assert not pieces_within(edges, limit_m=11_000).near_limit.any()
