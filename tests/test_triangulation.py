"""The engine's parts on arrays: circles by hand, sampling against shapely's distances, ties, pruning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from shapely import affinity, box

from gapmap import threads
from gapmap import triangulation as tri
from gapmap.errors import EngineError
from gapmap.noding import edges_of_union
from gapmap.plane import coordinates


def edges_of(*shapes: shapely.Geometry) -> tri.Edges:
    return edges_of_union(np.array(shapes, dtype=object), grid_m=tri.GRID_M)


def test_circle_through_three_points() -> None:
    corners = np.array([[0, 4, 3j], [1 + 1j, 1 + 3j, 3 + 1j], [0, 1 + 1j, 2 + 2j]])
    centre, radius = tri.circumcircles(corners)
    assert centre[:2] == pytest.approx([2 + 1.5j, 2 + 2j])
    assert radius == pytest.approx([2.5, np.sqrt(2), np.inf])


def test_densify_splits_evenly_and_keeps_the_outline() -> None:
    edges = edges_of(box(0, 0, 2_500, 600))
    dense = tri.densify(edges, length_max_m=1_000)
    lengths = np.hypot(*(dense.xy[dense.ends[:, 0]] - dense.xy[dense.ends[:, 1]]).T)
    assert sorted(lengths.round(6)) == [600, 600, *[833.333333] * 6]
    assert np.bincount(dense.ends[:, 0]).tolist() == np.bincount(dense.ends[:, 1]).tolist() == [1] * 8


@pytest.mark.parametrize("offset", [0, 137, 500])
@pytest.mark.parametrize("gap", [3, 40, 600])
def test_refined_edges_are_at_most_a_third_as_long_as_forces_are_apart(gap: float, offset: float) -> None:
    edges = tri.sample(
        edges_of(box(0, gap, 9_000, gap + 3_000), box(offset, -3_000, 9_000 + offset, 0)), limit_m=20_000
    )
    segments = shapely.linestrings(edges.xy[edges.ends])
    for own in np.unique(edges.label):
        mine, others = edges.label == own, edges.label != own
        distance = shapely.distance(segments[mine], shapely.union_all(segments[others]))
        assert (shapely.length(segments[mine]) <= np.maximum(distance / 3, tri.SPACING_MIN_M) + 1e-9).all()


@pytest.mark.parametrize("seed", range(12))
def test_edges_left_out_for_a_limit_have_no_say(seed: int) -> None:
    draw = np.random.default_rng(seed)
    limit = 2_000.0
    at, size = draw.uniform(0, 8 * limit, (40, 2)), limit * draw.uniform(0.02, 1.2, 40)
    shapes = [
        affinity.rotate(box(x - r, y - r / 4, x + r, y + r), draw.choice([0, 0, 30]))
        if draw.random() < 1 / 3
        else shapely.Point(x, y).buffer(r, quad_segs=int(draw.integers(1, 17)))
        for (x, y), r in zip(at, size, strict=True)
    ]
    force = draw.integers(0, 3, len(shapes))
    edges = edges_of(*(shapely.union_all(np.array(shapes)[force == k]) for k in range(3)))

    def found(sampled_for: float) -> set[frozenset[tuple[float, float]]]:
        triangles = tri.measured_triangles(tri.sample(edges, limit_m=sampled_for), limit_m=limit)
        return {frozenset(map(tuple, corners)) for corners in triangles.xy[triangles.corners].tolist()}

    assert len(tri.sample(edges, limit_m=limit).ends) < len(tri.sample(edges, limit_m=8 * limit).ends)
    assert found(limit) == found(8 * limit)


def assert_sampled_alike(edges: tri.Edges, limit_m: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Edges are sampled alike, and as many of them kept, however few are looked at at a time."""
    whole = tri.sample(edges, limit_m=limit_m)
    assert len(whole.ends)
    monkeypatch.setattr(threads, "_ROWS", len(whole.ends) // 7)
    monkeypatch.setattr(threads, "_ROWS_MIN", 1)
    for cores in (1, 3):
        monkeypatch.setattr(threads, "cores", lambda cores=cores: cores)
        some = tri.sample(edges, limit_m=limit_m)
        for column in ("xy", "ends", "label", "members", "merged"):
            assert getattr(some, column).tobytes() == getattr(whole, column).tobytes(), column


@pytest.mark.parametrize("seed", range(2))
def test_edges_are_sampled_alike_however_few_at_a_time(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(seed)
    shapes = [
        shapely.union_all(shapely.buffer(shapely.points(draw.uniform(0, 30_000, (12, 2))), 900 + 400 * k))
        for k in range(4)
    ]
    shapes[0] = shapely.difference(shapes[0], shapes[1])  # in line with each other here, crossing elsewhere
    assert_sampled_alike(edges_of(*shapes, shapely.Polygon()), 2_000.0, monkeypatch)


def test_a_vertex_on_the_rim_counts_however_few_edges_are_looked_at_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disc before the middle of the long side has the tip just on its rim: all numbers are exact in binary."""
    reach_m = 12_288.0
    limit = reach_m / tri.REACH
    assert limit * tri.REACH == reach_m
    tip = 2 * reach_m + tri.EDGE_MAX_M
    shapes = box(-20_500, -3_000, 20_500, 0), shapely.Polygon([(0, tip), (3_000, 60_000), (-3_000, 60_000)])
    assert_sampled_alike(edges_of_union(np.array(shapes, dtype=object), grid_m=1 / 64), limit, monkeypatch)


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


def test_ground_enclosed_by_one_force() -> None:
    notch = box(0, 0, 30_000, 10_000) - box(10_000, 4_000, 14_000, 10_000)
    corners = tri.enclosed_triangles(tri.densify(edges_of(notch), length_max_m=100), limit_m=5_000)
    assert shapely.area(shapely.polygons(coordinates(corners))).sum() == pytest.approx(4_000 * 6_000)
