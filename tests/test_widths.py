"""Width at a point: by hand, and as the engine has it."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gapmap.errors import CrsError, InputError
from gapmap.widths import width_here, widths_along
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


def _along(key: str, *, lines: slice = slice(None), length_km: float = 20.0) -> np.ndarray:
    """Return a stretch of the hand-made band along its middle line: places and widths."""
    tables = [fake_analysis().table(name) for name in ("stretches", "transects", "facets")]
    tables[0].loc[key, "length_km"] = length_km
    kept = tables[1][tables[1]["stretch_id"] == key].iloc[lines]
    found = widths_along(tables[0], kept, tables[2])
    return found.loc[found["stretch_id"] == key, ["along_m", "width_m"]].to_numpy()


@pytest.mark.parametrize("lines", [slice(None), slice(4, 6), slice(0, 0)])
def test_the_widths_along_a_stretch_reach_both_its_ends(lines: slice) -> None:
    found = _along("C01.02", lines=lines)
    assert len(found) == len(range(10)[lines]) + 2
    assert found[[0, -1], 0].tolist() == [20_000, 40_000]
    assert found[:, 1] == pytest.approx(width(found[:, 0] - 60_000))


@pytest.mark.parametrize(("lines", "ends"), [(slice(2, None), (25_000, 40_000)), (slice(0, 8), (20_000, 35_000))])
def test_of_a_stretch_that_the_area_cuts_the_part_that_is_left_counts(lines: slice, ends: tuple[int, int]) -> None:
    found = _along("C01.02", lines=lines, length_km=15)
    assert found[[0, -1], 0].tolist() == pytest.approx(ends)


def test_a_line_at_an_end_is_the_end_and_no_stretch_has_no_widths() -> None:
    stretches, transects, facets = (fake_analysis().table(name) for name in ("stretches", "transects", "facets"))
    transects["along_m"] -= 1_000
    assert not widths_along(stretches, transects, facets).duplicated(["stretch_id", "along_m"]).any()
    assert widths_along(stretches.iloc[:0], transects, facets).empty
    assert len(widths_along(stretches, transects, facets.iloc[:0])) == len(transects)
