from __future__ import annotations

import datetime as dt
import json
import socket
import zipfile
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import GeometryCollection, LineString, MultiPoint, Point, Polygon, area, box, from_wkt

from gapmap.errors import CrsError, InputError, MissingFileError
from gapmap.reach import cover
from gapmap.readers import forces_by_folder, forces_in, join_zones, read_zones, suspect_swaps
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


def test_a_shapefile_that_does_not_say_its_encoding(tmp_path: Path) -> None:
    path = tmp_path / "posts.shp"
    TABLE.iloc[:1].assign(Name="الكوير").to_file(path, encoding="cp1256")
    (tmp_path / "posts.cpg").unlink()
    garbled = read_zones(path, force="north")
    (said,) = garbled.attrs["input"]["remarks"]
    assert (
        said
        == f'without a .cpg that says the encoding; if {garbled["name"].iloc[0]!r} is garbled: encoding = "windows-1256"'
    )
    told = read_zones(path, force="north", encoding="windows-1256")
    assert (told["name"].tolist(), told.attrs["input"]["remarks"]) == (["الكوير"], [])
    with pytest.raises(InputError, match=r"^posts.shp: a text in it is not in utf-8"):
        read_zones(path, force="north", encoding="utf-8")
    (tmp_path / "posts.cpg").write_text("1256", encoding="ascii")
    assert read_zones(path, force="north")["name"].tolist() == ["الكوير"]


def test_gpx_gives_waypoints_routes_and_tracks(tmp_path: Path) -> None:
    path = write(tmp_path / "patrol.gpx", GPX)
    zones = read_zones(path, force="north")
    assert zones[["name", "kind"]].to_numpy().tolist() == [["Gwer", "post"], ["Patrol", "route"], ["Road", "route"]]
    tracks = read_zones(path, force="north", layer="tracks")
    assert (tracks["name"].tolist(), tracks.attrs["input"]["unread"]) == (["Patrol"], ["waypoints", "routes"])


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
    text = "lon,lat,side\n43,36,East\n43.1,36,west\n43.2,36,EAST \n"
    with pytest.raises(InputError, match="row 3: force 'EAST' is 'East' in an earlier row: write it alike"):
        read_zones(write(tmp_path / "c.csv", text), force_column="side")


def test_a_list_of_several_forces_taken_for_one_is_remarked_on(tmp_path: Path) -> None:
    text = "lon,lat,Force,reach\n43,36,b,5km\n43.1,36,a,5km\n43.2,36,,5km\n"
    zones = read_zones(write(tmp_path / "a.csv", text), force="north")
    assert zones.attrs["input"]["remarks"] == [
        "its column 'force' names 'b', 'a': all are taken for north; only = { force = \"b\" } would take the rows of one"
    ]
    for same in (text.replace(",a,", ",B,"), text.replace("reach", "FORCE").replace("5km", "x")):
        told = read_zones(write(tmp_path / "b.csv", same), force="north", reach_m=5_000)
        assert told.attrs["input"]["remarks"] == []


SEVERAL = "name,lon,lat,Side,reach\nN,43,36.3,القوات,5km\n,,,,\nS1,43,36,South,\nS2,43.1,36, SOUTH,x\nT,43,37,,\n"


def test_the_rows_of_one_force_of_a_list_of_several(tmp_path: Path) -> None:
    """Its rows alone are judged, by their numbers in the file; the others are said."""
    path = write(tmp_path / "all.csv", SEVERAL)
    north = read_zones(path, force="north", only={"side": "القوات"})
    assert north[["force", "name", "reach_m"]].to_numpy().tolist() == [["north", "N", 5_000]]
    assert north.attrs["others"] == {2: None, 3: "South", 4: "SOUTH", 5: ""}
    assert (north.attrs["input"]["rows"], north.attrs["input"]["used"], north.attrs["set_aside"]) == (1, 1, [])
    assert north.attrs["input"]["read_as"].endswith("the rows of which column 'Side' says 'القوات'")
    with pytest.raises(InputError, match=r"all.csv: 1 of 2 zones cannot be used .*\n  row 4: reach 'x'"):
        read_zones(path, force="south", only={"side": "south"})


