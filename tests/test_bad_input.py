"""Bad input: exit code 2 or an InputError, one clear message that names the file, key or argument, nothing written."""

from __future__ import annotations

import json
import re
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import pytest
from shapely import Point

import gapmap
from gapmap import cli, questions, storage
from gapmap.editions import edition
from gapmap.errors import InputError, MissingFileError
from gapmap.export import export
from gapmap.postgis import write_postgis
from gapmap.report import build_report
from tests.fake_analysis import fake_analysis

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

GOOD = """max_width = "20 km"
[forces.north]
zones = "north.csv"
reach = "5 km"
[forces.south]
zones = "south.csv"
reach = "5 km"
"""
NORTH = "name,lon,lat\nN1,43.0,36.3\nN2,43.1,36.3\n"
SOUTH = "name,lon,lat\nS1,43.0,36.1\nS2,43.1,36.1\n"
DATED = "name,lon,lat,valid_from,valid_to\nN1,43.0,36.3,{},{}\n"
KML = (
    '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark>'
    "<name>{}</name>{}</Placemark></Document></kml>"
)
RING = "<Polygon><outerBoundaryIs><LinearRing><coordinates>{}</coordinates></LinearRing></outerBoundaryIs></Polygon>"
POINT = "<Point><coordinates>43.0,36.3</coordinates></Point>"
UNCLOSED = [[43.0, 36.2], [43.1, 36.2], [43.1, 36.3], [43.05, 36.35]]
NAN_RING = [[float("nan"), 36.2], [43.1, 36.2], [43.1, 36.3], [float("nan"), 36.2]]
SQUARE = [[0.0, 0.0], [0.1, 0.0], [0.1, 0.1], [0.0, 0.0]]


def geojson(kind: str, coordinates: Any, **members: Any) -> str:  # noqa: ANN401 - nested lists of any depth
    geometry = {"type": kind, "coordinates": coordinates}
    feature = {"type": "Feature", "properties": {"name": "N1"}, "geometry": geometry}
    return json.dumps({"type": "FeatureCollection", "features": [feature], **members})


def collection() -> str:
    return geojson("", []).replace(
        '{"type": "", "coordinates": []}',
        '{"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [43, 36]}]}',
    )


def using(file: str) -> str:
    return GOOD.replace("north.csv", file)


def with_ground(key: str) -> str:
    return f'{GOOD}[{key}]\nfile = "ground.geojson"\n'


