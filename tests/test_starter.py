"""The folder to start from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openpyxl
import pytest

from gapmap.errors import InputError
from gapmap.starter import write_example

if TYPE_CHECKING:
    from pathlib import Path


def test_the_folder_has_a_scenario_data_and_a_spreadsheet(tmp_path: Path) -> None:
    written = write_example(tmp_path / "seam")
    names = [path.name for path in written]
    assert names == ["incidents.csv", "places.csv", "scenario.toml", "south.geojson", "zones.xlsx"]


def test_the_spreadsheet_explains_each_of_its_columns(tmp_path: Path) -> None:
    write_example(tmp_path)
    book = openpyxl.load_workbook(tmp_path / "zones.xlsx")
    assert book.sheetnames == ["zones", "how to"]
    explained = " ".join(str(cell.value) for cell in book["how to"]["A"])
    headings = [str(cell.value) for cell in book["zones"][1]]
    assert len(headings) == 9
    assert [heading for heading in headings if heading not in explained] == []


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="not an empty folder"):
        write_example(tmp_path)
    with pytest.raises(InputError, match="not an empty folder"):
        write_example(tmp_path / "mine.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
