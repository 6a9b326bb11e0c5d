"""Results as files: one GeoPackage, a layer a table, with the QGIS styles inside.

In: the tables of an analysis. Out: the file, and the same tables read back, whole or by a box. Method: written by GDAL in
a directory beside the target and renamed onto it, so that a write that fails leaves the old result as it was; read by
SQL, since a GeoPackage is a SQLite database and questions are short.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from gapmap import styles, tables
from gapmap.errors import InputError, MissingFileError, ResultError, bad_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FORMAT = 1  # of the saved file; goes up when an older gapmap could misread a newer file
_GEOMETRY_COLUMN = "geom"
# Bytes before a geometry in a GeoPackage: always, and by the kind of envelope that follows.
_HEADER, _ENVELOPES = 8, (0, 32, 48, 48, 64)
# Types of columns that `tables` does not know, such as a force's own, by the word that GDAL declares them with.
_SQL_TYPES = {"REAL": tables.REAL, "INTEGER": tables.COUNT, "MEDIUMINT": tables.COUNT, "BOOLEAN": tables.FLAG}
# The declared type of a layer without rows.
_EMPTY_TYPE: Mapping[str, str] = {
    "transects": "LineString",
    "centrelines": "LineString",
    "facets": "Polygon",
    "incidents": "Point",
    "places": "Point",
    "zones": "Unknown",
    "boundaries": "Unknown",
}
_LITTLE_ROOM = 16_000_000  # bytes; SQLite holds some back until a layer is complete
_GPKG_VERSION = "1.3"  # what programs of some years ago know
_PROMOTE = {
    frozenset({"Point", "MultiPoint"}): shapely.multipoints,
    frozenset({"LineString", "MultiLineString"}): shapely.multilinestrings,
    frozenset({"Polygon", "MultiPolygon"}): shapely.multipolygons,
}
# The columns and types that QGIS itself gives this table.
_STYLE_TABLE = """
CREATE TABLE layer_styles (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256),
  f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
  useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30), update_time DATETIME DEFAULT CURRENT_TIMESTAMP
)
"""


def settle(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Give a table the form in which it comes back from a file.

    Parameters
    ----------
    table : DataFrame or GeoDataFrame
        Rows of table ``name``, the id in the index.
    name : str
        A key of ``tables.COLUMNS``.

    Returns
    -------
    DataFrame or GeoDataFrame
        Columns and types as ``tables.conform`` sets them, geometry last. Where single and multi-part geometries of one
        kind mix, all are multi-part, since a layer has one type.
    """
    out = tables.conform(table, name)
    out.attrs = {}
    for column, dtype in out.dtypes.items():
        if pd.api.types.is_object_dtype(dtype):  # a column of text without rows comes back untyped
            out[column] = out[column].astype(tables.TEXT)
    if name in tables.PLAIN:
        return out
    promote = _PROMOTE.get(frozenset(out.geom_type))
    if not promote and out.geometry.name == out.columns[-1] == "geometry":
        return out
    geometry = out.geometry.rename("geometry")
    if promote:
        parts, rows = shapely.get_parts(geometry.to_numpy(), return_index=True)
        geometry = gpd.GeoSeries(promote(parts, indices=rows), geometry.index, crs=geometry.crs)
    return out.drop(columns=out.geometry.name).assign(geometry=geometry).set_geometry("geometry")


def write(content: Mapping[str, pd.DataFrame], path: Path, *, overwrite: bool = False) -> None:
    """Write a result, replacing the one that is there.

    Parameters
    ----------
    content : mapping of str to DataFrame
        Every table of ``tables.COLUMNS``, settled.
    path : Path
        The file; its name ends in .gpkg. Missing folders are made.
    overwrite : bool
        Also replace a file that gapmap did not write.

    Raises
    ------
    InputError
        If the name does not end in .gpkg, if a file is there that gapmap did not write, if the file is in use, or if it
        cannot be written.
    """
    if path.suffix.lower() != ".gpkg":
        raise InputError(f"{path.name}: a result is a GeoPackage", hint="give a name that ends in .gpkg")
    # SQLite puts a journal of that name beside it.
    if why := bad_name(path.with_name(f"{path.name}-journal")):
        raise InputError(f"{path} cannot be written: {why}", hint="give another name")
    if path.exists() and not overwrite and "run" not in _layers(path):
        raise InputError(f"{path.name} is there and is not a result of gapmap", hint="give another name")
    with drafts_beside(path.parent, target=path) as folder:
        draft = folder / path.name
        run = content["run"].iloc[0]
        looks = styles.qml(content["cover"].index.tolist(), max_width_m=run["max_width_m"])
        write_layers(content, draft, looks=looks)
        replace_all({draft: path})


