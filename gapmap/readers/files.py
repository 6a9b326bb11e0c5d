"""Files of any accepted format, read into one shape.

In: a path and, for formats that hold several, a layer or sheet. Out: ``Rows``: the columns as text, the geometry as stored with
its CRS, both numbered as a person counts data rows. Method: GDAL (pyogrio) for vector files, pandas for CSV, openpyxl
for XLSX. Nothing is judged here but the file itself: missing, empty, unreadable, or not what its name says.
"""

from __future__ import annotations

import codecs
import datetime as dt
import hashlib
import io
import re
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pyproj

from gapmap.errors import CrsError, InputError, MissingFileError, unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

VECTOR = (".gpkg", ".geojson", ".json", ".shp", ".kml", ".kmz", ".gpx")
PLAIN = (".csv", ".xlsx")
_XML = (".kml", ".gpx")
_TEXT = (".geojson", ".json", *_XML)
_ZIPPED = (".kmz", ".xlsx")
_WGS84_BY_SPEC = (".kml", ".kmz", ".gpx")
_UNPACKED_MAX = 1 << 30  # bytes a KMZ or XLSX may unpack to
_COLUMNS_MAX = 256  # of a sheet: a stray cell far to the right must not fill the memory
_PROBLEMS_SHOWN = 20
# Named so because a file's content, not its name, decides what GDAL opens: this one opens other files and addresses.
_VIRTUAL = b"<OGRVRTDataSource"
_GPX_LAYERS = ("waypoints", "routes", "tracks")
_ISO_DAY = r"^(\d{4}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s?(?:Z|[+-]\d{2}:?\d{2})?)?$"


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a file.

    Attributes
    ----------
    path : Path
        Where they come from.
    columns : DataFrame
        All values as text, "" for nothing; columns named as in the file; index: the row's number, from 1.
    geometry : GeoSeries or None
        In the CRS of the file, with the same index; None for CSV and XLSX.
    broken : tuple of int
        The rows whose geometry is there and cannot be built: a ring left open or of too few points, a line of one.
    """

    path: Path
    columns: pd.DataFrame
    geometry: gpd.GeoSeries | None
    broken: tuple[int, ...] = ()

    def column(self, names: Iterable[str]) -> str | None:
        """Return the file's column that goes by the first of some names, whatever its case; None if there is none.

        Parameters
        ----------
        names : iterable of str
            In lower case with underscores, the preferred one first.

        Returns
        -------
        str or None
            The name as the file spells it.

        Raises
        ------
        InputError
            If two columns go by the same name.
        """
        for name in names:
            found = [column for column in self.columns if fold(column) == name]
            if len(found) > 1:
                raise InputError(f"{self.path.name}: {len(found)} columns are named {name!r} ({', '.join(found)})")
            if found:
                return found[0]
        return None

    def texts(self, names: Iterable[str]) -> pd.Series:
        """Return a column by one of its names, "" in every row if there is none.

        Parameters
        ----------
        names : iterable of str
            As for :meth:`column`.

        Returns
        -------
        Series
            Text.
        """
        column = self.column(names)
        if column is None:
            return pd.Series("", index=self.columns.index, dtype=object)
        return self.columns[column]


def fold(column: str) -> str:
    """Return a column's name in lower case with underscores for blanks.

    Parameters
    ----------
    column : str
        As in the file.

    Returns
    -------
    str
        For comparison.
    """
    return re.sub(r"[\s-]+", "_", column.strip().lower())


def read_rows(path: str | Path, *, role: str, layer: str | None = None, may_be_empty: bool = False) -> Rows:
    """Read a file of any accepted format.

    Parameters
    ----------
    path : str or Path
        GeoPackage, GeoJSON, Shapefile, KML, KMZ, GPX, CSV or XLSX, by its suffix.
    role : str
        What the file is to give ("zones"): the layer or sheet of that name is taken where there are several.
    layer : str, optional
        Layer or sheet. Without it all folders of a KML and all kinds of a GPX are read.
    may_be_empty : bool, optional
        Whether a file with columns and no rows will do.

    Returns
    -------
    Rows
        At least one row, unless `may_be_empty`.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        If the format is not accepted, the file is not what its name says, is empty, too large when unpacked, in
        an unreadable encoding, or holds several layers and none is named.
    CrsError
        If a GeoJSON names a CRS that its coordinates contradict.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if not path.is_file():
        raise MissingFileError(
            f"{path}: no such file", hint="check the name, and that paths are relative to the scenario"
        )
    if suffix not in VECTOR + PLAIN:
        raise InputError(f"{path.name}: format {suffix!r} is not read", hint=f"accepted: {', '.join(VECTOR + PLAIN)}")
    if path.stat().st_size == 0:
        raise InputError(f"{path.name}: the file is empty")
    if suffix in _ZIPPED:
        _check_zip(path)
    if suffix in _TEXT:
        _check_text(path)
    if suffix == ".csv":
        rows = Rows(path, _read_csv(path), None)
    elif suffix == ".xlsx":
        rows = Rows(path, _read_xlsx(path, role, layer), None)
    else:
        rows = _read_vector(path, role, layer)
    if not len(rows.columns.index) and not may_be_empty:
        raise InputError(f"{path.name}: no {role} in it, the file has no rows")
    return rows


