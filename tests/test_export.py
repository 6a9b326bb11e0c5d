"""Editions as files: each is opened by what is meant to open it, and sought for what must not be in it."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import sqlite3
import struct
import subprocess
import zipfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import mgrs
import pandas as pd
import pytest
import shapely
from lxml import etree

import gapmap
from gapmap import questions, tables
from gapmap.answers import Target, give_rows
from gapmap.cli import main
from gapmap.compare import find_changes
from gapmap.editions import Edition, edition
from gapmap.errors import InputError, ResultError
from gapmap.export import FORMATS, export
from tests.fake_analysis import FakeAnalysis, fake_analysis
from tests.sentinels import KIND, NORTH, NORTH_FILE, NOTE, SOUTH, SOUTH_FILE

if TYPE_CHECKING:
    from gapmap import Analysis

EDITIONS: list[tuple[str, str | None]] = [("full", None), ("partner", "north"), ("public", None)]
SCHEMA = Path(__file__).parent.parent / ".cache" / "geojson-schema" / "package" / "FeatureCollection.json"
VALIDATOR = Path("/usr/lib/python3/dist-packages/osgeo_utils/samples/validate_gpkg.py")
NASTY = "=cmd|'/c calc'!A1</name><script>alert(1)</script>{{7*7}}\x01]]>&amp;"


@pytest.fixture(scope="module", params=EDITIONS, ids=["full", "partner", "public"])
def made(request: pytest.FixtureRequest, result: Analysis) -> Edition:
    name, force = request.param
    return edition(result, name, force=force)


def spilled(paths: list[Path]) -> str:
    """Return all that files hold: their bytes, those of a zip unpacked, the values of Parquet, and their names."""
    parts = []
    for path in paths:
        parts.append(path.name.encode())
        if path.suffix == ".kmz":
            with zipfile.ZipFile(path) as archive:
                parts += [archive.read(name) for name in archive.namelist()]
        elif path.suffix == ".parquet":
            parts += [path.read_bytes(), pd.read_parquet(path).reset_index().to_csv().encode()]
        else:
            parts.append(path.read_bytes())
    return b"\n".join(parts).decode("utf-8", "replace")


def alike(written: Any, meant: Any) -> bool:  # noqa: ANN401 - arrays of geometries
    """Tell whether shapes are the same but for the last digit; areas may lose what is thinner than that."""
    written, meant = shapely.make_valid(written), shapely.make_valid(meant)
    areas = shapely.get_dimensions(meant) > 1
    apart = shapely.area(shapely.symmetric_difference(written[areas], meant[areas]))
    return bool((apart < 1e-6).all() and (shapely.hausdorff_distance(written[~areas], meant[~areas]) < 1e-6).all())


def attacked(result: Analysis) -> Edition:
    """A full edition with a text in every name that means something to somebody."""
    whole = edition(result, "full")
    named = {
        name: table.assign(**{column: NASTY for column in ("name", "note") if column in table})
        for name, table in whole.tables.items()
    }
    return replace(whole, tables={**named, "run": whole.table("run").assign(title=NASTY)})


# ---- What must not be in them


@pytest.mark.parametrize("file_format", sorted(FORMATS))
@pytest.mark.parametrize(("name", "force"), [("partner", "north"), ("partner", "south"), ("public", None)])
def test_withheld_words_are_in_no_byte(
    result: Analysis, name: str, force: str | None, file_format: str, tmp_path: Path
) -> None:
    paths = export(edition(result, name, force=force), tmp_path, file_format=file_format)
    text = spilled(paths).casefold()
    own: dict[str | None, tuple[str, ...]] = {"north": (*NORTH, NORTH_FILE), "south": (*SOUTH, SOUTH_FILE)}
    for word in (*NORTH, *SOUTH, NORTH_FILE, SOUTH_FILE):
        if word not in own.get(force, ()):
            assert word.casefold() not in text, word
    assert NOTE.casefold() not in text
    if force:
        assert own[force][0].casefold() in text
        assert {"north": "south", "south": "north"}[force] + "-0" not in text


def holds(data: bytes, points: gpd.GeoSeries) -> bool:
    """Tell whether a point stands in bytes: as doubles, in metres and in degrees, or in figures to a metre or finer."""
    degrees = shapely.get_coordinates(points.to_crs(4326).to_numpy())
    packed = [struct.pack("<dd", *pair) for pair in (*shapely.get_coordinates(points.to_numpy()), *degrees)]
    texts = set()
    for digits in (5, 6, 7):
        for pair in degrees.round(digits).tolist():
            for a, b in ([f"{v:.{digits}f}" for v in pair], map(str, pair), [f"{v:.10g}" for v in pair]):
                texts |= {f"{a},{b}", f"{a} {b}", f"{a}, {b}", f"{b}, {a}"}
    figures = re.compile(rf"(?<![\d.])(?:{'|'.join(map(re.escape, sorted(texts)))})(?![\d.])".encode())
    return any(each in data for each in packed) or figures.search(data) is not None


@pytest.mark.parametrize("file_format", sorted(set(FORMATS) - {"parquet"}))
@pytest.mark.parametrize(("name", "force"), EDITIONS)
def test_positions_that_are_withheld_are_in_no_byte(
    result: Analysis, name: str, force: str | None, file_format: str, tmp_path: Path
) -> None:
    """Own posts are found where they are held, so that the search would find the others."""
    paths = export(edition(result, name, force=force), tmp_path, file_format=file_format)
    data = b"".join(
        zipfile.ZipFile(path).read("doc.kml") if path.suffix == ".kmz" else path.read_bytes() for path in paths
    )
    zones, incidents = result.table("zones"), result.table("incidents")
    posts = zones[zones["kind"] == "post"]
    posts = posts[posts.geometry.x != 0]  # one is where the plane begins: zeros are all over
    for points, held in (
        (posts.geometry[posts["force"] == "north"], name != "public"),
        (posts.geometry[posts["force"] == "south"], name == "full"),
        (incidents.geometry, name != "public"),
    ):
        assert holds(data, points) == held
    if file_format == "gpkg":
        with closing(sqlite3.connect(paths[0])) as database:
            assert database.execute("PRAGMA freelist_count").fetchone() == (0,)


@pytest.mark.parametrize("file_format", sorted(FORMATS))
@pytest.mark.parametrize(("name", "force"), EDITIONS)
def test_rows_shared_as_counts_are_in_no_byte(
    counts: Analysis, name: str, force: str | None, file_format: str, tmp_path: Path
) -> None:
    text = spilled(export(edition(counts, name, force=force), tmp_path, file_format=file_format))
    for row in ("Q001", "Q999", NOTE, KIND, "2019-13-45", "2021-06-11", "2020-02-11", "43.2504", "43.2511"):
        assert row not in text, row


@pytest.mark.parametrize("file_format", sorted(FORMATS))
def test_every_file_is_marked(made: Edition, file_format: str, tmp_path: Path) -> None:
    short = made.table("run")["edition"].iloc[0]
    for path in export(made, tmp_path, file_format=file_format):
        text = spilled([path])
        assert made.stem in path.name
        assert short in text
        assert "Made for a test" in text
        if file_format in {"gpkg", "geojson", "kml", "kmz"}:
            assert made.mark.rstrip(".") in text


@pytest.mark.parametrize("file_format", sorted(FORMATS))
def test_the_same_edition_gives_the_same_bytes(made: Edition, file_format: str, tmp_path: Path) -> None:
    one, two = (export(made, tmp_path / name, file_format=file_format) for name in "ab")
    assert [path.name for path in one] == [path.name for path in two]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


# ---- GeoPackage


def test_a_geopackage_passes_the_validator_of_gdal(made: Edition, tmp_path: Path) -> None:
    if not VALIDATOR.exists():
        pytest.skip("no validate_gpkg.py on this machine (Debian: python3-gdal)")
    [path] = export(made, tmp_path, file_format="gpkg")
    done = subprocess.run(["/usr/bin/python3", VALIDATOR, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_full_or_partner_geopackage_is_a_result(result: Analysis, tmp_path: Path) -> None:
    for name, force in EDITIONS[:2]:
        whole = edition(result, name, force=force)
        [path] = export(whole, tmp_path, file_format="gpkg")
        opened = gapmap.open(path)
        for table in tables.COLUMNS:
            assert opened.table(table).equals(whole.table(table)), table
    assert opened.at("36.12, 43.25").ground == "corridor"
    with pytest.raises(InputError, match="itself a partner north edition"):
        edition(opened, "full")


def test_a_geopackage_holds_a_style_for_each_layer(made: Edition, tmp_path: Path) -> None:
    [path] = export(made, tmp_path, file_format="gpkg")
    with closing(sqlite3.connect(path)) as database:
        styled = dict(database.execute("SELECT f_table_name, styleQML FROM layer_styles"))
    assert ("grid" in styled) == (made.name == "public")
    assert set(styled) <= set(made.tables)
    for qml in styled.values():
        etree.fromstring(qml.encode())


# ---- GeoJSON


def test_geojson_is_as_its_schema_and_rfc_7946_have_it(made: Edition, tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    if not SCHEMA.exists():
        pytest.skip(f"no {SCHEMA.name} in .cache: npm pack geojson-schema, as .ci/run does")
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    for path in export(made, tmp_path, file_format="geojson"):
        tree = json.loads(path.read_text(encoding="utf-8"))
        jsonschema.validate(tree, schema)
        assert "crs" not in tree  # section 4
        for feature in tree["features"]:
            _right_handed(feature["geometry"])
        name = path.stem.removeprefix(f"{made.stem}-")
        assert len(tree["features"]) == len(made.table(name))
        read = gpd.read_file(path) if tree["features"] else None
        if read is not None:
            assert read.crs.to_epsg() == 4326
            same = made.table(name).to_crs(4326).geometry.to_numpy()
            assert read.geometry.is_valid.all()
            assert alike(read.geometry.to_numpy(), same)


def _right_handed(geometry: dict[str, Any]) -> None:
    """Rings are closed, outer ones turn left, holes right (section 3.1.6); positions are longitude, latitude (3.1.1)."""
    shape = shapely.geometry.shape(geometry)
    west, south, east, north = shape.bounds
    assert 40 < west <= east < 46
    assert 33 < south <= north < 39
    for part in getattr(shape, "geoms", [shape]):
        if part.geom_type == "Polygon":
            assert part.exterior.is_ccw
            assert not any(hole.is_ccw for hole in part.interiors)
            assert part.exterior.coords[0] == part.exterior.coords[-1]


# ---- KML


@pytest.fixture(scope="module")
def kml_schema() -> etree.XMLSchema:
    pykml = pytest.importorskip("pykml")  # ships the schema of the Open Geospatial Consortium
    return etree.XMLSchema(etree.parse(str(Path(pykml.__file__).parent / "schemas" / "ogckml22.xsd")))


def test_kml_is_as_its_schema_has_it(made: Edition, kml_schema: etree.XMLSchema, tmp_path: Path) -> None:
    [path] = export(made, tmp_path, file_format="kml")
    tree = etree.parse(str(path))
    kml_schema.assertValid(tree)
    space = {"k": "http://www.opengis.net/kml/2.2"}
    styles = {f"#{each}" for each in tree.xpath("//k:Style/@id", namespaces=space)}
    used = set(tree.xpath("//k:styleUrl/text()", namespaces=space))
    assert used <= styles
    assert len(used) > 1
    folders = tree.xpath("//k:Folder/k:name/text()", namespaces=space)
    for folder in folders:
        count = tree.xpath(f"count(//k:Folder[k:name='{folder}']/k:Placemark)", namespaces=space)
        assert count == len(made.table(folder))


def test_a_kmz_is_the_kml_in_a_zip(made: Edition, tmp_path: Path) -> None:
    [kml], [kmz] = (export(made, tmp_path, file_format=each) for each in ("kml", "kmz"))
    with zipfile.ZipFile(kmz) as archive:
        assert archive.namelist() == ["doc.kml"]
        assert archive.read("doc.kml") == kml.read_bytes()


def test_texts_in_kml_are_texts_twice_over(result: Analysis, kml_schema: etree.XMLSchema, tmp_path: Path) -> None:
    """In the file, and in the page that a program makes of a description."""
    [path] = export(attacked(result), tmp_path, file_format="kml")
    tree = etree.parse(str(path))
    kml_schema.assertValid(tree)
    space = {"k": "http://www.opengis.net/kml/2.2"}
    assert NASTY.replace("\x01", "?") in tree.xpath("//k:Placemark/k:name/text()", namespaces=space)
    for description in tree.xpath("//k:description/text()", namespaces=space):
        page = etree.HTML(f"<p>{description}</p>")
        assert {node.tag for node in page.iter()} <= {"html", "body", "p", "b", "br"}
    assert "<!DOCTYPE" not in path.read_text(encoding="utf-8")


def test_an_answer_of_an_edition_is_marked_as_that_edition(
    result: Analysis, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = edition(result, "partner", force="north")
    (path,) = export(made, tmp_path, file_format="gpkg")
    partner = gapmap.open(path)
    give_rows(questions.select(partner, "stretches"), Target("csv", tmp_path / "a.csv"))
    assert f"{made.mark} What may leave is made by gapmap export." in capsys.readouterr().out
    assert set(pd.read_csv(tmp_path / "a.csv")["edition"]) == {"partner north"}
    assert questions.at(partner, "36.12, 43.25").to_dict()["edition"] == made.mark
    assert find_changes(partner, partner).figures()["edition"] == made.mark
    # What was held against the whole result is the whole result's.
    assert find_changes(partner, result).figures()["edition"] == edition(result, "full").mark


def test_too_many_placemarks_are_refused(result: Analysis, tmp_path: Path) -> None:
    whole = edition(result, "full")
    many = pd.concat([whole.table("incidents")] * 2_000)
    with pytest.raises(InputError, match="more than programs open in KML"):
        export(replace(whole, tables={**whole.tables, "incidents": many}), tmp_path, file_format="kml")
    assert list(tmp_path.iterdir()) == []


# ---- CSV and GeoParquet


def test_csv_holds_shape_and_mgrs(made: Edition, tmp_path: Path) -> None:
    for path in export(made, tmp_path, file_format="csv"):
        name = path.stem.removeprefix(f"{made.stem}-")
        table = made.table(name)
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
        assert [row[str(table.index.name)] for row in rows] == [str(key) for key in table.index]
        if name in tables.PLAIN:
            continue
        degrees = table.geometry.to_crs(4326)
        for row, shape in zip(rows, degrees, strict=True):
            assert alike([shapely.from_wkt(row["wkt"])], [shape])
            lat, lon = mgrs.MGRS().toLatLon(row["mgrs"])
            assert shape.distance(shapely.Point(lon, lat)) < 3e-5  # a square of 1 m


def test_no_cell_of_a_csv_is_a_formula(result: Analysis, tmp_path: Path) -> None:
    for path in export(attacked(result), tmp_path, file_format="csv"):
        for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))):
            for cell in row:
                assert cell[:1] not in {"=", "+", "@", "\t", "\r"}, cell
                assert not cell.startswith("-") or float(cell) <= 0


def test_geoparquet_comes_back_as_it_was(made: Edition, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    for path in export(made, tmp_path, file_format="parquet"):
        name = path.stem.removeprefix(f"{made.stem}-")
        if name in tables.PLAIN:
            assert len(pd.read_parquet(path)) == len(made.table(name))
            continue
        read = gpd.read_parquet(path)
        assert read.crs.to_epsg() == 4326
        same = made.table(name).to_crs(4326).geometry.to_numpy()
        assert alike(read.geometry.to_numpy(), same)


# ---- Files and folders


def test_files_are_replaced_only_when_told(result: Analysis, tmp_path: Path) -> None:
    public = edition(result, "public")
    [grid, *_] = export(public, tmp_path, file_format="csv")
    grid.write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="files of these names") as error:
        export(public, tmp_path, file_format="csv")
    assert grid.name in error.value.problems
    assert grid.read_text(encoding="utf-8") == "mine"
    export(public, tmp_path, file_format="csv", overwrite=True)
    assert grid.read_text(encoding="utf-8-sig").startswith("cell_id,")


@pytest.mark.parametrize("file_format", ["csv", "geojson", "parquet"])
def test_what_an_edition_no_longer_holds_does_not_lie_beside_it(
    result: Analysis, counts: Analysis, file_format: str, tmp_path: Path
) -> None:
    """Rows that are shared as counts from now on, in a folder where they lay as points."""
    others = [tmp_path / name for name in (f"public-incidents.{file_format}", f"partner-north-own.{file_format}")]
    for path in others:
        path.write_text("somebody's own", encoding="utf-8")
    export(edition(result, "partner", force="north"), tmp_path, file_format=file_format)
    rows = tmp_path / f"partner-north-incidents.{file_format}"
    assert rows.exists()
    now = edition(counts, "partner", force="north")
    with pytest.raises(InputError, match=rows.name):
        export(now, tmp_path, file_format=file_format)
    written = export(now, tmp_path, file_format=file_format, overwrite=True)
    assert sorted(tmp_path.iterdir()) == sorted([*written, *others])
    assert not rows.exists()


def test_the_public_file_says_that_it_answers_nothing_more(result: Analysis, tmp_path: Path) -> None:
    [path] = export(edition(result, "public"), tmp_path, file_format="gpkg")
    with pytest.raises(ResultError, match="is the public edition: a grid, which answers nothing more"):
        gapmap.open(path)


def test_names_in_a_result_choose_no_place(result: Analysis, tmp_path: Path) -> None:
    """A force is the one name that a file's name is made of, and has to be letters."""
    folder = tmp_path / "in" / "here"
    export(attacked(result), folder, file_format="geojson")
    assert {path.parent for path in tmp_path.rglob("*") if path.is_file()} == {folder}


