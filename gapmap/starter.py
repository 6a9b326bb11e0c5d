"""A folder to start from.

In: the name of a folder. Out: a commented scenario that runs, invented example data, and a spreadsheet of zones to fill in by
hand. Method: the files beside this one in ``init_files``, copied; the spreadsheet written by openpyxl.
"""

from __future__ import annotations

from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from gapmap.errors import InputError

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
    ("gapmap check scenario.toml says what was read and what is wrong, by row.", ""),
)


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
        If there is something in it.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} exists and is not an empty folder", hint="name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    for template in (Path(__file__).parent / "init_files").iterdir():
        (folder / template.name).write_bytes(template.read_bytes())
    _write_spreadsheet(folder / "zones.xlsx")
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
