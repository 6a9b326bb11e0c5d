from __future__ import annotations

import datetime as dt
import math
import time
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPoint, Point, Polygon, box

from gapmap.errors import CrsError, InputError
from gapmap.reach import BUFFER_ERROR_MAX, GRID_M, Reach, cover, resolve

UTM = 32638
ORIGIN = np.array([400_000.0, 4_000_000.0])
with np.errstate(invalid="ignore"):
    BROKEN = LineString([(0, 0), (np.nan, 1), (2, 2)])


def zones(rows: list[tuple[Any, ...]], columns: tuple[str, ...] = (), crs: int = UTM) -> gpd.GeoDataFrame:
    """Rows of force, geometry (metres from a point in Nineveh), then values of further columns."""
    kind = {0: "post", 1: "route", 2: "area"}
    table = gpd.GeoDataFrame(
        {
            "force": [row[0] for row in rows],
            "kind": [kind[shapely.get_dimensions(row[1])] for row in rows],
            **{name: [row[2 + place] for row in rows] for place, name in enumerate(columns)},
        },
        geometry=[shapely.transform(row[1], lambda xy: xy + ORIGIN) for row in rows],
        crs=UTM,
    )
    return table.to_crs(crs)


def test_area_of_a_post_is_that_of_the_circle() -> None:
    out = cover(zones([("a", Point(0, 0))], crs=4326), reach_m=5_000)
    # 0.2 %: twice the 0.1 % by which the outline may fall short.
    assert out["area_km2"]["a"] == pytest.approx(math.pi * 25, rel=2e-3)
    assert out["area_km2"]["a"] < math.pi * 25
    assert out.index.name == "force"


def test_area_of_a_route_and_of_an_area() -> None:
    table = zones([("route", LineString([(0, 0), (10_000, 0)])), ("square", box(0, 0, 4_000, 4_000))])
    out = cover(table, reach_m=1_000, crs="utm")["area_km2"]
    assert out["route"] == pytest.approx(20 + math.pi, rel=2e-3)
    assert out["square"] == pytest.approx(16 + 16 + math.pi, rel=2e-3)


def test_an_area_with_reach_0_stays_as_it_is() -> None:
    ring = Polygon([(0, 0), (9_000, 0), (9_000, 9_000), (0, 9_000)], [[(3_000, 3_000), (6_000, 3_000), (6_000, 6_000)]])
    table = zones([("a", ring)])
    out = cover(table, reach_m=0, crs=table.crs)
    assert out.geometry["a"].equals(table.geometry[0])


@pytest.mark.parametrize(
    "geometry",
    [
        Point(0, 0),
        MultiPoint([(0, 0), (3_000, 0)]),
        LineString(np.c_[np.arange(60) * 300.0, np.cumsum(np.random.default_rng(0).normal(0, 150, 60))]),
        LineString(np.random.default_rng(1).normal(0, 2_000, (40, 2))),
        shapely.buffer(Point(0, 0), 8_000, quad_segs=40),
        Polygon([(0, 0), (20_000, 0), (20_000, 9_000), (10_000, 1_000), (0, 9_000)]),
    ],
    ids=["post", "posts", "noisy route", "knot", "round area", "notched area"],
)
def test_the_outline_is_short_by_less_than_a_thousandth_and_never_beyond(geometry: shapely.Geometry) -> None:
    reach = 5_000.0
    table = zones([("a", geometry)])
    outline = cover(table, reach_m=reach, crs=table.crs).geometry["a"].boundary
    points = shapely.points(shapely.get_coordinates(shapely.segmentize(outline, 20)))
    distances = shapely.distance(table.geometry[0], points)
    assert distances.min() > reach * (1 - BUFFER_ERROR_MAX) - GRID_M
    assert distances.max() < reach + GRID_M


def test_own_reach_goes_before_kind_and_force() -> None:
    rows: list[tuple[Any, ...]] = [
        ("a", Point(0, 0), 1_000.0),
        ("b", Point(50_000, 0), None),
        ("c", Point(0, 50_000), None),
    ]
    table = zones(rows, ("reach_m",))
    reach_m: Reach = {"a": 9_000, "b": 2_000, "c": {"post": 3_000, "area": 0}}
    by_force = cover(table, reach_m=reach_m)["area_km2"]
    assert by_force.to_numpy() == pytest.approx([math.pi, 4 * math.pi, 9 * math.pi], rel=2e-3)
    by_kind = cover(table, reach_m={"post": 2_000})["area_km2"]
    assert by_kind.to_numpy() == pytest.approx([math.pi, 4 * math.pi, 4 * math.pi], rel=2e-3)


