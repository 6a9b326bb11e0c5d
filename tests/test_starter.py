"""The folder to start from."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import openpyxl
import pytest

from gapmap import cli, starter
from gapmap.errors import InputError
from gapmap.readers import read_incidents, read_places, read_zones
from gapmap.starter import write_example

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_folder_has_a_scenario_data_and_a_spreadsheet(tmp_path: Path) -> None:
    written = write_example(tmp_path / "seam")
    names = [path.name for path in written]
    assert names == ["incidents.csv", "paper-lists.xlsx", "places.csv", "scenario.toml", "south.geojson", "zones.xlsx"]


def test_the_spreadsheet_explains_each_of_its_columns(tmp_path: Path) -> None:
    write_example(tmp_path)
    book = openpyxl.load_workbook(tmp_path / "zones.xlsx")
    assert book.sheetnames == ["zones", "how to"]
    explained = " ".join(str(cell.value) for cell in book["how to"]["A"])
    headings = [str(cell.value) for cell in book["zones"][1]]
    assert len(headings) == 9
    assert [heading for heading in headings if heading not in explained] == []


def test_a_paper_list_typed_in_is_read(tmp_path: Path) -> None:
    write_example(tmp_path)
    path = tmp_path / "paper-lists.xlsx"
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["zones", "incidents", "places", "how to"]
    explained = {str(cell.value) for cell in book["how to"]["A"]}
    typed = {
        "zones": ("Gwer", "post", "LE 716 599", None, "٥ كم", "31/1/2024", None),
        "incidents": ("7", "1/2/2024", "mine", "38SLE7059", None, "٢", "yes", "a car, burnt"),
        "places": ("گوێر", "Gwer, الكوير", "9 000", "36°02'24\"N 43°28'48\"E"),
    }
    for title, cells in typed.items():
        sheet = book[title]
        assert {str(cell.value) for cell in sheet[1]} <= explained
        assert all(cell.number_format == "@" for cell in sheet[2])
        for number, cell in enumerate(cells, start=1):
            sheet.cell(2, number, cell)
    book.save(path)
    zones = read_zones(path, force="a", mgrs_zones=["38S"], day_first=True)
    assert zones[["name", "kind", "reach_m"]].to_numpy().tolist() == [["Gwer", "post", 5_000]]
    incident = read_incidents(path, day_first=True).loc["7"]
    assert (incident["kind"], incident["deaths_best"], incident["civilians"]) == ("mine", 2, 1)
    assert f"{incident['date_from']:%Y-%m-%d}" == "2024-02-01"
    # A square of 1 km holds no point further than half its diagonal from the centre.
    assert (incident["location_precision"], incident["location_radius_m"]) == ("exact", pytest.approx(707.1, abs=0.1))
    place = read_places(path).iloc[0]
    assert (place["name"], place["population"]) == ("گوێر", 9_000)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="not an empty folder"):
        write_example(tmp_path)
    with pytest.raises(InputError, match="not an empty folder"):
        write_example(tmp_path / "mine.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_folder_is_filled_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(starter, "_write_paper_lists", fill)
    with pytest.raises(InputError, match=r"seam cannot be written: the disk is full\n"):
        write_example(tmp_path / "seam")
    assert list((tmp_path / "seam").iterdir()) == []
    monkeypatch.undo()

    def deny(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", deny)
    assert cli.main(["init", str(tmp_path / "other")]) == 2


def test_the_readme_can_be_typed_word_for_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its commands in their order, but for those on files that the reader brings; then its Python."""
    monkeypatch.chdir(tmp_path)
    tour = README.partition("## Five minutes")[2].partition("## What a corridor is")[0]
    said = [" ".join(each.split()) for each in re.findall(r"`(gapmap [^`]+ [^`]+)`", tour)]
    brought = ("gapmap run north.kml", "gapmap run all.xlsx", "gapmap compare before")
    typed = [each for each in said if not each.startswith(brought)]
    assert (len(said), len(typed)) == (12, 9)
    for each in typed:
        words = shlex.split(each)[1:]
        try:
            code = cli.main(words)
        except SystemExit as end:
            code = int(end.code or 0)
        # PDF needs Pango, which may not be here; that it then says so is tested with the report.
        assert code == 0 or words[-1].endswith(".pdf"), each
    [python] = re.findall(r"```python\n(.*?)```", tour, re.DOTALL)
    exec(compile(python, "README.md", "exec"), {})  # noqa: S102 - our own
    assert Path("map.html").exists()