@contextmanager
def drafts_beside(folder: Path, *, target: Path | None = None) -> Iterator[Path]:
    """Hand out a folder in which to finish files before they are put in their places: see `replace_all`.

    Parameters
    ----------
    folder : Path
        Where the files belong; made if it is not there.
    target : Path, optional
        What is said to be unwritable; the folder unless given.

    Yields
    ------
    Path
        A folder in it, which goes with all that is left in it.

    Raises
    ------
    InputError
        If no file can be written there, or if the disk fills up meanwhile.
    """
    target = folder if target is None else target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        drafts = tempfile.TemporaryDirectory(prefix=".gapmap-", dir=folder)
    except OSError as error:
        if _is_disk_full(error, folder):
            raise _no_room(target) from error
        raise InputError(f"{target} cannot be written: {error.strerror}", hint="name another place") from error
    with drafts:
        try:
            yield Path(drafts.name)
        except Exception as error:
            if _is_disk_full(error, folder):  # of drafts within drafts the outer ones say where the files belong
                raise _no_room(target) from error
            raise


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Hand out a folder whose files, once all are finished, are those of a new one: see `drafts_beside`.

    Parameters
    ----------
    folder : Path
        New or empty; made if it is not there.

    Yields
    ------
    Path
        Where to write them.

    Raises
    ------
    InputError
        If there is something in the folder, or if it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} exists and is not an empty folder", hint="name a new folder")
    with drafts_beside(folder) as drafts:
        yield drafts
        replace_all({draft: folder / draft.name for draft in sorted(drafts.iterdir())})


def _no_room(target: Path) -> InputError:
    return InputError(
        f"{target} cannot be written: the disk is full", hint="free some space on it, or name a place on another disk"
    )


def _is_disk_full(error: BaseException | None, folder: Path) -> bool:
    """Whether an error, or one that led to it, is of a full disk."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
            return True
        kind = type(error).__module__.partition(".")[0]
        if kind in {"sqlite3", "pyogrio"} and "disk is full" in str(error):  # SQLite's words
            return True
        # GDAL may name what it could not do next, and not why.
        if kind == "pyogrio" and shutil.disk_usage(folder).free < _LITTLE_ROOM:
            return True
        error = error.__cause__
    return False


def replace_all(drafts: Mapping[Path, Path]) -> None:
    """Put finished files in their places, all of them or none.

    Parameters
    ----------
    drafts : mapping of Path to Path
        Where each lies, and where it belongs, on the same volume. What is there is replaced. All but the last are
        copied first, so the largest belongs at the end.

    Raises
    ------
    InputError
        If a file is in use; all are then as they were.
    """
    done: list[tuple[Path, Path | None]] = []
    last = list(drafts)[-1]
    try:
        for draft, path in drafts.items():
            kept = draft.with_name(f"{draft.name}.old") if draft != last and path.exists() else None
            if kept:
                shutil.copy2(path, kept)
            os.replace(draft, path)  # noqa: PTH105 - atomic on the same volume, on Windows too
            done.append((path, kept))
    except OSError as error:
        for replaced, kept in done:
            if kept:
                kept.replace(replaced)
            else:
                replaced.unlink()
        if isinstance(error, PermissionError):
            raise InputError(f"{path.name} is in use", hint="close it in the other program and save again") from error
        raise
    for path in drafts.values():
        if path.suffix.lower() == ".gpkg":
            for ending in ("-wal", "-shm"):  # a journal that a crashed program left would be played into the new file
                Path(f"{path}{ending}").unlink(missing_ok=True)


def write_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all.

    Parameters
    ----------
    path : Path
        What is there is replaced.
    data : bytes
        What it shall hold.

    Raises
    ------
    InputError
        If the file is in use, or cannot be written.
    """
    with drafts_beside(path.parent, target=path) as folder:
        draft = folder / path.name
        draft.write_bytes(data)
        replace_all({draft: path})


