from __future__ import annotations

import datetime as dt
import json
import zipfile
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import GeometryCollection, LineString, MultiPoint, Point, Polygon, area, box

from gapmap.errors import CrsError, InputError, MissingFileError
from gapmap.reach import cover
from gapmap.readers import join_zones, read_zones, suspect_swaps
from gapmap.tables import COLUMNS

if TYPE_CHECKING:
    from pathlib import Path

# What every format below holds: a post, a route and an area, with all that a zone can say.
TABLE = gpd.GeoDataFrame(
    {
        "Name": ["Gwer", "Road", "Valley"],
        "REACH": ["5 km", "500 m", "0"],
        "Valid_From": ["2018-01-01", "", ""],
        "valid_to": ["2021-05-01", "", ""],
    },
    geometry=[Point(43.48, 36.04), LineString([(43.5, 36), (43.6, 36.1)]), box(43, 36, 43.1, 36.1)],
    crs=4326,
)
KML = """<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>
<Folder><name>Posts</name><Placemark><name>Gwer</name>
<TimeSpan><begin>2018-01-01</begin><end>2021-05-01</end></TimeSpan>
<ExtendedData><Data name="reach"><value>5 km</value></Data></ExtendedData>
<Point><coordinates>43.48,36.04,210</coordinates></Point></Placemark></Folder>
<Folder><name>Others</name><Placemark><name>Road</name>
<ExtendedData><Data name="reach"><value>500 m</value></Data></ExtendedData>
<LineString><coordinates>43.5,36 43.6,36.1</coordinates></LineString></Placemark>
<Placemark><name>Valley</name><ExtendedData><Data name="reach"><value>0</value></Data></ExtendedData>
<Polygon><outerBoundaryIs><LinearRing><coordinates>43.1,36 43.1,36.1 43,36.1 43,36 43.1,36</coordinates></LinearRing>
</outerBoundaryIs></Polygon></Placemark></Folder></Document></kml>"""
GPX = """<?xml version="1.0"?><gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1">
<wpt lat="36.04" lon="43.48"><name>Gwer</name></wpt>
<rte><name>Road</name><rtept lat="36" lon="43.5"/><rtept lat="36.1" lon="43.6"/></rte>
<trk><name>Patrol</name><trkseg><trkpt lat="36" lon="43"/><trkpt lat="36.1" lon="43"/></trkseg></trk></gpx>"""


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def write_xlsx(path: Path, rows: list[list[Any]], sheet: str = "Sheet1") -> Path:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def write_geojson(path: Path, *geometries: object, crs: str | None = None, **properties: object) -> Path:
    features = [{"type": "Feature", "properties": properties, "geometry": geometry} for geometry in geometries]
    head = {} if crs is None else {"crs": {"type": "name", "properties": {"name": crs}}}
    return write(path, json.dumps({"type": "FeatureCollection", **head, "features": features}))


def point(lon: object, lat: object) -> dict[str, object]:
    return {"type": "Point", "coordinates": [lon, lat]}


def as_file(folder: Path, suffix: str) -> Path:
    path = folder / f"zones{suffix}"
    if suffix == ".kml":
        return write(path, KML)
    if suffix == ".kmz":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("doc.kml", KML)
    elif suffix == ".csv":
        pd.DataFrame(TABLE.drop(columns="geometry")).assign(WKT=TABLE.geometry.to_wkt()).to_csv(path, index=False)
    elif suffix == ".xlsx":
        cells = TABLE.drop(columns="geometry").assign(wkt=TABLE.geometry.to_wkt()).to_numpy().tolist()
        cells[0][2:4] = [dt.date(2018, 1, 1), dt.datetime(2021, 5, 1)]  # noqa: DTZ001 - a date cell has no zone
        write_xlsx(path, [["Name", "REACH", "Valid_From", "valid_to", "wkt"], *cells])
    else:
        TABLE.to_file(path)
    return path


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".kml", ".kmz", ".csv", ".xlsx"])
def test_every_format_gives_the_same_zones(tmp_path: Path, suffix: str) -> None:
    zones = read_zones(as_file(tmp_path, suffix), force="north")
    assert zones.index.tolist() == ["north-001", "north-002", "north-003"]
    assert zones["name"].tolist() == ["Valley", "Gwer", "Road"]
    assert zones["kind"].tolist() == ["area", "post", "route"]
    assert zones["reach_m"].tolist() == [0, 5000, 500]
    assert zones["valid_from"].isna().tolist() == [True, False, True]
    assert zones["valid_from"].iloc[1] == pd.Timestamp("2018-01-01")
    assert zones["valid_to"].iloc[1] == pd.Timestamp("2021-05-01")
    assert zones["source_row"].tolist() == [3, 1, 2]
    assert zones.crs == 4326
    assert not zones.has_z.any()
    for got, expected in zip(zones.geometry, TABLE.geometry.iloc[[2, 0, 1]], strict=True):
        assert got.normalize().equals_exact(expected.normalize(), 1e-9)
    assert list(zones.columns) == [*COLUMNS["zones"], "geometry"]
    counts = zones.attrs["input"]
    assert (counts["name"], counts["rows"], counts["used"], counts["set_aside"]) == (f"zones{suffix}", 3, 3, 0)
    assert len(counts["sha256"]) == 64


