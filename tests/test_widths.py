"""Width at a point: by hand, and as the engine has it."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gapmap.errors import CrsError, InputError
from gapmap.widths import width_here
from tests import test_overlay as hand


def wedge() -> gpd.GeoDataFrame:
    """Return one facet: 2 km wide at x = 0, 6 km wide at x = 4 km."""
    ends = {"start_a": (0, 1_000), "start_b": (0, -1_000), "end_a": (4_000, 3_000), "end_b": (4_000, -3_000)}
    columns = {f"{end}_{axis}": [float(xy[i])] for end, xy in ends.items() for i, axis in enumerate("xy")}
    shape = shapely.Polygon([ends["start_a"], ends["end_a"], ends["end_b"], ends["start_b"]])
    widths = {"width_start_m": [2_000.0], "width_end_m": [6_000.0]}
    return gpd.GeoDataFrame({**columns, **widths}, geometry=[shape], crs=hand.CRS)


@pytest.mark.parametrize(("x", "width"), [(0, 2_000), (1_000, 3_000), (2_000, 4_000), (4_000, 6_000)])
def test_the_width_runs_linearly_between_two_spans(x: float, width: float) -> None:
    spots = gpd.GeoSeries(shapely.points([(x, 0), (x, 900)]), crs=hand.CRS)
    assert width_here(wedge(), spots).tolist() == pytest.approx([width, width])


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
