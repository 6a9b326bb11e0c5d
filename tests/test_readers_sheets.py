from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gapmap.errors import InputError
from gapmap.readers.places import read_places
from gapmap.readers.sheets import fold, read_csv, read_xlsx
from gapmap.readers.values import parse_numbers
from gapmap.readers.zones import read_zones
from tests.test_readers_zones import write, write_xlsx

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,x\n", "UTF-8, parted by commas"),
        ("a;b\n1;x\n", "UTF-8, parted by semicolons"),
        ("a\tb\n1\tx\n", "UTF-8, parted by tabs"),
        ("sep=;\na;b\n1;x\n", "UTF-8, parted by semicolons"),
        ('"sep=,"\r\na,b\r\n1,x\r\n', "UTF-8, parted by commas"),
        ("\ufeffa,b\n1,x", "UTF-8, parted by commas"),
        ("\r\n\na,b\n1,x\n", "UTF-8, parted by commas"),
        ("a,b\r1,x\r", "UTF-8, parted by commas"),
        ('"a","b"\n"1","x"\n', "UTF-8, parted by commas"),
        ("a,b,,\n1,x,,\n", "UTF-8, parted by commas"),
        ("a , b\n 1 , x \n", "UTF-8, parted by commas"),
        ("a|b\n1|x\n", "UTF-8, parted by bars"),
        ("| a | b |\n| 1 | x |\n", "UTF-8, parted by bars"),
        ('sep=|\n"a"|b\n1|x\n', "UTF-8, parted by bars"),
    ],
)
def test_one_table_in_many_writings(tmp_path: Path, text: str, said: str) -> None:
    sheet = read_csv(write(tmp_path / "a.csv", text))
    assert (sheet.header, sheet.read_as) == (("a", "b"), said)
    assert sheet.columns.to_numpy().tolist() == [["1", "x"]]
    assert sheet.columns.index.tolist() == [1]


def test_a_bar_parts_values_only_where_nothing_else_may(tmp_path: Path) -> None:
    sheet = read_csv(write(tmp_path / "a.csv", "name,names|spellings\nGwer,Quwayr|Guwer\n"))
    assert (sheet.header, sheet.columns.iloc[0].tolist()) == (("name", "names|spellings"), ["Gwer", "Quwayr|Guwer"])


def test_unicode_text_as_a_spreadsheet_saves_it(tmp_path: Path) -> None:
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        mark = "" if encoding == "utf-16" else "\ufeff"
        sheet = read_csv(write(tmp_path / "a.txt", f"{mark}الاسم\tb\nالكوير\t2\n".encode(encoding)))
        assert sheet.columns.to_numpy().tolist() == [["الكوير", "2"]]
    bare = write(tmp_path / "b.csv", "a,b\n1,2\n".encode("utf-16-le"))
    with pytest.raises(InputError, match="not text in UTF-8"):
        read_csv(bare)
    assert read_csv(bare, encoding="utf-16-le").columns.to_numpy().tolist() == [["1", "2"]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n3,4,5\n", "row 2 has more than the 2 values"),
        ("a,b\n1,2,3,4\n", "row 1 has more than the 2 values"),
        ('a,b\n1,"2\n3,4\n', r"not a readable CSV .*row 1\)\n  -> a quotation mark is opened there"),
        (" , \n1,2\n", "its first row is blank"),
        ("a|b\n1|2|3\n", "row 1 has more than the 2 values"),
    ],
)
def test_what_is_no_table(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_csv(write(tmp_path / "a.csv", text))


def test_short_rows_blank_lines_and_headers_of_several_lines(tmp_path: Path) -> None:
    sheet = read_csv(write(tmp_path / "a.csv", '"a\nx",b,c\n1\n\n"2\n3",4,5,\n'))
    assert sheet.header == ("a\nx", "b", "c")
    assert sheet.columns.to_numpy().tolist() == [["1", "", ""], ["", "", ""], ["2\n3", "4", "5"]]
    for text, rows in (('"a\nx",b', 0), ('"a\nx",b\n', 0), ('"a\nx",b\n\n\n', 2)):
        sheet = read_csv(write(tmp_path / "a.csv", text), wanted={"b"})
        assert len(sheet.columns) == rows
        sheet = read_csv(tmp_path / "a.csv")
        assert (sheet.header, len(sheet.columns)) == (("a\nx", "b"), rows)


def test_columns_that_are_wanted_and_those_that_stay_as_written(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "Id,Lat,note,deaths,x\n007,36.5,n,,9\n1,nan,m,3,9\n")
    sheet = read_csv(path, wanted={"id", "lat", "deaths"}, as_written={"id"})
    assert sheet.header == ("Id", "Lat", "note", "deaths", "x")
    assert list(sheet.columns) == ["Id", "Lat", "deaths"]
    assert sheet.columns["Id"].tolist() == ["007", "1"]
    assert sheet.columns["Lat"].tolist() == ["36.5", "nan"]  # not all are numbers: text, as written
    assert sheet.columns["deaths"].tolist() == pytest.approx([np.nan, 3], nan_ok=True)
    assert read_csv(path, wanted={"id"}).columns["Id"].tolist() == [7, 1]


def test_a_column_that_turns_to_text_far_down(tmp_path: Path) -> None:
    # pandas reads a large file in parts: numbers in one, text in another.
    rows = ["36.5"] * 300_000 + ["36,5"]
    path = write(tmp_path / "a.csv", "lat;b\n" + "".join(f"{row};1\n" for row in rows))
    column = read_csv(path, wanted={"lat", "b"}).columns["lat"]
    numbers, bad = parse_numbers(column, coordinates=True)
    assert set(numbers) == {36.5}
    assert not bad.any()


def test_ids_stay_as_written_whatever_the_rest_of_the_column_holds(tmp_path: Path) -> None:
    # In a large file pandas takes a part of plain numbers for numbers, though other parts hold text.
    path = write(tmp_path / "a.csv", "id,b\n" + "A1,x\n" * 300_000 + "007,y\n" * 1_500_000)
    sheet = read_csv(path, wanted={"id", "b"}, as_written={"id"}, coded={"b"})
    assert set(sheet.columns["id"]) == {"A1", "007"}
    assert set(sheet.columns["b"]) == {"x", "y"}


CELLS = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp"), exclude_characters="\ufeff"), max_size=8
)


