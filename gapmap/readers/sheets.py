"""Tables of text: CSV and XLSX.

In: a file whose first row names the columns. Out: its columns as text, or as numbers where asked for and all are, with row
numbers from 1. Method: pandas for CSV, in UTF-8 unless a byte-order mark or the caller says otherwise; openpyxl for XLSX.
"""

from __future__ import annotations

import codecs
import io
import re
import unicodedata
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

import pandas as pd

from gapmap.errors import InputError, LayerError
from gapmap.readers.values import cell_text
from gapmap.tables import TEXT

if TYPE_CHECKING:
    from pathlib import Path

# Takes the first row of a file; returns the names of its columns where that row is data already.
Headless = Callable[[Sequence[str]], Sequence[str] | None]
_BLOCK = 1 << 20
# A text in no format is itself. As a converter it halves the time of texts that nearly all differ: without one, pandas puts each
# into a table first, to see whether it has it already.
_AS_IT_IS = format
GUIDE = "how to"  # the sheet that explains the others, in the workbooks that gapmap writes
_COLUMNS_MAX = 256  # of a sheet: a stray cell far to the right must not fill the memory
_MARKS = {codecs.BOM_UTF8: "UTF-8", codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
# In a file of commas it parts the spellings of a name: it parts the values where none of the others is there.
_BAR = "|"
# What is hidden in the XML of a sheet, and the attributes that say where.
_HIDDEN = re.compile(rb"""<(?:\w+:)?(row|col)\s([^<>]*\bhidden=["'](?:1|true)["'][^<>]*)>""")
# A formula whose value no spreadsheet has written beside it, be it an empty text: a program made the workbook.
_BARE_FORMULA = re.compile(
    rb"""<(?:\w+:)?c\s(?![^<>]*\bt=["']str)[^<>]*\br=["']([A-Z]{1,3}\d{1,7})["'][^<>]*>\s*<(?:\w+:)?f\b(?:[^<>]*/>|[^<>]*>[^<]*</(?:\w+:)?f>)"""
    rb"""\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"""
)
_MERGED = re.compile(rb"""<(?:\w+:)?mergeCell\s[^<>]*\bref=["']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})["']""")
_NUMBERED = re.compile(rb"""\b(r|min|max)=["'](\d{1,7})["']""")
_TAG_MAX = 1 << 12
_STATED_SEPARATOR = re.compile(rb"\"?sep=([,;\t|])\"?\r?\n")  # a line that Excel writes and reads
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
        Text, "" for nothing; of a CSV of which some columns were asked for these, as pandas takes them, NaN for nothing.
        Index: the row's number, from 1.
    read_as : str
        How the file was understood.
    unread : tuple of str
        The other sheets with rows, but for :data:`GUIDE`; with a word where a workbook does not show them.
    hidden : bool
        Whether a workbook does not show the sheet.
    hidden_rows : tuple of int
        Those with something in them that a workbook does not show, by a filter or by hand.
    hidden_columns : tuple of str
        The names of such columns.
    bare_formulas : tuple of str
        The cells, such as "E4", that hold a formula without its value: blank, for nothing here computes it.
    merged_columns : tuple of str
        The names of columns in which rows share a cell. Of zones its value is read for each of them; elsewhere for the first
        alone, since what it counts, people killed or living there, would count again.
    """

    header: tuple[str, ...]
    columns: pd.DataFrame
    read_as: str
    unread: tuple[str, ...] = ()
    hidden: bool = False
    hidden_rows: tuple[int, ...] = ()
    hidden_columns: tuple[str, ...] = ()
    bare_formulas: tuple[str, ...] = ()
    merged_columns: tuple[str, ...] = ()


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
    as_written: Collection[str] = (),
    coded: Collection[str] = (),
    headless: Headless | None = None,
) -> Sheet:
    """Read a CSV parted by commas, semicolons or tabs, whichever its first row has most of; by bars if it has none of these.

    Parameters
    ----------
    path : Path
        The file.
    encoding : str, optional
        Any that Python knows, for a file that is neither UTF-8 nor begins with a byte-order mark.
    wanted : collection of str, optional
        Folded names of the columns to read, as pandas takes them: numbers where all cells are. Without it all, as text.
    as_written : collection of str, optional
        Of these those that stay text, such as the id 007.
    coded : collection of str, optional
        Of these those in which few texts stand again and again: categories, which take less time and room.
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
    stream, stated = _utf8(path, encoding)
    with stream:
        separator, start = _separator(stream)

        def parse(first: bytes, place: int, **options: object) -> pd.DataFrame:
            stream.seek(place)
            try:
                with warnings.catch_warnings():
                    # Of a column that holds numbers in one part of the file and text in another: room values takes both.
                    warnings.simplefilter("ignore", pd.errors.DtypeWarning)
                    return pd.read_csv(
                        _Under(first, stream),
                        sep=separator,
                        keep_default_na=False,
                        skip_blank_lines=False,
                        **options,
                    )
            except pd.errors.EmptyDataError as error:
                raise InputError(f"{path.name}: the file is empty") from error
            except pd.errors.ParserError as error:
                unclosed = "EOF inside string" in str(error)
                raise InputError(
                    f"{path.name}: not a readable CSV ({error})",
                    hint="a quotation mark is opened there and not closed: close it or take it out" if unclosed else "",
                ) from error

        top = parse(b"", start, header=None, nrows=1, dtype=str).iloc[0]
        cells = [cell_text(cell) for cell in top]
        names = headless(cells) if headless else None
        header = list(cells if names is None else names)
        _require_names(header, path)
        keep = [place for place, column in enumerate(header) if column and (wanted is None or fold(column) in wanted)]
        # Read under a header of our own with one column more than there are, so that a row of too many values shows: pandas
        # would cut it in silence, and would rename one of two columns with the same name.
        beyond = len(header)
        numbered = separator.join(map(str, range(beyond + 1))).encode() + b"\n"
        below = start if names is not None else _below(stream, start, sum(str(cell).count("\n") for cell in top))

        def take(places: Sequence[int], dtype: Mapping[int, str | type], as_it_is: Sequence[int] = ()) -> pd.DataFrame:
            body = parse(
                numbered,
                below,
                header=0,
                usecols=places,
                na_values=[""],
                index_col=False,
                dtype={str(place): kind for place, kind in dtype.items()},
                converters=dict.fromkeys(map(str, as_it_is), _AS_IT_IS),
            )
            return body.rename(columns=int).set_axis(pd.RangeIndex(1, len(body) + 1))

        in_arrow = wanted is not None and _keeps_text_in_arrow()
        text = keep if wanted is None else [place for place in keep if fold(header[place]) in as_written]
        codes = [place for place in keep if fold(header[place]) in coded]
        # Arrow's text is sooner read, and its distinct cells sooner found, than categories are made; Python's is not.
        if in_arrow:
            body = take([*keep, beyond], dict.fromkeys(text, "large_string[pyarrow]"))
        else:
            unlike = [place for place in text if place not in codes]
            body = take([*keep, beyond], dict.fromkeys(codes, "category"), unlike)
        # pandas reads a large file in parts: numbers in one, text in another. A category is one or the other.
        again: dict[int, str | type] = {place: "category" for place in codes if body[place].dtype == object}
        # And of one of numbers alone, or of "true" alone, it makes numbers and truths.
        again |= {place: object for place in codes if place in text and not in_arrow and not _holds_text(body[place])}
        if again:
            body = body.drop(columns=[*again]).join(take([*again], again))
    long = body.index[body.pop(beyond).notna()]
    if len(long):
        raise InputError(
            f"{path.name}: not a readable CSV: row {long[0]} has more than the {beyond} values that the first row names",
            hint="a text with a comma in it stands in quotes" if separator == "," else "",
        )
    if wanted is None:
        body = as_text(body)
    table = body[keep].set_axis([header[place] for place in keep], axis=1)
    without = "; no header, columns by their place" if names is not None else ""
    return Sheet(
        tuple(filter(None, header)), table, f"{stated}, parted by {_SEPARATORS.get(separator, 'bars')}{without}"
    )


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
    import openpyxl  # noqa: PLC0415 - slow to import, and most files are none

    try:
        # Read only: rows are streamed, and the size the sheet claims is not believed.
        # Closed whatever happens: Windows lets nobody save a workbook that is open.
        with closing(openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)) as book:
            sheets: dict[str, Any] = {sheet.title: sheet for sheet in book.worksheets}
            title = pick(path, role, list(sheets), layer, "sheet")
            sheets[title].reset_dimensions()
            lines = [list(line) for line in _trimmed(sheets[title].iter_rows(max_col=_COLUMNS_MAX, values_only=True))]
            with sheets[title]._get_source() as part:  # noqa: SLF001 - read only, openpyxl does not tell what is hidden
                hidden, bare, merged = _beside(part)
            shown = {name: sheet.sheet_state == "visible" for name, sheet in sheets.items()}
            unread = tuple(
                name if shown[name] else f"{name} (hidden)"
                for name in sheets
                if name not in (title, GUIDE) and _has_rows(sheets[name])
            )
    except InputError:
        raise
    except Exception as error:  # openpyxl lets through whatever a broken part makes it stumble over
        raise InputError(f"{path.name}: not a readable XLSX ({type(error).__name__}: {error})") from error
    if not lines:
        raise InputError(f"{path.name}: the file is empty")
    shared = _share(lines, merged, fill=role == "zones")
    width = max(len(line) for line in lines)
    cells = pd.DataFrame([line + [None] * (width - len(line)) for line in lines], dtype=object)
    first = [cell_text(name) for name in cells.iloc[0]]
    names = headless(first) if headless else None
    header = list(first if names is None else names)
    _require_names(header, path)
    keep = [place for place, name in enumerate(header) if name]
    body = as_text(cells.iloc[1 if names is None else 0 :, keep].set_axis([header[place] for place in keep], axis=1))
    body.index = pd.RangeIndex(1, len(body) + 1)
    above = len(lines) - len(body)
    return Sheet(
        tuple(header[place] for place in keep),
        body,
        f"sheet {title!r}",
        unread,
        not shown[title],
        tuple(row - above for row in sorted(hidden["row"]) if above < row <= len(lines) and lines[row - 1]),
        tuple(header[place] for place in keep if place + 1 in hidden["col"]),
        bare,
        tuple(header[place] for place in keep if place in shared),
    )


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
    LayerError
        If it is not there, or none can be chosen.
    """
    wanted = layer if layer is not None else role
    found = [name for name in names if name == wanted] or [name for name in names if name.lower() == wanted.lower()]
    if layer is None and len(names) == 1:
        found = list(names)
    if len(found) == 1:
        return found[0]
    why = f"no {what} {layer!r}" if layer is not None else f"{len(names)} {what}s and none is named {role!r}"
    call = f"call it {role!r} in the file, or " if layer is None else ""
    raise LayerError(f"{path.name}: {why}", layers=names, otherwise=call)


def codec_name(path: Path, encoding: str) -> str:
    """Return Python's name of an encoding.

    Parameters
    ----------
    path : Path
        The file that is said to be in it, for the message.
    encoding : str
        As somebody wrote it.

    Returns
    -------
    str
        In lower case.

    Raises
    ------
    InputError
        If there is none of that name, or what has it is none of texts.

    Examples
    --------
    >>> from pathlib import Path
    >>> codec_name(Path("a.csv"), "Windows 1256")
    'cp1256'
    """
    try:
        " ".encode(encoding)  # base64 and others are codecs too, yet not of texts
        return codecs.lookup(encoding).name
    except (LookupError, ValueError) as error:
        raise InputError(
            f"{path.name}: unknown encoding {encoding!r}", hint='for example encoding = "windows-1256"'
        ) from error


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
    columns = {place: [cell_text(value) for value in table.iloc[:, place]] for place in range(table.shape[1])}
    return pd.DataFrame(columns, index=table.index, dtype=object).set_axis(table.columns, axis=1)


class _Under:
    """A stream under a first line of our own.

    None of Python's streams: pandas would have it decoded, and would then encode it again.

    Parameters
    ----------
    first : bytes
        The line.
    stream : binary file
        UTF-8, read from where it is.
    """

    def __init__(self, first: bytes, stream: io.BufferedIOBase) -> None:
        self._first, self._stream = first, stream

    def __iter__(self) -> Iterator[bytes]:
        """Return the lines, for pandas asks whether there are any; see io.IOBase."""
        return iter(self._stream)

    def read(self, size: int = -1) -> bytes:
        """Return some bytes; see io.BufferedIOBase."""
        first, self._first = self._first, b""
        return first or self._stream.read(size)


def _utf8(path: Path, encoding: str | None) -> tuple[io.BufferedIOBase, str]:
    """Open a file as UTF-8; also return which encoding it has."""
    with path.open("rb") as file:
        head = file.read(_BLOCK)
    stated = next((name for mark, name in _MARKS.items() if head.startswith(mark)), encoding or "UTF-8")
    codec = codec_name(path, stated)
    if codec == "utf-8" and b"\n" in head and b"\0" not in head and _is_utf8(path):
        return path.open("rb"), stated
    data = path.read_bytes()
    if codec != "utf-8" and not codec.startswith("utf-16") and not data.isascii() and _is_utf8(path):
        # Nearly every other encoding would take it, and garble every name.
        raise InputError(f"{path.name}: is UTF-8, not {stated}", hint="leave encoding out")
    try:
        text = data.decode(stated)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        row = f" (data row {line - 1})" if line > 1 else ""
        raise InputError(
            f"{path.name}: not {stated}: byte 0x{data[error.start]:02x} in line {line}{row}",
            hint='save it as UTF-8 (in a spreadsheet: "CSV UTF-8"), or say what it is: encoding = "windows-1256"; '
            "the encoding is not guessed",
        ) from error
    except UnicodeError as error:  # of what Python has for names of hosts
        raise InputError(
            f"{path.name}: not {stated} ({error})", hint='for example encoding = "windows-1256"'
        ) from error
    if "\0" in text[:_BLOCK]:
        raise InputError(
            f"{path.name}: not text in {stated}", hint='say what it is, for example encoding = "utf-16-le"'
        )
    # Lines may end as they did on old Macs.
    return io.BytesIO((text if "\n" in text else text.replace("\r", "\n")).encode()), stated


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                if not block.isascii() or decoder.getstate()[0]:
                    decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _separator(stream: io.BufferedIOBase) -> tuple[str, int]:
    """Return what parts the values, and where the first row begins."""
    head = stream.read(_BLOCK).removeprefix(codecs.BOM_UTF8)
    mark = stream.seek(0, io.SEEK_CUR) - len(head)
    stated = _STATED_SEPARATOR.match(head)
    if stated:
        return stated[1].decode(), mark + stated.end()
    blank = len(head) - len(head.lstrip(b"\r\n"))
    first = head[blank:].partition(b"\n")[0].decode(errors="replace")
    most = max(_SEPARATORS, key=first.count)
    return most if most in first or _BAR not in first else _BAR, mark + blank


def _below(stream: io.BufferedIOBase, start: int, breaks: int) -> int:
    """Return where the row below the first one begins, which has so many line breaks in its cells."""
    stream.seek(start)
    for _ in range(1 + breaks):
        stream.readline()
    return stream.tell()


def _require_names(header: Sequence[str], path: Path) -> None:
    if not any(header):
        raise InputError(f"{path.name}: its first row is blank", hint="the first row must name the columns")


def _keeps_text_in_arrow() -> bool:
    """Tell whether pandas keeps text in Arrow, as it does where pyarrow is installed."""
    return bool(pd.Series([], dtype=TEXT).dtype.storage == "pyarrow")


def _holds_text(column: pd.Series) -> bool:
    """Tell whether a column came as a category of texts."""
    dtype = column.dtype
    return isinstance(dtype, pd.CategoricalDtype) and pd.api.types.is_string_dtype(dtype.categories)


def _has_rows(sheet: Any) -> bool:  # noqa: ANN401 - openpyxl's types differ by how a book is opened
    """Tell whether anything stands below a sheet's first line."""
    sheet.reset_dimensions()
    lines = sheet.iter_rows(max_col=_COLUMNS_MAX, values_only=True)
    return len(list(islice(filter(any, lines), 2))) > 1


