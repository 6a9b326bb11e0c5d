from __future__ import annotations

import geopandas as gpd
import numpy as np
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, box

from gapmap.crs import bearings, require_metric, scale_error, working_crs
from gapmap.errors import CrsError

IRAQ = gpd.GeoSeries([Point(42, 37), Point(46, 34)], crs=4326)


def test_the_working_crs_sits_in_the_middle_of_the_data() -> None:
    crs = working_crs([IRAQ])
    middle = gpd.GeoSeries([Point(44, 36)], crs=4326).to_crs(crs).iloc[0]
    assert (middle.x, middle.y) == pytest.approx((0, 0), abs=1e-6)
    assert crs.coordinate_operation is not None
    assert crs.coordinate_operation.method_name == "Lambert Azimuthal Equal Area"
    assert working_crs([IRAQ], kind="utm").to_epsg() == 32638
    south = gpd.GeoSeries([Point(25, -29)], crs=4326)
    assert working_crs([south], kind="utm").to_epsg() == 32735


def test_a_zone_more_seldom_shifts_the_plane() -> None:
    zones = gpd.GeoSeries([Point(41.2, 34.9), Point(44.3, 37.2)], crs=4326)
    more = gpd.GeoSeries([Point(44.9, 34.2)], crs=4326)
    assert working_crs([zones]) == working_crs([zones, more])
    wide = gpd.GeoSeries([Point(38, 34.9), Point(44.3, 37.2)], crs=4326)  # every kilometre counts towards 0.1 %
    middle = gpd.GeoSeries([Point(41.2, 36)], crs=4326).to_crs(working_crs([wide])).iloc[0]
    assert (middle.x, middle.y) == pytest.approx((0, 0), abs=12_000)


def test_tables_of_any_crs_and_empty_ones_count() -> None:
    nothing = gpd.GeoSeries([], crs=4326)
    assert working_crs([nothing, IRAQ.to_crs(32638)]) == working_crs([IRAQ])


def test_there_must_be_data_with_a_crs() -> None:
    with pytest.raises(CrsError, match="no CRS"):
        working_crs([gpd.GeoSeries([Point(42, 37)])])
    with pytest.raises(CrsError, match="no geometry"):
        working_crs([gpd.GeoSeries([], crs=4326)])


def test_the_gate_passes_what_is_true_to_metres() -> None:
    table = IRAQ.to_crs(working_crs([IRAQ]))
    assert require_metric(table, table) == table.crs


@pytest.mark.parametrize(
    ("crs", "words"), [(4326, "degrees"), (3857, "off by 2"), (None, "no CRS"), (2277, "not in metres")]
)
def test_the_gate_refuses(crs: int | None, words: str) -> None:
    if crs == 2277:
        table = gpd.GeoSeries([Point(0, 0)], crs=crs)  # Texas in feet
    elif crs is None:
        table = gpd.GeoSeries([Point(0, 0)])
    else:
        table = IRAQ.to_crs(crs)
    with pytest.raises(CrsError, match=words):
        require_metric(table)


def test_the_gate_refuses_two_crs_and_regions_too_large() -> None:
    laea = IRAQ.to_crs(working_crs([IRAQ]))
    with pytest.raises(CrsError, match="two tables differ"):
        require_metric(laea, IRAQ.to_crs(32638))
    wide = gpd.GeoSeries([box(30, 30, 50, 40)], crs=4326)
    with pytest.raises(CrsError, match="must be split"):
        require_metric(wide.to_crs(working_crs([wide])))


def test_an_empty_table_passes() -> None:
    assert require_metric(gpd.GeoSeries([], crs=32638)) == 32638


