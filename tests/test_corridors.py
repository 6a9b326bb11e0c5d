"""The engine against closed forms, against the second method, and against itself turned, moved, shuffled and swapped."""

from __future__ import annotations

import warnings
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from gapmap import tables
from gapmap.corridors import Corridors, _simple, find_corridors
from gapmap.errors import CrsError, InputError
from gapmap.triangulation import spacing_m
from gapmap.widths import width_here
from tests import scenes
from tests.oracles import Oracle
from tests.scenes import CLOSED_FORMS, KM, LAEA, W, two_discs, wedge

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

TABLES = ("corridors", "centrelines", "transects", "stretches", "facets")
FORMS = {form.name: form for form in (make() for make in CLOSED_FORMS)}
# Derandomised and without shrinking: the same few scenes on every run, and a failure that says so at once.
calm = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)


@cache
def found_in(name: str) -> Corridors:
    return find_corridors(FORMS[name].cover, max_width_m=FORMS[name].max_width_m)


def dots(points: NDArray[np.float64], crs: Any = LAEA) -> gpd.GeoSeries:  # noqa: ANN401 - whatever names a CRS
    return gpd.GeoSeries.from_xy(*np.asarray(points, dtype=float).T, crs=crs)


def area_of(found: Corridors) -> float:
    return float(found.corridors.area.sum())


def area_by_pair(found: Corridors) -> dict[tuple[str, str], float]:
    table = found.corridors
    return table.area.groupby([table["force_a"], table["force_b"]]).sum().to_dict()


def of_pair(found: Corridors, force_a: str, force_b: str) -> gpd.GeoDataFrame:
    table = found.corridors
    return table[(table["force_a"] == force_a) & (table["force_b"] == force_b)]


def ends(transects: gpd.GeoDataFrame) -> tuple[NDArray[Any], NDArray[Any]]:
    lines = transects.geometry.to_numpy()
    return shapely.get_point(lines, 0), shapely.get_point(lines, -1)


# Closed forms


@pytest.mark.parametrize("name", FORMS)
def test_area_width_and_length_of_closed_forms(name: str) -> None:
    form, found = FORMS[name], found_in(name)
    (row,) = found.corridors.itertuples()

    assert (row.force_a, row.force_b) == form.forces
    assert found.corridors.area.sum() == pytest.approx(form.area_m2, rel=1e-3)
    assert row.area_km2 == pytest.approx(form.area_m2 / 1e6, rel=1e-3)
    assert row.width_min_m == pytest.approx(form.width_min_m, rel=1e-3, abs=10)
    assert row.width_max_m == pytest.approx(form.width_max_m, rel=1e-3, abs=10)
    assert form.width_min_m - 10 <= row.width_mean_m <= form.width_max_m + 10
    if np.isfinite(form.length_m):
        assert found.centrelines.length.sum() == pytest.approx(form.length_m, rel=5e-3)
        assert row.length_km == pytest.approx(form.length_m / KM, rel=5e-3)


@pytest.mark.parametrize("name", FORMS)
def test_transects_of_closed_forms(name: str) -> None:
    form, transects = FORMS[name], found_in(name).transects
    middle = shapely.line_interpolate_point(transects.geometry.to_numpy(), 0.5, normalized=True)

    assert len(transects) > 0
    assert transects["width_m"].to_numpy() == pytest.approx(form.width(shapely.get_coordinates(middle)), rel=1e-3)
    assert transects.length.to_numpy() == pytest.approx(transects["width_m"].to_numpy(), rel=1e-3)
    if np.isfinite(form.length_m):
        assert len(transects) == pytest.approx(form.length_m / 1_000, abs=1.5)


@pytest.mark.parametrize("max_width_m", [5 * KM, KM, 300.0])
@pytest.mark.parametrize("phi", [5, 45, 60])
def test_small_limits_are_as_exact(phi: float, max_width_m: float) -> None:
    form = wedge(phi, max_width_m=max_width_m, angle=17)
    found = find_corridors(form.cover, max_width_m=max_width_m)
    assert found.corridors.area.sum() == pytest.approx(form.area_m2, rel=5e-4)
    assert found.centrelines.length.sum() == pytest.approx(form.length_m, rel=5e-4)
    expected = form.width(form.inside)
    assert found.width_at(dots(form.inside)).to_numpy() == pytest.approx(expected, rel=5e-3, abs=2)


@pytest.mark.parametrize("ratios", [(1.0, 2.02), (0.8092, 1.6594), (2485 / 3000, 5302.2 / 3000)])
@pytest.mark.parametrize("max_width_m", [KM, 3 * KM, 5 * KM])
def test_discs_whose_corridor_ends_where_discs_grow_fast(ratios: tuple[float, float], max_width_m: float) -> None:
    radius, apart = (ratio * max_width_m for ratio in ratios)
    form = two_discs(apart, radius, max_width_m=max_width_m, angle=17)
    found = find_corridors(form.cover, max_width_m=max_width_m)
    assert found.corridors.area.sum() == pytest.approx(form.area_m2, rel=1e-3)


@pytest.mark.parametrize(
    ("max_width_m", "shift"), [(20 * KM, 500.0), (KM, 62.5), (300.0, 6.25), (5 * KM, 50.0), (5 * KM, 100.0)]
)
def test_strips_as_wide_as_the_limit_whose_samples_stand_half_a_step_apart(max_width_m: float, shift: float) -> None:
    # A disc that touches a straight line just at a sample touches no corner.
    long = 2 * max_width_m
    strips = {
        "blue": shapely.box(0, max_width_m, long, 2 * max_width_m),
        "green": shapely.box(shift, -max_width_m, long + shift, 0),
    }
    found = find_corridors(scenes.cover(strips), max_width_m=max_width_m)
    assert len(found.corridors) == 1
    step = float(spacing_m(np.array(max_width_m)))  # what lies before the last sample at either end may be lost
    assert found.corridors.area.sum() == pytest.approx(max_width_m * (long - shift), abs=2.2 * max_width_m * step)