def test_a_shapefile_with_and_without_its_crs(tmp_path: Path) -> None:
    path = tmp_path / "posts.shp"
    TABLE.iloc[:1].to_crs(32638).to_file(path)
    zones = read_zones(path, force="north")
    assert zones.geometry.iloc[0].equals_exact(TABLE.geometry[0], 1e-9)
    before = zones.attrs["input"]["sha256"]
    (tmp_path / "posts.prj").unlink()
    with pytest.raises(CrsError, match=r"posts.shp: has no CRS"):
        read_zones(path, force="north")
    told = read_zones(path, force="north", crs="EPSG:32638")
    assert told.geometry.iloc[0].equals_exact(TABLE.geometry[0], 1e-9)
    assert told.attrs["input"]["sha256"] != before  # the parts of a shapefile all count
    with pytest.raises(CrsError, match="is not a CRS"):
        read_zones(path, force="north", crs="EPSG:nothing")


def test_gpx_gives_waypoints_routes_and_tracks(tmp_path: Path) -> None:
    path = write(tmp_path / "patrol.gpx", GPX)
    zones = read_zones(path, force="north")
    assert zones[["name", "kind"]].to_numpy().tolist() == [["Gwer", "post"], ["Patrol", "route"], ["Road", "route"]]
    assert read_zones(path, force="north", layer="tracks")["name"].tolist() == ["Patrol"]


@pytest.mark.parametrize(
    ("lon", "lat"), [("lon", "lat"), ("Longitude", "LATITUDE"), ("lng", "lat"), ("x", "y"), ("LONG", "Lat")]
)
def test_position_columns_by_name_never_by_place(tmp_path: Path, lon: str, lat: str) -> None:
    for header, row in (((lon, lat), "43.48,36.04"), ((lat, lon), "36.04,43.48")):
        zones = read_zones(write(tmp_path / "a.csv", f"{','.join(header)}\n{row}\n"), force="a")
        assert zones.geometry.iloc[0].equals(Point(43.48, 36.04))


def test_mgrs_semicolons_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "\ufeffname;mgrs;reach_km\r\nقرية;38S LE 71652 59923;2.5\r\n")
    zones = read_zones(path, force="a")
    assert zones["name"].iloc[0] == "قرية"
    assert zones["reach_m"].iloc[0] == 2500
    assert zones.geometry.iloc[0].distance(Point(43.580005, 35.775004)) < 1e-6


def test_coordinates_in_metres_when_told(tmp_path: Path) -> None:
    xy = TABLE.geometry[:1].to_crs(32638).iloc[0]
    path = write(tmp_path / "a.csv", f"x,y\n{xy.x},{xy.y}\n")
    assert read_zones(path, force="a", crs=32638).geometry.iloc[0].equals_exact(TABLE.geometry[0], 1e-9)
    with pytest.raises(InputError, match=r"metres\? then say which CRS"):
        read_zones(path, force="a")


def test_options_fill_what_rows_do_not_say(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "lon,lat,kind,reach\n43,36,,\n43.1,36,Area,1 km\n")
    zones = read_zones(path, force="a", kind="route", reach_m={"route": 700})
    assert zones[["kind", "reach_m"]].to_numpy().tolist() == [["area", 1000], ["route", 700]]
    assert read_zones(path, force="a", reach_m=50)["reach_m"].tolist() == [1000, 50]