def test_the_rows_of_one_force_of_a_layer(tmp_path: Path) -> None:
    """A ring left open in another force's row is none of its faults."""
    rings = {"a": [[43, 36], [44, 36], [43, 36]], "b": [[43, 36], [44, 36], [44, 37], [43, 36]]}
    features = [
        {"type": "Feature", "properties": {"force": each}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
        for each, ring in rings.items()
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    path = write(tmp_path / "all.geojson", text)
    assert read_zones(path, force="b", only={"force": "b"}).index.tolist() == ["b-001"]
    with pytest.raises(InputError, match="row 1"):
        read_zones(path, force="a", only={"force": "a"})


@pytest.mark.parametrize(
    ("only", "words"),
    [
        ({"sid": "South"}, "unknown column 'sid'; did you mean 'Side'"),
        ({"Side": "Suoth"}, "column 'Side': unknown value 'Suoth'; did you mean 'South'"),
        ({"Side": "South", "name": "S1"}, r"only: 2 columns \(Side, name\)"),
    ],
)
def test_what_tells_the_forces_apart_is_there(tmp_path: Path, only: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_zones(write(tmp_path / "all.csv", SEVERAL), force="a", only=only)


def test_a_column_of_many_values_is_not_listed(tmp_path: Path) -> None:
    text = "name,lon,lat\n" + "".join(f"P{k},43,36\n" for k in range(30))
    with pytest.raises(InputError, match=r"all\.csv: column 'name': no row says 'P99'$"):
        read_zones(write(tmp_path / "all.csv", text), force="a", only={"name": "P99"})


def test_forces_that_a_list_names(tmp_path: Path) -> None:
    assert forces_in(write(tmp_path / "a.csv", SEVERAL.replace("Side", "FORCE"))) == ["القوات", "South"]
    assert forces_in(write(tmp_path / "a.csv", SEVERAL)) == []
    assert forces_in(write(tmp_path / "a.csv", "lon,lat,force\n43,36,South\n43,36.1,south\n")) == []


@pytest.mark.parametrize(
    ("folders", "forces"),
    [
        (["Federal", "Regional"], ["Federal", "Regional"]),
        (["Seam/Federal", "Seam/regional/Posts", "Seam/Federal/Sinjar"], ["Federal", "regional"]),
        (["Federal/Posts", "FEDERAL/Routes", "Posts/Regional"], ["Federal", "Regional"]),
        (["القوات", "البيشمركة"], ["القوات", "البيشمركة"]),
        (["Federal/North", "Federal/South"], ["North", "South"]),
        (["Posts", "Routes"], []),  # kinds are no forces
        (["Federal", "Federal"], []),
        (["Federal", "Regional", ""], []),  # whose is the last one?
        (["Federal", "Posts"], []),
        (["Seam/Federal", "Seam/Regional", "Seam"], []),
        (["Federal/Regional", "Regional"], []),  # the layer "Regional" would take both
        (["Federal&#47;one", "Regional"], []),  # a slash in a name
        (["Federal", " "], []),  # a folder without a name
    ],
)
def test_forces_that_the_folders_of_a_kml_part(tmp_path: Path, folders: list[str], forces: list[str]) -> None:
    marks = ""
    for place, each in enumerate(folders):
        names = list(filter(None, each.split("/")))
        mark = f"<Placemark><Point><coordinates>43.{place},36</coordinates></Point></Placemark>"
        marks += "".join(f"<Folder><name>{name}</name>" for name in names) + mark + "</Folder>" * len(names)
    head = '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>All</name>'
    path = write(tmp_path / "all.kml", f"{head}{marks}</Document></kml>")
    assert forces_by_folder(path) == forces
    for force in forces:
        mine = read_zones(path, force="a", layer=force)
        assert sorted(mine.geometry.x) == [
            43 + place / 10 for place, each in enumerate(folders) if force.casefold() in each.casefold().split("/")
        ]


def test_folders_of_no_kml_are_none(tmp_path: Path) -> None:
    assert forces_by_folder(write(tmp_path / "a.csv", "lon,lat,folder\n43,36,North\n43,36.2,South\n")) == []


@pytest.mark.parametrize(
    ("reach_m", "words"),
    [
        ("5 km", "reach_m: '5 km' is no number"),
        ({"post": "5"}, "post: '5' is no number"),
        ({"pots": 5}, "did you mean 'post'"),
    ],
)
def test_a_reach_that_is_none(tmp_path: Path, reach_m: Any, words: str) -> None:  # noqa: ANN401 - what somebody might give
    with pytest.raises(InputError, match=words):
        read_zones(write(tmp_path / "a.csv", "lon,lat\n43,36\n"), force="a", reach_m=reach_m)


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
h,"43;5",36,,,,,
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
            "no position",
            "one of longitude and latitude is missing",
            "'nan' is not a coordinate",
            "'inf' is not a coordinate",
            "longitude 358.2 is outside -180..180 (are the columns swapped?)",
            "latitude 136 is outside -90..90 (are the columns swapped?)",
            "its positions are 5810.3 km apart: leave the right one",
            "'43;5' is not a coordinate",
            "unknown kind 'pots'; did you mean 'post'?",
            "reach '5 mi' has the unit 'mi'",
            "reach '-1' is not a length of zero or more",
            "reach 300 km is outside 0..200 km",
            "valid_from '1.2.2020' is not an ISO date",
            "valid_from '2020-02-30' is no day of the calendar",
            "dates reversed: valid_from 2021-05-01 is not before valid_to 2021-05-01",
            "'POINT (' is not WKT",
            "a geometry collection",
            "no position",
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


def test_a_note_below_a_list_is_quoted(tmp_path: Path) -> None:
    text = 'no,name,position\n1,Gwer,"36.04, 43.48"\n,,\n,Total: 1 post,\n2,Makhmour,\n'
    with pytest.raises(InputError) as caught:
        read_zones(write(tmp_path / "a.csv", text), force="a")
    assert caught.value.problems == (
        "row 3: no position; it begins 'Total: 1 post': take a note or a total out of the list",
        "row 4: no position; it begins '2': take a note or a total out of the list",
    )


def test_missing_and_empty_geometry_in_a_geojson(tmp_path: Path) -> None:
    path = write_geojson(tmp_path / "a.geojson", point(43, 36), None, {"type": "Polygon", "coordinates": []})
    with pytest.raises(InputError, match=r"2 of 3 zones cannot be used\n  row 2: no position\n  row 3: no position"):
        read_zones(path, force="a")


def test_a_geometry_collection_in_kml_and_geojson(tmp_path: Path) -> None:
    gpd.GeoDataFrame(
        geometry=[GeometryCollection([Point(43, 36), LineString([(43, 36), (44, 36)])])], crs=4326
    ).to_file(tmp_path / "a.geojson")
    with pytest.raises(InputError, match="row 1: a geometry collection"):
        read_zones(tmp_path / "a.geojson", force="a")
    kml = KML.replace("<Point>", "<MultiGeometry><LineString><coordinates>1,1 2,2</coordinates></LineString><Point>")
    with pytest.raises(InputError, match="row 1: 'Gwer': a geometry collection"):
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
        ("a.csv", "lon,lat\n43,36\n".encode("utf-16-le"), "not text in UTF-8"),
        ("a.csv", ",,\n43,36\n", "its first row is blank"),
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
        read_zones(write(tmp_path / "wide.kml", KML.encode("utf-32")), force="a")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])  # with a byte-order mark, and without
@pytest.mark.parametrize("stated", ['encoding="UTF-16"', "encoding='utf-8'", ""])
def test_a_drawing_in_utf16_is_read_as_in_utf8(tmp_path: Path, encoding: str, stated: str) -> None:
    text = FOLDERS.format(**PARTS).replace("Northern force", "قوة الشمال")
    kml, gpx = (
        f"<?xml version='1.0' {stated}?>{each.partition('?>')[2]}"
        for each in (
            text,
            GPX.replace("Patrol", "دورية").replace("<trkseg>", '<trkseg><trkpt lat="1" lon="1"/></trkseg><trkseg>'),
        )
    )
    for name, content in (("a.kml", kml), ("b.gpx", gpx)):
        wide = read_zones(write(tmp_path / name, content.encode(encoding)), force="a", kinds={"نقاط": "route"})
        plain = read_zones(
            write(tmp_path / name, content.replace(stated, "").encode()), force="a", kinds={"نقاط": "route"}
        )
        pd.testing.assert_frame_equal(pd.DataFrame(wide), pd.DataFrame(plain))
        for said in ("read_as", "remarks", "repaired"):
            assert wide.attrs["input"][said] == plain.attrs["input"][said]
    with zipfile.ZipFile(tmp_path / "a.kmz", "w") as archive:
        archive.writestr("doc.kml", kml.encode(encoding))
    assert len(read_zones(tmp_path / "a.kmz", force="a", layer="قوة الشمال")) == 3


def test_a_gpx_whose_tags_have_a_prefix(tmp_path: Path) -> None:
    text = GPX.replace("xmlns=", "xmlns:ns0=").replace("</", "</ns0:")
    for tag in ("gpx", "wpt", "name", "rte", "trk"):
        text = text.replace(f"<{tag}", f"<ns0:{tag}")
    zones = read_zones(write(tmp_path / "a.gpx", text), force="a")
    assert zones["name"].tolist() == read_zones(write(tmp_path / "b.gpx", GPX), force="a")["name"].tolist()


def test_a_drawing_that_only_says_that_it_is_utf16(tmp_path: Path) -> None:
    # .NET writes so what it has first made as a text in memory.
    for mark, said in ((b"\xef\xbb\xbf", "utf-16"), (b"", "windows-1256"), (b"", "klingon")):
        text = KML.replace("UTF-8", said).replace("Gwer", "الكوير")
        path = write(tmp_path / "a.kml", mark + text.encode())
        assert sorted(read_zones(path, force="a")["name"]) == ["Road", "Valley", "الكوير"]


@pytest.mark.parametrize("encoding", ["windows-1256", "ISO-8859-6", "iso8859_6"])
def test_a_drawing_is_in_the_encoding_that_it_states(tmp_path: Path, encoding: str) -> None:
    text = KML.replace("UTF-8", encoding).replace("Gwer", "الكوير")
    zones = read_zones(write(tmp_path / "a.kml", text.encode(encoding)), force="a")
    assert sorted(zones["name"]) == ["Road", "Valley", "الكوير"]
    for words, wrong in (("DOCTYPE", "<!DOCTYPE kml>"), ("virtual layer", "<!-- <OGRVRTDataSource -->")):
        with pytest.raises(InputError, match=words):
            read_zones(write(tmp_path / "a.kml", text.replace("?>", f"?>{wrong}", 1).encode(encoding)), force="a")
    with pytest.raises(InputError, match="not in the encoding that it states"):
        read_zones(write(tmp_path / "a.kml", text.replace(encoding, "ascii").encode(encoding)), force="a")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_hides_nothing(tmp_path: Path, encoding: str) -> None:
    virtual = "<OGRVRTDataSource><OGRVRTLayer name='zones'/></OGRVRTDataSource>"
    entity = KML.replace("?>", "?><!DOCTYPE kml [<!ENTITY a 'b'>]>", 1)
    for text, words in ((entity, "DOCTYPE"), (virtual, "virtual layer"), (KML.replace("Gwer", "\0"), "single bytes")):
        for name in ("a.kml", "a.gpx"):
            with pytest.raises(InputError, match=words):
                read_zones(write(tmp_path / name, text.encode(encoding)), force="a")
    for text, words in (
        (entity, "a.kmz/doc.kml: has a DOCTYPE"),
        (KML[:-1] + "\ud800", "not in the encoding that it states, or cut short"),
    ):
        with zipfile.ZipFile(tmp_path / "a.kmz", "w") as archive:
            archive.writestr("doc.kml", text.encode(encoding, "surrogatepass"))
        with pytest.raises(InputError, match=words):
            read_zones(tmp_path / "a.kmz", force="a")


def test_a_layer_that_opens_other_files_is_refused(tmp_path: Path) -> None:
    # GDAL goes by a file's content, whatever it is called.
    other = as_file(tmp_path, ".gpkg")
    virtual = f"<OGRVRTDataSource><OGRVRTLayer name='zones'><SrcDataSource>{other}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
    command = {
        "type": "gdal_streamed_alg",
        "command_line": f"gdal vector pipeline ! read {other} ! edit --crs EPSG:4326",
    }
    for name, text in (
        ("a.geojson", json.dumps({"type": "FeatureCollection", "x": virtual, "features": []})),
        ("a.json", json.dumps(command)),
        ("a.kml", virtual),
        ("a.gpx", virtual),
    ):
        with pytest.raises(InputError, match="virtual layer"):
            read_zones(write(tmp_path / name, text), force="a")
    for name in ("a.gpkg", "a.shp"):
        for text in (virtual, json.dumps(command)):
            with pytest.raises(InputError, match=f"cannot be read as {name[1:]}"):
                read_zones(write(tmp_path / name, text), force="a")
    with zipfile.ZipFile(tmp_path / "a.kmz", "w") as archive:
        archive.writestr("doc.kml", virtual)
    with pytest.raises(InputError, match=r"a.kmz/doc.kml: holds a virtual layer"):
        read_zones(tmp_path / "a.kmz", force="a")


def test_a_file_that_names_a_server_asks_none(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/x?SERVICE=WFS&amp;REQUEST=DescribeFeatureType"
        spaces = (
            'xmlns:wfs="http://www.opengis.net/wfs" xmlns:gml="http://www.opengis.net/gml" xmlns:a="http://a" '
            f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://a {address}"'
        )
        service = f"<OGRWFSDataSource><URL>{address}</URL></OGRWFSDataSource>"
        schema = (
            f"<wfs:FeatureCollection {spaces}><gml:featureMember><a:b/></gml:featureMember></wfs:FeatureCollection>"
        )
        comment = KML.replace("<kml", f"<kml {spaces}", 1).replace(
            "<Document>", "<!-- <wfs:FeatureCollection > --><Document>"
        )
        for name, text in (
            *((f"a.{ending}", service) for ending in ("kml", "gpx", "gpkg", "shp")),
            *((f"a.{ending}", schema) for ending in ("kml", "gpx", "gpkg")),
            ("a.kml", comment),
        ):
            with pytest.raises(InputError, match=r"virtual layer|cannot be read"):
                read_zones(write(tmp_path / name, text), force="a")
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


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
    with pytest.raises(
        InputError,
        match=r"2 layers and none is named 'zones'\n  -> call it 'zones' in the file, or name one as layer: ",
    ):
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
    with pytest.raises(InputError, match=r"1 of 4 rows cannot be used .*\n  row 4: far from the other rows"):
        suspect_swaps([posts("mixed.csv", [(43, 36), (43.2, 36.1), (43.3, 36.2), (36.1, 43.2)])])
    with pytest.raises(
        InputError, match=r"2 of 4 rows cannot be used .*\n  row (1|2): .* swapped, here or in the others\?"
    ):
        suspect_swaps([half := posts("half.csv", [(43, 36.3), (36.3, 43.1), (43.2, 36.31), (36.31, 43.3)])])
    with pytest.raises(InputError, match=r"half.csv: 2 of 4 rows .*\n  row 2: .* swapped\?\n  row 4: .* swapped\?$"):
        suspect_swaps([right, half])


def test_far_away_alone_is_no_swap() -> None:
    rng = np.random.default_rng(0)
    north = posts("a", [tuple(xy) for xy in rng.uniform((42, 34), (46, 37), (50, 2))])
    suspect_swaps([north, posts("b", [(47.8, 30.5)]), posts("c", [(-70, -30)]), north.iloc[:0]])
    suspect_swaps([])


FOLDERS = """<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>Joint map</name>
<Folder><name>Northern force</name>
<Folder><name>Posts</name>{post}</Folder><Folder><name>Areas</name>{ring}</Folder><Folder><name>Routes</name>{ring}</Folder></Folder>
<Folder><name>Southern force</name>
<Folder><name>Posts</name>{post}{post2}</Folder><Folder><name>نقاط</name>{line}</Folder><Folder><name>Sketches</name>{ring}</Folder></Folder>
</Document></kml>"""
PARTS = {
    "post": "<Placemark><name>P</name><Point><coordinates>43,36,310</coordinates></Point></Placemark>",
    "post2": "<Placemark><name>Q</name><Point><coordinates>43.2,36,310</coordinates></Point></Placemark>",
    "ring": "<Placemark><name>R</name><LineString><coordinates>43,36,1 43.1,36,1 43.1,36.1,2 43,36,1</coordinates>"
    "</LineString></Placemark>",
    "line": "<Placemark><name>L</name><LineString><coordinates>43,36 43.1,36</coordinates></LineString></Placemark>",
}


@pytest.mark.parametrize("suffix", [".kml", ".kmz"])
def test_a_folder_is_a_force_and_folders_in_it_are_kinds(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"joint{suffix}"
    if suffix == ".kml":
        write(path, FOLDERS.format(**PARTS))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("files/photo.jpg", b"no picture")
            archive.writestr("doc.kml", FOLDERS.format(**PARTS))
    north = read_zones(path, force="north", layer="northern FORCE")
    assert north[["kind", "name"]].to_numpy().tolist() == [["area", "R"], ["post", "P"], ["route", "R"]]
    # A triangle of a tenth of a degree, by hand.
    assert north.geometry.iloc[0].geom_type == "Polygon"
    assert area(north.geometry.iloc[0]) == pytest.approx(0.005)
    assert north.attrs["input"]["read_as"] == (
        "folders: Northern force/Posts (1), Northern force/Areas (1), Northern force/Routes (1)"
    )
    assert north.attrs["input"]["unread"] == ["Southern force/Posts", "Southern force/نقاط", "Southern force/Sketches"]
    assert north.attrs["input"]["remarks"] == []
    south = read_zones(path, force="south", layer="Southern force", kinds={"نقاط": "route"})
    assert south["kind"].tolist() == ["post", "post", "route", "route"]
    assert south.attrs["input"]["remarks"] == [
        "row 4: a closed line, taken for a route; if it bounds an area, say so: kind area, or a folder called areas"
    ]
    with pytest.raises(
        InputError, match="no folder 'Eastern force'\n  -> name one as layer: Areas, Northern force, Posts"
    ):
        read_zones(path, force="a", layer="Eastern force")


def test_forces_from_folders(tmp_path: Path) -> None:
    text = FOLDERS.format(**PARTS).replace("Northern force", "north").replace("Southern force", "south")
    zones = read_zones(write(tmp_path / "a.kml", text), force_column="folder", kinds={"نقاط": "route"})
    assert zones.groupby("force").size().to_dict() == {"north": 3, "south": 4}
    with pytest.raises(InputError, match="row 1: 'P': force 'Northern force' is not a name"):
        read_zones(write(tmp_path / "a.kml", FOLDERS.format(**PARTS)), force_column="folder")


def test_every_kml_of_a_kmz_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.kmz", "w") as archive:
        archive.writestr("more/other.kml", KML.replace("Gwer", "Other"))
        archive.writestr("doc.kml", KML)
    zones = read_zones(tmp_path / "a.kmz", force="a")
    assert sorted(zones["name"]) == ["Gwer", "Other", "Road", "Valley"]  # two of the three are the same in both
    assert zones.attrs["input"]["rows"] == 6


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("43,36 43.1,36 43,36", "an area drawn as a line of fewer than three corners"),
        ("43,36 43.1,36 43.1,36.1 43,36.1", "an area drawn as a line that does not close"),
    ],
)
def test_lines_that_bound_no_area(tmp_path: Path, line: str, words: str) -> None:
    ring = f"<Placemark><LineString><coordinates>{line}</coordinates></LineString></Placemark>"
    text = FOLDERS.format(**{**PARTS, "ring": ring})
    with pytest.raises(InputError, match=f"row 2: {words}"):
        read_zones(write(tmp_path / "a.kml", text), force="a", layer="Northern force")


def test_an_area_drawn_by_hand_may_lack_a_little(tmp_path: Path) -> None:
    # 40 km around, 1 km short: closed. The area is that of the ring with the last side added.
    text = 'name,kind,wkt\nA,area,"LINESTRING (43 36, 43.1 36, 43.1 36.1, 43 36.1, 43 36.01)"\n'
    zones = read_zones(write(tmp_path / "a.csv", text), force="a")
    assert area(zones.geometry.iloc[0]) == pytest.approx(0.01)


def test_tracks_and_waypoints(tmp_path: Path) -> None:
    zones = read_zones(write(tmp_path / "a.gpx", GPX), force="a")
    assert zones.groupby("kind")["name"].agg(sorted).to_dict() == {"post": ["Gwer"], "route": ["Patrol", "Road"]}
    assert zones.attrs["input"]["read_as"] == "1 waypoint, 1 route, 1 track"
    loop = GPX.replace(
        '<trkpt lat="36.1" lon="43"/>',
        '<trkpt lat="36.1" lon="43"/><trkpt lat="36" lon="43.1"/><trkpt lat="36" lon="43"/>',
    )
    zones = read_zones(write(tmp_path / "b.gpx", loop), force="a")
    assert "row 3: a closed line, taken for a route" in zones.attrs["input"]["remarks"][0]
    stray = GPX.replace('<trkpt lat="36.1" lon="43"/>', "")
    with pytest.raises(InputError, match="row 3: 'Patrol': "):
        read_zones(write(tmp_path / "c.gpx", stray), force="a")


ARABIC = "الاسم;النوع;خط العرض;خط الطول;المدى;من تاريخ\nالكوير;نقطة;٣٦٫٠٤;٤٣٫٤٨;٥ كم;٣١/١/٢٠٢١\n"
COLUMNS_AR = {
    "name": "الاسم",
    "kind": "النوع",
    "lat": "خط العرض",
    "lon": "خط الطول",
    "reach": "المدى",
    "valid_from": "من تاريخ",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1256"])
def test_an_arabic_list_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    text = ARABIC
    if encoding == "windows-1256":  # has no Arabic digits: such files write Western ones
        text = ARABIC.translate({0x0660 + digit: str(digit) for digit in range(10)}).replace("٫", ",")
    path = write(tmp_path / "a.csv", text.encode(encoding))
    zones = read_zones(
        path,
        force="a",
        columns=COLUMNS_AR,
        kinds={"نقطة": "post"},
        day_first=True,
        encoding="windows-1256" if encoding == "windows-1256" else None,
    )
    row = zones.iloc[0]
    assert (row["name"], row["kind"], row["reach_m"]) == ("الكوير", "post", 5_000)
    assert row["valid_from"] == pd.Timestamp("2021-01-31")
    assert row.geometry.equals(Point(43.48, 36.04))
    stated = {"utf-8-sig": "UTF-8", "utf-8": "UTF-8", "utf-16": "UTF-16", "windows-1256": "windows-1256"}[encoding]
    assert zones.attrs["input"]["read_as"] == f"{stated}, parted by semicolons"


def test_an_encoding_is_told_and_not_guessed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ARABIC.replace("٣", "3").encode("utf-8"))
    with pytest.raises(InputError, match="is UTF-8, not windows-1256"):
        read_zones(path, force="a", encoding="windows-1256")
    western = ARABIC.translate({0x0660 + digit: str(digit) for digit in range(10)}).replace("٫", ".")
    path = write(tmp_path / "b.csv", western.encode("windows-1256"))
    with pytest.raises(InputError, match='say what it is: encoding = "windows-1256"'):
        read_zones(path, force="a")
    with pytest.raises(InputError, match="unknown encoding 'windows-9999'"):
        read_zones(path, force="a", encoding="windows-9999")


@pytest.mark.parametrize("encoding", ["klingon", "base64", "rot13", "undefined", "a\0b", "\ud800", "e" * 5_000])
@pytest.mark.parametrize("name", ["a.csv", "a.shp"])
def test_an_encoding_that_is_none_of_texts_is_refused(tmp_path: Path, name: str, encoding: str) -> None:
    path = tmp_path / name
    if name == "a.shp":
        gpd.GeoDataFrame({"name": ["é"]}, geometry=[Point(43, 36)], crs=4326).to_file(path)
        path.with_suffix(".cpg").unlink()
    else:
        write(path, "name,lat,lon\né,36,43\n")
    with pytest.raises(InputError, match=f"^{name}: unknown encoding .*\\n  -> for example encoding"):
        read_zones(path, force="a", encoding=encoding)


def test_a_file_that_is_not_in_an_encoding_of_host_names(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "name,lat,lon\nxn--a..b,36,43\n")
    with pytest.raises(InputError, match=r"^a\.csv: not punycode"):
        read_zones(path, force="a", encoding="punycode")


@pytest.mark.parametrize(("reach", "said"), [("8", "8"), ("8 m", "8"), ("49.5", "49.5"), ("50", ""), ("8 km", "")])
def test_a_reach_of_a_few_metres_is_doubted(tmp_path: Path, reach: str, said: str) -> None:
    text = f"name,lat,lon,reach\nA,36,43,5 km\nB,36,43.1,{reach}\nC,36,43.2,\n"
    zones = read_zones(write(tmp_path / "a.csv", text), force="a", reach_m=5_000)
    expected = f'row 2: a reach of {said} m; write "{said} km" if kilometres were meant'
    assert zones.attrs["input"]["remarks"] == ([expected] if said else [])


def test_a_reach_of_a_few_metres_that_the_scenario_gives_is_doubted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "name,lat,lon,kind\nA,36,43,post\nB,36,43.1,route\nC,36,43.2,area\n")
    zones = read_zones(path, force="a", reach_m={"post": 5, "route": 2, "area": 0})
    doubt = 'rows 1, 2: a reach of 5 m or less; write "5 km" if kilometres were meant'
    assert zones.attrs["input"]["remarks"][-1] == doubt