@pytest.mark.parametrize("lat", [0, 36])
def test_mercator_is_off_by_what_the_book_says(lat: float) -> None:
    """To the north web Mercator shows a / (M cos(latitude)), M being the radius of the meridian: 0.7 % too much at the equator."""
    bounds = gpd.GeoSeries([Point(43, lat)], crs=4326).to_crs(3857).total_bounds
    flattening = pyproj.Geod(ellps="WGS84").es
    meridian = (1 - flattening) / (1 - flattening * np.sin(np.radians(lat)) ** 2) ** 1.5
    expected = 1 / (meridian * np.cos(np.radians(lat))) - 1
    assert scale_error(pyproj.CRS(3857), bounds) == pytest.approx(expected, rel=1e-6)
    with pytest.raises(CrsError, match="EPSG:3857 is off by"):
        require_metric(gpd.GeoSeries([Point(43, lat)], crs=4326).to_crs(3857))


@pytest.mark.parametrize(
    ("crs", "lon", "lat"),
    [
        ("+proj=laea +lat_0=36 +lon_0=43 +datum=WGS84", 44, 35),
        ("+proj=laea +lat_0=70 +lon_0=180 +datum=WGS84", 180, 71),
        ("EPSG:32601", -179.9, 36),
        ("EPSG:28992", 5.4, 52.1),
        ("EPSG:27562", 2.3, 46.8),  # its degrees are grads, from Paris
        ("EPSG:3413", -45, 89.9),
    ],
)
def test_the_scale_measured_is_that_of_projs_factors(crs: str, lon: float, lat: float) -> None:
    plane = pyproj.CRS(crs)
    xy = pyproj.Transformer.from_crs(4326, plane, always_xy=True).transform(lon, lat)
    factors = pyproj.Proj(plane).get_factors(*pyproj.Proj(plane)(*xy, inverse=True))
    expected = max(abs(factors.tissot_semimajor - 1), abs(factors.tissot_semiminor - 1))
    assert scale_error(plane, np.array([*xy, *xy])) == pytest.approx(expected, abs=1e-7)


@given(lon=st.floats(41, 46), lat=st.floats(33, 38), turn=st.floats(0, 360), length=st.floats(100, 40_000))
@settings(max_examples=50)
def test_lengths_agree_with_the_ellipsoid(lon: float, lat: float, turn: float, length: float) -> None:
    geod = pyproj.Geod(ellps="WGS84")
    end_lon, end_lat, _ = geod.fwd(lon, lat, turn, length)
    line = gpd.GeoSeries([LineString([(lon, lat), (end_lon, end_lat)])], crs=4326)
    metric = line.to_crs(working_crs([IRAQ]))
    require_metric(metric)
    assert metric.length.iloc[0] == pytest.approx(length, rel=1e-3)


@given(lon=st.floats(41, 46), lat=st.floats(33, 38), turn=st.floats(0, 359.99), length=st.floats(100, 40_000))
@settings(max_examples=50)
def test_bearings_agree_with_the_ellipsoid(lon: float, lat: float, turn: float, length: float) -> None:
    end_lon, end_lat, _ = pyproj.Geod(ellps="WGS84").fwd(lon, lat, turn, length)
    metric = gpd.GeoSeries([Point(lon, lat), Point(end_lon, end_lat)], crs=4326).to_crs(working_crs([IRAQ]))
    [towards] = bearings(metric.iloc[0], metric.iloc[1:])
    assert abs((towards - turn + 180) % 360 - 180) < 0.01


def test_bearings_run_to_the_nearest_point_and_are_nothing_on_the_spot() -> None:
    metric = gpd.GeoSeries([LineString([(5e5, 4.01e6), (6e5, 4.01e6)]), box(4.9e5, 3.9e6, 5.1e5, 4.1e6)], crs=32638)
    towards = bearings(Point(5.5e5, 4e6), metric)
    assert towards == pytest.approx([0, 270], abs=0.5)
    assert np.isnan(bearings(Point(5e5, 4e6), metric.iloc[1:])).all()
    with pytest.raises(CrsError, match="no CRS"):
        bearings(Point(0, 0), gpd.GeoSeries([Point(1, 1)]))
