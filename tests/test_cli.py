"""The command line: what it says, where it says it, and with which exit code."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import openpyxl
import pandas as pd
import pytest

import gapmap
from gapmap import cli
from gapmap.errors import EngineError, InputError
from tests.fake_analysis import fake_analysis

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def call(*words: object) -> int:
    """Run a command in this process; its exit code."""
    try:
        return cli.main([str(word) for word in words])
    except SystemExit as end:
        return int(end.code or 0)


def test_help_answers_in_under_0_4_times_an_import_of_geopandas() -> None:
    def seconds(code: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        return time.perf_counter() - start

    rounds = [(seconds("from gapmap.cli import main; main(['--help'])"), seconds("import geopandas")) for _ in range(5)]
    assert min(a for a, _ in rounds) < 0.4 * min(b for _, b in rounds)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--version") == 0
    assert capsys.readouterr().out == f"gapmap {gapmap.__version__}\n"


@pytest.mark.parametrize("words", [["predict"], ["run"], ["run", "a.toml", "--rech", "5 km"], ["init"]])
def test_wrong_use_is_code_2_on_standard_error(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Usage" in printed.err


def test_wrong_input_is_code_2_and_a_failure_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def raise_(error: Exception) -> Callable[..., None]:
        def command(**_: object) -> None:
            raise error

        return command

    monkeypatch.setattr(cli, "app", raise_(InputError("a.csv: bad", problems=["row 3: no geometry"], hint="fix it")))
    assert cli.main(["x"]) == 2
    assert capsys.readouterr().err == "gapmap: a.csv: bad\n  row 3: no geometry\n  -> fix it\n"
    monkeypatch.setattr(cli, "app", raise_(EngineError("the engine gave up")))
    assert cli.main(["x"]) == 1
    assert capsys.readouterr().err == "gapmap: the engine gave up\n"
    monkeypatch.setattr(cli, "app", raise_(PermissionError(13, "Permission denied", "out")))
    assert cli.main(["x"]) == 1
    assert "Permission denied" in capsys.readouterr().err


def test_summary_shares_out_all_length_and_area_to_the_classes() -> None:
    figures = cli.summary(fake_analysis())
    assert [(c["from_km"], c["to_km"]) for c in figures["widths"]] == [(0, 2), (2, 5), (5, 10), (10, 15), (15, 20)]
    assert sum(c["length_km"] for c in figures["widths"]) == pytest.approx(figures["length_km"], abs=0.3)
    facets = fake_analysis().table("facets")
    assert sum(c["area_km2"] for c in figures["widths"]) == pytest.approx(facets.area.sum() / 1e6, abs=0.3)
    assert json.loads(json.dumps(figures)) == figures


def test_classes_follow_the_limit_and_edges_count_upwards() -> None:
    fake = fake_analysis().with_values("run", max_width_m=40_000.0)
    assert [c["to_km"] for c in cli.summary(fake)["widths"]] == [4, 10, 20, 30, 40]
    at_edge = fake_analysis().with_values("transects", width_m=2_000.0)
    lengths = [c["length_km"] for c in cli.summary(at_edge)["widths"]]
    assert lengths == [0, pytest.approx(120), 0, 0, 0]
    at_limit = fake_analysis().with_values("transects", width_m=20_000.0)
    assert cli.summary(at_limit)["widths"][-1]["length_km"] == pytest.approx(120)


def test_a_corridor_too_short_for_a_measuring_line_counts_at_its_mean_width() -> None:
    fake = fake_analysis()
    fake = fake.with_table("transects", fake.table("transects").iloc[:0]).with_values("corridors", width_mean_m=7_000.0)
    assert [c["length_km"] for c in cli.summary(fake)["widths"]] == [0, 0, pytest.approx(120), 0, 0]


def test_rankings_are_by_the_figure_and_then_by_id() -> None:
    figures = cli.summary(fake_analysis())
    widest = [each["width_max_km"] for each in figures["widest"]]
    assert len(widest) == 5
    assert widest == sorted(widest, reverse=True)
    assert [each["stretch_id"] for each in figures["longest"]] == [f"C01.0{n}" for n in range(1, 6)]


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
    cli._print_summary({**cli.summary(fake), "files": {"map": done.name}})
    printed = capsys.readouterr().out
    assert "[red]x[/red]" in printed
    assert "\x1b" not in printed
    assert "?[31mred" in printed
    assert max(len(line) for line in printed.splitlines()) <= 80
    assert "a plain count" in printed
    assert "map.html (0 kB)" in printed


def test_no_corridor_is_an_answer_too(capsys: pytest.CaptureFixture[str]) -> None:
    fake = fake_analysis()
    for name in ("corridors", "stretches", "transects", "facets", "incidents", "places", "ground", "set_aside"):
        fake = fake.with_table(name, fake.table(name).iloc[:0])
    figures = cli.summary(fake)
    assert (figures["corridors"], figures["length_km"], figures["widest"]) == (0, 0, [])
    cli._print_summary({**figures, "files": {}})
    assert "Widest" not in capsys.readouterr().out


def test_rows_set_aside_are_counted_by_reason(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("a.csv", n, "no geometry") for n in range(3)] + [("b.csv", n, f"reason {n:02d}") for n in range(12)]
    fake = fake_analysis().with_table("set_aside", pd.DataFrame(rows, columns=["source", "source_row", "reason"]))
    figures = cli.summary(fake)
    assert figures["set_aside"][0] == {"source": "a.csv", "reason": "no geometry", "rows": 3}
    cli._print_summary({**figures, "files": {}})
    printed = capsys.readouterr().out
    assert "a.csv: 3 rows: no geometry" in printed
    assert "and 3 more kinds" in printed


def test_init_makes_a_folder_that_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "seam"
    assert call("init", folder) == 0
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["incidents.csv", "places.csv", "scenario.toml", "south.geojson", "zones.xlsx"]
    assert "gapmap check" in capsys.readouterr().out
    book = openpyxl.load_workbook(folder / "zones.xlsx")
    assert book.sheetnames == ["zones", "how to"]
    explained = " ".join(str(cell.value) for cell in book["how to"]["A"])
    assert all(str(cell.value) in explained for cell in book["zones"][1])


def test_init_touches_no_folder_with_something_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    assert call("init", tmp_path) == 2
    assert "not an empty folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_console_that_cannot_show_a_name_goes_on(tmp_path: Path) -> None:
    code = "import sys; from gapmap.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "init", str(tmp_path / "گوێر")],
        capture_output=True,
        check=True,
        env={"PYTHONIOENCODING": "cp1252", "PATH": ""},
    )
    assert b"????" in done.stdout


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of ``gapmap init``, run once into ``out``."""
    folder = tmp_path_factory.mktemp("example") / "seam"
    assert call("init", folder, "--quiet") == 0
    assert call("run", folder / "scenario.toml", "--out", folder / "out", "--quiet") == 0
    return folder