def test_a_kurdish_sheet(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["ناو", "جۆر", "شوێن", "مەودا"],
        ["گوێر", "پێگە", "38S LE 716 599", "۵ کم"],
        ["ڕێگا", "\u200fپێگە", "LE 75 59", 500],
    ]
    path = write_xlsx(tmp_path / "a.xlsx", rows)
    columns = {"name": "ناو", "kind": "جۆر", "position": "شوێن", "reach": "مەودا"}
    zones = read_zones(path, force="a", columns=columns, kinds={"پێگە": "post"}, mgrs_zones=["38S"])
    assert zones[["name", "reach_m"]].to_numpy().tolist() == [["ڕێگا", 500], ["گوێر", 5_000]]
    assert zones.attrs["input"]["remarks"] == [
        "row 2: MGRS of few digits, taken for the centre of its square, up to 0.7 km off"
    ]
    # Square LE of zone 38 begins at 300 km east and 3 900 km north: 71 650 and 59 950 more is the centre, by hand.
    east, north = zones.geometry.to_crs(32638).iloc[1].coords[0]
    assert (east, north) == pytest.approx((371_650, 3_959_950), abs=0.2)
    with pytest.raises(InputError, match=r"row 2: 'LE 75 59': an MGRS reference without its zone"):
        read_zones(path, force="a", columns=columns, kinds={"پێگە": "post"})
    with pytest.raises(InputError, match=r'row 1: unknown kind \'پێگە\'.*kinds = \{ "پێگە" = "post" \}'):
        read_zones(path, force="a", columns=columns, mgrs_zones=["38S"])
    with pytest.raises(InputError, match="the kinds cannot be mapped"):
        read_zones(path, force="a", columns=columns, kinds={"پێگە": "pots"})
    with pytest.raises(InputError, match="unknown field 'nam'; did you mean 'name'"):
        read_zones(path, force="a", columns={"nam": "ناو"})


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        ("36.34", "43.13"),
        ('36°20\'24""N', '43°07\'48""E'),
        ("N 36 20 24", "E 43 7 48"),
        ("36 20.4", "43 7.8"),
        ("36,34", "43,13"),
        ("٣٦٫٣٤", "۴۳٫۱۳"),
    ],
)
def test_degrees_in_two_columns_as_people_write_them(tmp_path: Path, lat: str, lon: str) -> None:
    text = f'name,lat,lon\nA,"{lat}","{lon}"\n'
    zones = read_zones(write(tmp_path / "a.csv", text), force="a")
    assert zones.geometry.iloc[0].distance(Point(43.13, 36.34)) < 1e-9


