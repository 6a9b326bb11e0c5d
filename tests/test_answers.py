"""Answers as they are given: every form holds the same, a file is replaced only when told."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest

from gapmap import questions
from gapmap.answers import FORMS, Target, give_card, give_rows, plan
from gapmap.editions import edition
from gapmap.errors import InputError
from tests.fake_analysis import LAEA
from tests.test_questions import scene

if TYPE_CHECKING:
    from pathlib import Path

    from gapmap.analysis import Analysis


@pytest.fixture(scope="module")
def result() -> Analysis:
    return scene()


def test_every_file_holds_the_same_rows(result: Analysis, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = questions.select(result, "incidents", within="20km-of Makhmur", columns="kind,date_from,deaths_best,lat")
    keys, kinds = list(answer.rows.index), answer.rows["kind"].tolist()
    for form in FORMS[1:]:
        give_rows(answer, Target(form, tmp_path / f"a.{form}"))
        assert f"a.{form}" in capsys.readouterr().out
    sheet = pd.read_csv(tmp_path / "a.csv")
    assert list(sheet.columns) == ["incident_id", "kind", "date_from", "deaths_best", "lat", "edition", "notice"]
    assert (tmp_path / "a.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert (sheet["incident_id"].tolist(), sheet["kind"].tolist()) == (keys, kinds)
    assert sheet["date_from"].tolist() == answer.rows["date_from"].dt.strftime("%Y-%m-%d").tolist()
    plain = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert [row["incident_id"] for row in plain["rows"]] == keys
    assert (plain["table"], plain["matched"]) == ("incidents", len(keys))
    world = gpd.read_file(tmp_path / "a.geojson")
    assert world.crs == 4326
    assert world["incident_id"].tolist() == keys
    layer = gpd.read_file(tmp_path / "a.gpkg", layer="incidents")
    assert layer["incident_id"].tolist() == keys
    with closing(sqlite3.connect(tmp_path / "a.gpkg")) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (10300,)  # as a result: GeoPackage 1.3
    assert layer.to_crs(LAEA).geom_equals_exact(answer.rows.reset_index().geometry, 1e-3).all()
    assert world.to_crs(LAEA).geom_equals_exact(answer.rows.reset_index().geometry, 0.02).all()
    notice = answer.notice
    assert plain["notice"] == notice
    assert all(set(table["notice"]) == {notice} for table in (sheet, world, layer))
    said = pyogrio.read_info(tmp_path / "a.gpkg")["layer_metadata"]["DESCRIPTION"]
    assert notice in said
    mark = edition(result, "full").mark
    assert mark in said
    assert all(set(table["edition"]) == {"full"} for table in (sheet, world, layer))
    assert plain["edition"] == json.loads((tmp_path / "a.geojson").read_text(encoding="utf-8"))["edition"] == mark


@pytest.mark.parametrize("table", questions.TABLES)
@pytest.mark.parametrize("form", FORMS)
def test_no_rows_are_an_answer_too(
    table: str, form: str, result: Analysis, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = None if form == "table" else tmp_path / f"a.{form}"
    give_rows(questions.select(result, table, within="1 m of 38.5, 43.3"), Target(form, path))
    printed = capsys.readouterr()
    # Rich breaks the lines of a table.
    assert "would match; the nearest is" in " ".join((printed.out if form == "table" else printed.err).split())
    assert ("What may leave is made by gapmap export." in printed.out) == (path is not None)
    if path is not None and form != "json":
        read = pd.read_csv(path) if form == "csv" else gpd.read_file(path)
        assert len(read) == 0


def test_a_table_on_the_screen(result: Analysis, capsys: pytest.CaptureFixture[str]) -> None:
    give_rows(questions.select(result, "stretches", min_width="15 km", limit=2), Target("table", None))
    said = capsys.readouterr().out
    widest = result.stretches["width_max_m"].iloc[0] / 1000
    assert f"{widest:.1f}" in said
    assert "Gwer to Makhmour" in said
    matched = int((result.stretches["width_max_m"] >= 15_000).sum())
    assert f"Matching stretches: {matched}, 2 of them shown" in said
    assert "Illustrative" in said
    give_rows(questions.select(result, "places", columns="name", sort="-name", limit=1), Target("table", None))
    assert capsys.readouterr().out.splitlines()[1].split() == ["place_id", "name"]
    give_card(questions.place(result, "Makhmour"), Target("table", None))
    said = capsys.readouterr().out
    for part in ("in the gap between federal and regional", "federal-001", "15.0     N (0°)", "taken for Makhmur"):
        assert part in said


def test_a_card_in_every_form(result: Analysis, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = questions.place(result, "Makhmur")
    for form in FORMS[1:]:
        give_card(card, Target(form, tmp_path / f"a.{form}"))
    capsys.readouterr()
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == json.loads(json.dumps(card.to_dict()))
    for read in (
        pd.read_csv(tmp_path / "a.csv"),
        gpd.read_file(tmp_path / "a.geojson"),
        gpd.read_file(tmp_path / "a.gpkg"),
    ):
        assert read["place_id"].tolist() == ["P078"]
        assert read["incidents_within_20_km"].tolist() == [card.incidents["within_20_km"].sum()]
        assert set(read["notice"]) == {card.notice}
        assert set(read["edition"]) == {"full"}


def test_a_card_without_places_says_so(result: Analysis, capsys: pytest.CaptureFixture[str]) -> None:
    card = questions.place(result, "Makhmur")
    give_card(replace(card, places=card.places.iloc[:0]), Target("table", None))
    assert "Nearest places: the result holds none." in capsys.readouterr().out


def test_nothing_in_a_name_runs(result: Analysis, capsys: pytest.CaptureFixture[str]) -> None:
    evil = questions.select(result, "places", sort="-place_id", limit=1)
    assert evil.rows["name"].iloc[0] == "=cmd|'/c calc'!A1"
    give_rows(evil, Target("csv", None))
    [head, row] = csv.reader(io.StringIO(capsys.readouterr().out))
    assert row[head.index("name")] == "'=cmd|'/c calc'!A1"
    steering = scene()
    steering._tables["places"].loc["P079", "name"] = "\x1b[2Jcleared\x07"
    give_rows(questions.select(steering, "places", sort="-place_id", limit=1), Target("table", None))
    give_card(questions.place(steering, "P079"), Target("table", None))
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("form", "name", "said"),
    [
        ("xlsx", None, "unknown format 'xlsx'"),
        ("gpkg", None, "a GeoPackage is a file"),
        (None, "a.txt", "the name does not say the format"),
        ("csv", "a.json", "the name does not say the format"),
        ("table", "a.csv", "the name does not say the format"),
        (None, "missing/a.csv", "its folder is not there"),
        (None, "there.csv", "there already"),
        (None, "result.gpkg", "what the answer is made from"),
    ],
)
def test_what_cannot_be_written_is_refused(form: str | None, name: str | None, said: str, tmp_path: Path) -> None:
    for each in ("there.csv", "result.gpkg"):
        (tmp_path / each).write_text("mine", encoding="utf-8")
    path = None if name is None else tmp_path / name
    keep = [tmp_path / "result.gpkg"]
    with pytest.raises(InputError, match=said):
        plan(form, path, overwrite=False, keep=keep)
    if name == "result.gpkg":
        with pytest.raises(InputError, match=said):
            plan(form, path, overwrite=True, keep=keep)
    assert (tmp_path / "there.csv").read_text(encoding="utf-8") == "mine"


def test_a_folder_that_takes_no_file_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deny(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("gapmap.answers.tempfile.TemporaryFile", deny)
    with pytest.raises(InputError, match=r"a\.csv cannot be written: Permission denied\n.*another folder"):
        plan(None, tmp_path / "a.csv", overwrite=False, keep=[])


def test_the_name_says_the_form_and_a_file_is_replaced_when_told(result: Analysis, tmp_path: Path) -> None:
    path = tmp_path / "a.CSV"
    path.write_text("old", encoding="utf-8")
    target = plan(None, path, overwrite=True, keep=[])
    assert target == Target("csv", path)
    give_rows(questions.select(result, "corridors"), target)
    assert len(pd.read_csv(path)) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["a.CSV"]
    assert plan(None, None, overwrite=False, keep=[]) == Target("table", None)
