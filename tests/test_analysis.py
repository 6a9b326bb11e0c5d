"""Analysis: what is saved comes back, what fails leaves the old file, what is asked is answered by the tables."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from pandas.testing import assert_frame_equal

import gapmap
from gapmap import storage, styles, tables
from gapmap.analysis import Analysis
from gapmap.errors import InputError, MissingFileError, ResultError
from gapmap.overlay import overlay
from gapmap.widths import width_here
from tests import test_overlay as hand

if TYPE_CHECKING:
    from collections.abc import Mapping

LAEA = hand.CRS
NOTICE = "Illustrative: drawn by rule"


def handmade(*, notice: str = NOTICE, title: str = "By hand") -> Analysis:
    """The scene of the overlay's tests as an analysis, computed by nothing but the overlay."""
    found = hand.scene()
    laid = overlay(found, zones=hand.zones(), incidents=hand.incidents(), places=hand.places())
    forces = gpd.GeoDataFrame(
        {"area_km2": [300.0, 300.0]},
        index=pd.Index(["alpha", "bravo"], name="force"),
        geometry=[shapely.box(-10_000, 0, 0, 30_000), shapely.box(10_000, 0, 20_000, 30_000)],
        crs=hand.CRS,
    )
    run = {
        "title": title,
        "notice": notice,
        "date": pd.Timestamp("2021-06-01"),
        "max_width_m": 20_000.0,
        "parameters": "{}",
        "crs": LAEA.to_wkt(),
        "inputs": "[]",
        "versions": json.dumps({"format": storage.FORMAT, "gapmap": "0.1.0"}),
        "created": "2021-06-02T00:00:00.000Z",
    }
    content = {
        **{name: tables.empty(name, LAEA) for name in tables.COLUMNS},
        **{name: getattr(found, name) for name in ("facets", "ground")},
        **vars(laid),
        "zones": hand.zones(),
        "cover": forces,
        "run": pd.DataFrame([run], index=["run"]),
    }
    return Analysis({name: storage.settle(table, name) for name, table in content.items()})


def assert_equal(first: Analysis, second: Analysis, *, but: Mapping[str, list[str]] | None = None) -> None:
    for name in tables.COLUMNS:
        ignored = (but or {}).get(name, [])
        one, two = (each.table(name).drop(columns=ignored) for each in (first, second))
        if name in tables.PLAIN:
            assert_frame_equal(one, two)
        else:
            assert_geodataframe_equal(one, two, check_crs=True)
            assert one.geometry.geom_equals_exact(two.geometry, 0).all()


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return handmade()


