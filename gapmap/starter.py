"""A folder to start from.

In: the name of a folder. Out: a commented scenario that runs, invented example data, and an empty workbook for lists on paper.
Method: the files beside this one in ``init_files``, copied; the workbooks written by openpyxl.
"""

from __future__ import annotations

from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties

from gapmap.storage import new_folder

_SHEET_ROWS = (
    ("name", "kind", "lon", "lat", "wkt", "mgrs", "reach_m", "valid_from", "valid_to"),
    ("Post N1", "post", -30.45, 30.2, None, None, None, None, None),
    ("Post N2", "post", -30.33, 30.24, None, None, 6000, None, None),
    ("Post N3", "post", None, None, None, "25RGP6375845230", None, "2024-01-01", None),
    ("Route N4", "route", None, None, "LINESTRING (-30.2 30.23, -30.11 30.25, -30.02 30.2)", None, None, None, None),
    ("Post N5", "post", -29.93, 30.25, None, None, None, None, None),
)
_SHEET_HELP = (
    ("One row a zone. Take out the example's rows, fill in your own, keep the names of the columns.", ""),
    ("name", "what you call it; may stay empty"),
    ("kind", "post, route or area"),
    ("lon, lat", "a post's longitude and latitude in decimal degrees (WGS 84), such as 43.13 and 36.34"),
    ("wkt", 'or any shape as text: "LINESTRING (43.1 36.3, 43.2 36.4)", longitude first'),
    (
        "mgrs",
        "or a post's MGRS reference, such as 38SLE7165259923; give each row its position in one of the three ways",
    ),
    ("reach_m", "how far the force covers around this zone, in metres; empty: the reach that the scenario states"),
    ("valid_from", "the first day on which the zone counts, as 2024-01-31; empty: always"),
    ("valid_to", "the first day on which it counts no more; empty: without end"),
    ("", ""),
    ("A force has a file of its own: copy this one for the next force, and name it in the scenario.", ""),
    ('Or one list holds all: add a column "force", and say in the scenario only = { force = "North" } for each.', ""),
    ("gapmap check scenario.toml says what was read and what is wrong, by row.", ""),
)


# The sheets of the empty workbook: column, what to write, width. A sheet is found by its name, whatever is asked of it.
_PAPER = {
    "zones": (
        ("name", "what the list calls it", 24),
        ("kind", "post, route or area", 10),
        ("position", "of a post, as the list has it: 38S LE 716 599, or 36°20'24\"N 43°7'48\"E, or 36.34, 43.13", 28),
        ("wkt", "of a route or area instead: LINESTRING (43.1 36.3, 43.2 36.4), longitude first", 40),
        ("reach", 'how far the force covers around it: "5 km"; empty: what the scenario states', 10),
        ("valid_from", "the first day on which it counts, as 2024-01-31; empty: always", 14),
        ("valid_to", "the first day on which it counts no more; empty: without end", 14),
    ),
    "incidents": (
        ("id", "the number in the log; may stay empty", 12),
        ("date", "as 2024-01-31", 14),
        ("kind", "attack, mine, abduction: your own words", 16),
        ("position", "as for zones; of a grid reference the digits say how precise it is", 28),
        (
            "precision",
            "how well the position is known: exact, near (within 5 km), area; empty: near, or by the grid",
            12,
        ),
        ("deaths", "a number; empty: unknown", 10),
        ("civilians", "yes where civilians were the target, no where not; empty: unknown", 12),
        ("note", "what happened, in a sentence", 60),
    ),
    "places": (
        ("name", "the usual spelling", 24),
        ("names", "other spellings, in any script, parted by commas", 36),
        ("population", "a number; empty: unknown", 12),
        ("position", "as for zones", 28),
    ),
}
_CHOICES = {"kind": "post,route,area", "precision": "exact,near,area", "civilians": "yes,no"}
_PAPER_HELP = (
    "One row for each line of the list; leave out the sheets that you do not need. Keep the names of the columns.",
    "All cells are text, so that nothing is turned: write as the list has it. Digits of any script, decimal point or comma.",
    'Grid references without their zone: say the zone in the scenario, mgrs_zone = "38S".',
    'Dates as 31/1/2024: say dates = "day-first" under the force or the incidents.',
    'A force has a workbook of its own, or a column "force" tells them apart and the scenario says only = { force = "North" }.',
    'In the scenario: zones = "my-list.xlsx", file = "my-list.xlsx".',
    "gapmap check says what was read and what is wrong, by sheet and row; row 1 is the first one below the names.",
)
_PAPER_ROWS = 500  # that are given the form of text


def write_example(folder: str | Path) -> list[Path]:
    """Write the example into a new or empty folder.

    Parameters
    ----------
    folder : str or Path
        Made where it does not exist.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    InputError
        If there is something in it, or if it cannot be written.
    """
    folder = Path(folder)
    with new_folder(folder) as drafts:
        for template in (Path(__file__).parent / "init_files").iterdir():
            (drafts / template.name).write_bytes(template.read_bytes())
        _write_spreadsheet(drafts / "zones.xlsx")
        _write_paper_lists(drafts / "paper-lists.xlsx")
    return sorted(folder.iterdir())


def _write_spreadsheet(path: Path) -> None:
    book = Workbook()
    zones = book.worksheets[0]
    zones.title = "zones"
    for row in _SHEET_ROWS:
        zones.append(row)
    for number, heading in enumerate(_SHEET_ROWS[0], start=1):
        zones.cell(1, number).font = Font(bold=True)
        zones.column_dimensions[get_column_letter(number)].width = 50 if heading == "wkt" else 16
    zones.freeze_panes = "A2"
    kinds = DataValidation(type="list", formula1='"post,route,area"', allow_blank=True)
    kinds.add("B2:B1000")
    zones.add_data_validation(kinds)
    explained = book.create_sheet("how to")
    for line in _SHEET_HELP:
        explained.append(line)
    explained.column_dimensions["A"].width = 14
    book.save(path)


def _write_paper_lists(path: Path) -> None:
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, columns in _PAPER.items():
        sheet = book.create_sheet(title)
        for number, (name, _, width) in enumerate(columns, start=1):
            sheet.cell(1, number, name).font = Font(bold=True)
            letter = get_column_letter(number)
            sheet.column_dimensions[letter].width = width
            for row in range(2, _PAPER_ROWS + 2):
                sheet.cell(row, number).number_format = "@"
            if name in _CHOICES and (title, name) != ("incidents", "kind"):
                words = DataValidation(type="list", formula1=f'"{_CHOICES[name]}"', allow_blank=True)
                words.add(f"{letter}2:{letter}{_PAPER_ROWS + 1}")
                sheet.add_data_validation(words)
        sheet.freeze_panes = "A2"
        sheet.print_title_rows = "1:1"
        sheet.page_setup.orientation = "landscape"
        sheet.page_setup.fitToHeight = 0
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    explained = book.create_sheet("how to")
    for line in _PAPER_HELP:
        explained.append((line,))
    for title, columns in _PAPER.items():
        explained.append(())
        explained.append((f"Sheet {title}",))
        for name, what, _ in columns:
            explained.append((name, what))
    explained.column_dimensions["A"].width = 14
    book.save(path)