class ResultFile:
    """A saved result, read a table at a time.

    Parameters
    ----------
    path : Path
        A GeoPackage written by gapmap.

    Raises
    ------
    MissingFileError
        If there is no such file.
    ResultError
        If gapmap did not write it, or a newer gapmap did.
    """

    def __init__(self, path: Path) -> None:
        if why := bad_name(path):
            raise MissingFileError(f"{path} cannot be read: {why}", hint="name a result: gapmap run saves one")
        if path.is_dir():
            raise MissingFileError(f"{path} is a folder", hint="name the result in it, such as gaps.gpkg")
        if not path.is_file():
            raise MissingFileError(f"{path} does not exist", hint="save a result first: gapmap run")
        self._path = path
        self._stamp: list[Any] = []
        lacking = sorted(set(tables.COLUMNS) - _layers(path))
        if "run" in lacking:
            raise ResultError(f"{path.name} is not a result saved by gapmap", hint="make one: gapmap run")
        try:
            self._run = self._rows("run", None, None, None)
            run = self._run.iloc[0]
            versions = json.loads(run["versions"])
            saved_format, version = int(versions["format"]), versions["gapmap"]
            self._crs = pyproj.CRS.from_wkt(run["crs"])
        except (IndexError, KeyError, TypeError, ValueError, pyproj.exceptions.CRSError) as error:
            raise ResultError(f"{path.name} is not a result saved by gapmap: its run table is damaged") from error
        if saved_format > FORMAT:
            raise ResultError(f"{path.name} was saved by a newer gapmap, {version}", hint="update gapmap")
        if lacking and run.get("edition") == "public":
            raise ResultError(
                f"{path.name} is the public edition: a grid, which answers nothing more",
                hint="name the result it is from",
            )
        if lacking:
            raise ResultError(f"{path.name} lacks the tables {', '.join(lacking)}", hint="run the scenario again")

    def read(
        self, name: str, box: tuple[float, float, float, float] | None = None, *, hint: str | None = None
    ) -> pd.DataFrame:
        """Read a table.

        Parameters
        ----------
        name : str
            A key of ``tables.COLUMNS``.
        box : tuple of float, optional
            West, south, east, north in metres of the working CRS: rows that meet it.
        hint : str, optional
            A condition in SQL that the wanted rows meet, so that the others need not be read.

        Returns
        -------
        DataFrame or GeoDataFrame
            In the order in which it was written.
        """
        if name == "run":
            return settle(self._run, name)
        rows = self._rows(name, None, box, hint)
        rows = rows.drop(columns=[each for each in tables.MARKS if each in rows and each not in tables.COLUMNS[name]])
        if name not in tables.PLAIN:
            rows = self._shaped(rows)
        return settle(rows, name)

    def read_columns(
        self,
        name: str,
        columns: Sequence[str],
        box: tuple[float, float, float, float] | None = None,
        *,
        hint: str | None = None,
        shapes: bool = False,
    ) -> pd.DataFrame:
        """Read some columns of a table.

        Parameters
        ----------
        name : str
            A key of ``tables.COLUMNS``.
        columns : sequence of str
            Of that table.
        box : tuple of float, optional
            As for :meth:`read`.
        hint : str, optional
            As for :meth:`read`.
        shapes : bool
            With the geometry.

        Returns
        -------
        DataFrame or GeoDataFrame
            Those columns, the id in the index, in the order in which they were written.
        """
        rows = self._rows(name, [*columns, *([_GEOMETRY_COLUMN] if shapes else [])], box, hint)
        return self._shaped(rows) if shapes else rows[list(columns)]

    def _shaped(self, rows: pd.DataFrame) -> gpd.GeoDataFrame:
        shapes = shapely.from_wkb([None if blob is None else _wkb(blob) for blob in rows.pop(_GEOMETRY_COLUMN)])
        # A CRS without a code comes back in other words; the run row keeps it to the letter.
        return gpd.GeoDataFrame(rows, geometry=shapes, crs=self._crs)

    def _rows(
        self, name: str, columns: Sequence[str] | None, box: tuple[float, float, float, float] | None, hint: str | None
    ) -> pd.DataFrame:
        """Read by SQL, since GDAL takes ten times as long to open the file; all columns unless some are named.

        The hint comes from gapmap, with its values quoted.
        """
        conditions = [f"({hint})"] if hint else []
        if box is not None:
            index = f"rtree_{name}_{_GEOMETRY_COLUMN}"
            conditions.append(
                f"fid IN (SELECT id FROM {index} WHERE maxx >= ? AND maxy >= ? AND minx <= ? AND miny <= ?)"  # noqa: S608
            )
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        try:
            with closing(sqlite3.connect(_read_only(self._path.resolve()), uri=True)) as database:
                self._require_same(database)
                declared = {row[1]: row[2] for row in database.execute(f"PRAGMA table_info({_quoted(name)})")}
                wanted = list(dict.fromkeys([tables.INDEX[name], *(declared if columns is None else columns)]))
                wanted = [column for column in wanted if column != "fid"]
                text = f"SELECT {', '.join(map(_quoted, wanted))} FROM {_quoted(name)}{where} ORDER BY fid"  # noqa: S608
                rows = database.execute(text, box or ()).fetchall()
        except sqlite3.Error as error:
            raise ResultError(f"{self._path.name} cannot be read: {error}", hint="run the scenario again") from error
        types = {tables.INDEX[name]: tables.TEXT, _GEOMETRY_COLUMN: "object", **tables.COLUMNS[name]}
        values = zip(*rows, strict=True) if rows else ((),) * len(wanted)
        read = {
            column: _column(cells, types.get(column) or _SQL_TYPES.get(declared[column], tables.TEXT))
            for column, cells in zip(wanted, values, strict=True)
        }
        return pd.DataFrame(read).set_index(tables.INDEX[name])

    def _require_same(self, database: sqlite3.Connection) -> None:
        """Refuse a file that another run has replaced: its tables would be mixed with those that were read before."""
        stamp = database.execute("SELECT * FROM run").fetchall()
        self._stamp = self._stamp or stamp
        if stamp != self._stamp:
            raise ResultError(f"{self._path.name} was replaced after it was opened", hint="open it again")


