"""Tables of text: CSV and XLSX.

In: a file whose first row names the columns. Out: its columns as text, or as numbers where asked for and all are, with row
numbers from 1. Method: pandas for CSV, in UTF-8 unless a byte-order mark or the caller says otherwise; openpyxl for XLSX.
"""

from __future__ import annotations

import codecs
import datetime as dt
import io
import re
import unicodedata
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import openpyxl
import pandas as pd

from gapmap.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

# Takes the first row of a file; returns the names of its columns where that row is data already.
Headless = Callable[[Sequence[str]], Sequence[str] | None]
_BLOCK = 1 << 20
_COLUMNS_MAX = 256  # of a sheet: a stray cell far to the right must not fill the memory
_MARKS = {codecs.BOM_UTF8: "UTF-8", codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_STATED_SEPARATOR = re.compile(rb"\"?sep=([,;\t])\"?\r?\n")  # a line that Excel writes and reads
# One letter typed in several ways.
_ALIKE = str.maketrans({"ي": "ی", "ى": "ی", "ك": "ک", "ـ": None})


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of text.

    Attributes
    ----------
    header : tuple of str
        The names of all columns, as the file spells them.
    columns : DataFrame
        The columns that were asked for; text, "" for nothing, or numbers; index: the row's number, from 1.
    read_as : str
        How the file was understood.
    """

    header: tuple[str, ...]
    columns: pd.DataFrame
    read_as: str


def fold(column: str) -> str:
    """Return a column's name in the form in which names are compared.

    Parameters
    ----------
    column : str
        As in the file.

    Returns
    -------
    str
        In lower case, with underscores for blanks, without marks of direction and vowel signs, and with one form of the letters
        that Arabic and Kurdish keyboards write in two.

    Examples
    --------
    >>> fold(" Event Date"), fold("\u200fروز") == fold("روز")
    ('event_date', True)
    """
    marks = ("Cf", "Mn")
    plain = "".join(
        letter for letter in unicodedata.normalize("NFKC", column) if unicodedata.category(letter) not in marks
    )
    return re.sub(r"[\s_-]+", "_", plain.translate(_ALIKE).strip().lower())


def read_csv(
    path: Path,
    *,
    encoding: str | None = None,
    wanted: Collection[str] | None = None,
    numbers: Collection[str] = (),
    headless: Headless | None = None,
) -> Sheet:
    """Read a CSV parted by commas, semicolons or tabs, whichever its first row has most of.

    Parameters
    ----------
    path : Path
        The file.
    encoding : str, optional
        Any that Python knows, for a file that is neither UTF-8 nor begins with a byte-order mark.
    wanted, numbers : collection of str, optional
        Folded names of the columns to read (all unless given), and of those to read as numbers where all their cells are.
    headless : callable, optional
        Told the first row; names the columns where that row is no header.

    Returns
    -------
    Sheet
        Columns without a name left out.

    Raises
    ------
    InputError
        If the file is not in that encoding, a row has more values than there are columns, or quotes are left open.
    """
    data, name = _utf8(path, encoding)
    stated = _STATED_SEPARATOR.match(data)
    data = data[stated.end() :] if stated else data.lstrip(b"\r\n")
    first = data[: data.find(b"\n") + 1 or None].decode()
    separator = stated[1].decode() if stated else max(_SEPARATORS, key=first.count)

    def parse(text: bytes, **options: object) -> pd.DataFrame:
        try:
            with warnings.catch_warnings():
                # Of a column that holds numbers in one part of the file and text in another: it is read as text.
                warnings.simplefilter("ignore", pd.errors.DtypeWarning)
                return pd.read_csv(
                    io.BytesIO(text),
                    sep=separator,
                    keep_default_na=False,
                    skip_blank_lines=False,
                    **options,
                )
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise InputError(f"{path.name}: not a readable CSV ({error})") from error

    top = parse(data, header=None, nrows=1, dtype=str).iloc[0]
    cells = [_text(cell) for cell in top]
    names = headless(cells) if headless else None
    header = list(cells if names is None else names)
    _require_names(header, path)
    keep = [place for place, column in enumerate(header) if column and (wanted is None or fold(column) in wanted)]
    figures = [place for place in keep if fold(header[place]) in numbers]
    # Read with one column more than there are, under a header of our own, so that a row of too many values shows: pandas would
    # cut it in silence, and one of two columns with the same name would be renamed.
    beyond = len(header)
    if names is None and _ends_with_header(data, top):
        body = pd.DataFrame(columns=range(beyond + 1), dtype=object)
    else:
        numbered = separator.join(map(str, range(beyond + 1))).encode() + b"\n"
        body = parse(
            numbered + data,
            header=0,
            skiprows=[1] if names is None else None,
            usecols=[*keep, beyond],
            dtype=dict.fromkeys({*map(str, keep), str(beyond)} - {*map(str, figures)}, object),
            na_values={str(place): [""] for place in (*figures, beyond)},
            index_col=False,
        ).rename(columns=int)
    body.index = pd.RangeIndex(1, len(body) + 1)
    long = body.index[body[beyond].notna()]
    if len(long):
        raise InputError(
            f"{path.name}: not a readable CSV: row {long[0]} has more than the {beyond} values that the first row names",
            hint="a text with a comma in it stands in quotes" if separator == "," else "",
        )
    columns = {
        place: body[place] if place in figures and _is_figures(body[place]) else _stripped(body[place])
        for place in keep
    }
    table = pd.DataFrame(columns, index=body.index, copy=False).set_axis([header[place] for place in keep], axis=1)
    without = "; no header, columns by their place" if names is not None else ""
    return Sheet(tuple(filter(None, header)), table, f"{name}, parted by {_SEPARATORS[separator]}{without}")


def read_xlsx(path: Path, *, role: str, layer: str | None = None, headless: Headless | None = None) -> Sheet:
    """Read a sheet of a workbook.

    Parameters
    ----------
    path : Path
        The file.
    role : str
        The sheet of that name is taken where there are several.
    layer : str, optional
        The sheet to take instead.
    headless : callable, optional
        Told the first row; names the columns where that row is no header.

    Returns
    -------
    Sheet
        All as text: numbers as they were typed, dates as ISO. Columns without a name left out.

    Raises
    ------
    InputError
        If it is no workbook, or has several sheets of which none is named.
    """
    try:
        # Read only: rows are streamed, and the size the sheet claims is not believed.
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        sheets = {sheet.title: sheet for sheet in book.worksheets}
        title = pick(path, role, list(sheets), layer, "sheet")
        sheets[title].reset_dimensions()
        lines = [list(line) for line in _trimmed(sheets[title].iter_rows(max_col=_COLUMNS_MAX, values_only=True))]
        book.close()
    except InputError:
        raise
    except Exception as error:  # openpyxl lets through whatever a broken part makes it stumble over
        raise InputError(f"{path.name}: not a readable XLSX ({type(error).__name__}: {error})") from error
    if not lines:
        raise InputError(f"{path.name}: the file is empty")
    width = max(len(line) for line in lines)
    cells = pd.DataFrame([line + [None] * (width - len(line)) for line in lines], dtype=object)
    first = [_text(name) for name in cells.iloc[0]]
    names = headless(first) if headless else None
    header = list(first if names is None else names)
    _require_names(header, path)
    keep = [place for place, name in enumerate(header) if name]
    body = as_text(cells.iloc[1 if names is None else 0 :, keep].set_axis([header[place] for place in keep], axis=1))
    body.index = pd.RangeIndex(1, len(body) + 1)
    return Sheet(tuple(header[place] for place in keep), body, f"sheet {title!r}")


def pick(path: Path, role: str, names: Sequence[str], layer: str | None, what: str) -> str:
    """Choose a layer or sheet.

    Parameters
    ----------
    path : Path
        The file, for the message.
    role : str
        The name that is taken where several are there and none is asked for.
    names : sequence of str
        Those of the file.
    layer : str or None
        The one asked for.
    what : str
        "layer" or "sheet".

    Returns
    -------
    str
        One of `names`.

    Raises
    ------
    InputError
        If it is not there, or none can be chosen.
    """
    wanted = layer if layer is not None else role
    found = [name for name in names if name == wanted] or [name for name in names if name.lower() == wanted.lower()]
    if layer is None and len(names) == 1:
        found = list(names)
    if len(found) == 1:
        return found[0]
    why = f"no {what} {layer!r}" if layer is not None else f"{len(names)} {what}s and none is named {role!r}"
    raise InputError(f"{path.name}: {why}", hint=f"name one as layer: {', '.join(names)}")


def as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with all its cells as text.

    Parameters
    ----------
    table : DataFrame
        Of any values.

    Returns
    -------
    DataFrame
        Numbers as they were typed, dates as ISO, "" for nothing.
    """
    # By place, for two columns may have one name; Rows.column refuses them when they are asked for.
    columns = {place: [_text(value) for value in table.iloc[:, place]] for place in range(table.shape[1])}
    return pd.DataFrame(columns, index=table.index, dtype=object).set_axis(table.columns, axis=1)


def _utf8(path: Path, encoding: str | None) -> tuple[bytes, str]:
    """Return the file in UTF-8 without its byte-order mark, and the name of the encoding that it has."""
    data = path.read_bytes()
    mark = next((mark for mark in _MARKS if data.startswith(mark)), b"")
    stated = _MARKS.get(mark) or encoding or "UTF-8"
    try:
        if codecs.lookup(stated).name == "utf-8":
            if not data.isascii():
                data.decode("utf-8")
            data = data.removeprefix(codecs.BOM_UTF8)
        else:
            _require_no_utf8(data, path, stated)
            data = data.decode(stated).encode()
    except LookupError as error:
        raise InputError(
            f"{path.name}: unknown encoding {stated!r}", hint='for example encoding = "windows-1256"'
        ) from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        row = f" (data row {line - 1})" if line > 1 else ""
        raise InputError(
            f"{path.name}: not {stated}: byte 0x{data[error.start]:02x} in line {line}{row}",
            hint='save it as UTF-8 (in a spreadsheet: "CSV UTF-8"), or say what it is: encoding = "windows-1256"; '
            "the encoding is not guessed",
        ) from error
    if b"\n" not in data:  # lines end as they did on old Macs
        data = data.replace(b"\r", b"\n")
    if b"\0" in data[:4096]:
        raise InputError(
            f"{path.name}: not text in {stated}", hint='say what it is, for example encoding = "utf-16-le"'
        )
    return data, stated


def _require_no_utf8(data: bytes, path: Path, stated: str) -> None:
    """Refuse to read UTF-8 as another encoding: nearly all of them would take it, and every name would be garbled."""
    if data.isascii() or codecs.lookup(stated).name.startswith("utf-16"):
        return
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return
    raise InputError(f"{path.name}: is UTF-8, not {stated}", hint="leave encoding out")


def _require_names(header: Sequence[str], path: Path) -> None:
    if not any(header):
        raise InputError(f"{path.name}: its first row is blank", hint="the first row must name the columns")


def _ends_with_header(data: bytes, top: Iterable[object]) -> bool:
    """Whether nothing but blank lines follows the first row, in whose cells there may be line breaks."""
    start = 0
    for _ in range(1 + sum(str(cell).count("\n") for cell in top)):
        start = data.find(b"\n", start) + 1
        if start == 0:
            return True
    return not data[start : start + _BLOCK].strip(b"\r\n")


def _is_figures(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)


def _stripped(column: pd.Series) -> pd.Series:
    values = column.tolist()
    try:
        stripped = [value.strip() for value in values]
    except AttributeError:  # numbers in one part of the file and text in another, or a row that is too short
        stripped = [_text(value) for value in values]
    return pd.Series(stripped, index=column.index, dtype=object)


def _trimmed(lines: Iterable[tuple[object, ...]]) -> Iterator[list[object]]:
    """Cut the blanks at the end of every row, and the blank rows at the end of the sheet."""
    held = 0
    for line in lines:
        width = next((place for place in range(len(line), 0, -1) if line[place - 1] not in (None, "")), 0)
        if width == 0:
            held += 1
            continue
        yield from ([] for _ in range(held))
        held = 0
        yield list(line[:width])


def _text(value: object) -> str:
    """Return a cell as text; a number as it was typed, a date as ISO, "" for nothing."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float | np.floating):
        if np.isnan(value):
            return ""
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    if isinstance(value, list | np.ndarray):
        return str(list(value))
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    return value.isoformat() if isinstance(value, dt.date) else str(value)