def test_forces_from_a_column(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "lon,lat,Side\n43,36,b\n43.1,36,a\n43.2,36,b\n")
    assert read_zones(path, force_column="side").index.tolist() == ["a-001", "b-001", "b-002"]
    with pytest.raises(InputError, match="unknown column 'sdie'"):
        read_zones(path, force_column="sdie")
    with pytest.raises(InputError, match="row 1: force '' is not a name"):
        read_zones(write(tmp_path / "b.csv", "lon,lat,side\n43,36,\n"), force_column="side")


@pytest.mark.parametrize(
    "options", [{}, {"force": "a", "force_column": "b"}, {"force": "a b"}, {"force": "a", "kind": "pots"}]
)
def test_wrong_options(tmp_path: Path, options: dict[str, str]) -> None:
    with pytest.raises(InputError):
        read_zones(write(tmp_path / "a.csv", "lon,lat\n43,36\n"), **options)  # type: ignore[arg-type]


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    text = """name,lon,lat,wkt,kind,reach,valid_from,valid_to
good,43,36,,,5 km,,
a,,,,,,,
b,43,,,,,,
c,nan,36,,,,,
d,inf,36,,,,,
e,358.2,36,,,,,
f,43,136,,,,,
g,43,36,POINT (1 1),,,,
h,"43,5",36,,,,,
i,43,36,,pots,,,
j,43,36,,,5 mi,,
k,43,36,,,-1,,
l,43,36,,,300 km,,
m,43,36,,,,1.2.2020,
n,43,36,,,,2020-02-30,
o,43,36,,,,2021-05-01,2021-05-01
p,,,POINT (,,,,
q,,,"GEOMETRYCOLLECTION (POINT (1 1), LINESTRING (0 0, 1 1))",,,,
r,,,POINT EMPTY,,,,
s,,,"LINESTRING (43 36, 43 36)",,,,
"""
    with pytest.raises(InputError) as caught:
        read_zones(write(tmp_path / "a.csv", text), force="a")
    told = str(caught.value)
    assert told.startswith("a.csv: 19 of 20 zones cannot be used")
    for row, words in enumerate(
        (
            "no geometry",
            "one of longitude and latitude is missing",
            "'nan' is not a coordinate",
            "'inf' is not a coordinate",
            "longitude 358.2 is outside -180..180 (are the columns swapped?)",
            "latitude 136 is outside -90..90 (are the columns swapped?)",
            "more than one position",
            "'43,5' is not a coordinate",
            "unknown kind 'pots'; did you mean 'post'?",
            "reach '5 mi' has the unit 'mi'",
            "reach '-1' is not a length of zero or more",
            "reach 300 km is outside 0..200 km",
            "valid_from '1.2.2020' is not an ISO date",
            "valid_from '2020-02-30' is not an ISO date",
            "dates reversed: valid_from 2021-05-01 is not before valid_to 2021-05-01",
            "'POINT (' is not WKT",
            "a geometry collection",
            "no geometry",
            "the line has no length",
        ),
        start=2,
    ):
        assert f"row {row}: {words}" in told


def test_many_faults_are_counted_not_listed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="and 480 more rows"):
        read_zones(write(tmp_path / "a.csv", "lon,lat\n" + "200,36\n" * 500), force="a")


@pytest.mark.parametrize("coordinate", ["NaN", "Infinity"])
def test_coordinates_without_end_in_a_geopackage_and_a_geojson(tmp_path: Path, coordinate: str) -> None:
    gpd.GeoDataFrame(geometry=[Point(float(coordinate), 36), Point(43, 36)], crs=4326).to_file(tmp_path / "a.gpkg")
    with pytest.raises(InputError, match=r"1 of 2 zones cannot be used\n  row 1: a coordinate is not a finite number"):
        read_zones(tmp_path / "a.gpkg", force="a")
    text = json.dumps({"type": "Feature", "properties": {}, "geometry": point(43, 36)}).replace("43", coordinate)
    with pytest.raises(InputError):
        read_zones(write(tmp_path / "a.geojson", text), force="a")


def test_missing_and_empty_geometry_in_a_geojson(tmp_path: Path) -> None:
    path = write_geojson(tmp_path / "a.geojson", point(43, 36), None, {"type": "Polygon", "coordinates": []})
    with pytest.raises(InputError, match=r"2 of 3 zones cannot be used\n  row 2: no geometry\n  row 3: no geometry"):
        read_zones(path, force="a")


