"""The partition of the area of interest: what one can do by hand, and what must hold for every scene."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gapmap import ground, tables
from gapmap.corridors import Corridors, find_corridors
from tests import scenes
from tests.scenes import KM, LAEA, W

if TYPE_CHECKING:
    from collections.abc import Callable


def boxed(*bounds: float) -> gpd.GeoSeries:
    return gpd.GeoSeries([shapely.box(*(bound * KM for bound in bounds))], crs=LAEA)


def km2(found: Corridors) -> dict[tuple[str, str], float]:
    ground = found.ground
    return ground.groupby(["kind", "forces"])["area_km2"].sum().to_dict()


SCENES: dict[str, tuple[Callable[[], gpd.GeoDataFrame], float]] = {
    "discs": (partial(scenes.random_discs, 41), W),
    "discs, three forces": (partial(scenes.random_discs, 42, forces=3, count=5), 12 * KM),
    "seam, three forces": (partial(scenes.along_a_seam, 43, forces=3), 10 * KM),
    "walls": (partial(scenes.random_walls, 44), 15 * KM),
    "overlap": (scenes.overlapping, W),
    "nested": (scenes.nested, 10 * KM),
    "touching edges": (partial(scenes.touching_edges, angle=25), W),
    "a post of both": (scenes.post_of_both, W),
    "boxes": (partial(scenes.boxes, 5, forces=3), 4 * KM),
    "one force": (lambda: scenes.strips(8 * KM, 40 * KM).cover.assign(force="blue"), W),
}


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("bounded", [True, False])
def test_the_kinds_of_ground_tile_the_area(name: str, bounded: bool) -> None:
    make, limit = SCENES[name]
    table = make()
    area = boxed(-50, -45, 60, 55) if bounded else None
    water = gpd.GeoSeries([shapely.Point(5 * KM, 5 * KM).buffer(9 * KM)], crs=LAEA)
    found = find_corridors(table, max_width_m=limit, area_of_interest=area, excluded=water)
    ground = found.ground
    whole = area.union_all() if area is not None else shapely.convex_hull(table.union_all()).buffer(limit)

    assert ground.area.sum() == pytest.approx(whole.area, rel=1e-9)
    assert ground.union_all().area == pytest.approx(whole.area, rel=1e-9)
    assert ground["area_km2"].to_numpy() == pytest.approx(ground.area.to_numpy() / 1e6, rel=1e-9)
    assert ground.is_valid.all()
    assert (ground.area > 0).all()
    assert ground.crs == table.crs
    assert ground.index.name == tables.INDEX["ground"]
    assert ground.index.is_unique
    assert set(ground["kind"]) <= set(tables.GROUND_KINDS)
    assert list(ground.columns.drop("geometry")) == list(tables.COLUMNS["ground"])

    many = {"overlap", "corridor", "beyond"}
    one = {"covered"}
    for kind, forces in ground[["kind", "forces"]].itertuples(index=False):
        names = forces.split(" + ") if forces else []
        assert names == sorted(set(names))
        if kind in many:
            assert len(names) >= 2
        elif kind in one:
            assert len(names) == 1
        elif kind == "interior":
            assert len(names) >= 1
        else:
            assert names == []


@pytest.mark.parametrize("name", SCENES)
def test_each_kind_lies_where_it_says(name: str) -> None:
    make, limit = SCENES[name]
    table = make()
    found = find_corridors(table, max_width_m=limit)
    held = table.dissolve("force").geometry
    covered = held.union_all()
    for row in found.ground.itertuples():
        slack = 1e-6 * row.geometry.area + 1
        if row.kind in {"covered", "overlap"}:
            for force, shape in held.items():
                inside = row.geometry.intersection(shape).area
                expected = row.geometry.area if force in row.forces.split(" + ") else 0
                assert inside == pytest.approx(expected, rel=1e-6, abs=slack)
        else:
            assert row.geometry.intersection(covered).area <= slack
    corridors = found.ground[found.ground["kind"] == "corridor"].area.sum()
    # Ground before an edge that two forces hold belongs to two pairs, and once to the area.
    assert corridors == pytest.approx(found.corridors.union_all().area, rel=1e-6, abs=1)


def test_every_kind_at_once_by_hand() -> None:
    # West to east, all 20 km high: blue, 10 km of corridor, green, 25 km too wide, red, and red's own notch of 6 x 8 km.
    notch = shapely.box(85 * KM, 12 * KM, 91 * KM, 20 * KM)
    table = scenes.cover(
        {
            "blue": shapely.box(0, 0, 22 * KM, 20 * KM),
            "green": shapely.union(shapely.box(30 * KM, 0, 45 * KM, 20 * KM), shapely.box(18 * KM, 0, 20 * KM, 5 * KM)),
            "red": shapely.box(70 * KM, 0, 100 * KM, 20 * KM) - notch,
        }
    )
    found = find_corridors(table, area_of_interest=boxed(-10, -5, 110, 25), excluded=boxed(24, 5, 26, 10))
    areas = km2(found)
    open_ground = areas.pop(("open", ""))

    assert areas == pytest.approx(
        {
            ("excluded", ""): 10,
            ("covered", "blue"): 22 * 20 - 10,
            ("covered", "green"): 15 * 20,
            ("covered", "red"): 30 * 20 - 48,
            ("overlap", "blue + green"): 10,
            ("corridor", "blue + green"): 8 * 20 - 10,
            ("beyond", "green + red"): 25 * 20,
            ("interior", "red"): 48,
        },
        rel=1e-3,
    )
    assert open_ground + sum(areas.values()) == pytest.approx(120 * 30, rel=1e-9)


@pytest.mark.parametrize(("wide", "deep"), [(6, 12), (15, 4), (19, 30)])
def test_a_notch_in_one_force_is_its_interior(wide: float, deep: float) -> None:
    block = shapely.box(-40 * KM, -50 * KM, 40 * KM, 0)
    notch = shapely.box(-wide / 2 * KM, -deep * KM, wide / 2 * KM, KM)
    far = shapely.box(-40 * KM, 90 * KM, 40 * KM, 95 * KM)
    found = find_corridors(
        scenes.cover({"blue": block - notch, "green": far}), area_of_interest=boxed(-60, -60, 60, 100)
    )
    assert km2(found)["interior", "blue"] == pytest.approx(wide * deep, rel=1e-3)
    assert len(found.corridors) == 0


def test_a_bay_wider_than_the_limit_is_filled_only_at_its_inner_corners() -> None:
    # A bay of 60 x 70 km: spans of the two right angles alone, each a triangle with legs of W / sqrt(2).
    block = shapely.box(-60 * KM, -100 * KM, 60 * KM, 0) - shapely.box(-30 * KM, -70 * KM, 30 * KM, KM)
    found = find_corridors(scenes.cover({"blue": block}), area_of_interest=boxed(-80, -110, 80, 20))
    assert km2(found)["interior", "blue"] == pytest.approx(2 * (W / KM) ** 2 / 4, rel=5e-3)


def test_ground_between_two_zones_of_one_force_is_interior() -> None:
    form = scenes.strips(8 * KM, 40 * KM, angle=30)
    found = find_corridors(form.cover.assign(force="blue"))
    assert km2(found)["interior", "blue"] == pytest.approx(320, rel=1e-3)


def test_beyond_is_what_twice_the_limit_adds() -> None:
    wide = scenes.strips(30 * KM, 50 * KM, angle=12)
    assert km2(find_corridors(wide.cover))["beyond", "blue + green"] == pytest.approx(1_500, rel=1e-3)
    too_wide = scenes.strips(41 * KM, 90 * KM)
    assert {kind for kind, _ in km2(find_corridors(too_wide.cover))} == {"covered", "open"}

    near = scenes.two_discs(42 * KM, 15 * KM, angle=117)
    far = scenes.two_discs(42 * KM, 15 * KM, angle=117, max_width_m=2 * W)
    found = find_corridors(near.cover)
    areas = km2(found)
    assert areas["corridor", "blue + green"] == pytest.approx(near.area_m2 / 1e6, rel=1e-3)
    assert areas["beyond", "blue + green"] == pytest.approx((far.area_m2 - near.area_m2) / 1e6, rel=2e-3)


def test_excluded_goes_before_everything_else() -> None:
    form = scenes.strips(8 * KM, 50 * KM)
    lake = boxed(-5, -10, 5, 10)
    areas = km2(find_corridors(form.cover, excluded=lake))
    assert areas["excluded", ""] == pytest.approx(200, rel=1e-9)
    assert areas["corridor", "blue + green"] == pytest.approx(400 - 80, rel=1e-3)
    assert areas["covered", "blue"] == pytest.approx(750 - 60, rel=1e-6)


def test_an_area_of_interest_that_holds_no_cover_is_open() -> None:
    found = find_corridors(scenes.strips(8 * KM, 50 * KM).cover, area_of_interest=boxed(200, 0, 210, 10))
    assert km2(found) == {("open", ""): pytest.approx(100, rel=1e-9)}


def test_the_order_of_rows_changes_nothing() -> None:
    table = scenes.random_discs(45, forces=3, count=4)
    parts: Any = table.explode(ignore_index=True).sample(frac=1, random_state=1)
    one, other = find_corridors(table).ground, find_corridors(parts).ground
    assert one.drop(columns="geometry").equals(other.drop(columns="geometry"))
    assert np.allclose(shapely.area(one.geometry.to_numpy()), shapely.area(other.geometry.to_numpy()), rtol=1e-12)


def test_a_narrow_gap_beside_long_straight_edges() -> None:
    # Thousands of corners of the corridor lie in line on one edge: noding them as they are once took minutes.
    table = scenes.strips(5, 60 * KM).cover
    found = find_corridors(table)
    assert km2(found)["corridor", "blue + green"] == pytest.approx(0.3, rel=1e-6)
    assert found.ground.area.sum() == pytest.approx(found._area.area, rel=1e-9)


def test_what_cannot_be_joined_as_a_coverage_is_united(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = np.array([shapely.box(0, 0, 2, 3), shapely.box(2, 0, 3, 3)])
    assert ground.joined(parts).equals(shapely.box(0, 0, 3, 3))

    def refused(_: Any) -> None:  # noqa: ANN401 - geometries
        raise shapely.GEOSException("CoverageUnion cannot process incorrectly noded inputs")

    monkeypatch.setattr(shapely, "coverage_union_all", refused)
    assert ground.joined(parts).equals(shapely.box(0, 0, 3, 3))