def test_what_cannot_be_written_leaves_nothing(
    result: Analysis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gapmap.formats.to_csv", full)
    with pytest.raises(InputError, match="cannot be written: the disk is full"):
        export(edition(result, "public"), tmp_path, file_format="csv")
    assert list(tmp_path.iterdir()) == []


def test_an_edition_without_rows_is_no_file(tmp_path: Path) -> None:
    whole = fake_analysis()
    bare = FakeAnalysis({name: whole.table(name) for name in ("run", "cover")}, whole.crs)
    with pytest.raises(InputError, match="holds no rows"):
        export(edition(bare, "public"), tmp_path, file_format="geojson")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_format_is_named(result: Analysis, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'geojson'"):
        export(edition(result, "public"), tmp_path, file_format="geojsn")


# ---- The command


@pytest.fixture(scope="module")
def saved(result: Analysis, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return result.save(tmp_path_factory.mktemp("saved") / "gaps.gpkg")


def test_export_asks_what_may_leave(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["export", str(saved), "--format", "csv"])
    assert left.value.code == 2
    assert "--edition" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--edition", "open", "--format", "csv"], "unknown edition 'open'"),
        (["--edition", "partner", "--format", "csv"], "made for one force"),
        (["--edition", "public", "--format", "shp"], "unknown format 'shp'"),
        (["--edition", "public", "--format", "postgis"], "--to and --format postgis go together"),
        (["--edition", "public", "--format", "csv", "--to", "service=x"], "--to and --format postgis go together"),
    ],
)
def test_export_says_what_is_wrong(
    words: list[str], said: str, saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(saved), *words]) == 2
    assert said in capsys.readouterr().err


def test_export_says_what_it_wrote(saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["export", str(saved.parent), "--edition", "partner", "--force", "north", "--format", "kmz"]
    with pytest.raises(SystemExit) as left:
        main([*words, "--out", str(tmp_path / "out")])
    assert left.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith("Partner edition for Northern force")
    assert "gapmap-partner-north.kmz" in said
    with pytest.raises(SystemExit):
        main([*words, "--out", str(tmp_path / "json"), "--json"])
    figures = json.loads(capsys.readouterr().out)
    assert [Path(path).name for path in figures["files"]] == ["gapmap-partner-north.kmz"]
    shutil.rmtree(tmp_path / "json")