# What is bad: the files that differ from the good ones (None: not there), and what the message must say.
CASES: Mapping[str, tuple[Mapping[str, str | bytes | None], str]] = {
    "missing file": ({"north.csv": None}, r"north\.csv: no such file"),
    "missing scenario": ({"scenario.toml": None}, r"scenario\.toml: no such file"),
    "empty file": ({"north.csv": ""}, r"north\.csv: the file is empty"),
    "blank lines": ({"north.csv": "\n\n\n"}, r"north\.csv: the file is empty"),
    "web page": (
        {"north.csv": "\n<!DOCTYPE HTML><html><body>log in</body></html>"},
        r"north\.csv: a web page, no data",
    ),
    "header alone": ({"north.csv": "name,lon,lat\n"}, r"north\.csv: no zones"),
    "swapped": ({"north.csv": "name,lat,lon\nN1,43.0,36.3\nN2,43.1,36.3\n"}, r"north\.csv(.|\n)*swapped"),
    "swapped places": (
        {"scenario.toml": f'{GOOD}[places]\nfile = "towns.csv"\n', "towns.csv": "name,lon,lat\nT,36.2,43.05\n"},
        r"towns\.csv: its middle(.|\n)*swapped",
    ),
    "NaN": ({"north.csv": "name,lon,lat\nN1,43,36.3\nN2,nan,36.3\n"}, r"north\.csv(.|\n)*row 2: 'nan'"),
    "infinite": ({"north.csv": "name,lon,lat\nN1,inf,36.3\n"}, r"north\.csv(.|\n)*row 1: 'inf'"),
    "two CRS": (
        {
            "scenario.toml": using("n.geojson"),
            "n.geojson": geojson("Point", [43, 36.3], crs={"type": "name", "properties": {"name": "EPSG:32638"}}),
        },
        r"n\.geojson(.|\n)*two CRS",
    ),
    "no valid zone": (
        {"scenario.toml": f"date = 2021-06-01\n{GOOD}", "north.csv": DATED.format("2018-01-01", "2019-01-01")},
        "no zone is valid on 2021-06-01 for: north",
    ),
    "unknown key": ({"scenario.toml": GOOD.replace("max_width", "max_widht")}, "'max_widht'.*'max_width'"),
    "wrong unit": ({"scenario.toml": GOOD.replace("20 km", "20 miles")}, "max_width: .*miles"),
    "wrong unit in a row": ({"north.csv": "lon,lat,reach\n43,36.3,5 mi\n"}, r"north\.csv(.|\n)*row 1: .*'mi'"),
    "too narrow": ({"scenario.toml": GOOD.replace("20 km", "1 m")}, "max_width: 1 m is outside 100 m"),
    "no reach": ({"scenario.toml": GOOD.replace('reach = "5 km"\n', "")}, r'north\.csv(.|\n)*--reach "5 km"'),
    "dates reversed": ({"north.csv": DATED.format("2020-01-01", "2019-01-01")}, r"north\.csv(.|\n)*dates reversed"),
    "dates and no day": ({"north.csv": DATED.format("2018-01-01", "")}, r"north\.csv: 1 of 1 zones (.|\n)*--date"),
    "encoding": ({"north.csv": "name,lon,lat\né,43,36.3\n".encode("latin-1")}, r"north\.csv: not UTF-8"),
    "encoding of a scenario": ({"scenario.toml": b"title = '\xe9'\n"}, r"scenario\.toml: not UTF-8"),
    "encoding of a KML that GDAL does not know": (
        {"scenario.toml": using("n.kml"), "n.kml": KML.replace("UTF-8", "klingon").format("é", POINT).encode("cp1256")},
        r"n\.kml: states an encoding that is not read\n  -> export it again as UTF-8",
    ),
    "encoding of a KML": (
        {"scenario.toml": using("n.kml"), "n.kml": KML.format("é", POINT).encode("latin-1")},
        r"n\.kml: (.|\n)*UTF-8",
    ),
    "another format": ({"scenario.toml": using("n.gpkg"), "n.gpkg": "text"}, r"n\.gpkg: cannot be read as \.gpkg"),
    "collection": ({"scenario.toml": using("n.geojson"), "n.geojson": collection()}, r"n\.geojson(.|\n)*collection"),
    "ring not closed": (
        {"scenario.toml": using("n.geojson"), "n.geojson": geojson("Polygon", [UNCLOSED])},
        r"n\.geojson(.|\n)*row 1: .*ring",
    ),
    "ring of two points": (
        {"scenario.toml": using("n.geojson"), "n.geojson": geojson("Polygon", [UNCLOSED[:2]])},
        r"n\.geojson(.|\n)*row 1: .*ring",
    ),
    "ring of NaN": (
        {"scenario.toml": using("n.geojson"), "n.geojson": geojson("Polygon", [NAN_RING])},
        r"n\.geojson(.|\n)*row 1: .*NaN",
    ),
    "line of one point": (
        {"scenario.toml": using("n.geojson"), "n.geojson": geojson("LineString", [[43.0, 36.3]])},
        r"n\.geojson(.|\n)*row 1: .*line of one point",
    ),
    "ring of two points in a KML": (
        {"scenario.toml": using("n.kml"), "n.kml": KML.format("N1", RING.format("43,36.2 43.1,36.2"))},
        r"n\.kml(.|\n)*row 1: .*ring",
    ),
    **{
        f"{key} with a broken ring": (
            {"scenario.toml": with_ground(key), "ground.geojson": geojson("Polygon", [NAN_RING])},
            r"ground\.geojson(.|\n)*row 1: .*NaN",
        )
        for key in ("excluded", "area_of_interest")
    },
    **{
        f"{key} far away": (
            {"scenario.toml": with_ground(key), "ground.geojson": geojson("Polygon", [SQUARE])},
            r"ground\.geojson: .*misses all zones",
        )
        for key in ("excluded", "area_of_interest")
    },
    "heights that are text": (
        {"scenario.toml": f'{GOOD}[terrain]\ndem = "south.csv"\n'},
        r"south\.csv: cannot be read as a raster",
    ),
    "a name too long": ({"scenario.toml": using(f"{'n' * 300}.csv")}, r"n\.csv: (the name is too long|no such file)"),
    "a name too long for heights": (
        {"scenario.toml": f'{GOOD}[terrain]\ndem = "{"n" * 300}.tif"\n'},
        r"n\.tif: (the name is too long|no such file)\n  -> check \[terrain\] dem",
    ),
    "a folder": ({"scenario.toml": using(".")}, ": a folder, not a file"),
    "a folder of heights": ({"scenario.toml": f'{GOOD}[terrain]\ndem = ".."\n'}, "[^: ]: a folder, not a file"),
    "nobody's home": ({"scenario.toml": using("~nosuch/z.xlsx")}, "forces.north.zones: '~nosuch/z.xlsx' names a user"),
}