def test_a_geometry_collection_in_kml_and_geojson(tmp_path: Path) -> None:
    gpd.GeoDataFrame(
        geometry=[GeometryCollection([Point(43, 36), LineString([(43, 36), (44, 36)])])], crs=4326
    ).to_file(tmp_path / "a.geojson")
    with pytest.raises(InputError, match="row 1: a geometry collection"):
        read_zones(tmp_path / "a.geojson", force="a")
    kml = KML.replace("<Point>", "<MultiGeometry><LineString><coordinates>1,1 2,2</coordinates></LineString><Point>")
    with pytest.raises(InputError, match="row 1: a geometry collection"):
        read_zones(write(tmp_path / "a.kml", kml.replace("</Point>", "</Point></MultiGeometry>")), force="a")


def test_multi_part_geometry_of_one_type_stays_one_zone(tmp_path: Path) -> None:
    gpd.GeoDataFrame(geometry=[MultiPoint([(43, 36), (44, 36)])], crs=4326).to_file(tmp_path / "a.gpkg")
    zones = read_zones(tmp_path / "a.gpkg", force="a")
    assert zones[["kind"]].to_numpy().tolist() == [["post"]]
    assert zones.geometry.iloc[0].geom_type == "MultiPoint"


def test_invalid_geometry_is_repaired_and_counted(tmp_path: Path) -> None:
    bow_tie = Polygon([(43, 36), (44, 37), (44, 36), (43, 37)])
    gpd.GeoDataFrame(geometry=[bow_tie, box(43, 36, 44, 37)], crs=4326).to_file(tmp_path / "a.gpkg")
    zones = read_zones(tmp_path / "a.gpkg", force="a")
    assert zones.geometry.is_valid.all()
    assert sorted(area(zones.geometry)) == pytest.approx([0.5, 1.0])  # two triangles of a quarter each, by hand
    assert zones.attrs["input"]["repaired"] == 1
    flat = Polygon([(43, 36), (44, 36), (43.5, 36)])
    gpd.GeoDataFrame(geometry=[flat], crs=4326).to_file(tmp_path / "b.gpkg")
    with pytest.raises(InputError, match="nothing is left of it when repaired"):
        read_zones(tmp_path / "b.gpkg", force="a")