def test_two_positions_of_a_row_are_held_against_each_other(tmp_path: Path) -> None:
    # 38SLE716599 is a square of 100 m about 35.77524, 43.57997.
    def read(lat: str, lon: str, mgrs: str, **columns: str) -> gpd.GeoDataFrame:
        head, row = (",".join(each) for each in zip(*columns.items(), strict=True)) if columns else ("name", "A")
        return read_zones(write(tmp_path / "a.csv", f"lat,lon,mgrs,{head}\n{lat},{lon},{mgrs},{row}\n"), force="a")

    assert read("35.776", "43.58", "38SLE716599").geometry.tolist() == [Point(43.58, 35.776)]
    assert read("35.80", "43.60", "38SLE75").geometry.tolist() == [Point(43.6, 35.8)]  # a square of 10 km
    with pytest.raises(InputError, match=r"row 1: its positions are 2\.7 km apart: leave the right one"):
        read("35.80", "43.58", "38SLE716599")
    assert len(read("35.776", "43.58", "38SLE716599", wkt="POINT (43.58 35.776)")) == 1
    with pytest.raises(InputError, match="row 1: its point lies outside its shape: leave the right one"):
        read("35.776", "43.58", "", wkt='"LINESTRING (43 36, 44 36)"')
    line = "LINESTRING (43.5 35.7, 43.6 35.8)"  # a point of it may stand beside it, as in what gapmap exports
    for beside in (("", "", "38SLE716599"), ("35.75", "43.55", ""), ("35.776", "43.58", "38SLE716599")):
        assert read(*beside, wkt=f'"{line}"').geometry.iloc[0].equals(from_wkt(line))
    with pytest.raises(InputError, match="row 1: its point lies outside its shape: leave the right one"):
        read("", "", "38SLE716599", wkt='"LINESTRING (43 36, 44 36)"')