@pytest.mark.parametrize(
    ("day", "counts"),
    [
        (dt.date(2020, 12, 31), False),
        (dt.date(2021, 1, 1), True),
        (dt.date(2021, 4, 30), True),
        (dt.date(2021, 5, 1), False),
    ],
)
def test_dates_are_half_open(day: dt.date, counts: bool) -> None:
    rows: list[tuple[Any, ...]] = [
        ("a", Point(0, 0), None, None),
        ("a", Point(50_000, 0), pd.Timestamp("2021-01-01"), pd.Timestamp("2021-05-01")),
    ]
    table = zones(rows, ("valid_from", "valid_to"))
    out = cover(table, reach_m=1_000, on=day)
    assert out["area_km2"]["a"] == pytest.approx(math.pi * (2 if counts else 1), rel=2e-3)
    assert [record["reason"] for record in out.attrs["set_aside"]] == ([] if counts else [f"not valid on {day}"])
    assert len(resolve(table, reach_m=1_000, on=day)) == 1 + counts


def test_a_force_with_no_zone_on_the_day_is_named() -> None:
    rows: list[tuple[Any, ...]] = [("a", Point(0, 0), None), ("b", Point(9, 9), pd.Timestamp("2021-05-01"))]
    with pytest.raises(InputError, match=r"no zone is valid on 2020-01-01 for: b"):
        cover(zones(rows, ("valid_from",)), reach_m=1_000, on=dt.date(2020, 1, 1))


def test_zones_without_a_usable_reach_are_listed_by_force_and_row() -> None:
    reaches = [("b", -1.0), ("a", None), ("a", 0.0), ("b", None), ("a", -1.0), ("a", None)]
    table = zones([(force, Point(0, 0), reach) for force, reach in reaches], ("reach_m",))
    with pytest.raises(InputError) as caught:
        cover(table.assign(source_row=range(1, 7)))
    listed = [problem.partition(" (")[0] for problem in caught.value.problems]
    assert listed == ["a, row 2", "a, row 3", "a, row 5", "a, row 6", "b, row 1", "b, row 4"]


def test_zones_without_a_usable_reach_are_counted_among_those_of_their_files() -> None:
    table = zones([("a", Point(0, 0), 0.0), ("a", Point(5, 5), 900.0), ("b", Point(9, 9), 900.0)], ("reach_m",))
    for sources, said in (
        (["a.csv", "a.csv", "b.csv"], "a.csv: 1 of 2 zones have no usable reach"),
        (["", "", ""], "1 of 3 zones have no usable reach"),
    ):
        with pytest.raises(InputError) as caught:
            resolve(table.assign(source=sources))
        assert caught.value.message == said


def test_dates_without_a_day_are_refused() -> None:
    rows: list[tuple[Any, ...]] = [("a", Point(0, 0), None), ("b", Point(9, 9), pd.Timestamp("2021-05-01"))]
    with pytest.raises(InputError, match=r"1 of 2 zones carry dates, and no day is given"):
        cover(zones(rows, ("valid_from",)), reach_m=1_000)


@pytest.mark.parametrize("day", ["2021-06-01", "1/6/2021", "soon", 2021])
def test_a_day_is_a_date_and_no_text_that_could_be_read_month_first(day: Any) -> None:  # noqa: ANN401 - what somebody might give
    with pytest.raises(InputError, match="not a day") as caught:
        cover(zones([("a", Point(0, 0))]), reach_m=1_000, on=day)
    assert caught.value.hint == "on=date(2021, 6, 1), with date from datetime"


@pytest.mark.parametrize(
    ("geometry", "reach_m", "words"),
    [
        (Point(0, 0), None, "no reach"),
        (Point(0, 0), 0, "the reach 0, which covers nothing"),
        (LineString([(0, 0), (1, 1)]), 0, "the reach 0, which covers nothing"),
        (Point(0, 0), -5, "below 0"),
        (Point(0, 0), math.inf, "without end"),
        (box(0, 0, 1, 1), None, "no reach"),
        (Point(0, 0), {"area": 5}, "no reach"),
        (Point(0, 0), {"pots": 5}, "did you mean 'post'"),
        (Point(0, 0), {"a": {"pots": 5}}, "unknown kind 'pots'"),
        (Point(0, 0), "5 km", "holds '5 km', which is no number"),
        (Point(0, 0), {"post": "5 km"}, "holds '5 km', which is no number"),
    ],
)
def test_a_reach_that_will_not_do(geometry: shapely.Geometry, reach_m: Any, words: str) -> None:  # noqa: ANN401 - text too
    with pytest.raises(InputError, match=words):
        cover(zones([("a", geometry)]), reach_m=reach_m)