def field_names(
    rows: Rows, fields: Mapping[str, Sequence[str]], columns: Mapping[str, str]
) -> dict[str, Sequence[str]]:
    """Return for every field the names its column may have: the mapped one alone, or the usual ones.

    Parameters
    ----------
    rows : Rows
        As read.
    fields : mapping of str to sequence of str
        Field to the usual names of its column, in lower case; any of them may stand for the field in `columns`.
    columns : mapping of str to str
        Field to the column's name in this file.

    Returns
    -------
    dict of str to sequence of str
        For :meth:`Rows.column` and :meth:`Rows.texts`.

    Raises
    ------
    InputError
        If `columns` names a field or a column that does not exist.
    """
    field_of = {usual: field for field, names in fields.items() for usual in names}
    problems = [unknown("field", field, fields) for field in columns if field not in field_of]
    problems += [
        f"{field}: {unknown('column', column, map(str, rows.columns))}"
        for field, column in columns.items()
        if rows.column([fold(column)]) is None
    ]
    if problems:
        raise InputError(f"{rows.path.name}: the columns cannot be mapped", problems=problems)
    return {**fields, **{field_of[field]: (fold(column),) for field, column in columns.items()}}


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file; of a shapefile, of all its parts in alphabetical order.

    Parameters
    ----------
    path : Path
        An existing file.

    Returns
    -------
    str
        Hexadecimal.
    """
    parts = [path]
    if path.suffix.lower() == ".shp":
        parts = sorted(part for part in path.parent.iterdir() if part.stem == path.stem and part.is_file())
    digest = hashlib.sha256()
    for part in parts:
        with part.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def parse_days(texts: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Read ISO dates.

    Parameters
    ----------
    texts : Series
        ``2021-06-01``, with or without a time of day, which is passed over; "" for none.

    Returns
    -------
    tuple of Series
        The days (NaT for none), and whether a text is there that is no date.
    """
    days = texts.astype(str).str.extract(_ISO_DAY)[0]
    parsed = pd.to_datetime(days, format="%Y-%m-%d", errors="coerce").astype("datetime64[ms]")
    return parsed, (texts != "") & parsed.isna()