@pytest.fixture(scope="module")
def saved(analysis: Analysis, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return analysis.save(tmp_path_factory.mktemp("saved") / "new" / "gaps.gpkg")


def test_what_is_saved_comes_back(analysis: Analysis, saved: Path) -> None:
    opened = gapmap.open(saved)
    assert_equal(analysis, opened)
    assert opened.crs == analysis.crs == LAEA


def test_a_part_is_the_same_from_memory_and_file(analysis: Analysis, saved: Path) -> None:
    box = (2_000.0, 20_500.0, 8_000.0, 29_500.0)
    for name in set(tables.COLUMNS) - tables.PLAIN:
        opened = gapmap.open(saved)
        assert_frame_equal(pd.DataFrame(analysis.part(name, box=box)), pd.DataFrame(opened.part(name, box=box)))
        assert_frame_equal(pd.DataFrame(analysis.part(name)), pd.DataFrame(opened.part(name)))
        assert opened.part(name, box=box).index.tolist() == [
            key for key, shape in analysis.table(name).geometry.items() if shape.intersects(shapely.box(*box))
        ]


def test_columns_are_the_same_from_memory_and_file(analysis: Analysis, saved: Path) -> None:
    opened = gapmap.open(saved)
    for name, columns in {"places": ["names", "name"], "incidents": ["date_to", "kind"], "stretches": []}.items():
        assert_frame_equal(analysis.columns(name, columns), opened.columns(name, columns))
    wide = opened.columns("places", ["population"], hint="population >= 400")
    assert sorted(wide.index) == ["P1", "P3"]
    assert opened.part("places", hint="population >= 400").index.tolist() == ["P1", "P3"]


def test_empty_tables_come_back_with_their_types(saved: Path) -> None:
    opened = gapmap.open(saved)
    for name in ("boundaries", "centrelines", "set_aside", "relief"):
        got = opened.table(name)
        assert got.empty
        assert got.index.name == tables.INDEX[name]
        assert_frame_equal(pd.DataFrame(got), pd.DataFrame(tables.empty(name, LAEA)))


def test_tables_are_attributes_and_copies(analysis: Analysis) -> None:
    for name in tables.COLUMNS:
        assert len(getattr(analysis, name)) == len(analysis.table(name))
        assert name in dir(analysis)
    for mine in (analysis.corridors, analysis.table("corridors")):
        mine.loc["C01", "name"] = "spoilt"
    assert analysis.corridors["name"].tolist() == ["Rabia to Makhmour"]
    assert repr(analysis) == "<Analysis 'By hand', 2021-06-01: 1 corridors>"
    with pytest.raises(AttributeError, match="its tables are zones"):
        analysis.corridor  # noqa: B018 - the attribute is the test
    with pytest.raises(InputError, match="no table 'corridor'"):
        analysis.table("corridor")


def test_a_box_gives_the_same_rows_from_memory_and_file(analysis: Analysis, saved: Path) -> None:
    # The northern stretch only: 20.5 to 29.5 km north of the origin, clear of its neighbours.
    corners = gpd.GeoSeries(shapely.points([(2_000, 20_500), (8_000, 29_500)]), crs=LAEA).to_crs(4326)
    box = tuple(float(value) for value in corners.total_bounds)
    opened = gapmap.open(saved)
    for name in tables.COLUMNS:
        part, read = analysis.table(name, box), opened.table(name, box)  # type: ignore[arg-type]
        assert_frame_equal(pd.DataFrame(part), pd.DataFrame(read))
    assert opened.table("stretches", box).index.tolist() == ["C01.01"]  # type: ignore[arg-type]
    assert 0 < len(opened.table("transects", box)) < 30  # type: ignore[arg-type]
    assert len(opened.table("run", box)) == 1  # type: ignore[arg-type]
    assert opened.table("stretches", (0, 0, 1, 1)).empty
    with pytest.raises(InputError, match="is not a box"):
        opened.table("stretches", (44, 35, 43, 36))
    with pytest.raises(InputError, match="is not a box"):
        opened.table("stretches", (44, 35, 43))  # type: ignore[arg-type]


@pytest.mark.parametrize("box", [(-180, -90, 180, 90), (-180, 30, 180, 40), (-170, -80, 170, 80), (-100, 0, 80, 80)])
def test_a_box_of_half_the_globe_loses_nothing(
    analysis: Analysis, saved: Path, box: tuple[float, float, float, float]
) -> None:
    for name in set(tables.COLUMNS) - tables.PLAIN:
        assert analysis.table(name, box).index.tolist() == analysis.table(name).index.tolist()
        assert len(gapmap.open(saved).table(name, box)) == len(analysis.table(name))
    assert analysis.table("stretches", (-180, -60, 10, -20)).empty
    # About the point of the globe across from the result, where a box is a ring in metres.
    assert analysis.table("stretches", (-140, -40, -130, -30)).empty


def test_a_result_that_was_replaced_since_is_not_mixed_with_the_new_one(saved: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(saved, tmp_path / "gaps.gpkg"))
    opened = gapmap.open(path)
    before = opened.corridors
    gapmap.open(path).save(path)  # the same run once more is no other
    assert len(opened.stretches) > 0
    handmade(title="Another").save(path)
    assert_frame_equal(opened.corridors, before)  # read already
    for name in ("places", "transects", "zones"):
        with pytest.raises(ResultError, match=r"gaps\.gpkg was replaced after it was opened\n  -> open it again"):
            opened.table(name)
    with pytest.raises(ResultError, match="was replaced"):
        opened.columns("places", ["name"])


def test_every_layer_says_the_notice(saved: Path, tmp_path: Path) -> None:
    layers = {name for name, _ in pyogrio.list_layers(saved)}
    assert layers == {*tables.COLUMNS, "layer_styles"}
    for name in tables.COLUMNS:
        rows = pyogrio.read_dataframe(saved, layer=name)
        assert "notice" in rows
        assert set(rows["notice"]) <= {NOTICE}
        with closing(sqlite3.connect(saved)) as file:
            (said,) = file.execute("SELECT description FROM gpkg_contents WHERE table_name = ?", [name]).fetchone()
        assert said == f"By hand. {NOTICE}"
    quiet = handmade(notice="").save(tmp_path / "quiet.gpkg")
    assert "notice" not in pyogrio.read_dataframe(quiet, layer="zones")


def test_the_file_is_sound_and_styled(saved: Path) -> None:
    with closing(sqlite3.connect(saved)) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert file.execute("PRAGMA foreign_key_check").fetchall() == []
        styled = dict(file.execute("SELECT f_table_name, styleQML FROM layer_styles WHERE useAsDefault = 1").fetchall())
        geometry = dict(file.execute("SELECT table_name, column_name FROM gpkg_geometry_columns").fetchall())
        columns = {row[0] for row in file.execute("SELECT f_geometry_column FROM layer_styles")}
        registered = file.execute("SELECT data_type FROM gpkg_contents WHERE table_name = 'layer_styles'").fetchone()
        indexed = {
            row[0] for row in file.execute("SELECT table_name FROM gpkg_extensions WHERE extension_name LIKE '%rtree%'")
        }
    assert set(styled) == set(tables.COLUMNS) - tables.PLAIN
    assert set(geometry) == set(tables.COLUMNS) - tables.PLAIN == indexed
    assert columns == {"geom"} == set(geometry.values())
    assert registered == ("attributes",)


def test_a_style_holds_any_name_of_a_force() -> None:
    names = ['<b>"A" & co</b>', "d'Or"]
    for name, text in styles.qml(names, max_width_m=20_000).items():
        root = ET.fromstring(text.partition("\n")[2])  # noqa: S314 - our own text
        drawn = {symbol.get("name") for symbol in root.iter("symbol")}
        used = {item.get("symbol") for item in root.iter() if item.tag in {"category", "range", "rule"}}
        assert used <= drawn, name
    cover = ET.fromstring(styles.qml(names, max_width_m=1)["cover"].partition("\n")[2])  # noqa: S314
    assert [item.get("value") for item in cover.iter("category")] == names
    rules = ET.fromstring(styles.qml(names, max_width_m=1)["zones"].partition("\n")[2])  # noqa: S314
    assert any("'d''Or'" in str(rule.get("filter")) for rule in rules.iter("rule"))


def test_the_same_result_gives_the_same_bytes(analysis: Analysis, saved: Path, tmp_path: Path) -> None:
    assert analysis.save(tmp_path / "gaps.gpkg").read_bytes() == saved.read_bytes()
    assert pyogrio.get_gdal_config_option("OGR_CURRENT_DATE") is None


def test_a_failed_save_leaves_the_old_result(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(shutil.copy(saved, tmp_path / "gaps.gpkg"))
    before = path.read_bytes()

    def broken(*_: object, **__: object) -> dict[str, str]:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(styles, "qml", broken)
    with pytest.raises(RuntimeError, match="disk is full"):
        handmade(title="Another").save(path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["gaps.gpkg"]
    monkeypatch.undo()
    handmade(title="Another").save(path)
    assert gapmap.open(path).run["title"].tolist() == ["Another"]
    assert [each.name for each in tmp_path.iterdir()] == ["gaps.gpkg"]


def test_an_opened_result_can_be_saved_over_itself(saved: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(saved, tmp_path / "gaps.gpkg"))
    gapmap.open(path).save(path)
    assert path.read_bytes() == saved.read_bytes()


def test_a_left_journal_is_not_played_into_the_new_file(tmp_path: Path) -> None:
    (tmp_path / "gaps.gpkg-wal").write_bytes(b"left by a crash")
    handmade().save(tmp_path / "gaps.gpkg")
    assert [each.name for each in tmp_path.iterdir()] == ["gaps.gpkg"]


def test_files_of_others_are_not_replaced(analysis: Analysis, tmp_path: Path) -> None:
    other = tmp_path / "zones.gpkg"
    hand.zones().to_file(other, layer="zones")
    with pytest.raises(InputError, match="is not a result of gapmap"):
        analysis.save(other)
    with pytest.raises(InputError, match="a result is a GeoPackage"):
        analysis.save(tmp_path / "gaps.html")
    assert_equal(analysis, gapmap.open(analysis.save(other, overwrite=True)))


def test_what_is_no_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"none.gpkg does not exist"):
        gapmap.open(tmp_path / "none.gpkg")
    with pytest.raises(MissingFileError, match="is a folder"):
        gapmap.open(tmp_path)
    text = tmp_path / "text.gpkg"
    text.write_text("no database")
    with pytest.raises(ResultError, match="not a result saved by gapmap"):
        gapmap.open(text)
    other = tmp_path / "zones.gpkg"
    hand.zones().to_file(other, layer="zones")
    with pytest.raises(ResultError, match="not a result saved by gapmap"):
        gapmap.open(other)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ('UPDATE run SET versions = \'{"format": 99, "gapmap": "9.9"}\'', r"saved by a newer gapmap, 9.9"),
        ("UPDATE run SET versions = 'x'", "its run table is damaged"),
        ("UPDATE run SET crs = 'x'", "its run table is damaged"),
        ("DELETE FROM run", "its run table is damaged"),
        ("DELETE FROM gpkg_contents WHERE table_name = 'set_aside'", "lacks the tables set_aside"),
    ],
)
def test_a_damaged_or_newer_result_is_refused(saved: Path, tmp_path: Path, change: str, message: str) -> None:
    path = Path(shutil.copy(saved, tmp_path / "gaps.gpkg"))
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(change)
    with pytest.raises(ResultError, match=message):
        gapmap.open(path)


