from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import pytest
import shapely
from shapely import LineString, Point, Polygon, box

from gapmap.errors import CrsError, InputError, MissingFileError
from gapmap.readers import read_polygons

if TYPE_CHECKING:
    from pathlib import Path


def test_polygons_come_in_degrees_repaired_and_counted(tmp_path: Path) -> None:
    bow_tie = Polygon([(43, 36), (44, 37), (44, 36), (43, 37)])
    table = gpd.GeoDataFrame({"Name": ["lake", "twist"]}, geometry=[box(43, 36, 44, 37), bow_tie], crs=4326)
    table.to_file(tmp_path / "a.gpkg", layer="water")
    out = read_polygons(tmp_path / "a.gpkg", role="excluded", layer="water")
    assert out["name"].tolist() == ["lake", "twist"]
    assert out.crs == 4326
    assert shapely.area(out.geometry.to_numpy()) == pytest.approx([1.0, 0.5])
    assert out.geometry.is_valid.all()
    counts = out.attrs["input"]
    assert (counts["role"], counts["rows"], counts["used"], counts["repaired"]) == ("excluded", 2, 2, 1)


def test_every_row_that_is_no_polygon_is_named(tmp_path: Path) -> None:
    shapes = [box(43, 36, 44, 37), Point(43, 36), LineString([(43, 36), (44, 37)]), None, box(43, 36, 44, 97)]
    gpd.GeoDataFrame(geometry=shapes, crs=4326).to_file(tmp_path / "a.geojson")
    with pytest.raises(InputError) as caught:
        read_polygons(tmp_path / "a.geojson")
    assert str(caught.value).splitlines() == [
        "a.geojson: 4 of 5 polygons cannot be used",
        "  row 2: a Point, not a polygon",
        "  row 3: an area drawn as a line of fewer than three corners",
        "  row 4: no position",
        "  row 5: latitude 97 is outside -90..90 (are the columns swapped?)",
    ]


def test_a_closed_line_is_a_polygon(tmp_path: Path) -> None:
    ring = LineString([(43, 36), (44, 36), (44, 37), (43, 37), (43, 36)])
    gpd.GeoDataFrame(geometry=[ring], crs=4326).to_file(tmp_path / "a.geojson")
    assert read_polygons(tmp_path / "a.geojson").geometry.iloc[0].equals(box(43, 36, 44, 37))


def test_no_file_no_rows_no_crs(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError):
        read_polygons(tmp_path / "a.gpkg")
    (tmp_path / "a.geojson").write_text('{"type": "FeatureCollection", "features": []}', encoding="utf-8")
    with pytest.raises(InputError, match="the file has no rows"):
        read_polygons(tmp_path / "a.geojson")
    gpd.GeoDataFrame(geometry=[box(43, 36, 44, 37)], crs=4326).to_file(tmp_path / "a.shp")
    (tmp_path / "a.prj").unlink()
    with pytest.raises(CrsError, match="no CRS"):
        read_polygons(tmp_path / "a.shp")
    assert len(read_polygons(tmp_path / "a.shp", crs=4326)) == 1