def parse_numbers(texts: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Read numbers with a decimal point.

    Parameters
    ----------
    texts : Series
        "" for none.

    Returns
    -------
    tuple of Series
        The numbers (NaN for none), and whether a text is there that is no finite number.
    """
    numbers = pd.to_numeric(texts.where(texts != "", None), errors="coerce").astype(float)
    numbers = numbers.where(np.isfinite(numbers))
    return numbers, (texts != "") & numbers.isna()


def refuse(path: Path, problems: Mapping[int, str], *, rows: int, role: str, hint: str = "") -> None:
    """Raise one error with all problems of a file, if there are any.

    Parameters
    ----------
    path : Path
        The file.
    problems : mapping of int to str
        Row number to what is wrong with it.
    rows : int
        How many rows the file has.
    role : str
        What the rows are.
    hint : str, optional
        What to do.

    Raises
    ------
    InputError
        If there is a problem.
    """
    if not problems:
        return
    lines = [f"row {row}: {problems[row]}" for row in sorted(problems)]
    if len(lines) > _PROBLEMS_SHOWN:
        lines = [*lines[:_PROBLEMS_SHOWN], f"... and {len(lines) - _PROBLEMS_SHOWN} more rows"]
    raise InputError(f"{path.name}: {len(problems)} of {rows} {role} cannot be used", problems=lines, hint=hint)


def set_aside(path: Path, reasons: Mapping[int, str]) -> list[dict[str, object]]:
    """Return the rows that are not used, as records of table ``set_aside``.

    Records and not a table, for they travel in ``attrs``, whose values pandas compares when it concatenates.

    Parameters
    ----------
    path : Path
        The file.
    reasons : mapping of int to str
        Row number to reason.

    Returns
    -------
    list of dict
        Keys ``source``, ``source_row``, ``reason``.
    """
    return [{"source": path.name, "source_row": int(row), "reason": reasons[row]} for row in sorted(reasons)]


def describe(path: Path, *, role: str, rows: int, used: int, repaired: int = 0, aside: int = 0) -> dict[str, object]:
    """Return what the run table says about an input: its name without the folder, its checksum and its counts.

    Parameters
    ----------
    path : Path
        The file.
    role : str
        What it gave.
    rows, used, repaired, aside : int
        How many rows there are, were used, were used with a repaired geometry, were set aside.

    Returns
    -------
    dict
        Ready for JSON.
    """
    return {
        "role": role,
        "name": path.name,
        "sha256": checksum(path),
        "rows": rows,
        "used": used,
        "set_aside": aside,
        "repaired": repaired,
    }


def _check_zip(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            size = sum(member.file_size for member in members)
            if size > _UNPACKED_MAX:
                raise InputError(
                    f"{path.name}: unpacks to {size / 1e6:,.0f} MB; at most {_UNPACKED_MAX / 1e6:,.0f} MB is read",
                    hint="split the file",
                )
            for member in members:
                if member.filename.lower().endswith(".kml"):
                    _check_xml(archive.read(member), f"{path.name}/{member.filename}")
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{path.name}: not a readable {path.suffix[1:].upper()} ({error})") from error


def _check_text(path: Path) -> None:
    data = path.read_bytes()
    if path.suffix.lower() in _XML:
        _check_xml(data, path.name)
    else:
        _decode(data, path)
        if not data.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{"):
            raise InputError(f"{path.name}: not GeoJSON, it does not start with '{{'")
    if _VIRTUAL in data:
        raise InputError(
            f"{path.name}: holds a virtual layer that would open other files", hint="export plain features"
        )


def _check_xml(data: bytes, name: str) -> None:
    # Entities can blow a small file up to fill the memory; no KML or GPX needs a document type.
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data:
        raise InputError(f"{name}: not in UTF-8 or another encoding of single bytes", hint="export it again as UTF-8")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise InputError(f"{name}: has a DOCTYPE, which is not read", hint="export it again without one")


def _decode(data: bytes, path: Path) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(f"{path.name}: encoded as UTF-16, not UTF-8", hint='save it as "CSV UTF-8"')
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        row = f" (data row {line - 1})" if path.suffix.lower() == ".csv" and line > 1 else ""
        raise InputError(
            f"{path.name}: not UTF-8: byte 0x{data[error.start]:02x} in line {line}{row}",
            hint='save it as UTF-8 (in a spreadsheet: "CSV UTF-8"); the encoding is not guessed',
        ) from error


def _read_csv(path: Path) -> pd.DataFrame:
    text = _decode(path.read_bytes(), path)
    header = text.partition("\n")[0]
    separator = max(",;\t", key=header.count)
    try:
        # The header is read as a row: pandas would rename columns that have the same name.
        cells = pd.read_csv(
            io.StringIO(text), sep=separator, header=None, dtype=str, keep_default_na=False, skip_blank_lines=False
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(f"{path.name}: not a readable CSV ({error})") from error
    return _with_header(cells, path)


def _read_xlsx(path: Path, role: str, layer: str | None) -> pd.DataFrame:
    try:
        # Read only: rows are streamed, and the size the sheet claims is not believed.
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        sheets = {sheet.title: sheet for sheet in book.worksheets}
        sheet = sheets[_pick(path, role, list(sheets), layer, "sheet")]
        sheet.reset_dimensions()
        lines = [list(line) for line in _trimmed(sheet.iter_rows(max_col=_COLUMNS_MAX, values_only=True))]
        book.close()
    except InputError:
        raise
    except Exception as error:  # openpyxl lets through whatever a broken part makes it stumble over
        raise InputError(f"{path.name}: not a readable XLSX ({type(error).__name__}: {error})") from error
    width = max((len(line) for line in lines), default=0)
    return _with_header(pd.DataFrame([line + [None] * (width - len(line)) for line in lines], dtype=object), path)


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


def _with_header(cells: pd.DataFrame, path: Path) -> pd.DataFrame:
    if cells.empty:
        raise InputError(f"{path.name}: the file is empty")
    header = [_text(name) for name in cells.iloc[0]]
    keep = [place for place, name in enumerate(header) if name]
    body = _as_text(cells.iloc[1:, keep].set_axis([header[place] for place in keep], axis=1))
    body.index = pd.RangeIndex(1, len(body) + 1)
    return body


def _read_vector(path: Path, role: str, layer: str | None) -> Rows:
    suffix = path.suffix.lower()
    try:
        names = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
        if layer is None and suffix in (".kml", ".kmz"):
            chosen = names
        elif layer is None and suffix == ".gpx":
            chosen = [name for name in _GPX_LAYERS if name in names]
        else:
            chosen = [_pick(path, role, names, layer, "layer")]
        parts: list[pd.DataFrame] = []
        broken: list[int] = []
        for name in chosen:
            part, unbuilt = _read_layer(path, name)
            if isinstance(part, gpd.GeoDataFrame):
                broken += (np.flatnonzero(unbuilt) + sum(len(each) for each in parts) + 1).tolist()
                parts.append(part)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path.name}: a text in it is not in the encoding that the file states ({error.reason})",
            hint="export it again as UTF-8",
        ) from error
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError) as error:
        raise _unreadable(path, str(error)) from error
    if not parts:
        raise InputError(f"{path.name}: no {role} in it, no layer has geometry")
    number = pd.RangeIndex(1, sum(len(part) for part in parts) + 1)
    crs = pyproj.CRS.from_epsg(4326) if suffix in _WGS84_BY_SPEC else parts[0].crs
    geometry = gpd.GeoSeries(np.concatenate([part.geometry.to_numpy() for part in parts]), index=number, crs=crs)
    texts = [pd.DataFrame(part.drop(columns=part.geometry.name)) for part in parts]
    columns = _as_text(pd.concat([part.astype(object) for part in texts], ignore_index=True).set_axis(number))
    _check_stated_crs(path, geometry)
    return Rows(path, columns, geometry, tuple(broken))


def _read_layer(path: Path, layer: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Return a layer, and for each row whether it has a geometry that GEOS cannot build: None in the table."""
    with warnings.catch_warnings():
        # Said by row, and not by GDAL and numpy beside it.
        warnings.filterwarnings("ignore", "Non closed ring detected", RuntimeWarning)
        warnings.filterwarnings("ignore", "invalid value encountered", RuntimeWarning)
        part = pyogrio.read_dataframe(path, layer=layer, datetime_as_string=True, on_invalid="ignore")
        if not isinstance(part, gpd.GeoDataFrame) or not part.geometry.isna().any():
            return part, np.zeros(len(part), dtype=bool)
        stored = pyogrio.raw.read(path, layer=layer, columns=[])[2]
    return part, part.geometry.isna().to_numpy() & np.array([wkb is not None for wkb in stored])


def _unreadable(path: Path, said: str) -> InputError:
    """Put what GDAL says into a sentence, without its folders and its advice for programmers."""
    if "not recognized" in said or "no such file" in said.lower():
        return InputError(
            f"{path.name}: cannot be read as {path.suffix}: it is cut short, or of another kind",
            hint="export it again",
        )
    if "not well-formed" in said:
        return InputError(
            f"{path.name}: cannot be read: it is not well-formed, or holds text that is not in the encoding its first line states",
            hint="export it again as UTF-8",
        )
    said = said.replace(str(path), path.name).replace(path.as_posix(), path.name)
    return InputError(f"{path.name}: cannot be read ({said.partition('. ')[0].rstrip('.')})")


def _check_stated_crs(path: Path, geometry: gpd.GeoSeries) -> None:
    """Refuse degrees that claim to be metres: a GeoJSON's ``crs`` member is often left over from another file."""
    if geometry.crs is None or not geometry.crs.is_projected or geometry.empty:
        return
    west, south, east, north = geometry.total_bounds
    degrees = max(abs(west), abs(east)) <= 180 and max(abs(south), abs(north)) <= 90  # noqa: PLR2004
    if degrees:
        raise CrsError(
            f"{path.name}: states {geometry.crs.name}, but its coordinates look like degrees: two CRS in one file",
            hint="export it again with the CRS that its coordinates are in",
        )


def _pick(path: Path, role: str, names: list[str], layer: str | None, what: str) -> str:
    wanted = layer if layer is not None else role
    found = [name for name in names if name == wanted] or [name for name in names if name.lower() == wanted.lower()]
    if layer is None and len(names) == 1:
        found = names
    if len(found) == 1:
        return found[0]
    why = f"no {what} {layer!r}" if layer is not None else f"{len(names)} {what}s and none is named {role!r}"
    raise InputError(f"{path.name}: {why}", hint=f"name one as layer: {', '.join(names)}")


def _as_text(table: pd.DataFrame) -> pd.DataFrame:
    # By place, for two columns may have one name; Rows.column refuses them when they are asked for.
    columns = {place: [_text(value) for value in table.iloc[:, place]] for place in range(table.shape[1])}
    return pd.DataFrame(columns, index=table.index, dtype=object).set_axis(table.columns, axis=1)


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