def test_one_column_of_positions(tmp_path: Path) -> None:
    text = 'name,position\nA,"36.34, 43.13"\nB,38SLE716599\nC,"36,34; 43,13"\nD,\nE,somewhere\nF,"43.13E 36.34N"\n'
    with pytest.raises(
        InputError,
        match=r"2 of 6 zones cannot be used .*\n  row 4: no position; it begins 'D': take .*\n  row 5: 'somewhere' is not a point",
    ):
        read_zones(write(tmp_path / "a.csv", text), force="a")
    zones = read_zones(write(tmp_path / "a.csv", text.replace("D,\nE,somewhere\n", "")), force="a")
    assert [row.geometry.equals(Point(43.13, 36.34)) for _, row in zones.iterrows()] == [True, False, True, True]


def test_dates_with_the_day_first_must_be_declared(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "lat,lon,valid_from\n36,43,1/6/2021\n36,43.1,13.06.2021\n36,43.2,2 Jun 2021\n")
    with pytest.raises(InputError, match=r"row 1: valid_from '1/6/2021' .* if the day comes first, say dates"):
        read_zones(path, force="a")
    zones = read_zones(path, force="a", day_first=True)
    assert sorted(zones["valid_from"].dt.strftime("%m-%d")) == ["06-01", "06-02", "06-13"]