def test_blank_rows_and_repeats_are_set_aside(tmp_path: Path) -> None:
    text = "name,lon,lat,reach\nA,43,36,5 km\n,,,\nA,43,36,5000\nA,43,36,4 km\nB,43,36,5 km\n"
    zones = read_zones(write(tmp_path / "a.csv", text), force="a")
    assert zones["source_row"].tolist() == [4, 1, 5]
    assert zones.attrs["set_aside"] == [
        {"source": "a.csv", "source_row": 2, "reason": "blank row"},
        {"source": "a.csv", "source_row": 3, "reason": "the same as row 1"},
    ]
    assert {key: zones.attrs["input"][key] for key in ("rows", "used", "set_aside")} == {
        "rows": 5,
        "used": 3,
        "set_aside": 2,
    }
    pd.concat([zones.iloc[:1], zones.iloc[1:]])  # records in attrs do not get in the way
    with pytest.raises(InputError, match="all rows are blank"):
        read_zones(write(tmp_path / "b.csv", "name,lon,lat\n,,\n,,\n"), force="a")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "", "the file is empty"),
        ("a.csv", "lon,lat\n", "no zones in it"),
        ("a.csv", "name,other\n1,2\n", "no position column among name, other"),
        ("a.csv", "lon,lat,Lon\n1,2,3\n", "2 columns are named 'lon'"),
        ("a.csv", "lon,lat\n1,2,3\n", "not a readable CSV"),
        ("a.csv", 'lon,lat\n"1,2\n', "not a readable CSV"),
        ("a.csv", "name,lon,lat\né,43,36\n".encode("latin-1"), r"not UTF-8: byte 0xe9 in line 2 \(data row 1\)"),
        ("a.csv", "lon,lat\n43,36\n".encode("utf-16"), "UTF-16"),
        ("a.geojson", '{"type": "FeatureCollection", "features": []}', "no zones in it"),
        ("a.geojson", '{"type": "Feat', "cannot be read"),
        ("a.geojson", "lon,lat\n1,2", "not GeoJSON"),
        ("a.geojson", '{"a": "é"}'.encode("latin-1"), "not UTF-8"),
        ("a.kml", "<kml", "cannot be read"),
        ("a.gpx", "no", "cannot be read"),
        ("a.gpkg", "no", "cannot be read"),
        ("a.shp", "no", "cannot be read"),
        ("a.xlsx", "no", "not a readable XLSX"),
        ("a.kmz", "no", "not a readable KMZ"),
        ("a.docx", "no", "format '.docx' is not read"),
    ],
)
def test_files_that_will_not_do(tmp_path: Path, name: str, content: str | bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_zones(write(tmp_path / name, content), force="a")


def test_a_missing_file_and_an_address(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="no such file"):
        read_zones(tmp_path / "none.kml", force="a")
    for name in ("/vsicurl/http://127.0.0.1/a.geojson", "http://127.0.0.1/a.geojson"):
        with pytest.raises(MissingFileError):
            read_zones(name, force="a")


def test_two_crs_in_one_file(tmp_path: Path) -> None:
    path = write_geojson(tmp_path / "a.geojson", point(43, 36), crs="urn:ogc:def:crs:EPSG::32638")
    with pytest.raises(CrsError, match="its coordinates look like degrees: two CRS in one file"):
        read_zones(path, force="a")
    path = write_geojson(tmp_path / "b.geojson", point(371652, 3959923))
    with pytest.raises(InputError, match=r"metres\? then say which CRS"):
        read_zones(path, force="a")
    with pytest.raises(CrsError, match="two CRS: the file states"):
        read_zones(path, force="a", crs=32638)
    told = write_geojson(tmp_path / "c.geojson", point(371652, 3959923), crs="urn:ogc:def:crs:EPSG::32638")
    assert read_zones(told, force="a").geometry.iloc[0].distance(Point(43.58, 35.775)) < 1e-4


@pytest.mark.parametrize("entity", ["<!DOCTYPE kml [<!ENTITY a 'b'>]>", "<!DOCTYPE kml SYSTEM 'http://127.0.0.1/x'>"])
def test_entities_are_refused_before_anything_parses_them(tmp_path: Path, entity: str) -> None:
    for name, text in (("a.kml", KML), ("a.gpx", GPX)):
        path = write(tmp_path / name, text.replace("?>", f"?>{entity}", 1))
        with pytest.raises(InputError, match="DOCTYPE"):
            read_zones(path, force="a")
    with zipfile.ZipFile(tmp_path / "a.kmz", "w") as archive:
        archive.writestr("doc.kml", KML.replace("?>", f"?>{entity}", 1))
    with pytest.raises(InputError, match=r"a.kmz/doc.kml: has a DOCTYPE"):
        read_zones(tmp_path / "a.kmz", force="a")
    with pytest.raises(InputError, match="single bytes"):
        read_zones(write(tmp_path / "wide.kml", KML.encode("utf-16")), force="a")


def test_a_layer_that_opens_other_files_is_refused(tmp_path: Path) -> None:
    other = as_file(tmp_path, ".gpkg")
    virtual = f"<OGRVRTDataSource><OGRVRTLayer name='zones'><SrcDataSource>{other}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
    for name, text in (
        ("a.geojson", json.dumps({"type": "FeatureCollection", "x": virtual, "features": []})),
        ("a.kml", virtual),
    ):
        with pytest.raises(InputError, match="virtual layer"):
            read_zones(write(tmp_path / name, text), force="a")


def test_an_archive_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.kmz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"{number}.png", bytes(60_000_000), compresslevel=1)
    assert path.stat().st_size < 10_000_000
    with pytest.raises(InputError, match="unpacks to 1,200 MB"):
        read_zones(path, force="a")


