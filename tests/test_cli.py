"""The command line: what it says, where it says it, and with which exit code."""

from __future__ import annotations

import csv
import html
import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import pytest

import gapmap
from gapmap import cli
from gapmap.compare import STATES
from gapmap.errors import EngineError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable


def call(*words: object) -> int:
    """Run a command in this process; its exit code."""
    try:
        return cli.main([str(word) for word in words])
    except SystemExit as end:
        return int(end.code or 0)


def test_help_loads_nothing_heavy() -> None:
    # So it answers in a third of the time of ``import geopandas``; ``benchmarks/bench_commands.py`` measures it.
    code = "import sys; from gapmap.cli import main; code = main(['--help']); print(*sys.modules); sys.exit(code)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "Commands" in done.stdout
    assert not {"numpy", "pandas", "shapely", "geopandas", "folium", "rich"} & set(done.stdout.split())


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--version") == 0
    assert capsys.readouterr().out == f"gapmap {gapmap.__version__}\n"


def test_it_runs_as_a_module(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "gapmap", "run", str(tmp_path / "none.toml")]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "none.toml" in done.stderr


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


def test_a_fault_of_gapmap_is_one_line_and_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def command(**_: object) -> None:
        raise KeyError("width\nhere")

    monkeypatch.setattr(cli, "app", command)
    line = "gapmap failed: KeyError: 'width\\nhere'; this is a fault of gapmap; please report it with the input\n"
    assert cli.main(["x"]) == 1
    assert capsys.readouterr().err == line
    monkeypatch.setenv("GAPMAP_TRACEBACK", "1")
    assert cli.main(["x"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("Traceback")
    assert said.endswith(line)


def test_a_console_that_cannot_show_a_name_goes_on(tmp_path: Path) -> None:
    code = "import sys; from gapmap.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "init", str(tmp_path / "گوێر")],
        capture_output=True,
        check=True,
        env={"PYTHONIOENCODING": "cp1252", "PATH": ""},
    )
    assert b"????" in done.stdout


def test_commands_to_copy_are_whole_where_a_folder_has_blanks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("init", "my seam") == 0
    lines = capsys.readouterr().out.splitlines()
    [command] = [line for line in lines if line.startswith("  gapmap check")]
    assert call(*shlex.split(command)[1:]) == 0


def test_a_query_that_is_stopped_ends_without_a_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(_words: list[str]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "ask", stop)
    assert cli.main(["query", "out", "stretches"]) == 130
    assert capsys.readouterr().err == "Aborted.\n"


def test_a_command_that_is_stopped_says_so_like_a_query(
    example: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(gapmap, "run", stop)
    assert call("run", example / "scenario.toml", "--out", example / "stopped") == 130
    assert capsys.readouterr().err == "Aborted.\n"


@pytest.mark.parametrize("words", [["check", "none.toml"], ["query", "out", "stretches"]])
def test_a_command_that_is_stopped_while_it_is_imported_ends_without_a_trace(words: list[str]) -> None:
    code = (
        "import runpy, sys\n"
        "class Stop:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'typer': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Stop())\n"
        f"sys.argv = ['gapmap', *{words}]\n"
        "runpy.run_module('gapmap', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Aborted.\n")


@pytest.mark.parametrize("name", ["north.csv", "scenario.toml"])
def test_a_file_that_another_program_holds_is_named_with_what_to_do(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As Windows does with a workbook that is open in Excel."""
    for force, lat in (("north", 36.3), ("south", 36.1)):
        (tmp_path / f"{force}.csv").write_text(f"name,lon,lat\nP,43.0,{lat}\n", encoding="utf-8")
    forces = "".join(f'[forces.{each}]\nzones = "{each}.csv"\nreach = "5 km"\n' for each in ("north", "south"))
    (tmp_path / "scenario.toml").write_text(forces, encoding="utf-8")
    whole = Path.open

    def held(path: Path, *given: Any, **said: Any) -> Any:  # noqa: ANN401 - as Path.open
        if path.name == name:
            raise PermissionError(13, "Permission denied")
        return whole(path, *given, **said)

    monkeypatch.setattr(Path, "open", held)
    assert call("check", tmp_path / "scenario.toml", "--quiet") == 2
    said = capsys.readouterr().err
    assert f"{name}: cannot be read: Permission denied\n" in said
    assert "close it in the other program" in said


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


def test_query_answers_with_and_without_typer(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--help") == 0
    assert "query" in capsys.readouterr().out
    words = ["query", str(example / "out"), "stretches", "--sort", "-width_max_m", "--format", "csv"]
    assert call(*words) == 0
    said = capsys.readouterr().out
    widest = gapmap.open(example / "out" / "gaps.gpkg").stretches["width_max_m"].idxmax()
    assert said.splitlines()[1].startswith(f"{widest},")
    with pytest.raises(SystemExit) as caught:
        cli.app(words)
    assert caught.value.code == 0
    assert capsys.readouterr().out == said


def test_a_remark_goes_from_the_file_to_the_saved_result_the_map_and_the_briefing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "seam", tmp_path / "out"
    assert call("init", folder, "--quiet") == 0
    assert call("check", folder / "scenario.toml", "--json") == 0
    assert [each["remarks"] for each in json.loads(capsys.readouterr().out)["inputs"]] == [[]] * 4
    places = folder / "places.csv"
    places.write_text(places.read_text(encoding="utf-8").replace("2500", "ca. 2500"), encoding="utf-8")
    assert call("run", folder / "scenario.toml", "--out", out) == 0
    remark = "population 'ca. 2500' is not a number of zero or more"
    assert remark in " ".join(capsys.readouterr().out.split())
    assert remark in json.loads(gapmap.open(out / "gaps.gpkg").run["inputs"].iloc[0])[-1]["remarks"][0]
    assert call("map", out, "--out", tmp_path / "again.html", "--quiet") == 0
    assert call("report", out, "--edition", "full", "--out", tmp_path / "report.html", "--quiet") == 0
    for page in (out / "map.html", tmp_path / "again.html"):
        assert "is not a number of zero or more" in page.read_text(encoding="utf-8")
    assert remark in html.unescape((tmp_path / "report.html").read_text(encoding="utf-8"))


def test_run_prints_its_figures_as_json(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("run", example / "scenario.toml", "--out", example / "out", "--json") == 0
    figures = json.loads(capsys.readouterr().out)
    analysis = gapmap.open(example / "out" / "gaps.gpkg")
    assert figures["corridors"] == len(analysis.corridors)
    assert figures["length_km"] == pytest.approx(analysis.corridors["length_km"].sum(), abs=0.06)
    assert figures["incidents_inside"] == analysis.corridors["incidents_count"].sum()
    assert figures["incidents_inside_certain"] >= analysis.corridors["incidents_certain"].sum()
    assert "laid over the gap of 2024-06-01" in figures["incidents_over"]
    assert figures["widest"][0]["width_mean_km"] == pytest.approx(
        analysis.stretches["width_mean_m"].max() / 1000, abs=0.006
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


def test_run_takes_one_list_of_several_forces(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same zones in a file for each force give the same corridors, and so does the scenario that was written."""
    rows = {
        side: [f"{side[0]}{k},{43 + k * 0.08:.2f},{lat},{side}" for k in range(3)]
        for side, lat in (("North side", 36.2), ("جنوب", 36.0))
    }
    lists = {"all": [*rows["North side"], *rows["جنوب"]], "North side": rows["North side"], "جنوب": rows["جنوب"]}
    for name, lines in lists.items():
        text = "\n".join(("name,lon,lat,Force", *lines))
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    assert call("run", tmp_path / "all.csv", "--reach", "5 km", "--out", one) == 0
    assert "zones of North_side" in capsys.readouterr().out
    assert call("run", one / "scenario.toml", "--out", two, "--quiet") == 0
    each = [tmp_path / f"{name}.csv" for name in rows]
    assert call("run", *each, "--reach", "5 km", "--out", three, "--quiet") == 0
    first, again, apart = (gapmap.open(folder / "gaps.gpkg") for folder in (one, two, three))
    assert first.cover.index.tolist() == ["North_side", "جنوب"]
    assert len(first.corridors) == 1
    for name in ("zones", "corridors", "transects"):
        tables = [
            analysis.table(name).drop(columns=["source", "source_row"], errors="ignore")
            for analysis in (first, again, apart)
        ]
        frames = [pd.DataFrame(table) for table in tables]
        pd.testing.assert_frame_equal(frames[0], frames[1])
        pd.testing.assert_frame_equal(frames[0], frames[2])
    # A second list of the same forces adds to them; the same list twice does not.
    (tmp_path / "more.csv").write_text("name,lon,lat,force\na,43.3,36.2,NORTH side\nb,43.3,36,جنوب\n", encoding="utf-8")
    assert call("check", tmp_path / "all.csv", tmp_path / "more.csv", "--reach", "5km", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [(item["name"], item["force"], item["used"]) for item in told["inputs"]] == [
        ("all.csv", "NORTH_side", 3),
        ("more.csv", "NORTH_side", 1),
        ("all.csv", "جنوب", 3),
        ("more.csv", "جنوب", 1),
    ]
    assert call("check", tmp_path / "all.csv", tmp_path / "all.csv", "--reach", "5km") == 2
    assert "two forces have one name, North_side" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--reach", "5 miles"], "--reach: '5 miles' has the unit 'miles'"),
        (["--date", "1 June"], "--date: '1 June' is not an ISO date"),
        (["--max-width", "far"], "--max-width: 'far' is not a length"),
        (["--max-width", "0"], "--max-width: 0 m is outside"),
    ],
)
def test_wrong_options_are_all_said_at_once(
    options: list[str], said: str, example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [example / "zones.xlsx", example / "zones.xlsx"]
    assert call("run", *files, *options, "--out", tmp_path / "out") == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert "two forces have one name, zones: 'zones' of zones.xlsx and 'zones' of zones.xlsx" in printed
    assert not (tmp_path / "out").exists()


def test_a_folder_is_not_a_file_of_zones(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("run", ".", example / "south.geojson", "--reach", "5 km") == 2
    assert ". is a folder, not a file of zones" in capsys.readouterr().err
    assert call("check", example) == 2
    assert f"-> a scenario is in it: {example / 'scenario.toml'}" in capsys.readouterr().err


def test_options_for_files_do_not_go_with_a_scenario(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("run", example / "scenario.toml", "--reach", "5 km") == 2
    assert "--reach: for files of zones only" in capsys.readouterr().err


def test_an_option_is_given_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("run", "a.kml", "--reach", "5km", "--out=x", "-q", "--reach=9km", "--quiet", "--out", "y") == 2
    printed = capsys.readouterr().err
    assert "--reach is given 2 times: 5km and 9km" in printed
    assert "--out is given 2 times: x and y" in printed
    assert call("compare", "a", "b", "-o", "one.csv", "--output", "two.csv") == 2
    assert "is given 2 times: one.csv and two.csv" in capsys.readouterr().err
    # What may be given many times, and what stands behind "--".
    assert call("whatif", "none.toml", "--remove", "a", "--remove", "b") == 2
    assert call("check", "--reach", "5km", "--", "none.kml", "--reach", "9km") == 2
    assert "times" not in capsys.readouterr().err


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
    beside = tmp_path / "gaps.gpkg"
    beside.write_bytes((example / "out" / "gaps.gpkg").read_bytes())
    assert call("map", beside) == 2
    assert call("run", example / "scenario.toml", "--out", tmp_path) == 2
    assert mine.read_text(encoding="utf-8") == "mine"
    assert call("map", example / "out" / "gaps.gpkg", "--out", mine, "--overwrite", "--quiet") == 0
    assert mine.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    "words",
    [["map", "out", "--out", "m.pdf"], ["map", "out", "--png", "m.html"], ["compare", "out", "out", "--map", "m"]],
)
def test_a_name_that_says_another_format_is_refused(
    example: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    monkeypatch.chdir(example)
    assert call(*words) == 2
    assert "not a name that ends in ." in capsys.readouterr().err
    assert not list(example.glob("m*"))


def test_changes_are_given_in_each_form(example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = example / "out"
    changes = gapmap.find_changes(gapmap.open(out / "gaps.gpkg"), gapmap.open(out / "gaps.gpkg")).corridors
    ids = changes.index.tolist()
    assert call("compare", out, out, "--format", "csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["change_id"] for row in rows] == ids
    assert [float(row["area_after_km2"]) for row in rows] == pytest.approx(changes["area_after_km2"].tolist())
    assert {row["notice"] for row in rows} == {gapmap.open(out / "gaps.gpkg").table("run")["notice"].iloc[0]}
    assert call("compare", out, out, "--output", tmp_path / "c.geojson") == 0
    read = gpd.read_file(tmp_path / "c.geojson")
    assert read["change_id"].tolist() == ids
    assert read.to_crs(changes.crs).area.tolist() == pytest.approx(changes.area.tolist(), rel=1e-6)
    assert call("compare", out, out, "--output", tmp_path / "c.geojson") == 2
    assert call("whatif", out, "--reach", "north=6km", "--output", tmp_path / "w.gpkg") == 0
    said = capsys.readouterr()
    assert "reach of north" in said.err
    assert set(gpd.read_file(tmp_path / "w.gpkg", layer="changes")["state"]) <= set(STATES)
    assert call("compare", out, out, "--format", "xls") == 2


def copy_of(example: Path, folder: Path) -> Path:
    """Copy the files of the example, without its result."""
    for path in example.iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    return folder / "scenario.toml"


def test_a_scenario_that_was_read_stays_as_it_was(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = copy_of(example, tmp_path)
    before = scenario.read_bytes()
    for _ in range(2):  # the second time beside a result
        assert call("run", scenario, "--out", tmp_path) == 0
        assert f"scenario: {scenario.as_posix()}, as it was" in capsys.readouterr().out
    assert call("run", example / "scenario.toml", "--out", tmp_path) == 2
    assert str(scenario) in capsys.readouterr().err
    assert scenario.read_bytes() == before


def test_the_map_of_an_edition_says_so_in_its_name_and_leaves_the_full_one(example: Path, tmp_path: Path) -> None:
    for name in ("gaps.gpkg", "map.html"):
        (tmp_path / name).write_bytes((example / "out" / name).read_bytes())
    full = (tmp_path / "map.html").read_bytes()
    for words in (["partner", "--force", "north"], ["partner", "--force", "south"], ["public"]):
        assert call("map", tmp_path, "--quiet", "--edition", *words) == 0
    assert call("map", tmp_path, "--quiet", "--edition", "partner", "--force", "../x") == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "gaps.gpkg", "map-partner-north.html", "map-partner-south.html", "map-public.html", "map.html",
    ]  # fmt: skip
    assert (tmp_path / "map.html").read_bytes() == full


def test_a_result_never_replaces_what_it_is_made_of(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    zones = tmp_path / "gaps.gpkg"
    zones.write_bytes((example / "out" / "gaps.gpkg").read_bytes())
    assert call("run", zones, "--reach", "5 km", "--out", tmp_path, "--overwrite") == 2
    assert "would replace what it is made of" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["gaps.gpkg"]


@pytest.mark.parametrize("fails", ["gapmap.maps.save", "gapmap.storage.os.replace"])
def test_a_run_that_fails_leaves_the_old_result_whole(
    fails: str, example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (example / "out").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    replace = os.replace

    def fail(source: Path, target: Path) -> None:
        if fails == "gapmap.maps.save" or target == tmp_path / "gaps.gpkg":
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(fails, fail)
    assert call("run", example / "scenario.toml", "--out", tmp_path) == 2
    assert f"{tmp_path} cannot be written: the disk is full\n" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_output_that_cannot_be_written_is_said_before_any_work(
    example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    monkeypatch.setattr(gapmap, "run", None)
    for out in (tmp_path / "file", tmp_path / "file" / "deeper"):
        assert call("run", example / "scenario.toml", "--out", out) == 2
        assert f"{out} cannot be written to" in capsys.readouterr().err
    assert call("map", example / "out", "--out", tmp_path / "file" / "map.html") == 2
    assert "cannot be written to" in capsys.readouterr().err


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
    text = page.read_text(encoding="utf-8")
    assert "Only read: no corridors computed yet" in text
    assert "Illustrative" in text.split("Only read: no corridors")[0].rsplit('"notice"', 1)[-1]
    assert "Nothing was computed" in text
    assert "No corridor up to" not in text
    assert '"computed":false' in text  # so that the foot does not say how spans were measured


def test_check_says_how_files_were_understood(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    north, south, log = (tmp_path / name for name in ("north.csv", "south.csv", "log.csv"))
    north.write_text("name;position\nN1;36,30; 43,00\n".replace("36,30; 43,00", '"36,30; 43,00"'), encoding="utf-16")
    south.write_text("name,lat,lon\nS1,36.1,43.0\n</script>,36.1,43.1\n", encoding="utf-8")
    rows = "".join(f"I{n},2024-01-0{n},36.2,43.0,attack\n" for n in range(1, 7))
    log.write_text(f"id,date,lat,lon,kind\n{rows}", encoding="utf-8")
    words = ("check", north, south, "--reach", "5 km", "--incidents", log)
    assert call(*words) == 0
    printed = capsys.readouterr().out
    assert "north.csv: UTF-16, parted by semicolons" in printed
    assert "log.csv: plain table; UTF-8, parted by commas" in printed
    assert "log.csv: 6 incidents at 1 position that 5 or more share, up to 6 at 36.2000, 43.0000" in " ".join(
        printed.split()
    )
    assert "I2 and I1" in printed
    assert call(*words, "--map", "--json") == 0
    figures = json.loads(capsys.readouterr().out)
    page = tmp_path / "north.check.html"
    assert figures["files"] == {"map": page.as_posix()}
    text = page.read_text(encoding="utf-8")
    for label in ("\u2068north\u2069: as read (1 post)", "\u2068south\u2069: as read (2 post)"):
        assert label in text
    assert text.count("[43.0, 36.1]") == 1  # the post itself, not only what it covers


def test_a_kml_alone_holds_a_force_in_each_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    marks = "".join(
        f"<Folder><name>{force}</name><Placemark><Point><coordinates>{at}</coordinates></Point></Placemark></Folder>"
        for force, at in (("Federal forces", "43.0,36.0"), ("Regional", "43.2,36.0"))
    )
    both = tmp_path / "seam.kml"
    both.write_text(f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{marks}</Document></kml>', encoding="utf-8")
    assert call("run", both, "--reach", "5 km", "--out", tmp_path / "out") == 0
    found = gapmap.open(tmp_path / "out" / "gaps.gpkg")
    said = " ".join(capsys.readouterr().out.split())
    assert "seam.kml: its folders 'Federal forces', 'Regional' are taken for forces; are they not those of one?" in said
    assert found.zones["force"].tolist() == ["Federal_forces", "Regional"]
    assert len(found.corridors) == 1
    assert 'layer = "Federal forces"' in (tmp_path / "out" / "scenario.toml").read_text(encoding="utf-8")
    assert call("run", tmp_path / "out" / "scenario.toml", "--out", tmp_path / "again") == 0
    assert gapmap.open(tmp_path / "again" / "gaps.gpkg").zones.equals(found.zones)
    # Beside another file, a file is one force, whatever its folders.
    other = tmp_path / "third.csv"
    other.write_text("lon,lat\n43.1,36.2\n", encoding="utf-8")
    capsys.readouterr()
    assert call("check", both, other, "--reach", "5 km") == 0
    assert "zones of seam" in capsys.readouterr().out


def test_check_takes_no_options_beside_a_scenario(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("check", example / "scenario.toml", "--reach", "5 km") == 2
    assert "--reach: for files of zones only" in capsys.readouterr().err


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
    assert "Not drawn while something is wrong.\n" in printed.out
    assert not (tmp_path / "scenario.check.html").exists()
    for name in ("incidents.csv", "south.geojson"):
        (tmp_path / name).write_bytes((example / name).read_bytes())
    assert call("check", tmp_path / "scenario.toml", "--map", "--quiet") == 0
    (tmp_path / "south.geojson").write_text(south, encoding="utf-8")
    assert call("check", tmp_path / "scenario.toml", "--map") == 2
    assert "scenario.check.html is of an earlier check.\n" in capsys.readouterr().out


def test_check_counts_zones_of_other_days_alike_whatever_else_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    posts = "name,lon,lat,valid_to\nOne,43,36.3,\nTwo,43,36.4,2020-01-01\n"
    (tmp_path / "north.csv").write_text(posts, encoding="utf-8")
    (tmp_path / "south.csv").write_text("name,lon,lat\nThree,43,36.1\n", encoding="utf-8")
    words = [tmp_path / "north.csv", tmp_path / "south.csv", "--reach", "5 km", "--date", "2021-06-01", "--json"]
    for more, code in (([], 0), (["--incidents", tmp_path / "none.csv"], 2)):
        assert call("check", *words, *more) == code
        figures = json.loads(capsys.readouterr().out)
        assert [(each["used"], each["set_aside"]) for each in figures["inputs"]] == [(1, 1), (1, 0)]
        assert len(figures["set_aside"]) == 1
        assert len(figures["problems"]) == len(more) / 2


def test_check_says_that_the_date_is_missing(example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy_of(example, tmp_path)
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