@pytest.mark.parametrize("name", FORMS)
def test_width_here_of_closed_forms(name: str) -> None:
    form, found = FORMS[name], found_in(name)
    expected = form.width(form.inside)
    width = found.width_at(dots(form.inside))

    assert (np.abs(width - expected) <= np.maximum(10, 1e-3 * expected)).all()
    assert found.width_at(dots(form.outside)).isna().all()


def test_width_here_in_degrees_and_from_the_facets_alone() -> None:
    form = FORMS["discs r 10 km, 30 km apart, turned 45"]
    found, points = found_in(form.name), dots(form.inside)
    width = found.width_at(points)
    pd.testing.assert_series_equal(found.width_at(points.to_crs(4326)), width, rtol=0, atol=1)
    pd.testing.assert_series_equal(width_here(found.facets, points), width)


class _Outline:
    """The edges of a cover, to find the point nearest to others."""

    def __init__(self, shape: Any) -> None:  # noqa: ANN401 - a shapely geometry
        xy, ring = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(shape)), return_index=True)
        self.ends = np.stack([xy[:-1], xy[1:]])[:, ring[1:] == ring[:-1]]
        self.tree = shapely.STRtree(shapely.linestrings(self.ends.transpose(1, 0, 2)))

    def nearest(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        row, edge = self.tree.query_nearest(shapely.points(xy), all_matches=False)
        start, end = self.ends[:, edge[np.argsort(row)]]
        run = end - start
        share = np.clip(((xy - start) * run).sum(axis=1) / (run * run).sum(axis=1), 0, 1)
        return start + share[:, None] * run


def width_by_rolling(one: Any, other: Any, points: NDArray[np.float64]) -> NDArray[np.float64]:  # noqa: ANN401 - shapely geometries
    """Return the length of the span through each point, found by rolling a disc between two covers; NaN where it stops.

    Knows nothing of triangles: the disc's centre is pulled half-way between the covers, and moved along until the
    line between the points where the disc touches runs through the point asked for.
    """
    a_side, b_side, centre = _Outline(one), _Outline(other), points.copy()
    pace, before = np.ones(len(points)), np.zeros(len(points))
    for _ in range(120):
        for _ in range(6):
            away = [centre - side.nearest(centre) for side in (a_side, b_side)]
            far = [np.hypot(*way.T) for way in away]
            slope = away[0] / far[0][:, None] - away[1] / far[1][:, None]
            steep = np.maximum((slope * slope).sum(axis=1), 0.05)
            centre = centre - ((far[0] - far[1]) / steep)[:, None] * slope
        a, b = a_side.nearest(centre), b_side.nearest(centre)
        span = b - a
        width = np.hypot(*span.T)
        miss = (span[:, 0] * (points - a)[:, 1] - span[:, 1] * (points - a)[:, 0]) / width
        pace = np.where(miss * before < 0, pace / 2, np.minimum(1.1 * pace, 1))
        before = miss
        centre = centre + (pace * miss / width)[:, None] * np.stack([-span[:, 1], span[:, 0]], axis=1)
    between = np.hypot(*(points - a).T) + np.hypot(*(points - b).T) < width + 0.01
    return np.where((np.abs(miss) < 0.05) & between, width, np.nan)


def test_width_here_is_that_of_a_disc_that_rolls_between_the_covers() -> None:
    # Covers drawn with corners, as buffers are: there the width bends.
    random = np.random.default_rng(5)
    xy = random.uniform(0, 150e3, (75, 2))
    shapes = shapely.buffer(shapely.points(xy), random.uniform(3e3, 9e3, len(xy)), quad_segs=16)
    north = xy[:, 1] + 15e3 * np.sin(xy[:, 0] / 40e3) > 75e3
    table = scenes.cover({"blue": list(shapes[north]), "green": list(shapes[~north])})
    found = find_corridors(table)
    points = random.uniform(0, 150e3, (9_000, 2))
    points = points[shapely.contains_xy(found.corridors.union_all(), points)]
    true = width_by_rolling(table.geometry.iloc[0], table.geometry.iloc[1], points)
    known = ~np.isnan(true)
    assert known.sum() > 250  # the others lie in triangles between three places, or spans jump there
    miss = np.abs(found.width_at(dots(points)).to_numpy() - true)[known]
    bound = np.maximum(10, 1e-3 * true[known])
    assert np.median(miss) < 1
    assert (miss <= bound).mean() > 0.97


@pytest.mark.parametrize("name", FORMS)
def test_chain_or_ring(name: str) -> None:
    form, found = FORMS[name], found_in(name)
    (shape,), (line,) = found.corridors.geometry, found.centrelines.geometry

    assert shape.geom_type == "Polygon"
    assert len(shape.interiors) == form.ring
    assert line.geom_type == "LineString"
    assert line.is_ring == form.ring
    assert line.is_simple


def test_open_ends_are_cut_straight_from_corner_to_corner() -> None:
    (shape,) = found_in("strips 8 x 50 km turned 0").corridors.geometry
    assert shape.symmetric_difference(shapely.box(-25 * KM, -4 * KM, 25 * KM, 4 * KM)).area < 1_000


def test_far_coordinates_give_the_same() -> None:
    form = scenes.two_discs(30 * KM, 10 * KM, angle=45)
    here, there = find_corridors(form.cover), find_corridors(scenes.far_away(form.cover))
    assert area_of(there) == pytest.approx(area_of(here), rel=1e-4)
    assert len(there.transects) == len(here.transects)
    far = dots(form.inside + np.array(scenes.FAR_SHIFT), there.corridors.crs)
    assert there.width_at(far).to_numpy() == pytest.approx(form.width(form.inside), rel=1e-3, abs=10)


def test_just_wider_than_the_limit_is_no_corridor() -> None:
    assert found_tables_are_empty(find_corridors(scenes.strips(20.001 * KM, 40 * KM, angle=14).cover))


# What blocks, touches and nests


@pytest.mark.parametrize("angle", [0, 20, 90])
def test_a_third_force_blocks_the_view(angle: float) -> None:
    found = find_corridors(scenes.blocked(5 * KM, 2 * KM, 40 * KM, angle=angle))
    assert area_by_pair(found) == pytest.approx({("blue", "red"): 200e6, ("green", "red"): 200e6}, rel=1e-3)
    assert found.transects["width_m"].to_numpy() == pytest.approx(5 * KM, rel=1e-3)


@pytest.mark.parametrize("wall", [100.0, 2 * KM])
def test_a_wall_of_four_corners_600_km_long_blocks_as_well(wall: float) -> None:
    found = find_corridors(scenes.blocked(5 * KM, wall, 40 * KM, wall_length=600 * KM))
    # Each strip, 12 km deep, leans over to the wall at both ends: see scenes.block_before_wall.
    expected = 40 * KM * 5 * KM + (W / np.sqrt(2)) ** 2
    assert area_by_pair(found) == pytest.approx({("blue", "red"): expected, ("green", "red"): expected}, rel=1e-3)


def test_touching_edges_open_at_width_zero() -> None:
    found = find_corridors(scenes.touching_edges(angle=25))
    (row,) = found.corridors.itertuples()
    assert row.width_min_m == 0
    assert row.width_max_m == pytest.approx(14 * KM, rel=0.02)


def test_forces_that_share_their_whole_edge_have_no_corridor() -> None:
    table = scenes.cover({"blue": shapely.box(0, 0, 9 * KM, 5 * KM), "green": shapely.box(0, 5 * KM, 9 * KM, 9 * KM)})
    assert found_tables_are_empty(find_corridors(table))


def test_a_post_of_both_interrupts_the_corridor() -> None:
    found = find_corridors(scenes.post_of_both())
    beside = dots(np.array([[3 * KM, 4 * KM], [3 * KM, -4 * KM]]))
    assert found.width_at(beside).isna().all()
    kinds = gpd.sjoin(gpd.GeoDataFrame(geometry=beside), found.ground)["kind"]
    assert kinds.tolist() == ["interior", "interior"]


def test_holes_hold_corridors_too() -> None:
    found = find_corridors(scenes.nested())
    # Two rings one within the other: blue round green, and green round the blue core.
    assert len(found.corridors) == 2
    assert all(len(shape.interiors) == 1 for shape in found.corridors.geometry)


def test_a_triangle_between_three_forces_is_split_in_three() -> None:
    table = scenes.three_corners(12 * KM)
    table = table.set_geometry(table.centroid.buffer(1, quad_segs=4))
    third = 3 * np.sqrt(3) / 4 * (12 * KM) ** 2 / 3
    areas = area_by_pair(find_corridors(table, max_width_m=21 * KM))
    assert areas == pytest.approx({("blue", "green"): third, ("blue", "red"): third, ("green", "red"): third}, rel=1e-2)
    assert area_by_pair(find_corridors(table, max_width_m=20 * KM)) == {}


def test_a_post_in_the_middle_of_a_corridor_takes_a_square() -> None:
    # Documented: the spans of the two strips cannot pass the post; what they lose is width squared over 4 on each side.
    strips = scenes.strips(12 * KM, 60 * KM).cover
    post = shapely.Point(0, 0).buffer(0.5, quad_segs=2)
    red = gpd.GeoDataFrame({"force": ["red"]}, geometry=[post], crs=strips.crs)
    areas = area_by_pair(find_corridors(pd.concat([strips, red], ignore_index=True)))
    oracle = Oracle(pd.concat([strips, red], ignore_index=True), W).areas()
    assert areas == pytest.approx(oracle, rel=5e-3)
    assert areas["blue", "green"] < 720e6 - (12 * KM) ** 2 / 4


# The second method


RANDOM: dict[str, tuple[Callable[[], gpd.GeoDataFrame], float]] = {
    "discs": (partial(scenes.random_discs, 11), W),
    "more discs": (partial(scenes.random_discs, 12, count=14), 15 * KM),
    "few discs, three forces": (partial(scenes.random_discs, 13, forces=3, count=5), W),
    "discs, three forces": (partial(scenes.random_discs, 14, forces=3, count=7), 12 * KM),
    "seam": (partial(scenes.along_a_seam, 21), W),
    "seam, narrow limit": (partial(scenes.along_a_seam, 22, count=6), 13 * KM),
    "seam, three forces": (partial(scenes.along_a_seam, 23, forces=3), W),
    "walls": (partial(scenes.random_walls, 31), W),
    "walls, three forces": (partial(scenes.random_walls, 32, forces=3, count=5), 15 * KM),
    "overlap": (scenes.overlapping, W),
    "nested": (scenes.nested, W),
    "nested, three forces": (partial(scenes.nested, third=True), W),
    "touching edges": (partial(scenes.touching_edges, angle=25), W),
    "a post of both": (scenes.post_of_both, W),
    "three corners": (scenes.three_corners, W),
}


@pytest.mark.parametrize("name", RANDOM)
def test_the_second_method_agrees(name: str) -> None:
    make, limit = RANDOM[name]
    table = make()
    found = find_corridors(table, max_width_m=limit)
    oracle = Oracle(table, limit, step_m=limit / 60)
    expected = oracle.areas()
    areas = area_by_pair(found)
    total = sum(expected.values())

    assert total > 0
    assert sum(areas.values()) == pytest.approx(total, rel=0.03)
    for pair in expected.keys() | areas.keys():
        assert areas.get(pair, 0) == pytest.approx(expected.get(pair, 0), rel=0.03, abs=0.002 * total)
        mine = shapely.union_all(of_pair(found, *pair).geometry.to_numpy())
        # The same ground, not only as much of it.
        assert mine.symmetric_difference(oracle.ground(*pair)).area <= 0.03 * expected.get(pair, 0) + 0.002 * total

    random = np.random.default_rng(5)
    low_x, low_y, high_x, high_y = found.corridors.total_bounds
    points = random.uniform((low_x, low_y), (high_x, high_y), (1_500, 2))
    ours, theirs = found.width_at(dots(points)).to_numpy(), oracle.width_at(points)
    both = ~np.isnan(ours) & ~np.isnan(theirs)
    assert both.sum() > 30
    # Inside a triangle between three contacts "width" is a convention; elsewhere the two must agree.
    assert np.median(np.abs(ours - theirs)[both]) <= 20
    assert (np.abs(ours - theirs)[both] <= 0.03 * theirs[both] + 30).mean() > 0.95


# Properties


def cell(seed: int, forces: int = 2) -> gpd.GeoDataFrame:
    return scenes.random_discs(seed, forces=forces, count=4, region=70 * KM, quad_segs=8)


SEEDS = st.integers(0, 10_000)


def same(one: Corridors, other: Corridors) -> None:
    for name in TABLES:
        assert_geodataframe_equal(getattr(one, name), getattr(other, name))


@calm
@given(seed=SEEDS, forces=st.sampled_from([2, 3]))
def test_row_order_and_parts_change_nothing(seed: int, forces: int) -> None:
    table = cell(seed, forces)
    parts = table.explode(ignore_index=True).sample(frac=1, random_state=seed)
    same(find_corridors(table), find_corridors(parts))
    same(find_corridors(table), find_corridors(table.set_index("force").iloc[::-1]))


@calm
@given(seed=SEEDS)
def test_swapping_forces_changes_only_names(seed: int) -> None:
    table = cell(seed)
    swapped = table.assign(force=table["force"].map({"blue": "green", "green": "blue"}))
    one, other = find_corridors(table), find_corridors(swapped)

    assert len(one.corridors) == len(other.corridors)
    for name in TABLES:
        first, second = getattr(one, name), getattr(other, name)
        assert first.index.equals(second.index)
        assert shapely.equals_exact(
            shapely.normalize(first.geometry.to_numpy()), shapely.normalize(second.geometry.to_numpy()), 1e-3
        ).all()
    columns = ["width_min_m", "width_mean_m", "width_max_m", "length_km", "area_km2", "near_limit"]
    pd.testing.assert_frame_equal(one.corridors[columns], other.corridors[columns], rtol=1e-9)


@calm
@given(seed=SEEDS, angle=st.integers(0, 359), east=st.integers(-90, 90), north=st.integers(-90, 90))
def test_turning_and_moving_change_nothing_beyond_the_bound(seed: int, angle: int, east: int, north: int) -> None:
    table = cell(seed)
    one = find_corridors(table)
    other = find_corridors(scenes.turned(table, angle, (east * KM, north * KM)))
    assume(not one.corridors["near_limit"].any())  # the answer may jump there, and says so
    assert area_by_pair(other) == pytest.approx(area_by_pair(one), rel=1e-3, abs=1e4)
    assert other.centrelines.length.sum() == pytest.approx(one.centrelines.length.sum(), rel=5e-3)


@calm
@given(seed=SEEDS, forces=st.sampled_from([2, 3]), share=st.floats(0.3, 0.95))
def test_a_larger_limit_gives_a_superset(seed: int, forces: int, share: float) -> None:
    table = cell(seed, forces)
    small, large = find_corridors(table, max_width_m=share * W), find_corridors(table)
    for (a, b), shapes in small.corridors.groupby(["force_a", "force_b"]).geometry:
        rows = of_pair(large, a, b)
        lost = shapely.union_all(shapes.to_numpy()) - shapely.union_all(rows.geometry.to_numpy())
        assert lost.area <= 1e-9 * shapes.area.sum() + 0.01 * shapes.length.sum()


@calm
@given(seed=SEEDS, forces=st.sampled_from([2, 3]))
def test_what_every_result_must_hold(seed: int, forces: int) -> None:
    table = cell(seed, forces)
    check(find_corridors(table), table)


@pytest.mark.parametrize("name", RANDOM)
def test_what_every_result_must_hold_on_the_scenes(name: str) -> None:
    make, limit = RANDOM[name]
    check(find_corridors(make(), max_width_m=limit), make())


def check(found: Corridors, table: gpd.GeoDataFrame) -> None:
    limit = found.max_width_m
    held = table.dissolve("force").geometry
    for name in TABLES:
        each = getattr(found, name)
        assert each.crs == table.crs
        assert each.index.name == tables.INDEX[name]
        assert each.index.is_unique
        assert [*tables.COLUMNS[name]] == [column for column in each.columns if column != "geometry"][
            : len(tables.COLUMNS[name])
        ]
        assert each.is_valid.all()
        assert not each.is_empty.any()
    covered = shapely.union_all(held.to_numpy())
    corridors, stretches, transects, facets = found.corridors, found.stretches, found.transects, found.facets

    # Corridors: no overlap with cover or each other, widths in order.
    assert corridors.intersection(covered).area.sum() <= 1e-6 * corridors.area.sum() + 10
    for _, shapes in corridors.groupby(["force_a", "force_b"]).geometry:
        assert shapes.union_all().area == pytest.approx(shapes.area.sum(), rel=1e-6)
    assert (corridors["force_a"] < corridors["force_b"]).all()
    for widths in (corridors, stretches):
        assert (widths["width_min_m"] <= widths["width_mean_m"] + 1e-6).all()
        assert (widths["width_mean_m"] <= widths["width_max_m"] + 1e-6).all()
        assert (widths["width_max_m"] <= limit).all()
        assert (widths["width_min_m"] >= 0).all()
        assert widths["area_km2"].to_numpy() == pytest.approx(widths.area.to_numpy() / 1e6, rel=1e-6)

    # Stretches and facets tile their corridor.
    for part in (stretches, facets):
        sums = part.area.groupby(part["corridor_id"]).sum().reindex(corridors.index)
        assert sums.to_numpy() == pytest.approx(corridors.area.to_numpy(), rel=1e-6, abs=10)
    sums = facets.area.groupby(facets["stretch_id"]).sum().reindex(stretches.index)
    assert sums.to_numpy() == pytest.approx(stretches.area.to_numpy(), rel=1e-6, abs=10)
    assert (stretches["from_m"] < stretches["to_m"]).all()
    assert stretches["length_km"].groupby(stretches["corridor_id"]).sum().to_numpy() == pytest.approx(
        corridors["length_km"].to_numpy(), rel=1e-6, abs=1e-3
    )

    # Width at a facet's own point lies between its two spans' widths, and no width passes W.
    inner = facets.geometry.representative_point()
    low = facets[["width_start_m", "width_end_m"]].min(axis=1)
    high = facets[["width_start_m", "width_end_m"]].max(axis=1)
    width = found.width_at(inner)
    assert width.index.equals(facets.index)
    assert ((width >= low - 1e-6) & (width <= high + 1e-6)).all()
    assert (high <= limit).all()

    # Transects run from one force's cover to the other's over open ground.
    pair = corridors.loc[transects["corridor_id"], ["force_a", "force_b"]]
    for dot, force in zip(ends(transects), (pair["force_a"], pair["force_b"]), strict=True):
        assert (shapely.distance(dot, held.loc[force].to_numpy()) <= 1).all()
    assert transects.length.to_numpy() == pytest.approx(transects["width_m"].to_numpy(), rel=1e-3, abs=1)
    assert (transects.intersection(covered.buffer(-2 * found.grid_m)).length == 0).all()
    assert not transects.geometry.duplicated().any()
    assert (transects["width_m"] <= limit).all()
    narrowest = corridors.loc[transects["corridor_id"], "width_min_m"].to_numpy()
    assert (transects["width_m"].to_numpy() >= narrowest - 10 - 1e-3 * narrowest).all()
    assert set(transects["stretch_id"]) <= set(stretches.index)

    # Ids tell the whole from the part.
    assert all(f"{row.corridor_id}." in index for index, row in stretches.iterrows())
    assert all(index.startswith(f"{row.stretch_id}.") for index, row in transects.iterrows())
    assert corridors.index.tolist() == [f"C{n + 1:02d}" for n in range(len(corridors))]

    ground = found.ground
    of_kind = ground[ground["kind"] == "corridor"].set_index("forces").area
    assert of_kind.sum() == pytest.approx(corridors.union_all().area, rel=1e-6)
    # Before an edge that two forces hold the corridors of two pairs overlap; else each pair has its own.
    pairs = corridors["force_a"] + " + " + corridors["force_b"]
    for pair in pairs.unique():
        alone = corridors[pairs == pair].union_all() - corridors[pairs != pair].union_all()
        assert of_kind.get(pair, 0) == pytest.approx(alone.area, rel=1e-6, abs=10)


# Ties: four and more points on one circle


@pytest.mark.parametrize("forces", [2, 3])
@pytest.mark.parametrize("seed", [3, 4])
def test_boxes_on_a_grid(seed: int, forces: int) -> None:
    table = scenes.boxes(seed, forces=forces)
    whole = find_corridors(table, max_width_m=4 * KM)
    # Each box its own row, in any order.
    parts = table.explode(ignore_index=True).sample(frac=1, random_state=seed)
    same(whole, find_corridors(parts, max_width_m=4 * KM))
    # Far ground added must not turn a tie over (nothing within 2W: what pruning and tiles take away).
    far = gpd.GeoDataFrame({"force": ["blue"]}, geometry=[shapely.box(90 * KM, 0, 91 * KM, KM)], crs=table.crs)
    more = find_corridors(pd.concat([table, far], ignore_index=True), max_width_m=4 * KM)
    same(whole, more)
    # Other names, the same ground.
    names = {"blue": "x", "green": "y", "red": "a"}
    other = find_corridors(table.assign(force=table["force"].map(names)), max_width_m=4 * KM)
    renamed = {tuple(sorted((names[a], names[b]))): area for (a, b), area in area_by_pair(whole).items()}
    assert area_by_pair(other) == pytest.approx(renamed, rel=1e-9)
    check(whole, table)


# Area of interest, excluded ground


def test_the_area_of_interest_makes_no_false_ends() -> None:
    form = FORMS["discs r 15 km, 42 km apart, turned 117"]
    whole = found_in(form.name)
    (centre,) = whole.corridors.centroid
    area = gpd.GeoSeries([centre.buffer(6 * KM)], crs=LAEA)
    part = find_corridors(form.cover, area_of_interest=area)

    assert area_of(part) == pytest.approx(whole.corridors.intersection(area.iloc[0]).area.sum(), rel=1e-6)
    inside = dots(form.inside)[dots(form.inside).within(area.iloc[0].buffer(-10))]
    assert len(inside) > 5
    pd.testing.assert_series_equal(part.width_at(inside), whole.width_at(inside), atol=5, rtol=1e-3)
    assert part.ground.area.sum() == pytest.approx(area.area.sum(), rel=1e-9)


def test_the_area_of_interest_may_come_in_degrees() -> None:
    form = FORMS["strips 8 x 50 km turned 0"]
    area = gpd.GeoSeries([shapely.box(-10 * KM, -40 * KM, 10 * KM, 40 * KM).segmentize(1 * KM)], crs=LAEA)
    one = find_corridors(form.cover, area_of_interest=area)
    other = find_corridors(form.cover, area_of_interest=gpd.GeoDataFrame(geometry=area.to_crs(4326)))
    assert area_of(one) == pytest.approx(160e6, rel=1e-6)
    assert area_of(other) == pytest.approx(160e6, rel=1e-6)


def test_an_area_of_interest_elsewhere_finds_nothing() -> None:
    form = FORMS["strips 8 x 50 km turned 0"]
    area = gpd.GeoSeries([shapely.box(60 * KM, 60 * KM, 70 * KM, 70 * KM)], crs=LAEA)
    assert found_tables_are_empty(find_corridors(form.cover, area_of_interest=area))


def test_excluded_ground_is_cut_out_and_blocks_nothing() -> None:
    form = FORMS["strips 8 x 50 km turned 0"]
    lake = gpd.GeoSeries([shapely.box(-5 * KM, -2 * KM, 5 * KM, 2 * KM)], crs=LAEA)
    found = find_corridors(form.cover, excluded=lake)

    assert area_of(found) == pytest.approx(form.area_m2 - 40e6, rel=1e-3)
    assert found.corridors["width_min_m"].tolist() == pytest.approx([8 * KM], rel=1e-3)
    beside = found.width_at(dots(np.array([[0.0, 3 * KM], [0.0, -3 * KM], [0.0, 0.0]])))
    assert beside.iloc[:2].to_numpy() == pytest.approx(8 * KM, rel=1e-3)
    assert np.isnan(beside.iloc[2])


def test_from_each_shape_only_the_excluded_ground_that_it_meets_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    form = FORMS["strips 8 x 50 km turned 0"]
    x, y = np.meshgrid(np.arange(-30, 30), np.arange(-30, 30))
    lakes = gpd.GeoSeries(shapely.box(*(1 * KM * np.stack([x, y, x + 0.5, y + 0.5])).reshape(4, -1)), crs=LAEA)
    taken: list[tuple[Any, Any]] = []

    def difference(shapes: Any, others: Any) -> Any:  # noqa: ANN401
        taken.extend(np.broadcast(shapes, others))
        return shapely.set_operations.difference(shapes, others)

    with monkeypatch.context() as patched:
        patched.setattr(shapely, "difference", difference)
        found = find_corridors(form.cover, excluded=lakes)
    left = found_in(form.name).corridors.difference(lakes.union_all())
    assert area_of(found) == pytest.approx(left.area.sum(), rel=1e-9)
    assert taken
    for shape, excluded in taken:
        assert shapely.intersects(shape, shapely.get_parts(excluded)).all()


# Stretches and transects


def test_stretches_share_the_length_evenly() -> None:
    form = FORMS["strips 8 x 50 km turned 0"]
    stretches = find_corridors(form.cover, stretch_length_m=10 * KM).stretches
    assert stretches.index.tolist() == [f"C01.{n:02d}" for n in range(1, 6)]
    assert stretches["length_km"].to_numpy() == pytest.approx(10, rel=1e-9)
    assert stretches["area_km2"].to_numpy() == pytest.approx(80, rel=1e-3)


def test_transects_keep_their_distance() -> None:
    form = FORMS["strips 8 x 50 km turned 0"]
    transects = find_corridors(form.cover, transect_every_m=2_500).transects
    # Each is a measured span, so it may stand off by half the distance of two of them, to either side.
    assert np.diff(transects["along_m"]) == pytest.approx(2_500, abs=float(spacing_m(np.array(8 * KM))))
    x = shapely.get_coordinates(shapely.centroid(transects.geometry.to_numpy()))[:, 0]
    assert np.abs(x - x[0]) == pytest.approx(transects["along_m"] - transects["along_m"].iloc[0], abs=1)


def test_corridors_are_numbered_from_the_north_west() -> None:
    pairs = [scenes.strips(5 * KM, 10 * KM, shift=shift).cover for shift in ((-60e3, 50e3), (60e3, 50e3), (0, -60e3))]
    found = find_corridors(pd.concat(pairs, ignore_index=True))
    assert found.corridors.index.tolist() == ["C01", "C02", "C03"]
    assert found.corridors.loc["C01"].geometry.centroid.x < -50e3


# Nothing, empty, odd and wrong


def found_tables_are_empty(found: Corridors) -> bool:
    for name in TABLES:
        table = getattr(found, name)
        expected = tables.empty(name, table.crs)
        assert len(table) == 0
        assert table.dtypes.drop("geometry").to_dict() == expected.dtypes.drop("geometry").to_dict()
        assert table.index.name == expected.index.name
    assert found.width_at(dots(np.array([[0.0, 0.0]]))).isna().all()
    return True


def test_one_force_alone_has_no_corridor() -> None:
    table = scenes.strips(8 * KM, 40 * KM).cover.assign(force="blue")
    found = find_corridors(table)
    assert found_tables_are_empty(found)
    assert set(found.ground["kind"]) == {"covered", "interior", "open"}


def test_no_cover_at_all() -> None:
    table = gpd.GeoDataFrame({"force": []}, geometry=gpd.GeoSeries([], crs=LAEA), crs=LAEA)
    found = find_corridors(table)
    assert found_tables_are_empty(found)
    assert len(found.ground) == 0


def test_the_input_is_left_alone() -> None:
    table = scenes.strips(8 * KM, 40 * KM).cover
    before = table.copy(deep=True)
    find_corridors(table)
    assert_geodataframe_equal(table, before)


BLUE = shapely.box(0, 0, 40 * KM, 10 * KM)
GREEN = shapely.box(0, 18 * KM, 40 * KM, 28 * KM)
STAIR = shapely.Polygon(
    [(0, 18 * KM), (0, 28 * KM), (40 * KM, 28 * KM), (40 * KM, 18 * KM), (20 * KM, 18 * KM), (20 * KM, 18 * KM)]
)
SPIKE = shapely.union(GREEN, shapely.Polygon([(0, 18 * KM), (20 * KM, 18 * KM), (20 * KM, 18 * KM - 0.004)]))
# Two right angles, both filled up to 10 km; in one of them spans from green's corner go on along blue's long side up to W.
CORNERS = 50 + 10 * (np.sqrt(20**2 - 10**2)) / 2
# In each corner of the hole, 2 km from green's corner: a disc between the two sides and that corner has a radius of
# 2 * (2 - sqrt(2)) km, and what it cuts off lies between blue and blue.
HOLLOWS = 4 * (2 * (2 - np.sqrt(2))) ** 2 / 2
ODD: dict[str, tuple[Any, Any, float]] = {  # blue, green, km2 between
    "plain": (BLUE, GREEN, 320),
    "duplicate vertices": (BLUE, STAIR, 320),
    "heights": (shapely.force_3d(BLUE, 300), shapely.force_3d(GREEN, 100), 320),
    "multipolygons": (
        shapely.MultiPolygon([BLUE, shapely.box(0, -90 * KM, KM, -89 * KM)]),
        shapely.MultiPolygon([GREEN]),
        320,
    ),
    "sliver": (BLUE, SPIKE, 320),
    "overlap by a millimetre": (BLUE, shapely.box(0, 10 * KM - 0.001, 40 * KM, 20 * KM), 0),
    "overlap by 5 m": (BLUE, shapely.box(0, 10 * KM - 5, 40 * KM, 20 * KM), 0),
    "apart by a millimetre": (BLUE, shapely.box(0, 10 * KM + 0.001, 40 * KM, 20 * KM), 0),
    "sharing an edge": (BLUE, shapely.box(0, 10 * KM, 40 * KM, 20 * KM), 0),
    "touching in a point": (BLUE, shapely.box(40 * KM, 10 * KM, 50 * KM, 20 * KM), CORNERS),
    "the same": (BLUE, BLUE, 0),
    "drowned": (BLUE, shapely.box(5 * KM, 2 * KM, 9 * KM, 5 * KM), 0),
    "nested inside a hole": (
        BLUE - shapely.box(2 * KM, 2 * KM, 38 * KM, 8 * KM),
        shapely.box(4 * KM, 4 * KM, 36 * KM, 6 * KM),
        152 - HOLLOWS,
    ),
    "filling a hole": (
        BLUE - shapely.box(2 * KM, 2 * KM, 38 * KM, 8 * KM),
        shapely.box(2 * KM, 2 * KM, 38 * KM, 8 * KM),
        0,
    ),
    "ten metres apart": (BLUE, shapely.box(0, 10 * KM + 10, 40 * KM, 20 * KM), 0.4),
    "empty": (BLUE, shapely.Polygon(), 0),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_inputs(name: str) -> None:
    blue, green, expected = ODD[name]
    table = gpd.GeoDataFrame({"force": ["blue", "green"]}, geometry=[blue, green], crs=LAEA)
    found = find_corridors(table)
    assert found.corridors["area_km2"].sum() == pytest.approx(expected, rel=2e-3, abs=1e-3)
    assert found.corridors.is_valid.all()
    ground = found.ground
    assert ground.is_valid.all()


def bad_box(x: float) -> Any:  # noqa: ANN401 - a shapely geometry
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return shapely.Polygon([(0, 0), (x, 0), (1 * KM, 1 * KM)])


@pytest.mark.parametrize(
    "shape",
    [
        shapely.GeometryCollection([GREEN, shapely.Point(0, 0)]),
        shapely.Point(0, 40 * KM),
        shapely.LineString([(0, 40 * KM), (9 * KM, 40 * KM)]),
        bad_box(np.nan),
        bad_box(np.inf),
        None,
    ],
    ids=["collection", "point", "line", "nan", "inf", "missing"],
)
def test_shapes_that_are_no_cover(shape: Any) -> None:  # noqa: ANN401 - anything
    table = gpd.GeoDataFrame({"force": ["blue", "green"]}, geometry=[BLUE, shape], crs=LAEA)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(InputError):
            find_corridors(table)


def test_all_bad_rows_are_named_at_once() -> None:
    table = gpd.GeoDataFrame({"force": ["a", "b", "c"]}, geometry=[None, BLUE, shapely.Point(0, 0)], crs=LAEA)
    with pytest.raises(InputError) as caught:
        find_corridors(table)
    assert len(caught.value.problems) == 2


def test_bad_rows_are_named_with_what_is_wrong_among_many() -> None:
    bow_tie = shapely.Polygon([(0, 0), (9, 9), (9, 0), (0, 9)])
    bad = {3: None, 70: shapely.Point(0, 0), 71: bow_tie, 199: bad_box(np.inf)}
    table = gpd.GeoDataFrame(
        {"force": ["a", "b"] * 100}, geometry=[bad.get(k, BLUE) for k in range(200)], crs=LAEA, index=range(200)
    )
    table.loc[150, "force"] = ""
    with pytest.raises(InputError) as caught:
        find_corridors(table)
    assert list(caught.value.problems) == [
        "row 4 (b): no geometry",
        "row 71 (a): a Point; a cover is made of polygons",
        "row 72 (b): invalid geometry (Self-intersection[4.5 4.5]); repair it with make_valid()",
        "row 151 (): no force name",
        "row 200 (b): a coordinate that is not a finite number",
    ]


@pytest.mark.parametrize("given", [None, "cover.gpkg", [BLUE], pd.DataFrame({"force": ["blue"]})])
def test_what_is_no_table_with_a_geometry_is_refused(given: Any) -> None:  # noqa: ANN401 - what somebody might give
    table = gpd.GeoDataFrame({"force": ["blue", "green"]}, geometry=[BLUE, GREEN], crs=LAEA)
    with pytest.raises(InputError, match=r"cover is .* not a table"):
        find_corridors(given)
    if given is not None:
        with pytest.raises(InputError, match=r"area_of_interest is .* not a table"):
            find_corridors(table, area_of_interest=given)
        with pytest.raises(InputError, match=r"excluded is .* not a table"):
            find_corridors(table, excluded=given)
    with pytest.raises(InputError, match=r"no column 'force' \(columns: none"):
        find_corridors(table.geometry)


@pytest.mark.parametrize("force", [None, "", np.nan])
def test_a_row_without_a_force(force: object) -> None:
    table = gpd.GeoDataFrame({"force": ["blue", force]}, geometry=[BLUE, GREEN], crs=LAEA)
    with pytest.raises(InputError):
        find_corridors(table)


def test_no_column_of_forces() -> None:
    with pytest.raises(InputError, match="force"):
        find_corridors(gpd.GeoDataFrame(geometry=[BLUE], crs=LAEA))


@pytest.mark.parametrize("crs", [None, 4326, 3857, "EPSG:2263"])
def test_a_crs_that_is_not_true_to_metres(crs: Any) -> None:  # noqa: ANN401 - whatever names a CRS
    table = gpd.GeoDataFrame({"force": ["blue", "green"]}, geometry=[BLUE, GREEN], crs=LAEA)
    table = table.set_crs(None, allow_override=True) if crs is None else table.to_crs(crs)
    with pytest.raises(CrsError):
        find_corridors(table)


@pytest.mark.parametrize("name", ["max_width_m", "stretch_length_m", "transect_every_m"])
@pytest.mark.parametrize("value", [0, -1.0, np.nan, np.inf, "20 km"])
def test_lengths_must_be_positive(name: str, value: float | str) -> None:
    options: dict[str, Any] = {name: value}
    with pytest.raises(InputError, match=name):
        find_corridors(scenes.strips(8 * KM, 40 * KM).cover, **options)


@pytest.mark.parametrize("name", ["stretch_length_m", "transect_every_m"])
@pytest.mark.parametrize("value", [0.001, 1e-300, 5e-324])
def test_more_pieces_than_memory_holds_are_refused_before_any_is_made(name: str, value: float) -> None:
    options: dict[str, Any] = {name: value}
    with pytest.raises(
        InputError, match=rf"{name} is .*part a corridor of 40\.0 km more than 100,000 times\n.* 0\.4 m"
    ):
        find_corridors(scenes.strips(8 * KM, 40 * KM).cover, **options)


def test_points_without_a_crs() -> None:
    with pytest.raises(CrsError):
        found_in("strips 8 x 50 km turned 0").width_at(gpd.GeoSeries([shapely.Point(0, 0)]))


def test_points_missing_or_empty_have_no_width() -> None:
    points = gpd.GeoSeries([None, shapely.Point(), shapely.Point(0, 0)], index=["x", "y", "z"], crs=LAEA)
    width = found_in("strips 8 x 50 km turned 0").width_at(points)
    assert width.index.tolist() == ["x", "y", "z"]
    assert width.isna().tolist() == [True, True, False]


def test_rings_of_few_corners_are_told_as_geos_tells_them() -> None:
    random = np.random.default_rng(8)
    sizes = random.integers(3, 6, 4_000)
    grid = np.where(
        np.repeat(random.random(len(sizes)) < 0.5, sizes), 3, 10**7
    )  # half of them in line or alike somewhere
    points = random.integers(0, grid) + 1j * random.integers(0, grid)
    first = np.cumsum(sizes) - sizes
    simple = _simple(points, first)
    rings = [np.column_stack([part.real, part.imag]) for part in np.split(points, first[1:])]
    valid = shapely.is_valid([shapely.Polygon(ring) for ring in rings])
    assert valid[simple].all()
    few, far = sizes < 5, grid[first] > 3
    assert simple[few & far].tolist() == valid[few & far].tolist()
    assert 0 < simple[few & ~far].mean() < 1
    assert not simple[~few].any()