def degrees(x: float, y: float) -> shapely.Point:
    return gpd.GeoSeries([shapely.Point(x, y)], crs=LAEA).to_crs(4326).iloc[0]


def test_at_says_what_lies_there(analysis: Analysis, saved: Path) -> None:
    spot = degrees(4_000, 19_000)
    here = analysis.at(spot)
    assert (here.ground, here.forces) == ("corridor", ("alpha", "bravo"))
    assert (here.corridor_id, here.corridor) == ("C01", "Rabia to Makhmour")
    assert (here.stretch_id, here.stretch) == ("C01.02", "near Gwer, 4 km S")
    assert here.width_here_m == pytest.approx(10_000)
    assert [(zone.force, zone.zone_id) for zone in here.nearest] == [("alpha", "alpha-002"), ("bravo", "bravo-001")]
    assert [zone.distance_m for zone in here.nearest] == pytest.approx([4_000, 6_000], abs=0.01)
    # Due west and due east of the grid, which lies askew of true north by under a degree there.
    assert [zone.bearing_deg for zone in here.nearest] == pytest.approx([270, 90], abs=1)
    metric = analysis.at_metres(shapely.Point(4_000, 19_000))
    assert (metric.lon, metric.lat) == pytest.approx((spot.x, spot.y))
    assert replace(metric, lon=spot.x, lat=spot.y, nearest=here.nearest) == here
    assert gapmap.open(saved).at(f"{spot.y:.9f}, {spot.x:.9f}").stretch_id == "C01.02"


