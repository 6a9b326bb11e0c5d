"""Chains: order, direction, rings and lengths of corridors whose shape is known."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from shapely import Point, box

from gapmap import chains
from gapmap.noding import edges_of_union
from gapmap.pieces import Pieces, split
from gapmap.tiling import facing_triangles

STRIPS = (
    shapely.MultiPolygon([box(0, 6_000, 30_000, 8_000), box(0, -34_000, 20_000, -32_000)]),
    shapely.MultiPolygon([box(0, -2_000, 30_000, 0), box(0, -42_000, 20_000, -40_000)]),
)
RING = (
    Point(0, 0).buffer(12_000, quad_segs=64) - Point(0, 0).buffer(9_000, quad_segs=64),
    Point(0, 0).buffer(3_000, quad_segs=64),
)


def pieces_of(shapes: tuple[shapely.Geometry, ...], limit_m: float = 9_000) -> Pieces:
    return split(
        facing_triangles(edges_of_union(np.array(shapes, dtype=object), grid_m=0.01), limit_m=limit_m), limit_m=limit_m
    )


def test_each_piece_starts_where_the_one_before_ends() -> None:
    ordered = chains.order(pieces_of(STRIPS))
    pieces, same = ordered.pieces, np.diff(ordered.chain) == 0
    for one, following in ((pieces.a1, pieces.a0), (pieces.b1, pieces.b0), (pieces.side_1, pieces.side_0)):
        assert (one[:-1][same] == following[1:][same]).all()
    assert ordered.ring.tolist() == [False, False]


def test_chains_are_numbered_and_run_from_the_north_west() -> None:
    line = chains.stations(chains.order(pieces_of(STRIPS)))
    for number, (y, length) in enumerate([(3_000, 30_000), (-37_000, 20_000)]):
        middle = line.middle[line.chain == number]
        assert middle[0] == pytest.approx(1j * y)
        assert middle[-1] == pytest.approx(length + 1j * y)
        assert line.along[line.chain == number][-1] == pytest.approx(length)
    assert (line.along[np.flatnonzero(np.diff(line.chain, prepend=-1))] == 0).all()


def test_the_order_of_pieces_changes_nothing() -> None:
    pieces = pieces_of(STRIPS)
    shuffled = pieces.take(np.random.default_rng(3).permutation(len(pieces.width_0)))
    one, other = chains.order(pieces), chains.order(shuffled)
    assert (one.chain == other.chain).all()
    assert (one.pieces.a0 == other.pieces.a0).all()
    assert (one.pieces.b1 == other.pieces.b1).all()


def test_a_ring_closes() -> None:
    ordered = chains.order(pieces_of(RING))
    assert ordered.ring.tolist() == [True]
    assert ordered.pieces.side_1[-1] == ordered.pieces.side_0[0]
    line = chains.stations(ordered)
    assert line.middle[0] == pytest.approx(line.middle[-1])
    assert line.along[-1] == pytest.approx(2 * np.pi * 6_000, rel=1e-3)
    assert np.abs(line.middle) == pytest.approx(6_000, rel=2e-3)


def test_positions_on_the_edges_never_go_back() -> None:
    for shapes in (STRIPS, RING):
        line = chains.stations(chains.order(pieces_of(shapes)))
        assert (np.diff(line.edge_a) >= 0).all()
        assert (np.diff(line.edge_b) >= 0).all()


def test_no_pieces_make_no_chain() -> None:
    ordered = chains.order(pieces_of((box(0, 0, 1, 1), box(50_000, 0, 50_001, 1))))
    assert len(ordered.chain) == len(ordered.ring) == 0
