"""Text for other programs: what people wrote stays text, and comes back as it was."""

from __future__ import annotations

import csv
import io
import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gapmap import formats
from tests.fake_analysis import LAEA

ROWS = gpd.GeoDataFrame(
    {
        "name": ["Gwer", "=1+1", 'say "a, b"\nand c'],
        "width_m": [1_234.567_890_12, np.nan, -5.0],
        "count": [1, 2, 3],
        "near_limit": [True, False, True],
        "day": pd.to_datetime(["2021-06-01", None, "2020-01-31"]),
    },
    index=pd.Index(["C1", "-C2", "C3"], name="stretch_id"),
    geometry=[shapely.box(0, 0, 1_000, 2_000).reverse(), shapely.Point(0, 0), None],
    crs=LAEA,
)


@pytest.mark.parametrize(
    "text",
    ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "\uff1d1", "\x00=1"],
)
def test_what_a_spreadsheet_might_run_is_text(text: str) -> None:
    assert formats.harmless(text) == f"'{text}"
    [_, [cell, *_]] = list(csv.reader(io.StringIO(formats.to_csv(pd.DataFrame({"a": [text]})), newline="")))
    assert cell == f"'{text}".replace("\r", "\n")


def test_no_cell_breaks_out_of_its_row() -> None:
    text = formats.to_csv(pd.DataFrame({"a": ["x\r=cmd|'/c calc'!A1", "y\r\n=1", 'z",=1'], "b": 1}))
    assert "\r" not in text
    assert [line[1] for line in csv.reader(io.StringIO(text, newline=""))] == ["b", "1", "1", "1"]