@given(rows=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8), separator=st.sampled_from(",;\t|"))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_pandas_writes_comes_back(tmp_path: Path, rows: list[tuple[str, str]], separator: str) -> None:
    path = tmp_path / "a.csv"
    pd.DataFrame(rows, columns=["first", "second"]).to_csv(path, sep=separator, index=False)
    assert read_csv(path).columns.to_numpy().tolist() == [list(row) for row in rows]


def test_sheets_that_are_not_read_are_named(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title in ("Zones", "More zones", "how to"):
        sheet = book.create_sheet(title)
        sheet.append(["a"])
        sheet.append([title])
    book.create_sheet("Sheet4")
    book.create_sheet("To fill in").append(["a"])
    book.save(tmp_path / "a.xlsx")
    by_role = read_xlsx(tmp_path / "a.xlsx", role="zones")
    assert by_role.columns["a"].tolist() == ["Zones"]
    assert by_role.read_as == "sheet 'Zones'"
    assert by_role.unread == ("More zones",)  # the sheet that explains the others holds no list
    asked = read_xlsx(tmp_path / "a.xlsx", role="zones", layer="how to")
    assert asked.read_as == "sheet 'how to'"
    assert asked.unread == ("Zones", "More zones")


def test_hidden_rows_and_columns_are_read_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = openpyxl.Workbook()
    shown = book.active
    assert shown is not None
    shown.title = "zones"
    for line in (["name", "lat", "lon", "reach_km"], ["A", 36, 43, 5], [None], ["B", 36.1, 43, 5], ["C", 36.2, 43, 5]):
        shown.append(line)
    book.save(tmp_path / "plain.xlsx")
    assert read_zones(tmp_path / "plain.xlsx", force="a").attrs["input"]["remarks"] == []
    for row in (1, 3, 4, 9):  # the header, a blank row, the second zone, and nothing at all
        shown.row_dimensions[row].hidden = True
    for column in "DZ":
        shown.column_dimensions[column].hidden = True
    shown.row_dimensions[5].height = 20
    book.save(tmp_path / "a.xlsx")
    for block in (1 << 20, 7):  # a tag may be cut where a block ends
        monkeypatch.setattr("gapmap.readers.sheets._BLOCK", block)
        sheet = read_xlsx(tmp_path / "a.xlsx", role="zones")
        assert (sheet.hidden_rows, sheet.hidden_columns) == ((3,), ("reach_km",))
    zones = read_zones(tmp_path / "a.xlsx", force="a")
    assert zones["name"].tolist() == ["A", "B", "C"]
    said = "hidden in the workbook, and read like the others: row 3 and column 'reach_km'"
    assert said in zones.attrs["input"]["remarks"]


def test_cells_that_rows_share_are_read_for_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for line in (
        ["name", "lat", "lon", "reach_km"],
        ["A", 36, 43, 5],
        ["B", 36.1, 43, None],
        [None],
        ["C", 36.2, 43, None],
        ["D", 36.3, 43, 8],
        ["E", 36.4, 43],
    ):
        sheet.append(line)
    for cells in ("D2:D5", "B4:C4", "A1:A1", "D7:D9"):
        sheet.merge_cells(cells)
    book.save(tmp_path / "a.xlsx")
    for block in (1 << 20, 7):
        monkeypatch.setattr("gapmap.readers.sheets._BLOCK", block)
        zones = read_zones(tmp_path / "a.xlsx", force="a", reach_m=1_000)
        assert zones.set_index("name")["reach_m"].to_dict() == {
            "A": 5_000,
            "B": 5_000,
            "C": 5_000,
            "D": 8_000,
            "E": 1_000,
        }
    assert zones.attrs["input"]["remarks"] == ["merged cells, read for each of their rows: column 'reach_km'"]
    assert [each["reason"] for each in zones.attrs["set_aside"]] == ["blank row"]
    # What counts people is not counted again.
    places = read_places(tmp_path / "a.xlsx", columns={"population": "reach_km"})
    assert places["population"].fillna(0).tolist() == [5, 0, 0, 8, 0]
    assert places.attrs["input"]["remarks"] == ["merged cells, read for the first of their rows: column 'reach_km'"]


def test_formulas_that_nothing_has_computed_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_xlsx(
        tmp_path / "a.xlsx",
        [["name", "lat", "lon", "reach_km"], ["A", 36, 43, "=2+3"], ["B", 36.1, 43, "=D2*2"]],
        "zones",
    )
    for block in (1 << 20, 7):
        monkeypatch.setattr("gapmap.readers.sheets._BLOCK", block)
        assert read_xlsx(path, role="zones").bare_formulas == ("D2", "D3")
    zones = read_zones(path, force="a", reach_m=1_000)
    assert zones["reach_m"].tolist() == [1_000, 1_000]
    said = "formulas without their value, taken for blank: 'D2', 'D3'; save the workbook in a spreadsheet first"
    assert said in zones.attrs["input"]["remarks"]

    def rewritten(*cells: str) -> tuple[str, ...]:
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as new:
            for name in old.namelist():
                data = old.read(name)
                if name == "xl/worksheets/sheet1.xml":
                    head, last = data.split(b'<c r="D2"')[0], data[data.index(b"</row>", data.index(b'<c r="D2"')) :]
                    data = head + "".join(cells).encode() + last
                new.writestr(name, data)
        return read_xlsx(tmp_path / "b.xlsx", role="zones").bare_formulas

    assert rewritten('<c r="D2" s="1"><f>2+3</f><v>5</v></c>') == ("D3",)
    assert rewritten('<c r="D2" t="str"><f>IF(1,"")</f><v></v></c>') == ("D3",)  # computed, and empty
    assert rewritten('<c r="D2"><f t="shared" si="0"/></c>') == ("D2", "D3")


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_whole_sheets_that_are_hidden_are_said(tmp_path: Path, state: Literal["hidden", "veryHidden"]) -> None:
    book = openpyxl.Workbook()
    for title in ("zones", "old", "new"):
        sheet = book.create_sheet(title)
        sheet.append(["name", "lat", "lon"])
        sheet.append([title, 36, 43])
    for title in ("zones", "old"):
        book[title].sheet_state = state
    book.save(tmp_path / "a.xlsx")
    said = [read_zones(tmp_path / "a.xlsx", force="a", layer=layer).attrs["input"] for layer in (None, "new")]
    assert [each["read_as"] for each in said] == ["sheet 'zones'", "sheet 'new'"]
    assert [each["unread"] for each in said] == [["old (hidden)", "new"], ["zones (hidden)", "old (hidden)"]]
    assert [[line for line in each["remarks"] if "hidden" in line] for each in said] == [
        ["hidden in the workbook, and read like the others: the whole sheet 'zones'"],
        [],
    ]


def test_sheets(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", [["a", None, "b"], [1, "x", 36.34], ["=1+1", None, True]])
    sheet = read_xlsx(path, role="zones")
    assert (sheet.header, sheet.read_as) == (("a", "b"), "sheet 'Sheet1'")
    assert sheet.columns.to_numpy().tolist() == [["1", "36.34"], ["", "True"]]  # a formula that nothing has computed
    with pytest.raises(InputError, match="the file is empty"):
        read_xlsx(write_xlsx(tmp_path / "b.xlsx", []), role="zones")
    with pytest.raises(InputError, match="its first row is blank"):
        read_xlsx(write_xlsx(tmp_path / "c.xlsx", [[None], ["a"]]), role="zones")


def test_a_workbook_that_is_refused_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows lets nobody mend a file that is open."""
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    book.create_sheet("more")
    for sheet in book.worksheets:
        sheet.append(["a"])
    book.save(path)
    opened: list[Any] = []
    load = openpyxl.load_workbook

    def kept(*given: Any, **said: Any) -> openpyxl.Workbook:  # noqa: ANN401 - as openpyxl has it
        opened.append(load(*given, **said))
        return opened[0]

    monkeypatch.setattr(openpyxl, "load_workbook", kept)
    with pytest.raises(InputError, match="2 sheets"):
        read_xlsx(path, role="zones")
    assert opened[0]._archive.fp is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Event Date", "event_date"),
        ("  event-date ", "event_date"),
        ("نوع الحدث", "نوع  الحدث"),
        ("\u200fالاسم\u200e", "الاسم"),
        ("الإِسْم", "الإسم"),
        ("العـــدد", "العدد"),
        ("ناوی شوێن", "ناوي شوێن"),
        ("كۆد", "کۆد"),
        ("\uff2e\uff21\uff2d\uff25", "name"),  # letters of full width
    ],
)
def test_names_that_are_typed_in_two_ways_are_one(one: str, other: str) -> None:
    assert fold(one) == fold(other)
    assert fold("a") != fold("b")