def _column(cells: Sequence[Any], dtype: str) -> pd.Series:
    """Return the values of a column as SQLite hands them out with the type they had."""
    if dtype == tables.DAY:
        return pd.Series(np.array([cell and cell[:10] for cell in cells], dtype=tables.DAY))
    if dtype == tables.REAL:
        return pd.Series(np.array(cells, dtype=tables.REAL))
    return tables.settled(pd.Series(cells, dtype="object"), dtype)


def _wkb(blob: bytes) -> bytes:
    """Return a geometry of a GeoPackage without its header."""
    return blob[_HEADER + _ENVELOPES[blob[3] >> 1 & 7] :]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def write_layers(content: Mapping[str, pd.DataFrame], path: Path, *, looks: Mapping[str, str], mark: str = "") -> None:
    """Write tables to a new GeoPackage, a layer a table.

    Parameters
    ----------
    content : mapping of str to DataFrame
        The tables; ``run`` is among them.
    path : Path
        The file, which is not there yet.
    looks : mapping of str to str
        QML by table, stored in the file so that QGIS takes it.
    mark : str
        A line for the description of every layer.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    run = content["run"].iloc[0]
    with _gdal_clock(run["created"]):
        for name, rows in content.items():
            table = tables.marked(rows, run)
            description = ". ".join(text.rstrip(".") for text in (run["title"], run["notice"], mark) if text)
            geometry_type = None if "geometry" not in table else _layer_type(name, table)
            options = {"IDENTIFIER": name, "DESCRIPTION": description}
            if geometry_type:
                options |= {"GEOMETRY_NAME": _GEOMETRY_COLUMN, "SPATIAL_INDEX": "YES"}
            write_layer(table.reset_index(), path, layer=name, geometry_type=geometry_type, options=options)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(_STYLE_TABLE)
        database.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change)"
            " VALUES ('layer_styles', 'attributes', 'layer_styles', '', ?)",
            (run["created"],),
        )
        database.executemany(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName,"
            " styleQML, styleSLD, useAsDefault, description, owner, ui, update_time)"
            " VALUES ('', '', ?, ?, ?, ?, '', 1, 'gapmap', '', NULL, ?)",
            [(name, _GEOMETRY_COLUMN, name, qml, run["created"]) for name, qml in looks.items()],
        )


def write_layer(
    table: pd.DataFrame,
    path: Path,
    *,
    layer: str,
    geometry_type: str | None,
    options: Mapping[str, str] | None = None,
) -> None:
    """Write a table to a GeoPackage of the version that gapmap writes.

    Parameters
    ----------
    table : DataFrame or GeoDataFrame
        Its columns are written, its index is not.
    path : Path
        The file; the layer is added where it is there.
    layer : str
        The name of the layer.
    geometry_type : str or None
        As GDAL calls it; None for a table without geometry.
    options : mapping of str to str, optional
        GDAL's for a layer.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    import pyogrio

    pyogrio.write_dataframe(
        table,
        path,
        layer=layer,
        driver="GPKG",
        geometry_type=geometry_type,
        dataset_options={"VERSION": _GPKG_VERSION},
        layer_options=dict(options or {}),
    )


def _layer_type(name: str, table: gpd.GeoDataFrame) -> str:
    kinds = set(table.geom_type)
    if len(kinds) > 1:
        return "Unknown"
    return kinds.pop() if kinds else _EMPTY_TYPE.get(name, "MultiPolygon")


def _read_only(path: PurePath) -> str:
    """Return how SQLite is told to read a file and nothing more.

    Not as `Path.as_uri` has it: that puts the server of a Windows share where SQLite wants nothing.
    """
    name = os.fsencode(f"/{path.as_posix()}" if path.drive.endswith(":") else path.as_posix())
    return f"file://{quote(name)}?mode=ro"


def _layers(path: Path) -> set[str]:
    try:
        with closing(sqlite3.connect(_read_only(path.resolve()), uri=True)) as database:
            return {name for (name,) in database.execute("SELECT table_name FROM gpkg_contents")}
    except sqlite3.Error as error:
        if error.sqlite_errorname == "SQLITE_BUSY":
            raise ResultError(
                f"{path.name} is in use by another program", hint="end what writes to it, then ask again"
            ) from error
        return set()


@contextmanager
def _gdal_clock(now: str) -> Iterator[None]:
    """Let GDAL write the run's own time into the file, so that the same run gives the same bytes."""
    import pyogrio

    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": now})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