def test_at_says_one_thing_on_every_edge(tmp_path: Path) -> None:
    found = gapmap.run(write_scene(tmp_path, seed=1))
    edges = pd.concat([found.table(name).geometry for name in ("stretches", "facets", "ground")])
    corners = np.unique(shapely.get_coordinates(edges.to_numpy()), axis=0)
    for spot in shapely.points(corners[:: max(len(corners) // 400, 1)]):
        here = found.at_metres(spot)
        assert (here.stretch_id != "") == (not np.isnan(here.width_here_m)), spot
        if here.ground == "corridor":
            assert here.forces == ("alpha", "bravo"), spot
        else:
            assert here.stretch_id == "", spot


def test_at_outside_and_in_cover(analysis: Analysis) -> None:
    covered = analysis.at(degrees(-5_000, 25_000))
    assert (covered.ground, covered.forces, covered.stretch_id) == ("covered", ("alpha",), "")
    assert covered.nearest[0].distance_m == 0
    assert np.isnan(analysis.at_metres(shapely.Point(-5_000, 25_000)).nearest[0].bearing_deg)  # on the post itself
    away = analysis.at(degrees(60_000, 0))
    assert (away.ground, away.forces, away.corridor, away.stretch) == ("", (), "", "")
    assert np.isnan(away.width_here_m)
    with pytest.raises(InputError):
        analysis.at("nowhere")
    for bad in (shapely.Point(), shapely.Point(500_000, 4_000_000)):
        with pytest.raises(InputError, match="is not a point"):
            analysis.at(bad)
    for far in (shapely.Point(36.0, -43.0), "45, 5"):
        with pytest.raises(InputError, match="are the two swapped"):
            analysis.at(far)


def test_at_gives_the_width_of_places(analysis: Analysis) -> None:
    where = analysis.places.to_crs(4326).geometry
    widths: list[Any] = [analysis.at(spot).width_here_m for spot in where]
    np.testing.assert_allclose(widths, analysis.places["width_here_m"], atol=0.01)


# Two invented forces on either side of 36 N: posts every 0.1 degrees, 0.2 degrees (22.2 km) apart, each with 5 km reach.
def write_scene(folder: Path, *, extra: str = "", seed: int | None = None) -> Path:
    """Write a scenario of three files, its rows in random order if a seed is given."""

    def shuffled(rows: list[str]) -> list[str]:
        return rows if seed is None else list(np.random.default_rng(seed).permutation(rows))

    folder.mkdir(parents=True, exist_ok=True)
    steps = range(6)
    for force, lat in (("alpha", 36.2), ("bravo", 36.0)):
        rows = [f"Post {force} {i},{lat},{43 + i / 10:.1f},," for i in steps]
        rows.append(f"Old post {force},{lat},43.25,,2020-01-01")
        body = "\n".join(["name,lat,lon,valid_from,valid_to", *shuffled(rows)])
        (folder / f"{force}.csv").write_text(body + "\n", encoding="utf-8")
    rows = [f"E{i},2020-0{i + 1}-01,{36.02 + i / 50:.2f},{43.05 + i / 20:.2f},exact,{i}" for i in steps]
    rows += ["E8,2018-01-01,36.1,43.1,exact,1", "E9,2020-01-01,10,10,exact,1"]
    body = "\n".join(["id,date,lat,lon,precision,deaths", *shuffled(rows)])
    (folder / "incidents.csv").write_text(body + "\n", encoding="utf-8")
    rows = ["Westby,36.1,43.0,500", "Eastby,36.11,43.5,", "Farby,10,10,1"]
    (folder / "places.csv").write_text("\n".join(["name,lat,lon,population", *shuffled(rows)]) + "\n", encoding="utf-8")
    text = f"""
        title = "Two invented forces"
        notice = "Invented"
        date = 2021-06-01
        {extra}
        [forces.alpha]
        zones = "alpha.csv"
        reach = "5 km"
        [forces.bravo]
        zones = "bravo.csv"
        reach = "5 km"
        [incidents]
        file = "incidents.csv"
        since = 2019-01-01
        [places]
        file = "places.csv"
    """
    (folder / "scenario.toml").write_text(text, encoding="utf-8")
    return folder / "scenario.toml"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    return gapmap.run(write_scene(tmp_path_factory.mktemp("ran")))


def test_a_run_finds_the_corridor(ran: Analysis) -> None:
    (corridor,) = ran.corridors.itertuples()
    # Between posts that face each other the gap is 0.2 degrees of latitude less two reaches.
    gap = pyproj.Geod(ellps="WGS84").inv(43, 36.0, 43, 36.2)[2] - 10_000
    assert corridor.width_min_m == pytest.approx(gap, rel=2e-3)
    assert (corridor.force_a, corridor.force_b, corridor.name) == ("alpha", "bravo", "Westby to Eastby")
    assert corridor.facing_a.split("; ") == [f"alpha-{n:03d}" for n in range(2, 8)]
    assert corridor.places == 2
    assert corridor.population == 500


def test_all_rows_are_accounted_for(ran: Analysis) -> None:
    inputs = json.loads(ran.run["inputs"].iloc[0])
    assert [(each["role"], each["name"], each["rows"], each["used"], each["set_aside"]) for each in inputs] == [
        ("zones", "alpha.csv", 7, 6, 1),
        ("zones", "bravo.csv", 7, 6, 1),
        ("incidents", "incidents.csv", 8, 6, 2),
        ("places", "places.csv", 3, 2, 1),
    ]
    assert ran.set_aside[["source", "source_row", "reason"]].to_numpy().tolist() == [
        ["alpha.csv", 7, "not valid on 2021-06-01"],
        ["bravo.csv", 7, "not valid on 2021-06-01"],
        ["incidents.csv", 7, "before the first day asked for"],
        ["incidents.csv", 8, "more than 50 km outside the box around cover and area of interest"],
        ["places.csv", 3, "more than 50 km outside the box around cover and area of interest"],
    ]
    assert (len(ran.zones), len(ran.incidents), len(ran.places)) == (12, 6, 2)
    assert (ran.zones["reach_m"] == 5_000).all()


def test_counts_are_those_of_a_plain_join(ran: Analysis) -> None:
    joined = gpd.sjoin(ran.incidents[["geometry"]], ran.stretches[["geometry"]], predicate="intersects")
    assert ran.stretches["incidents_count"].sum() == joined.index.nunique() > 0
    assert ran.corridors["incidents_count"].sum() == ran.stretches["incidents_count"].sum()


def test_the_run_row_names_no_folder(tmp_path: Path) -> None:
    here = gapmap.run(write_scene(tmp_path / "secret folder"))
    row = here.run.drop(columns="crs").iloc[0].astype(str)
    text = " ".join(row)
    assert "secret" not in text
    assert str(tmp_path) not in text
    assert not any(mark in each["name"] for each in json.loads(here.run["inputs"].iloc[0]) for mark in "/\\")
    assert json.loads(row["versions"])["format"] == storage.FORMAT
    assert json.loads(row["parameters"])["forces"]["alpha"]["zones"] == "alpha.csv"


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_the_same_rows_give_the_same_tables(ran: Analysis, tmp_path: Path, seed: int | None) -> None:
    again = gapmap.run(write_scene(tmp_path, seed=seed))
    # Row numbers and checksums are those of the file; the run says when it was made.
    moved = {"zones": ["source_row"], "incidents": ["source_row"], "set_aside": ["source_row"]} if seed else {}
    assert_equal(ran, again, but={**moved, "run": ["created", *(["inputs"] if seed else [])]})


def test_a_run_survives_save_and_open(ran: Analysis, tmp_path: Path) -> None:
    opened = gapmap.open(ran.save(tmp_path / "gaps.gpkg"))
    assert_equal(ran, opened)
    assert set(pyogrio.read_dataframe(tmp_path / "gaps.gpkg", layer="facets")["notice"]) == {"Invented"}
    assert json.loads(opened.run["parameters"].iloc[0])["title"] == "Two invented forces"


def test_progress_counts_up(tmp_path: Path) -> None:
    said: list[tuple[str, int, int]] = []
    gapmap.run(write_scene(tmp_path), progress=lambda *step: said.append(step))
    done = [step[1] for step in said]
    assert done == list(range(said[0][2] + 1))
    assert all(step[0] for step in said)


def square(folder: Path, lon: float, lat: float) -> str:
    file = gpd.GeoDataFrame({"name": ["area"]}, geometry=[shapely.box(lon, lat, lon + 0.2, lat + 0.2)], crs=4326)
    file.to_file(folder / "area.geojson")
    return 'area_of_interest = { file = "area.geojson" }'


@pytest.mark.parametrize(("lon", "lat"), [(36.0, 43.0), (-137.0, -36.0), (60.0, 36.0)])
def test_an_area_that_misses_all_zones_is_refused(tmp_path: Path, lon: float, lat: float) -> None:
    scenario = write_scene(tmp_path, extra=square(tmp_path, lon, lat))
    with pytest.raises(InputError, match=r"area.geojson: the area of interest misses all zones"):
        gapmap.run(scenario)


def test_an_area_cuts_the_tables(ran: Analysis, tmp_path: Path) -> None:
    cut = gapmap.run(write_scene(tmp_path, extra=square(tmp_path, 43.1, 36.0)))
    area = cut.ground["area_km2"].sum()
    box = shapely.box(43.1, 36.0, 43.3, 36.2)
    assert area == pytest.approx(abs(pyproj.Geod(ellps="WGS84").geometry_area_perimeter(box)[0]) / 1e6, rel=2e-3)
    assert 0 < cut.corridors["area_km2"].sum() < ran.corridors["area_km2"].sum()
    assert cut.stretches["name"].is_unique


def test_one_force_alone_has_no_corridor(tmp_path: Path) -> None:
    scenario = write_scene(tmp_path)
    text = scenario.read_text(encoding="utf-8")
    before, _, after = text.partition("[forces.bravo]")
    scenario.write_text(before + "[incidents]" + after.partition("[incidents]")[2], encoding="utf-8")
    alone = gapmap.run(scenario)
    assert alone.corridors.empty
    assert alone.stretches.empty
    assert alone.incidents["stretch_id"].eq("").all()
    assert_equal(alone, gapmap.open(alone.save(tmp_path / "gaps.gpkg")))


def test_no_incidents_and_no_places(tmp_path: Path) -> None:
    scenario = write_scene(tmp_path)
    text = scenario.read_text(encoding="utf-8")
    scenario.write_text(text.partition("[incidents]")[0], encoding="utf-8")
    bare = gapmap.run(scenario)
    assert bare.incidents.empty
    assert bare.corridors["incidents_count"].tolist() == [0]
    assert bare.corridors["name"].tolist() == ["corridor C01"]
    assert {"nearest_zone_alpha", "distance_bravo_m"} <= set(bare.places)
    assert_equal(bare, gapmap.open(bare.save(tmp_path / "gaps.gpkg")))


def test_dates_without_a_day_are_refused(tmp_path: Path) -> None:
    scenario = write_scene(tmp_path)
    scenario.write_text(scenario.read_text(encoding="utf-8").replace("date = 2021-06-01", ""), encoding="utf-8")
    with pytest.raises(InputError, match="carry dates, and no day is given"):
        gapmap.run(scenario)


def test_backgrounds_and_left_out_ground(tmp_path: Path) -> None:
    shapes = gpd.GeoDataFrame({"name": ["lake"]}, geometry=[shapely.box(43.1, 36.08, 43.15, 36.12)], crs=4326)
    shapes.to_file(tmp_path / "water.gpkg", layer="water")
    pyogrio.write_dataframe(
        shapes, tmp_path / "base.gpkg", layer="land", layer_options={"DESCRIPTION": "Made by hand. And more."}
    )
    scenario = write_scene(tmp_path)
    text = scenario.read_text(encoding="utf-8")
    text += '\n[excluded]\nfile = "water.gpkg"\n[base]\nboundaries = "base.gpkg"\n'
    scenario.write_text(text, encoding="utf-8")
    got = gapmap.run(scenario)
    assert got.boundaries[["layer", "name", "attribution"]].to_numpy().tolist() == [["land", "lake", "Made by hand."]]
    assert got.ground.set_index("kind")["area_km2"]["excluded"] > 0
    scenario.write_text(text + '[terrain]\ndem = "none.tif"\n', encoding="utf-8")
    with pytest.raises(MissingFileError, match=r"none\.tif"):
        gapmap.run(scenario)


def test_at_agrees_with_the_facets_everywhere(ran: Analysis, tmp_path: Path) -> None:
    opened = gapmap.open(ran.save(tmp_path / "gaps.gpkg"))
    west, south, east, north = ran.corridors.to_crs(4326).total_bounds
    rng = np.random.default_rng(5)
    spots = gpd.GeoSeries(gpd.points_from_xy(rng.uniform(west, east, 60), rng.uniform(south, north, 60)), crs=4326)
    here = [opened.at(spot) for spot in spots]
    expected = width_here(ran.facets, spots.to_crs(ran.crs))
    np.testing.assert_allclose([each.width_here_m for each in here], expected, atol=1e-6)
    inside = [each.ground == "corridor" for each in here]
    assert inside == expected.notna().tolist() == [each.stretch_id != "" for each in here]
    assert 10 < sum(inside) < 60
