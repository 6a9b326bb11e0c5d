"""The nasty corpus in full, a short run of the fuzzer, and small covers drawn by hypothesis, all held to the invariants."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from shapely import affinity

from gapmap.corridors import find_corridors
from gapmap.crs import working_crs
from tests import fuzz
from tests.fuzz import Case
from tests.nasty import NASTY

calm = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def nasty(name: str, angle: float = 0, shift: tuple[float, float] = (0, 0)) -> Case:
    limit, rows = NASTY[name]
    shapes = [(force, affinity.rotate(shapely.from_wkt(wkt), angle, origin=(0, 0))) for force, wkt in rows]
    return Case(tuple((force, affinity.translate(shape, *shift)) for force, shape in shapes), limit)


def broken(case: Case, *, again: bool = False) -> list[str]:
    """Return what does not hold for a case."""
    random = np.random.default_rng(len(case.text()))
    found = fuzz.run([case])
    faults = [fault.what for fault in fuzz.Judge([case], found).judge(random, share=1 if again else 0.3)]
    if again:
        faults += [f"{guise}: {what}" for guise, what in fuzz.relations([case], found, random)]
    return faults


@pytest.mark.parametrize("name", NASTY)
def test_nasty_covers(name: str) -> None:
    assert broken(nasty(name), again=True) == []


@pytest.mark.parametrize("name", NASTY)
def test_nasty_covers_turned_and_far_away(name: str) -> None:
    assert broken(nasty(name, 37.3, (1_012_345.67, -765_432.1))) == []


@pytest.mark.parametrize("name", NASTY)
def test_the_ground_of_nasty_covers_is_the_whole_area(name: str) -> None:
    # Once overlays failed where outlines nearly coincide, or lost ground: a court turned by 81 degrees.
    found = fuzz.run([nasty(name, 81, (937_512.3, 811_111.7))])
    assert found.ground.area.sum() == pytest.approx(found._area.area, rel=1e-9)
    assert found.ground.is_valid.all()


@pytest.mark.parametrize("number", range(2))
def test_a_short_run_of_the_fuzzer(number: int) -> None:
    assert fuzz.judge_batch(0, number).failed == ()


# The last vertex of all had no span; two strips were alike in one order of tiles and not in another; corridors of two pairs
# of forces that start in one triangle had no order.
@pytest.mark.parametrize(("seed", "number"), [(701, 3), (702, 92), (912, 525)])
def test_what_showed_only_among_many_cases(seed: int, number: int) -> None:
    assert fuzz.judge_batch(seed, number).failed == ()


def test_the_fuzzer_repeats_itself() -> None:
    one, other = ([case.text() for case in fuzz.draw_batch(5, 3)] for _ in range(2))
    assert one == other
    assert len(one) == fuzz.BATCH


def test_the_fuzzer_notices_what_is_wrong() -> None:
    # Ground of a hundred by a hundred metres taken from the middle of a corridor for another one.
    case = nasty("strips 2 cm within the limit")
    found = fuzz.run([case])
    found.corridors.loc["C01", "geometry"] = shapely.box(0, 400, 5000, 1500)
    what = " ".join(fault.what for fault in fuzz.Judge([case], found).judge(np.random.default_rng(0)))
    for expected in ("corridor over cover", "facets: areas", "stretches: areas", "area_km2"):
        assert expected in what


def test_a_middle_line_is_the_same_with_others_far_away() -> None:
    # Once a difference of sums over all lines: a crack of 14 cm had a spike of 23 m when others were found with it.
    cases = fuzz.draw_batch(1, 579, 24)
    together, alone = fuzz.run(cases), fuzz.run([cases[6]])
    of_case = fuzz.Judge(cases, together).rows("corridors")[1] == 6
    assert together.corridors["length_km"][of_case].sum() == pytest.approx(alone.corridors["length_km"].sum(), rel=1e-6)
    assert len(alone.corridors) == of_case.sum() > 3


# Corners on a coarse lattice: edges in line, shared, and in points; everything on a few circles.
corner = st.tuples(st.integers(0, 6), st.integers(0, 6))
outline = st.lists(corner, min_size=3, max_size=6, unique=True)


@calm
@given(
    outlines=st.lists(outline, min_size=2, max_size=4),
    step=st.sampled_from([7.0, 100.0, 1_000.0]),
    share=st.sampled_from([0.5, 1.0, 2.0, 7.0]),
    angle=st.sampled_from([0.0, 45.0, 12.3]),
)
def test_covers_on_a_lattice(outlines: list[list[tuple[int, int]]], step: float, share: float, angle: float) -> None:
    rows: list[tuple[str, Any]] = []
    for k, corners in enumerate(outlines):
        shape = shapely.convex_hull(shapely.multipoints(step * np.array(corners, dtype=float)))
        if shape.geom_type == "Polygon":
            rows.append((fuzz.FORCES[k % 3], affinity.rotate(shape, angle, origin=(0, 0))))
    assume(len(rows) > 1)
    assert broken(Case(tuple(rows), share * step)) == []


@calm
@given(
    turn=st.floats(0, 360),
    apart=st.sampled_from([0.0, 0.0005, 0.004, 0.006, 0.011, 0.03, 0.2]),
    east=st.floats(-1e6, 1e6),
    north=st.floats(-1e6, 1e6),
)
def test_touching_when_turned(turn: float, apart: float, east: float, north: float) -> None:
    south = shapely.box(0, 0, 3_000, 1_000)
    rows = [("blue", south), ("green", shapely.box(700, 1_000 + apart, 4_000, 2_000))]
    moved = [
        (force, affinity.translate(affinity.rotate(shape, turn, origin=(0, 0)), east, north)) for force, shape in rows
    ]
    assert broken(Case(tuple(moved), 900)) == []
    # In the two right angles where one reaches beyond the other, and next to nothing along the shared edge.
    area = fuzz.run([Case(tuple(moved), 900)]).corridors.area.sum()
    assert area == pytest.approx(2 * 900**2 / 4, rel=1e-3, abs=2_300 * (apart + 0.05))


# Places on the globe where projections go wrong


@pytest.mark.parametrize(
    ("lon", "lat"), [(25.0, 70.0), (180.0, 20.0), (-179.9, -16.5), (179.95, 69.0), (-60.0, 83.0), (0.0, -78.0)]
)
def test_far_north_and_across_the_antimeridian(lon: float, lat: float) -> None:
    plane = f"+proj=laea +lat_0={lat} +lon_0={lon} +datum=WGS84 +units=m +no_defs"
    shapes = [shapely.box(-30_000, -16_000, 30_000, -6_000), shapely.box(-30_000, 6_000, 30_000, 16_000)]
    here = gpd.GeoDataFrame({"force": ["blue", "green"]}, geometry=shapes, crs=plane)
    here["geometry"] = here.geometry.segmentize(2_000)
    degrees = here.to_crs(4326)  # west and east of 180 degrees, as a file would hold them
    table = degrees.to_crs(working_crs([degrees]))
    found = find_corridors(table)

    (row,) = found.corridors.itertuples()
    assert row.area_km2 == pytest.approx(720, rel=1e-3)
    assert row.length_km == pytest.approx(60, rel=1e-3)
    assert row.width_mean_m == pytest.approx(12_000, rel=1e-3)
    inside = gpd.GeoSeries.from_xy([-20_000.0, 0.0, 20_000.0], [0.0, 0.0, 0.0], crs=plane).to_crs(4326)
    assert found.width_at(inside).to_numpy() == pytest.approx(12_000, rel=1e-3)
    assert found.ground.area.sum() == pytest.approx(found._area.area, rel=1e-9)