def _beside(part: IO[bytes]) -> tuple[dict[str, set[int]], tuple[str, ...], set[tuple[int, int, int]]]:
    """Return what openpyxl does not tell of a sheet that is read only.

    The numbers of the rows and columns that it hides, from 1; the cells of formulas without a value; and of cells that rows of
    one column share that column, the first and the last row.
    """
    from openpyxl.utils import column_index_from_string  # noqa: PLC0415 - slow to import, and most files are none

    found: dict[str, set[int]] = {"row": set(), "col": set()}
    bare: dict[str, None] = {}
    merged = set()
    kept = b""
    while block := part.read(_BLOCK):
        data = kept + block
        for what, text in _HIDDEN.findall(data):
            numbers = {name: int(number) for name, number in _NUMBERED.findall(text)}
            first, last = (numbers.get(name, 0) for name in ((b"r", b"r") if what == b"row" else (b"min", b"max")))
            found[what.decode()].update(range(first, min(last, first + _COLUMNS_MAX) + 1))
        bare |= dict.fromkeys(cell.decode() for cell in _BARE_FORMULA.findall(data))
        for left, top, right, bottom in _MERGED.findall(data):
            if left == right:
                merged.add((column_index_from_string(left.decode()), int(top), int(bottom)))
        kept = data[-_TAG_MAX:]  # a tag or cell may go on in the next block; what is found twice counts once
    return found, tuple(bare), merged


def _share(lines: list[list[Any]], merged: Collection[tuple[int, int, int]], *, fill: bool) -> set[int]:
    """Find the columns, from 0, in which rows share a cell; give each row with something in it what it shares."""
    columns = set()
    after: dict[int, int] = {}  # of each column, where the last such cell ends: none begins in another
    for column, top, bottom in sorted(merged):
        held = lines[top - 1][column - 1 : column] if 1 < top <= len(lines) else []
        below = [line for line in lines[top:bottom] if line] if top > after.get(column, 0) else []
        if below and held and held[0] not in (None, ""):
            after[column] = bottom
            columns.add(column - 1)
            for line in below if fill else ():
                line.extend([None] * (column - len(line)))
                line[column - 1] = held[0]
    return columns


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
