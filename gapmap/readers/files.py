"""Files of any accepted format, read into one shape.

In: a path and, for formats that hold several, a layer or sheet. Out: ``Rows``: the columns as text, the geometry as stored with
its CRS, both numbered as a person counts data rows. Method: GDAL (pyogrio) for vector files, room ``sheets`` for CSV and
XLSX. Nothing is judged here but the file itself: missing, empty, unreadable, harmful, or not what its name says.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import re
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import shapely

from gapmap.errors import CrsError, InputError, LayerError, MissingFileError, no_file, unknown
from gapmap.readers import kml
from gapmap.readers.sheets import Headless, Sheet, as_text, codec_name, fold, pick, read_csv, read_xlsx
from gapmap.readers.values import Distinct, cell_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

VECTOR = (".gpkg", ".geojson", ".json", ".shp", ".kml", ".kmz", ".gpx")
_SEPARATED = (".csv", ".tsv", ".txt")
PLAIN = (*_SEPARATED, ".xlsx")
FOLDER = "folder"  # the column that a KML's rows get: the folders around them, parted by slashes
_XML = (".kml", ".gpx")
_TEXT = (".geojson", ".json", *_XML)
_ZIPPED = (".kmz", ".xlsx")
_WGS84_BY_SPEC = (".kml", ".kmz", ".gpx")
_ZIP, _OLD_WORKBOOK = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_PAGE = (b"<!doctype html", b"<html")
_UNPACKED_MAX = 1 << 30  # bytes a KMZ or XLSX may unpack to
# A part larger than this that is packed tighter than this is no table or drawing: honest ones come to a twentieth or so.
_BOMB_BYTES, _BOMB_RATIO = 1 << 26, 200
_BLOCK = 1 << 20
_PROBLEMS_SHOWN = 20
_ROWS_SHOWN = 5
_NAMES_SHOWN = 8
# A file's content, not its name, decides what GDAL opens: with one of these it opens other files, or asks servers.
_OPENS_OTHERS = (
    b"<OGRVRTDataSource",
    b"<OGRWFSDataSource",
    b"WFS_Capabilities",
    b"<wfs:FeatureCollection",
    b"DescribeFeatureType",
    b"gdal_streamed_alg",
)
_BEGINS = {".gpkg": b"SQLite format 3\0", ".shp": b"\0\0\x27\x0a"}
KML = (".kml", ".kmz")
_OF_QGIS = ("layer_styles", "qgis_projects")  # what it stores in a GeoPackage beside the layers
_IN_MEMORY = "pyogrio_"  # how pyogrio names what it hands to GDAL as bytes
_GPX_LAYERS = ("waypoints", "routes", "tracks")


class _Layer(NamedTuple):
    """Where a layer is, how GDAL calls it and how it is asked for it, and the folders around it."""

    source: Path | bytes
    name: str
    asked: str | int
    folders: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a file.

    Attributes
    ----------
    path : Path
        Where they come from.
    columns : DataFrame
        Text, "" for nothing; of a CSV of which some columns were asked for these, as pandas takes them. Named as in the file;
        index: the row's number, from 1.
    geometry : GeoSeries or None
        In the CRS of the file, with the same index; None for CSV and XLSX.
    broken : tuple of int
        The rows whose geometry is there and cannot be built: a ring left open or of too few points, a line of one.
    header : tuple of str
        The names of all columns of the file, those not read too.
    read_as : str
        How the file was understood: its encoding, its sheet, its folders.
    unread : tuple of str
        The layers, sheets or folders with rows that were not read.
    remarks : tuple of str
        What is to be said of the file itself: folders without a placemark.
    """

    path: Path
    columns: pd.DataFrame
    geometry: gpd.GeoSeries | None
    broken: tuple[int, ...] = ()
    header: tuple[str, ...] = ()
    read_as: str = ""
    unread: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

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
        cells = self.columns[column]
        if cells.dtype == object:
            return cells
        return pd.Series([cell_text(cell) for cell in cells.tolist()], index=cells.index, dtype=object)

    def distinct(self, names: Iterable[str]) -> Distinct:
        """Return a column by one of its names, to be looked at a distinct text at a time.

        Parameters
        ----------
        names : iterable of str
            As for :meth:`column`.

        Returns
        -------
        Distinct
            "" in every row if there is none.
        """
        if self.column(names) is None:
            return Distinct.blank(len(self.columns.index))
        return Distinct(self.cells(names))

    def cells(self, names: Iterable[str]) -> pd.Series:
        """Return a column by one of its names, as it was read.

        Parameters
        ----------
        names : iterable of str
            As for :meth:`column`.

        Returns
        -------
        Series
            Text or numbers, for room ``values``; NaN in every row if there is none.
        """
        column = self.column(names)
        return pd.Series(np.nan, index=self.columns.index) if column is None else self.columns[column]