def test_the_example_runs_as_it_is(example: Path) -> None:
    assert sorted(path.name for path in (example / "out").iterdir()) == ["gaps.gpkg", "map.html", "scenario.toml"]
    analysis = gapmap.open(example / "out" / "gaps.gpkg")
    assert len(analysis.corridors) >= 1
    assert analysis.zones["kind"].value_counts().to_dict() == {"post": 7, "route": 2, "area": 1}
    assert analysis.set_aside["reason"].tolist() == ["not valid on 2024-06-01"]
    assert analysis.zones.loc[analysis.zones["name"] == "Post N3"].to_crs(4326).geometry.x.iloc[0] == pytest.approx(
        -30.26
    )
    assert "Illustrative" in (example / "out" / "map.html").read_text(encoding="utf-8")


def test_a_command_that_succeeds_says_nothing_when_quiet(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (
        ["check", example / "scenario.toml"],
        ["run", example / "scenario.toml", "--out", example / "out"],
        ["map", example / "out"],
    ):
        assert call(*words, "--quiet") == 0
        assert capsys.readouterr() == ("", "")


def test_run_prints_its_figures_as_json(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("run", example / "scenario.toml", "--out", example / "out", "--json") == 0
    figures = json.loads(capsys.readouterr().out)
    analysis = gapmap.open(example / "out" / "gaps.gpkg")
    assert figures["corridors"] == len(analysis.corridors)
    assert figures["length_km"] == pytest.approx(analysis.corridors["length_km"].sum(), abs=0.06)
    assert figures["incidents_inside"] == analysis.corridors["incidents_count"].sum()
    assert figures["widest"][0]["width_max_km"] == pytest.approx(
        analysis.stretches["width_max_m"].max() / 1000, abs=0.006
    )
    assert figures["files"]["map"].endswith("out/map.html")


def test_the_scenario_that_was_used_gives_the_same_again(example: Path, tmp_path: Path) -> None:
    assert call("run", example / "out" / "scenario.toml", "--out", tmp_path, "--quiet") == 0
    first, again = gapmap.open(example / "out" / "gaps.gpkg"), gapmap.open(tmp_path / "gaps.gpkg")
    pd.testing.assert_frame_equal(pd.DataFrame(first.corridors), pd.DataFrame(again.corridors))


def test_run_takes_files_of_zones_for_forces(example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    south = tmp_path / "the south.geojson"
    south.write_bytes((example / "south.geojson").read_bytes())
    words = ["run", example / "zones.xlsx", south, "--reach", "5 km", "--out", tmp_path / "out"]
    assert call(*words) == 2
    assert "date" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert call(*words, "--date", "2024-06-01", "--places", example / "places.csv", "--max-width", "12 km") == 0
    analysis = gapmap.open(tmp_path / "out" / "gaps.gpkg")
    assert analysis.cover.index.tolist() == ["the_south", "zones"]
    assert analysis.run["max_width_m"].tolist() == [12_000]
    assert len(analysis.places) == 4
    assert 'reach = "5 km"' in (tmp_path / "out" / "scenario.toml").read_text(encoding="utf-8")
    assert call("check", tmp_path / "out" / "scenario.toml") == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--reach", "5 miles"], "--reach: '5 miles' has the unit 'miles'"),
        (["--date", "1 June"], "--date: '1 June' is not an ISO date"),
        (["--max-width", "far"], "--max-width: 'far' is not a length"),
    ],
)
def test_wrong_options_are_all_said_at_once(
    options: list[str], said: str, example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [example / "zones.xlsx", example / "zones.xlsx"]
    assert call("run", *files, *options, "--out", tmp_path / "out") == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert "two files name the same force" in printed
    assert not (tmp_path / "out").exists()


def test_options_for_files_do_not_go_with_a_scenario(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("run", example / "scenario.toml", "--reach", "5 km") == 2
    assert "--reach: for files of zones only" in capsys.readouterr().err


def test_nothing_that_gapmap_did_not_make_is_replaced(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "map.html"
    mine.write_text("mine", encoding="utf-8")
    assert call("run", example / "scenario.toml", "--out", tmp_path) == 2
    assert "gapmap did not make" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["map.html"]
    assert mine.read_text(encoding="utf-8") == "mine"
    assert call("map", example / "out", "--out", mine) == 2
    assert call("map", example / "out" / "gaps.gpkg", "--out", mine, "--overwrite", "--quiet") == 0
    assert mine.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_map_of_what_is_no_result_is_wrong_input(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("map", example / "nothing.gpkg") == 2
    assert "nothing.gpkg" in capsys.readouterr().err
    assert call("map", example / "zones.xlsx") == 2
    assert "zones.xlsx" in capsys.readouterr().err


def test_check_says_what_was_read_and_computes_nothing(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(example.iterdir())
    assert call("check", example / "scenario.toml") == 0
    printed = capsys.readouterr().out
    assert "south.geojson: 1 row: not valid on 2024-06-01" in printed
    assert "1 area, 3 post, 1 route" in printed
    assert "2023-02-11" in printed
    assert "Nothing is wrong." in printed
    assert sorted(example.iterdir()) == before


def test_check_draws_what_was_read(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("check", example / "scenario.toml", "--map", "--json") == 0
    figures = json.loads(capsys.readouterr().out)
    page = example / "scenario.check.html"
    assert figures["files"] == {"map": page.as_posix()}
    assert "no corridors are computed" in page.read_text(encoding="utf-8")


def test_check_says_all_that_is_wrong_by_file_and_row(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("scenario.toml", "zones.xlsx", "places.csv"):
        (tmp_path / name).write_bytes((example / name).read_bytes())
    (tmp_path / "incidents.csv").write_text("date,lat,lon\n2023-01-01,30.1,\n", encoding="utf-8")
    south = (example / "south.geojson").read_text(encoding="utf-8").replace("-30.42", "358.2")
    (tmp_path / "south.geojson").write_text(south, encoding="utf-8")
    assert call("check", tmp_path / "scenario.toml", "--map") == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(
        "gapmap: 2 inputs cannot be used\n  south.geojson: 1 of 6 zones cannot be used\n    row 1:"
    )
    assert "incidents.csv" in printed.err
    assert "zones.xlsx" in printed.out
    assert "Nothing is wrong" not in printed.out
    assert not (tmp_path / "scenario.check.html").exists()


def test_check_says_that_the_date_is_missing(example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in example.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    text = (tmp_path / "scenario.toml").read_text(encoding="utf-8").replace("date = 2024-06-01", "", 1)
    (tmp_path / "scenario.toml").write_text(text, encoding="utf-8")
    assert call("check", tmp_path / "scenario.toml") == 2
    assert "zones carry dates" in capsys.readouterr().err


def test_a_misspelt_key_is_named_with_the_right_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text('max_witdh = "20 km"\n[forces.north]\nzones = "a.kml"\nreach = "5 km"\n', encoding="utf-8")
    for command in ("check", "run"):
        assert call(command, path) == 2
        assert "did you mean 'max_width'" in capsys.readouterr().err


def test_the_demo_is_found_in_a_checkout() -> None:
    assert cli.demo_scenario().parts[-3:] == ("data", "nineveh", "scenario.toml")