def refused(folder: Path, files: Mapping[str, str | bytes | None], capsys: pytest.CaptureFixture[str]) -> str:
    """Run the good scenario with some files changed; what is printed where it is refused as it should be."""
    for name, content in ({"scenario.toml": GOOD, "north.csv": NORTH, "south.csv": SOUTH} | dict(files)).items():
        if content is not None:
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    code = cli.main(["run", str(folder / "scenario.toml"), "--out", str(folder / "out")])
    printed = capsys.readouterr()
    assert code == 2
    assert printed.out == ""
    assert not (folder / "out").exists()
    assert printed.err.count("gapmap: ") == 1
    assert "Traceback" not in printed.err
    return printed.err


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_in_words_and_nothing_is_written(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files, words = CASES[case]
    said = refused(tmp_path, files, capsys)
    assert re.search(words, said), said


@pytest.mark.parametrize(
    ("prj", "words"), [(None, r"north\.shp: has no CRS"), ('LOCAL_CS["nothing"]', r"north\.shp: its CRS .*nothing")]
)
def test_a_shapefile_that_does_not_say_where_it_is(
    prj: str | None, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gpd.GeoDataFrame({"name": ["N1"]}, geometry=[Point(43, 36.3)], crs=4326).to_file(tmp_path / "north.shp")
    (tmp_path / "north.prj").unlink()
    if prj is not None:
        (tmp_path / "north.prj").write_text(prj, encoding="utf-8")
    said = refused(tmp_path, {"scenario.toml": using("north.shp")}, capsys)
    assert re.search(words, said), said


@pytest.mark.skipif(sys.platform == "win32", reason="has no such file")
def test_a_device_is_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for files in (using("/dev/null"), f'{GOOD}[terrain]\ndem = "/dev/null"\n'):
        assert "/dev/null: a device or pipe, not a file" in refused(tmp_path, {"scenario.toml": files}, capsys)


LONG = "n" * 300


@pytest.mark.skipif(sys.platform == "win32", reason="long names are missing ones there")
@pytest.mark.parametrize(
    "words",
    [
        ["run", f"{LONG}.toml"],
        ["check", f"{LONG}.csv", "--reach", "5 km"],
        ["run", "scenario.toml", "--out", LONG],
        ["map", f"{LONG}.gpkg"],
        ["query", f"{LONG}.gpkg", "at", "36,43"],
        ["compare", f"{LONG}.gpkg", f"{LONG}.gpkg"],
        ["whatif", f"{LONG}.toml", "--reach", "north=8km"],
        ["export", f"{LONG}.gpkg", "--edition", "full", "--format", "csv"],
        ["report", f"{LONG}.gpkg", "--edition", "full"],
        ["init", LONG],
    ],
)
def test_a_name_that_is_too_long_for_a_command(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, content in {"scenario.toml": GOOD, "north.csv": NORTH, "south.csv": SOUTH}.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 2
    said = capsys.readouterr().err
    assert re.search("name (is )?too long", said), said
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a\0b", "no name of a file"),
        *(
            pytest.param(
                name, "the name is too long", marks=pytest.mark.skipif(sys.platform == "win32", reason="missing")
            )
            for name in (LONG, "n" * 248, f"missing/{LONG}", f"{LONG}/missing")
        ),
    ],
)
def test_a_result_of_a_name_that_no_file_has(name: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.gpkg"
    with pytest.raises(InputError, match=f"cannot be written: {words}"):
        storage.write({}, path)
    if len(path.name) > 255 or "\0" in path.name:  # the others leave no room for a journal
        for read in (gapmap.open, gapmap.run, partial(gapmap.read_zones, force="a")):
            with pytest.raises(MissingFileError, match=words):
                read(path)


SAVED = "out/gaps.gpkg"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda _: gapmap.build_map(SAVED), f"analysis is {SAVED!r}, not an analysis"),  # type: ignore[arg-type]
        (lambda _: edition(SAVED, "full"), f"analysis is {SAVED!r}, not an analysis"),  # type: ignore[arg-type]
        (lambda _: gapmap.find_changes(SAVED, SAVED), f"before is {SAVED!r}"),  # type: ignore[arg-type]
        (lambda given: gapmap.find_changes(given, None), "after is of type NoneType"),  # type: ignore[arg-type]
        (lambda given: gapmap.build_map(given, changes=given), "changes are not those of a comparison"),
        (lambda _: questions.at(SAVED, "36, 43"), "analysis is"),  # type: ignore[arg-type]
        (lambda _: questions.place(SAVED, "Gwer"), "analysis is"),  # type: ignore[arg-type]
        (lambda _: questions.select(pd.DataFrame(), "places"), "analysis is of type DataFrame"),
        (build_report, "what leaves is an edition, not of type FakeAnalysis"),
        (lambda given: export(given, "out", file_format="csv"), "what leaves is an edition"),
        (lambda given: write_postgis(given, "service=none"), "what leaves is an edition"),
    ],
)
def test_a_path_in_place_of_a_result_is_said_with_what_to_do(call: Callable[[Any], object], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        call(fake_analysis())
    assert "gapmap.open(" in caught.value.hint or "gapmap.find_changes(" in caught.value.hint