def read_rows(
    path: str | Path,
    *,
    role: str,
    layer: str | None = None,
    may_be_empty: bool = False,
    encoding: str | None = None,
    wanted: Collection[str] | None = None,
    as_written: Collection[str] = (),
    coded: Collection[str] = (),
    headless: Headless | None = None,
) -> Rows:
    """Read a file of any accepted format.

    Parameters
    ----------
    path : str or Path
        GeoPackage, GeoJSON, Shapefile, KML, KMZ, GPX, CSV (also .tsv, .txt) or XLSX, by its suffix.
    role : str
        What the file is to give ("zones"): the layer or sheet of that name is taken where there are several.
    layer : str, optional
        Layer or sheet; of a KML, a folder with all that is in it. Without it all folders of a KML and all kinds of a GPX are
        read.
    may_be_empty : bool, optional
        Whether a file with columns and no rows will do.
    encoding : str, optional
        Of a CSV that is neither UTF-8 nor begins with a byte-order mark, or of a shapefile without a .cpg.
    wanted, as_written, coded, headless : optional
        Of a CSV or XLSX: see :func:`gapmap.readers.sheets.read_csv`.

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
    require_safe(path)
    if suffix in _SEPARATED:
        sheet = read_csv(path, encoding=encoding, wanted=wanted, as_written=as_written, coded=coded, headless=headless)
        rows = Rows(path, sheet.columns, None, header=sheet.header, read_as=sheet.read_as)
    elif suffix == ".xlsx":
        sheet = read_xlsx(path, role=role, layer=layer, headless=headless)
        said = _say_beside(sheet, role)
        rows = Rows(path, sheet.columns, None, (), sheet.header, sheet.read_as, sheet.unread, said)
    else:
        encoding = encoding if suffix == ".shp" else None
        if encoding:
            codec_name(path, encoding)  # GDAL passes over one that it does not know
        rows = _read_vector(path, role, layer, encoding)
    if not len(rows.columns.index) and not may_be_empty:
        raise InputError(f"{path.name}: no {role} in it, the file has no rows")
    return rows


def require_safe(path: Path) -> None:
    """Refuse a file that GDAL should not be asked about; :func:`read_rows` does so itself.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        If the format is not accepted, or the file is empty, not what its name says, harmful, or too large when unpacked.
    """
    suffix = path.suffix.lower()
    if why := no_file(path):
        raise MissingFileError(
            f"{from_here(path)}: {why}", hint="check the name, and that paths are relative to the scenario"
        )
    if suffix not in VECTOR + PLAIN:
        raise InputError(f"{path.name}: format {suffix!r} is not read", hint=f"accepted: {', '.join(VECTOR + PLAIN)}")
    if path.stat().st_size == 0:
        raise InputError(f"{path.name}: the file is empty")
    _check_kind(path)
    if suffix in _ZIPPED:
        _check_zip(path)
    if suffix in _TEXT:
        _check_text(path)


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
    field_of = {usual: field for field, names in fields.items() for usual in (field, *names)}
    problems = [unknown("field", field, fields) for field in columns if field not in field_of]
    problems += [
        f"{field}: {unknown('column', column, rows.header)}"
        for field, column in columns.items()
        if rows.column([fold(column)]) is None
    ]
    if problems:
        # A title is all that is in its row.
        hint = "the first row names the columns, with nothing above it" if len(rows.header) == 1 else ""
        raise InputError(f"{rows.path.name}: the columns cannot be mapped", problems=problems, hint=hint)
    return {**fields, **{field_of[field]: (fold(column),) for field, column in columns.items()}}


def unused(rows: Rows, names: Iterable[Iterable[str]]) -> str:
    """Name the columns of a file that nobody asked for.

    Parameters
    ----------
    rows : Rows
        As read.
    names : iterable of iterable of str
        For each field the names that its column may have, as of :func:`field_names`.

    Returns
    -------
    str
        For how the file was understood; "" where all are used, and of KML and GPX, most of whose columns are of the format.
    """
    if rows.path.suffix.lower() in _WGS84_BY_SPEC:
        return ""
    used = {rows.column(each) for each in names}
    left = [column for column in rows.header if column not in used]
    return f"columns not used: {list_names(left)}" if left else ""


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
    # A spreadsheet counts the row of the names as well.
    counted = " (row 1 is the first below the names)" if path.suffix.lower() in PLAIN else ""
    said = f"{path.name}: {len(problems)} of {rows} {role} cannot be used{counted}"
    raise InputError(said, problems=lines, hint=hint)


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
    name = path.name  # many rows may be aside
    return [{"source": name, "source_row": int(row), "reason": reasons[row]} for row in sorted(reasons)]


def describe(
    path: Path,
    *,
    role: str,
    rows: int,
    used: int,
    repaired: int = 0,
    aside: int = 0,
    sha256: str = "",
    read_as: str = "",
    unread: Sequence[str] = (),
    remarks: Sequence[str] = (),
) -> dict[str, object]:
    """Return what the run table says about an input: its name without the folder, its checksum and its counts.

    Parameters
    ----------
    path : Path
        The file.
    role : str
        What it gave.
    rows, used, repaired, aside : int
        How many rows there are, were used, were used with a repaired geometry, were set aside.
    sha256 : str, optional
        Its checksum, where that is known already.
    read_as : str, optional
        How the file was understood.
    unread : sequence of str, optional
        Its layers, sheets or folders that were not read.
    remarks : sequence of str, optional
        What somebody who knows the data should look at.

    Returns
    -------
    dict
        Ready for JSON.
    """
    return {
        "role": role,
        "name": path.name,
        "sha256": sha256 or checksum(path),
        "rows": rows,
        "used": used,
        "set_aside": aside,
        "repaired": repaired,
        "read_as": read_as,
        "unread": list(unread),
        "remarks": list(remarks),
    }


def from_here(path: Path) -> Path:
    """Return a path as it is written in the folder where gapmap runs.

    Parameters
    ----------
    path : Path
        Absolute or relative.

    Returns
    -------
    Path
        Relative where it lies in that folder, else as it is.
    """
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def list_rows(rows: Sequence[int]) -> str:
    """Name some rows, the first few by number.

    Parameters
    ----------
    rows : sequence of int
        Their numbers, at least one.

    Returns
    -------
    str
        For a sentence.

    Examples
    --------
    >>> list_rows([3]), list_rows([3, 5]), list_rows(range(1, 100))
    ('row 3', 'rows 3, 5', 'rows 1, 2, 3, 4, 5 and 94 more')
    """
    numbers = sorted(rows)
    shown = ", ".join(map(str, numbers[:_ROWS_SHOWN]))
    more = f" and {len(numbers) - _ROWS_SHOWN} more" if len(numbers) > _ROWS_SHOWN else ""
    return f"row{'s' * (len(numbers) > 1)} {shown}{more}"


def left_by_all(unread: Sequence[Sequence[str]]) -> list[str]:
    """Return the layers that nobody read of those who read a file.

    Parameters
    ----------
    unread : sequence of sequence of str
        For each who read it, the layers that were left; at least one.

    Returns
    -------
    list of str
        In their order.

    Examples
    --------
    >>> left_by_all([["routes", "towns"], ["posts", "towns"]])
    ['towns']
    """
    return [name for name in unread[0] if all(name in others for others in unread)]


def list_names(names: Sequence[str]) -> str:
    """Name some layers, sheets, folders or columns, the first few.

    Parameters
    ----------
    names : sequence of str
        At least one.

    Returns
    -------
    str
        For a sentence.

    Examples
    --------
    >>> list_names(["posts", "routes"])
    "'posts', 'routes'"
    """
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return f"{', '.join(map(repr, names[:_NAMES_SHOWN]))}{more}"


def _say_beside(sheet: Sheet, role: str) -> tuple[str, ...]:
    """Say what a planner does not see who looks at a workbook, and what gapmap does not see."""
    whole = [f"the whole {sheet.read_as}"] if sheet.hidden else []
    rows = [list_rows(sheet.hidden_rows)] if sheet.hidden_rows else []
    columns = [f"column {list_names(sheet.hidden_columns)}"] if sheet.hidden_columns else []
    hidden = " and ".join([*whole, *rows, *columns])
    said = [f"hidden in the workbook, and read like the others: {hidden}"] if hidden else []
    if sheet.bare_formulas:
        cells = list_names(sheet.bare_formulas)
        said.append(f"formulas without their value, taken for blank: {cells}; save the workbook in a spreadsheet first")
    if sheet.merged_columns:
        of = "each" if role == "zones" else "the first"
        said.append(f"merged cells, read for {of} of their rows: column {list_names(sheet.merged_columns)}")
    return tuple(said)


def _check_kind(path: Path) -> None:
    """Say what a file with the wrong ending is, and what keeps it from being read."""
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise InputError(
            f"{path.name}: cannot be read: {error.strerror}",
            hint="close it in the other program, such as Excel, or ask for the right to read it",
        ) from error
    if head.startswith(_OLD_WORKBOOK):
        raise InputError(f"{path.name}: an old Excel workbook (.xls)", hint="save it as .xlsx")
    if head.removeprefix(codecs.BOM_UTF8).lstrip().lower().startswith(_PAGE):
        raise InputError(
            f"{path.name}: a web page, no data", hint="get it again: it may be the page that asks for a password"
        )
    if head.startswith(_ZIP) and path.suffix.lower() not in _ZIPPED:
        raise InputError(f"{path.name}: packed, as .xlsx and .kmz are", hint="give it the ending that it had")
    if not head.startswith(_BEGINS.get(path.suffix.lower(), b"")):
        raise _unreadable(path, "not recognized")


def _check_zip(path: Path) -> None:
    """Refuse what unpacks to more than honest data do, and parts that a parser of XML could be led astray by."""
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
                name = f"{path.name}/{member.filename}"
                if member.file_size > max(_BOMB_BYTES, _BOMB_RATIO * member.compress_size):
                    raise InputError(
                        f"{name}: {member.file_size / 1e6:,.0f} MB packed into {member.compress_size / 1e6:.1f} MB",
                        hint="no honest file is; get it again from where it came",
                    )
                if member.filename.lower().endswith(".kml"):
                    _safe_text(archive.read(member), name)
                elif member.filename.lower().endswith((".xml", ".rels")):
                    with archive.open(member) as stream:
                        _check_xml(stream, name)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise InputError(f"{path.name}: not a readable {path.suffix[1:].upper()} ({error})") from error


def _check_text(path: Path) -> None:
    data = path.read_bytes()
    if path.suffix.lower() in _XML:
        _safe_text(data, path.name)
    else:
        _require_utf8(data, path)
        if not data.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{"):
            raise InputError(f"{path.name}: not GeoJSON, it does not start with '{{'")
        _refuse_others(data, path.name)


def _safe_text(data: bytes, name: str) -> None:
    """Refuse a KML or GPX of which something is to be feared, looking at it as it will be read."""
    try:
        text = kml.as_known(data)
    except UnicodeError as error:
        raise InputError(
            f"{name}: is not in the encoding that it states, or cut short ({error})", hint="export it again as UTF-8"
        ) from error
    _check_xml(io.BytesIO(text), name)
    _refuse_others(text, name)
    if not kml.ROOT.match(text):
        raise InputError(
            f"{name}: cannot be read as {Path(name).suffix}: it is cut short, or of another kind",
            hint="export it again",
        )


def _refuse_others(data: bytes, name: str) -> None:
    if any(order in data for order in _OPENS_OTHERS):
        raise InputError(f"{name}: holds a virtual layer that would open other files", hint="export plain features")


def _check_xml(stream: IO[bytes], name: str) -> None:
    # Entities can blow a small file up to fill the memory, or name other files; no KML, GPX or XLSX needs a document type.
    kept = b""
    while block := stream.read(_BLOCK):
        data = kept + block
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data:
            raise InputError(
                f"{name}: not in UTF-8 or another encoding of single bytes", hint="export it again as UTF-8"
            )
        if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
            raise InputError(f"{name}: has a DOCTYPE, which is not read", hint="export it again without one")
        kept = data[-len(b"<!DOCTYPE") :]


def _require_utf8(data: bytes, path: Path) -> None:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(f"{path.name}: encoded as UTF-16, not UTF-8", hint="export it again as UTF-8")
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path.name}: not UTF-8: byte 0x{data[error.start]:02x} in line {line}", hint="export it again as UTF-8"
        ) from error


def _read_vector(path: Path, role: str, layer: str | None, encoding: str | None) -> Rows:
    is_kml = path.suffix.lower() in KML
    try:
        documents = kml.documents(path) if is_kml else []
        chosen, others = _kml_layers(path, documents, layer) if is_kml else _layers(path, role, layer)
        unread = tuple("/".join(each.folders or (each.name,)) for each in others)
        parts: list[pd.DataFrame] = []
        broken: list[int] = []
        for source, _, asked, folders in chosen:
            part, unbuilt = _read_layer(source, asked, encoding)
            if isinstance(part, gpd.GeoDataFrame):
                broken += (np.flatnonzero(unbuilt) + sum(len(each) for each in parts) + 1).tolist()
                parts.append(part if folders is None else part.assign(**{FOLDER: "/".join(folders)}))
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path.name}: a text in it is not in {encoding or 'the encoding that the file states'} ({error.reason})",
            hint="export it again as UTF-8",
        ) from error
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError) as error:
        raise _unreadable(path, str(error)) from error
    if not parts:
        raise InputError(f"{path.name}: no {role} in it, no layer has geometry")
    if no_times := [text for data in documents for text in kml.times(data)[1]]:
        raise InputError(
            f"{path.name}: begin or end of a time that cannot be read: {list_names(no_times)}",
            hint="write it as 2021-06-01",
        )
    number = pd.RangeIndex(1, sum(len(part) for part in parts) + 1)
    crs = pyproj.CRS.from_epsg(4326) if path.suffix.lower() in _WGS84_BY_SPEC else parts[0].crs
    geometry = gpd.GeoSeries(np.concatenate([part.geometry.to_numpy() for part in parts]), index=number, crs=crs)
    texts = [pd.DataFrame(part.drop(columns=part.geometry.name)) for part in parts]
    columns = as_text(pd.concat([part.astype(object) for part in texts], ignore_index=True).set_axis(number))
    _check_stated_crs(path, geometry)
    return Rows(
        path,
        columns,
        geometry,
        broken=tuple(broken),
        header=tuple(map(str, columns)),
        read_as=_say_layers(path, chosen, parts),
        unread=unread,
        remarks=_remarks(documents, chosen, parts) if is_kml else _doubt_texts(path, columns, encoding),
    )


def _layers(path: Path, role: str, layer: str | None) -> tuple[list[_Layer], list[_Layer]]:
    """Return the layers to read, and the others that have rows."""
    is_gpx = path.suffix.lower() == ".gpx"
    source = _known(path) if is_gpx else path
    names = [str(name) for name in pyogrio.list_layers(source)[:, 0] if name not in _OF_QGIS]
    if layer is None and is_gpx:
        return [_Layer(source, name, name) for name in _GPX_LAYERS if name in names], []
    picked = pick(path, role, names, layer, "layer")
    # The other layers of a GPX hold the points of these once more.
    rest = _GPX_LAYERS if is_gpx else names
    others = [_Layer(source, name, name) for name in rest if name != picked]
    return [_Layer(source, picked, picked)], list(filter(_has_rows, others))


def _known(path: Path) -> Path | bytes:
    """Return a file, or its text where GDAL would not know it."""
    data = path.read_bytes()
    text = kml.as_known(data)
    return path if text is data else text


def _has_rows(layer: _Layer) -> bool:
    return pyogrio.read_info(layer.source, layer=layer.asked, force_feature_count=True)["features"] > 0


def _kml_layers(path: Path, documents: Sequence[bytes], layer: str | None) -> tuple[list[_Layer], list[_Layer]]:
    """Return the layers of every KML in the file, or those of one folder and of all in it; and the others that have rows."""
    found: list[tuple[_Layer, bool]] = []
    for data in documents:
        plain = kml.with_days(kml.without_track_times(kml.without_pictures(data)))
        # What lies in no folder of a Document without a name is in a layer that GDAL calls after the file.
        listed = [str(name) for name in pyogrio.list_layers(plain)[:, 0]]
        names = ["" if name.startswith(_IN_MEMORY) else name for name in listed]
        for name, each in zip(names, kml.part(plain, names), strict=True):
            found.append((_Layer(each.text, name or path.stem, each.place, each.folders), each.filled))
    if layer is None:
        return [each for each, _ in found], []
    chosen = [each for each, _ in found if fold(layer) in map(fold, each.folders or ())]
    if not chosen:
        folders = sorted({name for each, _ in found for name in each.folders or ()})
        raise LayerError(f"{path.name}: no folder {layer!r}", layers=folders)
    return chosen, [each for each, filled in found if filled and each not in chosen]


def _say_layers(path: Path, chosen: Sequence[_Layer], parts: Sequence[pd.DataFrame]) -> str:
    if path.suffix.lower() in KML:
        counts: dict[str, int] = {}
        for part in parts:
            for folder in part[FOLDER]:
                counts[folder] = counts.get(folder, 0) + 1
        said = ", ".join(f"{folder or 'none'} ({count})" for folder, count in counts.items())
        return f"folders: {said}"
    if path.suffix.lower() == ".gpx":
        kinds = zip(chosen, parts, strict=False)
        return ", ".join(
            f"{len(part)} {layer.name.removesuffix('s' * (len(part) == 1))}" for layer, part in kinds if len(part)
        )
    return f"layer {chosen[0].name!r}" if path.suffix.lower() == ".gpkg" else ""


def _remarks(documents: Sequence[bytes], chosen: Sequence[_Layer], parts: Sequence[pd.DataFrame]) -> tuple[str, ...]:
    """Say what a KML has beside placemarks, which folders have none, for what they show may lie there, and which times are coarse."""
    filled = {f"{folder}/" for part in parts for folder in part[FOLDER].unique()}
    paths = ["/".join(each.folders or ()) for each in chosen]
    bare = [path for path in paths if path and not any(each.startswith(f"{path}/") for each in filled)]
    bare = [path for path in bare if path.rpartition("/")[0] not in bare]
    said = [f"no placemark in folder{'s' * (len(bare) > 1)} {list_names(bare)}"] if bare else []
    if links := sum(kml.count(data, "NetworkLink") for data in documents):
        said.append(f"{links} link{'s' * (links > 1)} to other files, not followed")
    if pictures := sum(kml.count(data, "GroundOverlay") for data in documents):
        said.append(f"{pictures} picture{'s' * (pictures > 1)} laid over the map, not read")
    shown = pd.concat([part["visibility"] if "visibility" in part else pd.Series(1, part.index) for part in parts])
    if (hidden := np.flatnonzero(shown == 0) + 1).size:
        said.append(f"hidden in the drawing, and read like the others: {list_rows(hidden.tolist())}")
    if coarse := sorted({text for data in documents for text in kml.times(kml.without_track_times(data))[0]}):
        said.append(f"times of a year or month alone, taken for its first day: {list_names(coarse)}")
    return ("; ".join(said),) if said else ()


def _doubt_texts(path: Path, columns: pd.DataFrame, encoding: str | None) -> tuple[str, ...]:
    """Show a text of a shapefile that does not say in which encoding it is: nearly any would take it, and garble every name."""
    if path.suffix.lower() != ".shp" or encoding or any(path.with_suffix(end).exists() for end in (".cpg", ".CPG")):
        return ()
    odd = next((text for text in columns.to_numpy().ravel() if not text.isascii()), None)
    return (f'without a .cpg that says the encoding; if {odd!r} is garbled: encoding = "windows-1256"',) if odd else ()


def _read_layer(path: Path | bytes, layer: str | int, encoding: str | None) -> tuple[pd.DataFrame, np.ndarray]:
    """Return a layer, and for each row whether it has a geometry that GEOS cannot build: None in the table."""
    with warnings.catch_warnings():
        # Said by row, and not by GDAL and numpy beside it.
        warnings.filterwarnings("ignore", "Non closed ring detected", RuntimeWarning)
        warnings.filterwarnings("ignore", "invalid value encountered", RuntimeWarning)
        # A column of texts and numbers is left as text, which is what is read.
        warnings.filterwarnings("ignore", "Could not parse column .* as JSON", UserWarning)
        part = pyogrio.read_dataframe(
            path, layer=layer, encoding=encoding, datetime_as_string=True, on_invalid="ignore"
        )
        if not isinstance(part, gpd.GeoDataFrame) or not part.geometry.isna().any():
            return part, np.zeros(len(part), dtype=bool)
        stored = pyogrio.raw.read(path, layer=layer, columns=[])[2]
    unbuilt = part.geometry.isna().to_numpy() & np.array([wkb is not None for wkb in stored])
    if layer == "tracks" and (isinstance(path, bytes) or path.suffix.lower() == ".gpx"):
        part = part.set_geometry(_tracks(path, part.geometry, unbuilt))
        unbuilt &= part.geometry.isna().to_numpy()
    return part, unbuilt


def _tracks(path: Path | bytes, tracks: gpd.GeoSeries, unbuilt: np.ndarray) -> gpd.GeoSeries:
    """Build the tracks of which a segment is one point, as a receiver leaves where it lost its satellites.

    That segment becomes a line of no length, which is taken out, and counted, with all else that is repaired.
    """
    points = pyogrio.read_dataframe(path, layer="track_points", columns=["track_fid", "track_seg_id"])
    values = tracks.to_numpy(copy=True)
    for place in np.flatnonzero(unbuilt):  # few, or none
        mine = points[points["track_fid"] == place]
        segments = [shapely.get_coordinates(part) for _, part in mine.geometry.groupby(mine["track_seg_id"])]
        if np.isfinite(np.concatenate(segments)).all() and max(map(len, segments)) > 1:
            lines = [shapely.linestrings(at if len(at) > 1 else at.repeat(2, axis=0)) for at in segments]
            values[place] = shapely.multilinestrings(lines)
    return gpd.GeoSeries(values, index=tracks.index, crs=tracks.crs)


def _unreadable(path: Path, said: str) -> InputError:
    """Put what GDAL says into a sentence, without its folders and its advice for programmers."""
    if "not recognized" in said or "no such file" in said.lower():
        return InputError(
            f"{path.name}: cannot be read as {path.suffix}: it is cut short, or of another kind",
            hint="export it again",
        )
    if "Invalid root element" in said:
        return InputError(f"{path.name}: no KML, or folders in folders without end", hint="export it again")
    if "does not fit the OGR model" in said:
        return InputError(
            f"{path.name}: no placemarks in it; a link to another file is not followed",
            hint="save the placemarks themselves as KML or KMZ",
        )
    if "not well-formed" in said:
        return InputError(
            f"{path.name}: cannot be read: it is not well-formed, or holds text that is not in the encoding its first line states",
            hint="export it again as UTF-8",
        )
    if "unknown encoding" in said:
        return InputError(f"{path.name}: states an encoding that is not read", hint="export it again as UTF-8")
    said = re.sub(
        rf"/vsimem/{_IN_MEMORY}\w+|{re.escape(str(path))}|{re.escape(path.as_posix())}", lambda _: path.name, said
    )
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