def test_layers_and_sheets(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    TABLE.to_file(path, layer="one")
    assert len(read_zones(path, force="a")) == 3
    TABLE.iloc[:1].to_file(path, layer="two")
    assert len(read_zones(path, force="a", layer="two")) == 1
    with pytest.raises(InputError, match=r"2 layers and none is named 'zones'\n  -> name one as layer: one, two"):
        read_zones(path, force="a")
    with pytest.raises(InputError, match="no layer 'three'"):
        read_zones(path, force="a", layer="three")
    TABLE.iloc[:2].to_file(path, layer="Zones")
    assert len(read_zones(path, force="a")) == 2
    book = openpyxl.Workbook()
    book.create_sheet("Zones").append(["lon", "lat"])
    book["Zones"].append([43, 36])
    book.save(tmp_path / "a.xlsx")
    assert len(read_zones(tmp_path / "a.xlsx", force="a")) == 1


def test_a_sheet_with_gaps_numbers_and_a_stray_cell(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["name", None, "lon", "lat", "reach"],
        ["A", "x", 43, 36.5, 5000],
        [],
        [7, None, 43.5, 36, "2 km"],
    ]
    path = write_xlsx(tmp_path / "a.xlsx", rows)
    book = openpyxl.load_workbook(path)
    book["Sheet1"].cell(row=2000, column=9000, value="stray")
    book.save(path)
    zones = read_zones(path, force="a")
    assert zones[["name", "source_row", "reach_m"]].to_numpy().tolist() == [["7", 3, 2000], ["A", 1, 5000]]
    assert [record["source_row"] for record in zones.attrs["set_aside"]] == [2]


@given(order=st.permutations(range(6)))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_row_order_changes_nothing_but_row_numbers(tmp_path: Path, order: list[int]) -> None:
    rows = [f"{'AB'[n % 2]},{43 + n // 2 / 10},36,5 km" for n in range(6)]
    path = write(tmp_path / "a.csv", "\n".join(["name,lon,lat,reach", *(rows[n] for n in order)]))
    zones = read_zones(path, force="a").drop(columns="source_row")
    straight = read_zones(write(path, "\n".join(["name,lon,lat,reach", *rows])), force="a").drop(columns="source_row")
    pd.testing.assert_frame_equal(pd.DataFrame(zones), pd.DataFrame(straight))


def test_joining_numbers_anew_whatever_the_order(tmp_path: Path) -> None:
    one = read_zones(write(tmp_path / "a.csv", "lon,lat,name\n43,36,A\n,,\n"), force="a")
    two = read_zones(write(tmp_path / "b.csv", "lon,lat,name\n43.1,36,B\n"), force="a")
    both, other = join_zones([one, two]), join_zones([two, one])
    assert both.index.tolist() == ["a-001", "a-002"]
    pd.testing.assert_frame_equal(pd.DataFrame(both), pd.DataFrame(other))
    assert [item["name"] for item in both.attrs["inputs"]] == ["a.csv", "b.csv"]
    assert both.attrs["set_aside"] == one.attrs["set_aside"]
    assert len(join_zones([])) == 0
    with pytest.raises(CrsError, match="two CRS"):
        join_zones([one, two.to_crs(32638)])
    assert cover([one, two], reach_m=1_000).index.tolist() == ["a"]


def posts(source: str, lonlat: list[tuple[float, float]]) -> gpd.GeoDataFrame:
    rows = range(1, len(lonlat) + 1)
    return gpd.GeoDataFrame({"source": source, "source_row": rows}, geometry=[Point(xy) for xy in lonlat], crs=4326)


def test_swapped_columns_are_seen_against_other_data() -> None:
    right = posts("right.csv", [(43, 36), (44, 35.5), (45, 34.5)])
    wrong = posts("wrong.csv", [(36.3, 43.1), (36.0, 43.5)])
    with pytest.raises(InputError, match=r"wrong.csv") as caught:
        suspect_swaps([right, wrong])
    assert "right.csv" in str(caught.value)
    more = posts("more.csv", [(43.5, 35.9)])
    with pytest.raises(InputError, match=r"^wrong.csv: its middle (.|\n)*rows 1 to 2: .* are swapped here\n"):
        suspect_swaps([right, more, wrong])
    with pytest.raises(InputError, match=r"1 of 4 rows cannot be used\n  row 4: far from the other rows"):
        suspect_swaps([posts("mixed.csv", [(43, 36), (43.2, 36.1), (43.3, 36.2), (36.1, 43.2)])])


def test_far_away_alone_is_no_swap() -> None:
    rng = np.random.default_rng(0)
    north = posts("a", [tuple(xy) for xy in rng.uniform((42, 34), (46, 37), (50, 2))])
    suspect_swaps([north, posts("b", [(47.8, 30.5)]), posts("c", [(-70, -30)]), north.iloc[:0]])
    suspect_swaps([])
