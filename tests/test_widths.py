"""Width at a point: by hand, and as the engine has it."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gapmap.corridors import find_corridors
from gapmap.errors import CrsError, InputError
from gapmap.widths import width_here, widths_along
from tests import scenes
from tests import test_overlay as hand
from tests.fake_analysis import fake_analysis, width


def wedge() -> gpd.GeoDataFrame:
    """Return one facet: 2 km wide at x = 0, 6 km wide at x = 4 km."""
    ends = {"start_a": (0, 1_000), "start_b": (0, -1_000), "end_a": (4_000, 3_000), "end_b": (4_000, -3_000)}
    columns = {f"{end}_{axis}": [float(xy[i])] for end, xy in ends.items() for i, axis in enumerate("xy")}
    shape = shapely.Polygon([ends["start_a"], ends["end_a"], ends["end_b"], ends["start_b"]])
    widths = {"width_start_m": [2_000.0], "width_end_m": [6_000.0]}
    return gpd.GeoDataFrame({**columns, **widths}, geometry=[shape], crs=hand.CRS)


@pytest.mark.parametrize(("x", "wide"), [(0, 2_000), (1_000, 3_000), (2_000, 4_000), (4_000, 6_000)])
def test_the_width_runs_linearly_between_two_spans(x: float, wide: float) -> None:
    spots = gpd.GeoSeries(shapely.points([(x, 0), (x, 900)]), crs=hand.CRS)
    assert width_here(wedge(), spots).tolist() == pytest.approx([wide, wide])


def test_outside_every_facet_and_for_nothing_there_is_no_width() -> None:
    spots = gpd.GeoSeries([shapely.Point(-1, 0), shapely.Point(), shapely.Point(2_000, 0)], crs=hand.CRS)
    assert np.isnan(width_here(wedge(), spots)).tolist() == [True, True, False]
    with pytest.raises(CrsError, match="no CRS"):
        width_here(wedge(), gpd.GeoSeries([shapely.Point(0, 0)]))


def test_what_is_no_point_is_refused() -> None:
    for wrong, says in (
        (shapely.Point(0, 0), "a Point, not a GeoSeries"),
        (wedge(), "a GeoDataFrame, not a GeoSeries"),
        (wedge().geometry, "points hold a Polygon"),
    ):
        with pytest.raises(InputError, match=says):
            width_here(wedge(), wrong)


TABLES = ("stretches", "centrelines", "transects", "facets")
WEDGE = scenes.wedge(10)


def _box(*bounds: float) -> gpd.GeoSeries:
    return gpd.GeoSeries([shapely.box(*bounds)], crs=WEDGE.cover.crs)


@pytest.mark.parametrize(
    ("left", "first_m", "last_m"),
    [
        ({}, 0, None),
        ({"excluded": _box(17_000, -30_000, 23_000, 30_000)}, 0, None),
        ({"excluded": _box(47_000, -30_000, 90_000, 30_000)}, 0, None),
        ({"excluded": _box(-1_000, -30_000, 8_000, 30_000)}, None, None),
        ({"area_of_interest": _box(12_300, -30_000, 15_900, 30_000)}, 12_300, 15_900),
        ({"area_of_interest": _box(-1_000, -30_000, 33_300, 30_000)}, 0, 33_300),
    ],
    ids=[
        "whole",
        "lake in the middle",
        "lake at the far end",
        "lake at the near end",
        "cut on both sides",
        "cut at the end",
    ],
)
def test_along_a_stretch_widths_are_those_of_the_wedge(
    left: dict[str, Any], first_m: float | None, last_m: float | None
) -> None:
    found = find_corridors(WEDGE.cover, max_width_m=20_000, **left)
    along = widths_along(found.stretches, found.centrelines, found.transects, found.facets)
    np.testing.assert_allclose(along["width_m"], 2 * along["along_m"] * np.tan(np.radians(10)), atol=50)
    bounds = found.stretches.reindex(along["stretch_id"])
    assert (along["along_m"].to_numpy() >= bounds["from_m"].to_numpy() - 1).all()
    assert (along["along_m"].to_numpy() <= bounds["to_m"].to_numpy() + 1).all()
    ends = along.groupby("stretch_id", sort=False)["along_m"].agg(["min", "max"])
    if first_m is not None:
        assert ends["min"].iloc[0] == pytest.approx(first_m, abs=20)
    if last_m is not None:
        assert ends["max"].iloc[-1] == pytest.approx(last_m, abs=20)
    if not left:
        assert ends["max"].tolist() == pytest.approx(found.stretches["to_m"].tolist(), abs=1)
        assert ends["min"].tolist() == pytest.approx(found.stretches["from_m"].tolist(), abs=1)
        assert along["width_m"].max() == pytest.approx(20_000, rel=1e-3)


@pytest.mark.parametrize("lines", [slice(None), slice(4, 6), slice(0, 0)])
def test_the_widths_along_a_stretch_reach_both_its_ends(lines: slice) -> None:
    stretches, centrelines, transects, facets = (fake_analysis().table(name) for name in TABLES)
    kept = transects[transects["stretch_id"] == "C01.02"].iloc[lines]
    along = widths_along(stretches, centrelines, kept, facets)
    found = along.loc[along["stretch_id"] == "C01.02", ["along_m", "width_m"]].to_numpy()
    assert len(found) == len(range(10)[lines]) + 2
    assert found[[0, -1], 0].tolist() == [20_000, 40_000]
    assert found[:, 1] == pytest.approx(width(found[:, 0] - 60_000), abs=2)


def test_a_line_at_an_end_is_the_end_and_no_stretch_has_no_widths() -> None:
    stretches, centrelines, transects, facets = (fake_analysis().table(name) for name in TABLES)
    transects["along_m"] -= 1_000
    found = widths_along(stretches, centrelines, transects, facets)
    assert not found.duplicated(["stretch_id", "along_m"]).any()
    assert widths_along(stretches.iloc[:0], centrelines, transects, facets).empty
    assert len(widths_along(stretches, centrelines, transects, facets.iloc[:0])) == len(transects)
