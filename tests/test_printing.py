"""What the terminal shows: it fits, it is text, and it counts what was set aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import shapely

from gapmap.compare import find_changes
from gapmap.printing import print_changes, print_summary
from gapmap.summary import summary
from tests.fake_analysis import fake_analysis
from tests.test_compare import Scene, box

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_table_fits_80_columns_and_shows_names_as_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    fake = fake_analysis()
    names = ["[red]x[/red]", "\x1b[31mred", "گوێر to مەخموور", "A" * 30 + " to " + "B" * 30, "", "End"]
    fake = fake.with_table("stretches", fake.table("stretches").assign(name=names))
    done = tmp_path / "map.html"
    done.write_text("x", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    print_summary({**summary(fake), "files": {"map": done.name}, "scenario_as_it_was": False})
    printed = capsys.readouterr().out
    assert "[red]x[/red]" in printed
    assert "\x1b" not in printed
    assert "?[31mred" in printed
    assert max(len(line) for line in printed.splitlines()) <= 80
    assert "a plain count" in printed
    assert "map.html (1 kB)" in printed
    assert "Widest stretches by mean width" in printed
    assert "whatever their own day" in printed
    assert "outside the area" not in printed


def test_incidents_outside_the_area_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    fake = fake_analysis().with_values("incidents", ground=["corridor", "", "", "corridor", "covered"])
    print_summary({**summary(fake), "files": {}})
    assert "2 of 5 incidents lie outside the area of interest." in capsys.readouterr().out


def test_figures_are_rounded_once(capsys: pytest.CaptureFixture[str]) -> None:
    fake = fake_analysis().with_values("stretches", width_mean_m=15_953.0, width_max_m=19_347.0, length_km=12.2496)
    fake = fake.with_values("corridors", length_km=455.46)
    fake = fake.with_values("ground", kind="corridor", area_km2=100.47 / len(fake.table("ground")))
    print_summary({**summary(fake), "files": {}})
    printed = capsys.readouterr().out
    [first] = [line for line in printed.splitlines() if line.strip().startswith("C01.01")][:1]
    assert first.split()[-5:-2] == ["16.0", "19.3", "12.2"]
    assert "455 km " in printed
    assert "100 km2  of corridor" in printed


def test_no_corridor_is_an_answer_too(capsys: pytest.CaptureFixture[str]) -> None:
    fake = fake_analysis()
    for name in ("corridors", "stretches", "transects", "facets", "incidents", "places", "ground", "set_aside"):
        fake = fake.with_table(name, fake.table(name).iloc[:0])
    far = fake.table("cover").set_geometry([shapely.box(0, 0, 1e4, 1e4), shapely.box(0, 33_400, 1e4, 4e4)])
    figures = summary(fake.with_table("cover", far))
    assert (figures["corridors"], figures["length_km"], figures["widest"]) == (0, 0, [])
    print_summary({**figures, "files": {}})
    said = capsys.readouterr().out
    assert "No corridor: where two forces come nearest, their cover lies 23.4 km apart." in " ".join(said.split())
    touching = far.set_geometry([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)])
    print_summary({**summary(fake.with_table("cover", touching)), "files": {}})
    assert "lies side by side, or over each other." in " ".join(capsys.readouterr().out.split())
    assert summary(fake.with_table("cover", far.iloc[:1]))["nearest_km"] is None
    assert summary(fake_analysis())["nearest_km"] is None
    assert "Widest" not in said
    assert "Width here" not in said


def test_what_took_all_corridors_away_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    fake = fake_analysis()
    between, beside, left = shapely.box(0, 1e4, 1e4, 2e4), shapely.box(5e4, 0, 6e4, 1e4), shapely.box(0, 1e4, 5e3, 2e4)
    near = fake.table("cover").set_geometry([shapely.box(0, 0, 1e4, 1e4), shapely.box(0, 2e4, 1e4, 3e4)])
    fake = fake.with_table("cover", near).with_table("corridors", fake.table("corridors").iloc[:0])
    excluded, area = "is excluded", "lies outside the area of interest"
    for kind, shape, said in (
        ("excluded", between.buffer(1e4), f"the forces {excluded}."),
        ("open", beside, f"the forces {area}."),
        ("excluded", left, f"the forces {excluded} or {area}."),
    ):
        ground = fake.table("ground").iloc[:1].assign(kind=kind).set_geometry([shape])
        print_summary({**summary(fake.with_table("ground", ground)), "files": {}})
        printed = " ".join(capsys.readouterr().out.split())
        assert f"No corridor is left: all that lies between {said}" in printed
        assert "km apart" not in printed


def test_rows_set_aside_are_counted_by_reason(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("a.csv", n, "no geometry") for n in range(3)] + [("b.csv", n, f"reason {n:02d}") for n in range(12)]
    fake = fake_analysis().with_table("set_aside", pd.DataFrame(rows, columns=["source", "source_row", "reason"]))
    figures = summary(fake)
    assert figures["set_aside"][0] == {"source": "a.csv", "reason": "no geometry", "rows": 3}
    print_summary({**figures, "files": {}})
    printed = capsys.readouterr().out
    assert "a.csv: 3 rows: no geometry" in printed
    assert "and 3 more kinds" in printed


def test_changes_fit_80_columns_and_show_names_as_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    places = {"[red]x[/red]": (5.0, 2.0), "\x1b[31mred": (39.0, 2.0)}
    before = Scene({"C01": (0, 0, 40, 4)}, places=places)
    after = Scene({"C01": (10, 0, 36, 4), "C02": (60, 0, 80, 19)}, beyond=box(36, 0, 40, 4), places=places)
    figures = find_changes(before, after).figures()
    print_changes({**figures, "asked": ["added: post of \x1b[31mred at " + "36.0, " * 20], "files": {}})
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "[red]x[/red]" in printed
    assert max(map(len, printed.splitlines())) <= 80
    assert "16.0 km2  lost that is now wider than the limit" in printed
    assert "opened" in printed
    print_changes({**find_changes(before, before).figures(), "asked": [], "files": {}})
    printed = capsys.readouterr().out
    assert "1 unchanged" in printed
    assert "No place of 2 changed its state." in printed
    elsewhere = Scene({"C01": (0, 0, 40, 4)})
    print_changes({**find_changes(before, elsewhere).figures(), "asked": [], "files": {}})
    assert "No places to compare: none lies in both." in capsys.readouterr().out