@pytest.mark.parametrize("text", ["", "Gwer", "a=b", "'=1", "1-2", "مخمور", "x@y"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert formats.harmless(text) == text


def test_csv_has_a_line_of_names_and_a_line_a_row() -> None:
    lines = list(csv.reader(io.StringIO(formats.to_csv(ROWS), newline="")))
    assert lines == [
        ["stretch_id", "name", "width_m", "count", "near_limit", "day"],
        ["C1", "Gwer", "1234.56789", "1", "true", "2021-06-01"],
        ["'-C2", "'=1+1", "", "2", "false", ""],
        ["C3", 'say "a, b"\nand c', "-5.0", "3", "true", "2020-01-31"],
    ]
    assert formats.to_csv(ROWS.iloc[:0]).splitlines() == ["stretch_id,name,width_m,count,near_limit,day"]


def test_records_are_plain_values() -> None:
    first, second, third = json.loads(json.dumps(formats.to_records(ROWS), allow_nan=False))
    assert first == {
        "stretch_id": "C1",
        "name": "Gwer",
        "width_m": 1_234.56789,
        "count": 1,
        "near_limit": True,
        "day": "2021-06-01",
    }
    assert (second["width_m"], second["day"]) == (None, None)
    assert third["name"] == 'say "a, b"\nand c'  # JSON needs no apostrophe
    assert formats.to_records(ROWS.iloc[:0]) == []


def test_geojson_is_in_degrees_by_the_right_hand_rule() -> None:
    found = json.loads(formats.to_geojson(ROWS, notice="drawn by rule"))
    assert (found["type"], found["notice"]) == ("FeatureCollection", "drawn by rule")
    area, spot, nothing = found["features"]
    ring = shapely.LinearRing(area["geometry"]["coordinates"][0])
    assert ring.is_ccw
    back = gpd.GeoSeries([shapely.Polygon(ring)], crs=4326).to_crs(LAEA).iloc[0]
    assert back.symmetric_difference(shapely.box(0, 0, 1_000, 2_000)).area < 100  # of 2 km2: a few centimetres of edge
    assert spot["geometry"] == {"type": "Point", "coordinates": [43.3, 36.2]}
    assert nothing["geometry"] is None
    assert area["properties"]["stretch_id"] == "C1"
    assert json.loads(formats.to_geojson(ROWS.iloc[:0]))["features"] == []


@given(st.lists(st.text(max_size=12), min_size=1, max_size=5))
def test_any_text_comes_back_and_none_can_run(texts: list[str]) -> None:
    texts = [text.replace("\r", "") for text in texts]
    lines = list(csv.reader(io.StringIO(formats.to_csv(pd.DataFrame({"a": texts, "b": 1})), newline="")))
    cells = [line[0] for line in lines[1:]]
    assert [cell.removeprefix("'") for cell in cells] == [text.removeprefix("'") for text in texts]
    assert not any(cell.strip()[:1] in set("=+-@") - {""} for cell in cells)


def test_what_crosses_itself_in_degrees_is_mended() -> None:
    """A straight line in metres is bent in degrees: a corner a millimetre off it comes to lie on its other side."""
    corners = [(-10e3, 20e3), (10e3, 20e3), (10e3, 11e3), (0, 20e3 - 1e-3), (-10e3, 11e3)]
    shapes = [shapely.Polygon(corners), shapely.Point(0, 0), None, shapely.LineString(corners)]
    table = gpd.GeoDataFrame(geometry=shapes, index=list("abcd"), crs=LAEA)
    assert table.geometry["a"].is_valid
    assert not table.to_crs(4326).geometry["a"].is_valid
    features = json.loads(formats.to_geojson(table.rename_axis("id")))["features"]
    written = [each["geometry"] and shapely.from_geojson(json.dumps(each["geometry"])) for each in features]
    assert written[0].is_valid
    # The bend itself is some 6 m over 20 km.
    back = gpd.GeoSeries(written, crs=4326).to_crs(table.crs)
    assert back[0].area == pytest.approx(shapes[0].area, rel=2e-3)
    assert back[1].distance(shapes[1]) < 0.01
    assert written[2] is None
    assert len(written[3].coords) == 5


def test_what_crosses_the_180th_meridian_is_parted_there() -> None:
    at_180 = "+proj=laea +lat_0=-16 +lon_0=180 +datum=WGS84 +units=m +no_defs"
    shapes = [
        shapely.box(-10e3, 0, 20e3, 5e3),
        shapely.LineString([(-10e3, 0), (20e3, 0)]),
        shapely.box(5e3, 0, 20e3, 5e3),
        shapely.MultiPolygon([shapely.box(-10e3, 0, -5e3, 5e3), shapely.box(5e3, 0, 10e3, 5e3)]),
        shapely.Point(1e3, 0),
        None,
    ]
    degrees = formats.in_degrees(gpd.GeoSeries(shapes, crs=at_180))
    assert [shape and shape.geom_type for shape in degrees] == [
        "MultiPolygon", "MultiLineString", "Polygon", "MultiPolygon", "Point", None,
    ]  # fmt: skip
    assert degrees[0].is_valid
    back = gpd.GeoSeries(degrees, crs=4326).to_crs(at_180)
    for found, shape in zip(back[:4], shapes[:4], strict=True):
        assert (found.area, found.length if found.area == 0 else 0) == pytest.approx(
            (shape.area, shape.length if shape.area == 0 else 0), rel=1e-3
        )
    for shape in degrees[:4]:
        for part in shapely.get_parts(shape):
            west, _, east, _ = part.bounds
            assert east - west < 1


def test_what_lies_on_both_sides_of_the_globe_is_not_turned() -> None:
    france = [shapely.box(-4, 44, 8, 50), shapely.box(164, -22, 167, -20), shapely.box(-151, -18, -149, -17)]
    shapes = gpd.GeoSeries([shapely.MultiPolygon(france), shapely.box(-180, -90, 180, 90)], crs=4326)
    assert formats.in_degrees(shapes)[1].area == 360 * 180  # degrees already
    metres = shapes[:1].to_crs("+proj=laea +lat_0=36 +lon_0=43 +datum=WGS84")
    assert formats.in_degrees(metres)[0].area == pytest.approx(shapes[0].area, rel=0.05)  # straight in metres
    assert formats.in_degrees(metres)[0].bounds == pytest.approx((-151, -22, 167, 50), abs=1)
    across = gpd.GeoSeries(
        [shapely.GeometryCollection([shapely.Point(1e3, 0), shapely.LineString([(-2e3, 0), (2e3, 0)]), shapely.box(-9e3, 1, 9e3, 9e3)])],
        crs="+proj=laea +lat_0=0 +lon_0=180 +datum=WGS84 +units=m",
    )  # fmt: skip
    parted = formats.in_degrees(across)[0]
    assert sorted({shapely.get_dimensions(part) for part in shapely.get_parts(parted)}) == [1, 2]
    assert formats.in_degrees(across[:0]).tolist() == []


def test_shapes_that_are_not_rounded_keep_what_is_thin() -> None:
    thin = gpd.GeoSeries([shapely.box(0, 0, 800, 0.003)], crs=LAEA)
    assert formats.in_degrees(thin)[0].is_empty
    assert not formats.in_degrees(thin, rounded=False)[0].is_empty
