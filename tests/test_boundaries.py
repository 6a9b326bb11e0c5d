"""Boundaries: which layers are drawn, what they say of their source, what is refused."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import geopandas as gpd
import pyogrio
import pytest
import shapely

from gapmap.errors import InputError, MissingFileError
from gapmap.readers import attribution, read_boundaries

if TYPE_CHECKING:
    from pathlib import Path

BOX = shapely.box(43, 36, 44, 37)
BOW = shapely.Polygon([(43, 36), (44, 37), (44, 36), (43, 37)])


@pytest.fixture
def base(tmp_path: Path) -> Path:
    path = tmp_path / "base.gpkg"
    layers = {
        "land": [("North", BOX), ("Bow", BOW)],
        "river": [("Tigris", shapely.LineString([(43, 36), (44, 37)]))],
        "towns": [("Gwer", BOX.centroid)],
    }
    for layer, rows in layers.items():
        table = gpd.GeoDataFrame({"name_en": [row[0] for row in rows]}, geometry=[row[1] for row in rows], crs=4326)
        said = {"DESCRIPTION": "Drawn 1.5 times by hand. Not a claim."} if layer == "land" else {}
        pyogrio.write_dataframe(table, path, layer=layer, layer_options=said)
    return path


def test_polygons_and_lines_are_drawn_and_points_are_not(base: Path) -> None:
    found = read_boundaries(base)
    assert found[["layer", "name"]].to_numpy().tolist() == [["land", "Bow"], ["land", "North"], ["river", "Tigris"]]
    assert found["attribution"].tolist() == ["Drawn 1.5 times by hand.", "Drawn 1.5 times by hand.", ""]
    assert found.geometry.is_valid.all()
    assert {key: found.attrs["input"][key] for key in ("name", "rows", "used", "repaired")} == {
        "name": "base.gpkg",
        "rows": 3,
        "used": 3,
        "repaired": 1,
    }


def test_layers_can_be_named(base: Path) -> None:
    river = read_boundaries(base, layers=("river",))
    assert river["name"].tolist() == ["Tigris"]
    assert river.attrs["input"]["unread"] == ["land", "towns"]
    assert read_boundaries(base).attrs["input"]["unread"] == ["towns"]
    with pytest.raises(InputError, match="no layer 'lakes'"):
        read_boundaries(base, layers=("lakes",))


def test_files_without_boundaries_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError):
        read_boundaries(tmp_path / "none.gpkg")
    (tmp_path / "broken.gpkg").write_text("no database")
    with pytest.raises(InputError, match=r"broken\.gpkg"):
        read_boundaries(tmp_path / "broken.gpkg")
    gpd.GeoDataFrame(geometry=[BOX.centroid], crs=4326).to_file(tmp_path / "points.gpkg")
    with pytest.raises(InputError, match="neither polygons nor lines"):
        read_boundaries(tmp_path / "points.gpkg")


def test_attribution_is_what_a_layer_says(base: Path, tmp_path: Path) -> None:
    assert attribution(base, "land") == "Drawn 1.5 times by hand."
    assert attribution(base, "river") == ""
    assert attribution(base, None) == ""  # which of the three?
    assert attribution(tmp_path / "towns.csv", None) == ""


@pytest.mark.parametrize("name", ["a.gpkg", "a.shp", "a.kml"])
def test_what_opens_other_files_is_refused_before_its_layers_are_listed(base: Path, tmp_path: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/"
        for text in (
            f"<OGRVRTDataSource><OGRVRTLayer name='land'><SrcDataSource>{base}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>",
            f"<OGRWFSDataSource><URL>{address}</URL></OGRWFSDataSource>",
        ):
            (tmp_path / name).write_text(text, encoding="utf-8")
            with pytest.raises(InputError, match=r"cannot be read|virtual layer"):
                read_boundaries(tmp_path / name)
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_drawing_that_gdal_knows_in_another_form(tmp_path: Path) -> None:
    ring = "<coordinates>43,36 44,36 44,37 43,36</coordinates>"
    mark = (
        f"<Placemark><Polygon><outerBoundaryIs><LinearRing>{ring}</LinearRing></outerBoundaryIs></Polygon></Placemark>"
    )
    text = f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Folder><name>land</name>{mark}</Folder></Document></kml>'
    (tmp_path / "a.kml").write_text(text, encoding="utf-16")
    assert len(read_boundaries(tmp_path / "a.kml")) == 1
    stated = '<?xml version="1.0" encoding="windows-1256"?>' + text.replace("<name>land", "<name>ارض")
    (tmp_path / "a.kml").write_text(stated, encoding="windows-1256")
    with pytest.raises(InputError, match="its layers cannot be listed"):
        read_boundaries(tmp_path / "a.kml")
    assert len(read_boundaries(tmp_path / "a.kml", layers=["ارض"])) == 1