def test_dates_of_zones_that_a_spreadsheet_may_have_turned(tmp_path: Path) -> None:
    text = "lon,lat,valid_from,valid_to\n43,36,2021-03-02,\n43.1,36,25/2/2021,\n"
    zones = read_zones(write(tmp_path / "a.csv", text), force="a", day_first=True)
    (said,) = zones.attrs["input"]["remarks"]
    assert said.startswith("days and months may be turned in column 'valid_from'")


def test_a_network_link_is_not_followed(tmp_path: Path) -> None:
    link = "<NetworkLink><Link><href>http://127.0.0.1:9/x.kml</href></Link></NetworkLink>"
    zones = read_zones(write(tmp_path / "a.kml", KML.replace("<Folder>", f"{link}<Folder>", 1)), force="a")
    assert len(zones) == 3
    assert zones.attrs["input"]["remarks"] == ["1 link to other files, not followed"]
    assert "link" not in zones.attrs["input"]["read_as"]
    with pytest.raises(InputError, match=r"a\.kml: "):
        read_zones(write(tmp_path / "a.kml", KML[: KML.index("<Folder>")] + link + "</Document></kml>"), force="a")


def test_a_part_that_is_packed_beyond_belief_is_refused(tmp_path: Path) -> None:
    path = as_file(tmp_path, ".xlsx")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/more.xml", b" " * 70_000_000)
    with pytest.raises(InputError, match=r"zones.xlsx/xl/more.xml: 70 MB packed into 0.1 MB"):
        read_zones(path, force="a")


def test_entities_in_a_workbook(tmp_path: Path) -> None:
    path = as_file(tmp_path, ".xlsx")
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    for attack in (
        b"<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>]>",
        b"<!--" + b" " * 1_048_570 + b"--><!DOCTYPE x SYSTEM 'file:///etc/passwd'>",
    ):
        head, start, rest = parts[sheet].partition(b"<worksheet")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in {**parts, sheet: head + attack + start + rest}.items():
                archive.writestr(name, data)
        with pytest.raises(InputError, match=r"zones.xlsx/xl/worksheets/sheet1.xml: has a DOCTYPE"):
            read_zones(path, force="a")


