"""``gapmap query``: what it understands, what it refuses, and how long it takes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import gapmap
from gapmap import cli, questions
from gapmap.query import ask
from tests.test_questions import SPOT, degrees, scene, text

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    scene().save(folder / "gaps.gpkg")
    return folder


def rows(capsys: pytest.CaptureFixture[str], *words: object) -> list[str]:
    """Ask in this process; the first column of the CSV."""
    ask([str(word) for word in (*words, "--format", "csv")])
    return [line.split(",")[0] for line in capsys.readouterr().out.splitlines()[1:]]


def test_the_command_line_and_python_give_the_same(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    analysis = gapmap.open(out / "gaps.gpkg")
    words = "--min-width 5km --force federal --force regional --since 2019-01-01 --until 2020-12-31 --kind IED"
    near = ["--within", "40km-of Makhmur", "--in-area", "Province", "--sort", "-width_max_m,name", "--limit", "3"]
    answer = questions.select(
        analysis,
        "stretches",
        min_width="5 km",
        force=["federal", "regional"],
        since="2019-01-01",
        until="2020-12-31",
        kind="IED",
        within="40 km of Makhmur",
        in_area="Province",
        sort="-width_max_m,name",
        limit=3,
    )
    assert rows(capsys, out, "stretches", *words.split(), *near) == list(answer.rows.index)
    assert len(answer.rows) == 3
    big = questions.select(analysis, "places", min_population=50_000)
    assert rows(capsys, out / "gaps.gpkg", "places", "--min-population", 50_000) == list(big.rows.index)


@pytest.mark.parametrize(
    "words",
    [
        ["at", text(degrees(SPOT.x, SPOT.y))],
        ["at", *text(degrees(SPOT.x, SPOT.y)).split()],
        ["--radius", "10km", "at", "Makhmur"],
        ["at", "--radius", "10 km", "مخمور"],
        ["place", "Makhmur", "--radius=10000"],
        ["place", "P078", "--radius", "10km"],
        ["place", " P078 "],
    ],
)
def test_a_point_as_people_write_it(words: list[str], out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ask([str(out), *words, "--format", "json"])
    found = json.loads(capsys.readouterr().out)
    card = questions.place(gapmap.open(out / "gaps.gpkg"), "Makhmur")
    assert found["stretch_id"] == card.here.stretch_id == "C01.01"
    assert found["incidents_total"]["within_10_km"] == card.incidents["within_10_km"].sum()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["at"], "at: nothing to look for"),
        (["at", " "], "at: nothing to look for"),
        (["place"], "place: nothing to look for"),
        (["at", "Makhmur", "--limit", "3"], "at takes no --limit"),
        (["stretches", "Makhmur"], "stretches takes no Makhmur"),
        (["stretches", "--radius", "5km"], "stretches takes no --radius"),
        (["strecthes"], "did you mean 'stretches'"),
        (["stretches", "--min-with", "5km"], "unknown option '--min-with'; did you mean '--min-width'"),
        (["stretches", "--columns", "nmae"], "did you mean 'name'"),
        (["stretches", "--within", "Makhmur"], "does not say how near"),
        (["at", "-36.2, -136.7"], "too far from this result"),
        (["at", "-36.2,", "-136.7"], "-36.2, -136.7 lies too far from this result"),
        (["at", "-36.2,136.7"], "-36.2, 136.7 lies too far from this result"),
        (["at", "136, 43"], "latitude 136"),
        (["place", "Village"], "may be one of these places"),
        (["stretches", "--within", "Makhmur"], "gapmap: --within 'Makhmur' does not say"),
        (["stretches", "--min-width", "abc"], "--min-width: 'abc' is not a length"),
        (["stretches", "--within", "15 miles-of Makhmur"], "--within: '15 miles' has the unit 'miles'"),
        (["at", "Makhmur", "--radius", "abc"], "--radius: 'abc' is not a length"),
        (["incidents", "--limit", "0"], "shows nothing"),
        (["stretches", "--min-width", "5km", "--min-width=9km"], "--min-width is given twice: 5km and 9km"),
        (["stretches", "-o", "a.csv", "--output", "b.csv"], "--output is given twice: a.csv and b.csv"),
    ],
)
def test_what_cannot_be_answered_is_code_2(
    words: list[str], said: str, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["query", str(out), *words]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.out == ""


@pytest.mark.parametrize("words", [[], ["out"], ["out", "stretches", "--limit"], ["out", "places", "--limit", "many"]])
def test_wrong_use_is_code_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        ask(words)
    assert caught.value.code == 2
    assert "usage: gapmap query" in capsys.readouterr().err


@pytest.mark.parametrize("result", ["missing.gpkg", "text.gpkg", "."])
def test_what_is_no_result_is_refused(result: str, tmp_path: Path) -> None:
    (tmp_path / "text.gpkg").write_text("not a database", encoding="utf-8")
    with pytest.raises(gapmap.InputError, match=r"(missing|text|gaps)\.gpkg"):
        ask([str(tmp_path / result), "stretches"])


def test_a_file_cut_short_is_refused(out: Path, tmp_path: Path) -> None:
    data = (out / "gaps.gpkg").read_bytes()
    for part in (100, len(data) // 3, len(data) - 5_000):
        (tmp_path / "cut.gpkg").write_bytes(data[:part])
        with pytest.raises(gapmap.InputError, match=r"cut\.gpkg"):
            ask([str(tmp_path / "cut.gpkg"), "incidents", "--since", "2019-01-01"])


def test_a_reader_that_has_seen_enough_is_no_fault(out: Path) -> None:
    command = [sys.executable, "-c", f"from gapmap.cli import main; main(['query', {str(out)!r}, 'incidents'])"]
    with subprocess.Popen([*command], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


def test_the_help_has_all_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        ask(["--help"])
    assert caught.value.code == 0
    said = capsys.readouterr().out
    for option in (
        "--min-width",
        "--force",
        "--within",
        "--in-area",
        "--since",
        "--until",
        "--kind",
        "--min-population",
    ):
        assert option in said
    assert all(word in said for word in questions.TABLES)


@pytest.mark.parametrize(
    "words",
    [["at", "Makhmur"], ["stretches", "--min-width", "10km"], ["incidents", "--within", "15km-of Makhmur"]],
)
def test_an_answer_loads_neither_engine_nor_readers_nor_map(words: list[str], out: Path) -> None:
    # So it takes 1.5 times ``import geopandas`` at most; ``benchmarks/bench_query.py`` measures it.
    code = "import sys; from gapmap.cli import main; code = main(sys.argv[1:]); print(*sys.modules); sys.exit(code)"
    asked = [sys.executable, "-c", code, "query", str(out), *words]
    done = subprocess.run(asked, check=True, capture_output=True, text=True)
    assert not {"scipy", "pythoncdt", "folium", "openpyxl", "gapmap.corridors"} & set(done.stdout.split())