def test_nothing_two_crs_and_a_crs_not_in_metres() -> None:
    one = zones([("a", Point(0, 0))])
    with pytest.raises(InputError, match="no zones"):
        cover(one.iloc[:0], reach_m=5)
    with pytest.raises(InputError, match="no zones"):
        cover([], reach_m=5)
    with pytest.raises(CrsError, match="two CRS"):
        cover([one, one.to_crs(4326)], reach_m=5)
    with pytest.raises(CrsError, match="no CRS"):
        cover(one.set_crs(None, allow_override=True), reach_m=5)
    with pytest.raises(CrsError, match="degrees"):
        cover(one, reach_m=5, crs=one.to_crs(4326).crs)
    with pytest.raises(InputError, match="no column 'kind'"):
        cover(one.drop(columns="kind"), reach_m=5)
    other: Any = "EPSG:32638"
    with pytest.raises(CrsError, match="'EPSG:32638' is no working CRS") as caught:
        cover(one, reach_m=5, crs=other)
    assert "a pyproj.CRS" in caught.value.hint


def test_several_tables_are_one_and_the_callers_stay_untouched() -> None:
    one, two = zones([("a", Point(0, 0))]), zones([("a", Point(50_000, 0)), ("b", Point(0, 0))])
    before = one.copy()
    both = cover([one, two], reach_m=1_000)
    pd.testing.assert_frame_equal(pd.DataFrame(one), pd.DataFrame(before))
    assert list(both.index) == ["a", "b"]
    assert both["area_km2"]["a"] == pytest.approx(2 * math.pi, rel=2e-3)
    assert both.geometry.is_valid.all()


def test_an_index_may_hold_a_label_twice() -> None:
    table = zones([("a", Point(0, 0)), ("b", Point(9_000, 0))])
    twice = pd.concat([table, table])
    assert len(resolve(twice, reach_m=1_000)) == 4
    with pytest.raises(InputError, match="no usable reach") as caught:
        resolve(twice)
    assert len(caught.value.problems) == 4


def test_geometries_may_be_called_otherwise_in_each_table() -> None:
    """A database calls them geom."""
    one, two = zones([("a", Point(0, 0)), ("a", Point(9_000, 0))]), zones([("b", Point(50_000, 0))])
    expected = cover([one, two], reach_m=1_000)
    for tables in ([one.rename_geometry("geom"), two], [one, two.rename_geometry("geom")]):
        found = cover(tables, reach_m=1_000)
        assert (found.geometry.to_wkb() == expected.geometry.to_wkb()).all()


@pytest.mark.parametrize(
    ("nowhere", "words"),
    [
        (None, "no geometry"),
        (Point(), "an empty geometry"),
        (BROKEN, "not a finite number"),
    ],
)
def test_a_zone_that_lies_nowhere_is_refused(nowhere: shapely.Geometry | None, words: str) -> None:
    """Its force would cover less, and nobody would know."""
    table = zones([("a", Point(0, 0)), ("a", Point(9_000, 0)), ("b", Point(0, 0))])
    table.loc[1, "geometry"] = nowhere
    for ask in (cover, resolve):
        with pytest.raises(InputError, match=f"a, zone 2 of 3: .*{words}"):
            ask(table, reach_m=1_000)


@pytest.mark.parametrize(
    "given", [None, "zones.xlsx", pd.DataFrame({"force": ["a"]}), ["a"], gpd.GeoDataFrame({"force": ["a"]})]
)
def test_what_is_no_table_with_a_geometry_is_refused(given: Any) -> None:  # noqa: ANN401 - what somebody might give
    with pytest.raises(InputError, match=r"zones (is|has no)"):
        cover(given, reach_m=1_000)


@given(seed=st.integers(0, 10_000), count=st.integers(1, 12))
@settings(max_examples=25, deadline=None)
def test_row_order_changes_nothing(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    shapes = [Point, lambda xy: LineString([xy, xy + 3_000]), lambda xy: box(*xy, *(xy + 2_000))]
    rows = [("ab"[rng.integers(2)], shapes[rng.integers(3)](rng.uniform(0, 20_000, 2)), 1_000.0) for _ in range(count)]
    table = zones(rows, ("reach_m",))
    shuffled = table.iloc[rng.permutation(count)]
    one, two = cover(table), cover(shuffled)
    pd.testing.assert_frame_equal(pd.DataFrame(one), pd.DataFrame(two))
    assert (one.geometry.to_wkb() == two.geometry.to_wkb()).all()


def test_two_thousand_zones_take_seconds() -> None:
    rng = np.random.default_rng(3)
    table = zones([("ab"[i % 2], Point(*rng.uniform(0, 300_000, 2))) for i in range(2_000)])
    start = time.perf_counter()
    assert cover(table, reach_m=5_000).geometry.is_valid.all()
    assert time.perf_counter() - start < 10