def test_a_workbook_that_lies_about_its_size(tmp_path: Path) -> None:
    path = as_file(tmp_path, ".xlsx")
    data = bytearray(path.read_bytes())
    place = data.index(b"PK\x01\x02")  # the directory's first entry; its unpacked size is at 24
    data[place + 24 : place + 28] = (5).to_bytes(4, "little")
    with pytest.raises(InputError, match="not a readable XLSX"):
        read_zones(write(path, bytes(data)), force="a")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"PK\x03\x04rest", "packed, as .xlsx and .kmz are"),
        ("a.kml", b"PK\x03\x04rest", "packed, as .xlsx and .kmz are"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", r"an old Excel workbook \(.xls\)"),
        (
            "a.csv",
            b"Posts of the north,,\nname,lat,lon\nA,36,43\n",
            "the first row names the columns, with nothing above",
        ),
        ("a.csv", b"name,lat,lon\nA,0,0.0\n", "row 1: longitude 0 and latitude 0, which stand for no position"),
        ("a.csv", b"name,wkt\nA,POINT (0 0)\n", "row 1: longitude 0 and latitude 0, which stand for no position"),
    ],
)
def test_what_tired_people_send(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_zones(write(tmp_path / name, content), force="a")


def test_a_track_with_a_part_without_points(tmp_path: Path) -> None:
    text = GPX.replace("<trk><name>Patrol</name>", "<trk><name>Patrol</name><trkseg/>")
    zones = read_zones(write(tmp_path / "a.gpx", text), force="a")
    track = zones.set_index("name").geometry["Patrol"]
    assert [part.is_empty for part in track.geoms] == [False]


def test_a_track_without_points_is_set_aside_and_the_others_are_read(tmp_path: Path) -> None:
    hollow = "<trk><name>Off</name><trkseg/></trk><trk><name>Off too</name></trk>"
    text = GPX.replace("<rte>", "<rte><name>Planned</name></rte><rte>", 1).replace("<trk>", f"{hollow}<trk>", 1)
    zones = read_zones(write(tmp_path / "a.gpx", text), force="a", reach_m=5_000)
    whole = read_zones(write(tmp_path / "b.gpx", GPX), force="a", reach_m=5_000)
    assert zones["name"].tolist() == whole["name"].tolist() == ["Gwer", "Patrol", "Road"]
    assert zones.geometry.geom_equals(whole.geometry).all()
    said = [(each["source_row"], each["reason"]) for each in zones.attrs["set_aside"]]
    assert said == [(row, "a track or route without points") for row in (2, 4, 5)]
    assert zones.attrs["input"]["set_aside"] == 3
    alone = GPX[: GPX.index("<wpt")] + hollow + "</gpx>"
    with pytest.raises(InputError, match="no zones in it, all rows are blank or without points"):
        read_zones(write(tmp_path / "c.gpx", alone), force="a")


def test_folders_in_folders_without_end(tmp_path: Path) -> None:
    deep = "<Folder>" * 50_000 + "</Folder>" * 50_000
    with pytest.raises(InputError, match="folders in folders without end"):
        read_zones(write(tmp_path / "a.kml", KML.replace("<Folder>", f"{deep}<Folder>", 1)), force="a")


def test_a_track_with_a_part_of_one_point(tmp_path: Path) -> None:
    stray = '<trkseg><trkpt lat="36.05" lon="43.2"/></trkseg>'
    first = '<trk><name>Before</name><trkseg><trkpt lat="35" lon="43"/><trkpt lat="35" lon="43.1"/></trkseg></trk>'
    text = GPX.replace("<trk><name>Patrol</name>", f"{first}<trk><name>Patrol</name>{stray}")
    zones = read_zones(write(tmp_path / "a.gpx", text), force="a")
    whole = read_zones(write(tmp_path / "b.gpx", GPX.replace("<trk>", f"{first}<trk>", 1)), force="a")
    assert zones.geometry.geom_equals(whole.geometry).all()
    assert [each.attrs["input"]["repaired"] for each in (zones, whole)] == [1, 0]
    with pytest.raises(InputError, match="'Patrol': the geometry cannot be built"):
        read_zones(write(tmp_path / "c.gpx", text.replace('lat="36.05"', 'lat="nan"')), force="a")


def test_columns_that_are_not_used_are_named(tmp_path: Path) -> None:
    text = "lon,lat,NAME,Reach (km),remarks,side\n43,36,A,5,x,n\n"
    path = write(tmp_path / "a.csv", text)
    said = read_zones(path, force="a").attrs["input"]["read_as"]
    assert said == "UTF-8, parted by commas; columns not used: 'Reach (km)', 'remarks', 'side'"
    said = read_zones(path, force_column="Side", columns={"reach_km": "Reach (km)"}).attrs["input"]["read_as"]
    assert said == "UTF-8, parted by commas; columns not used: 'remarks'"
    assert read_zones(path, force="a").attrs["input"]["remarks"] == [
        "column 'Reach (km)' is not used; if it is the reach: columns = { reach_km = 'Reach (km)' }, or reach_m"
    ]
    many = write(tmp_path / "b.csv", "lon,lat," + ",".join(f"c{n}" for n in range(10)) + "\n43,36" + ",x" * 10 + "\n")
    assert read_zones(many, force="a").attrs["input"]["read_as"].endswith("'c6', 'c7' and 2 more")


def test_a_reach_or_date_that_counts_for_nothing_is_remarked_on(tmp_path: Path) -> None:
    def remarks(header: str, row: str, **options: Any) -> list[str]:  # noqa: ANN401 - those of read_zones
        path = write(tmp_path / "a.csv", f"lon,lat,{header}\n43,36,{row}\n43.1,36,{row}\n")
        return read_zones(path, force="a", reach_m=5_000, **options).attrs["input"]["remarks"]

    radius = "column 'Radius km' is not used; if it is the reach: columns = { reach_km = 'Radius km' }, or reach_m"
    dates = (
        "column 'Since' holds dates and is not used; if zones count from or to these: "
        "columns = { valid_from = 'Since' }, or valid_to"
    )
    assert remarks("Radius km,Since", "8,1/2/2021") == [radius, dates]
    assert (
        remarks("Radius km,Since,Until", "8,2021-02-01,", columns={"reach_km": "Radius km", "valid_to": "Until"}) == []
    )
    assert remarks("orange,x,x", "8,,") == []
    stamped = KML.replace("<TimeSpan>", "<TimeStamp><when>2020-01-01</when></TimeStamp><TimeSpan>").replace(
        '"reach"', '"radius"'
    )
    told = read_zones(write(tmp_path / "a.kml", stamped), force="a").attrs["input"]["remarks"]
    assert told == [radius.replace("Radius km", "radius")]
    assert remarks("reach_km,reach,radius", "8,5 km,2") == ["the reach is that of column 'reach_km', not of 'reach'"]


def test_a_route_or_area_given_by_a_point_is_remarked_on(tmp_path: Path) -> None:
    """Somebody may think that the points of a route are joined."""
    lines = ["lon,lat,wkt,kind", "43,36,,route", "43.1,36,,Route", ',,"LINESTRING (43 36, 44 36)",route']
    lines += ["43.2,36,,area", "43.3,36,,post", "43.4,36,,"]
    path = write(tmp_path / "a.csv", "\n".join(lines) + "\n")
    found = read_zones(path, force="a", reach_m=5_000)
    assert found["kind"].value_counts().to_dict() == {"route": 3, "area": 1, "post": 2}
    assert found.attrs["input"]["remarks"] == [
        (
            "rows 1, 2: kind route, but a point: each covers a disc of its reach; "
            "points of one route are not joined: give it as a line, from a map, a GPS track or as WKT"
        ),
        "row 4: kind area, but a point: it covers a disc of its reach; if it has an outline, give that",
    ]


@pytest.mark.parametrize("ending", ["kml", "kmz"])
def test_when_a_track_was_recorded_is_not_when_it_counts(ending: str, tmp_path: Path) -> None:
    points = "".join(f"<when>2021-01-0{n}T08:00:00Z</when><gx:coord>43.{n} 36.3 0</gx:coord>" for n in (1, 2))
    text = f"""<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2"><Document>
<Placemark><name>Driven</name><gx:Track>{points}</gx:Track></Placemark>
<Placemark><name>Once</name><gx:MultiTrack><gx:Track>{points.replace("-02T", "-01T")}</gx:Track></gx:MultiTrack></Placemark>
<Placemark><name>Dated</name><TimeSpan><begin>2021-03-01</begin></TimeSpan><Point><coordinates>43,36.3</coordinates></Point>
</Placemark></Document></kml>"""
    path = tmp_path / f"phone.{ending}"
    if ending == "kmz":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("doc.kml", text)
    else:
        path.write_text(text, encoding="utf-8")
    zones = read_zones(path, force="a", reach_m=1_000).set_index("name")
    assert zones["kind"].to_dict() == {"Driven": "route", "Once": "route", "Dated": "post"}
    assert zones["valid_to"].isna().all()
    assert zones["valid_from"].dropna().to_dict() == {"Dated": pd.Timestamp("2021-03-01")}


def test_a_kmz_whose_document_has_no_name_is_read(tmp_path: Path) -> None:
    path = tmp_path / "phone.kmz"
    post = "<Placemark><name>{}</name><Point><coordinates>43.{},36.3</coordinates></Point></Placemark>"
    text = f"<Document><Folder><name>Posts</name>{post.format('A', 1)}</Folder>{post.format('B', 2)}</Document>"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("doc.kml", f'<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2">{text}</kml>')
    zones = read_zones(path, force="a", reach_m=1_000)
    assert sorted(zones["name"]) == ["A", "B"]
    assert zones.attrs["input"]["read_as"] == "folders: none (1), Posts (1)"


def test_a_column_of_texts_and_numbers_is_read_without_a_warning(tmp_path: Path) -> None:
    features = [
        {"type": "Feature", "properties": {"reach": reach}, "geometry": {"type": "Point", "coordinates": [43, 36]}}
        for reach in ("7,5 km", 3)
    ]
    path = tmp_path / "posts.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    assert set(read_zones(path, force="a")["reach_m"]) == {7_500, 3}


def test_a_last_day_far_off_is_none(tmp_path: Path) -> None:
    rows = "A,43,36,2020-01-01,9999-12-31\nB,43,36.1,,9999-12-31 00:00\nC,43,36.2,,2022-01-01\n"
    zones = read_zones(write(tmp_path / "a.csv", f"name,lon,lat,valid_from,valid_to\n{rows}"), force="a")
    assert zones["valid_to"].isna().tolist() == [True, True, False]
    assert "rows 1, 2: a last day in the year 9999 is taken for no end" in zones.attrs["input"]["remarks"]
    span = "<TimeSpan><end>9999-12-31</end></TimeSpan><Point><coordinates>43,36</coordinates></Point>"
    kml = f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark>{span}</Placemark></Document></kml>'
    drawn = read_zones(write(tmp_path / "a.kml", kml), force="a")
    assert drawn["valid_to"].isna().all()
    assert "row 1: a last day in the year 9999 is taken for no end" in " ".join(drawn.attrs["input"]["remarks"])
    # A slip of the pen is none of these, and nothing begins then.
    for column, day in (("valid_from", "9999-12-31"), ("valid_to", "2201-06-01"), ("valid_to", "9999-13-31")):
        with pytest.raises(InputError, match="is no day of the calendar from 1900 to 2100"):
            read_zones(write(tmp_path / "a.csv", f"lon,lat,{column}\n43,36,{day}\n"), force="a")


def test_what_was_repaired_is_said(tmp_path: Path) -> None:
    bow = "POLYGON ((43 36, 44 37, 44 36, 43 37, 43 36))"
    zones = read_zones(write(tmp_path / "a.csv", f'wkt\nPOINT (43 36)\n"{bow}"\n'), force="a")
    assert zones.attrs["input"]["repaired"] == 1
    said = "row 2: repaired, for an outline crosses itself or a part has no length"
    assert said in zones.attrs["input"]["remarks"]


def test_a_title_above_the_names_is_said(tmp_path: Path) -> None:
    text = "Posts of the north,,\nnom,x,y\nA,43,36\n"
    with pytest.raises(InputError, match=r"nom[^>]*-> the first row names the columns, with nothing above it"):
        read_zones(write(tmp_path / "a.csv", text), force="a", columns={"name": "nom", "lon": "x", "lat": "y"})
