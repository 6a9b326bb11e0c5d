"""What a force holds, from any accepted file.

In: a file of posts, routes and areas. Out: table ``zones`` in EPSG:4326, each row checked. Method: columns by name or by a
mapping, kind by column, folder or geometry, areas drawn as closed lines made areas, repairs by GEOS and counted; all
faults of a file in one error.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from itertools import takewhile
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from gapmap.crs import WGS84
from gapmap.errors import CrsError, InputError, unknown
from gapmap.reach import SHORT_M, doubt_short
from gapmap.readers import files, kml, positions, values
from gapmap.readers.repair import close_lines, repair
from gapmap.readers.sheets import fold
from gapmap.tables import ZONE_KINDS, conform, empty, is_force_name
from gapmap.units import format_length, parse_length

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

REACH_MAX_M = 200_000.0
# Field -> the names it goes by, in a mapping and as a column.
FIELDS: Mapping[str, Sequence[str]] = {
    "name": ("name",),
    "kind": ("kind",),
    "reach_m": ("reach_m",),
    "reach_km": ("reach_km",),
    "reach": ("reach",),
    "valid_from": ("valid_from",),
    "valid_to": ("valid_to",),
    **positions.COLUMNS,
}
_KIND_OF_DIMENSION = dict(enumerate(ZONE_KINDS))
_KIND_WORDS = {word: kind for kind in ZONE_KINDS for word in (kind, f"{kind}s")}
# What somebody probably meant who calls a point so.
_OF_POINTS = {
    "route": "points of one route are not joined: give it as a line, from a map, a GPS track or as WKT",
    "area": "if it has an outline, give that",
}
# The half of a diagonal of an MGRS square of 1 km: a post that is known no better is worth a word.
_COARSE_M = 700.0
_VALUES_LISTED = 20  # of a column, in a message
_TIMES_OF_FORMAT = {"timestamp", "begin", "end", "time"}  # columns that GDAL makes of a KML or GPX
_REACH_WORDS = re.compile(r"(?:^|[^a-z])(?:reach|radius|range)(?:[^a-z]|$)")
# Two centres this far apart, that come three times nearer when one is mirrored, are taken for swapped columns.
_SWAP_FAR_M = 500_000.0
_SWAP_NEARER = 3.0


def read_zones(
    path: str | Path,
    *,
    force: str | None = None,
    force_column: str | None = None,
    only: Mapping[str, str] | None = None,
    kind: str | None = None,
    reach_m: float | Mapping[str, float] | None = None,
    crs: object = None,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    kinds: Mapping[str, str] | None = None,
    encoding: str | None = None,
    day_first: bool = False,
    mgrs_zones: Sequence[str] = (),
) -> gpd.GeoDataFrame:
    r"""Read the zones of a force, or of several.

    Columns are known by name, whatever their case: ``name``; ``kind`` (post, route, area; without it the innermost folder
    of a KML that is called so; else a point is a post, a line a route, a polygon an area); ``reach_m``, ``reach_km`` or
    ``reach`` ("5 km"); ``valid_from`` and ``valid_to`` (dates, or date cells; the zone does not count on the day of
    ``valid_to``; in KML the begin and end of a time span). In CSV and XLSX the position is in ``lon`` and ``lat`` (or
    longitude, latitude, lng, long, x, y; decimal degrees or degrees-minutes-seconds), in ``position`` as people write it,
    in ``mgrs`` or ``wkt``. A closed line that is said to be an area becomes one.

    Parameters
    ----------
    path : str or Path
        GeoPackage, GeoJSON, Shapefile, KML, KMZ, GPX (waypoints, tracks, routes), CSV or XLSX.
    force : str, optional
        The force that holds all of them: letters, digits, ``-`` and ``_``.
    force_column : str, optional
        Instead: the column that says it; "folder" for the outermost folder of a KML that is not called after a kind.
    only : mapping of str to str, optional
        Of a list of several forces the rows of one: the column, and what it says of them, whatever its case:
        ``{"force": "Federal"}``.
    kind : {"post", "route", "area"}, optional
        For rows that do not say.
    reach_m : float or mapping of kind to float, optional
        Metres, for rows that do not say.
    crs : object, optional
        Anything pyproj understands, for a file that does not say (a shapefile without .prj, a CSV in metres).
    layer : str, optional
        Layer of a GeoPackage, folder of a KML with all that is in it, sheet of an XLSX. Needed where there are several
        layers or sheets and none is called "zones".
    columns : mapping of str to str, optional
        Field to column name in the file, for columns with other than the usual names. Fields: name, kind, reach_m,
        reach_km, reach, valid_from, valid_to, lon, lat, position, mgrs, wkt.
    kinds : mapping of str to str, optional
        What the file or a folder calls a kind, to the kind: ``{"نقطة": "post"}``.
    encoding : str, optional
        Of a CSV that is neither UTF-8 nor begins with a byte-order mark, or a shapefile without a .cpg: "windows-1256".
    day_first : bool, optional
        Whether 1/6/2021 is the first of June. Without it such a date is a fault.
    mgrs_zones : sequence of str, optional
        Grid zones such as "38S" for MGRS references without one.

    Returns
    -------
    GeoDataFrame
        Table ``zones`` in EPSG:4326 without Z, multi-part geometries of one type kept as one zone. ``zone_id`` is the
        force and a number that does not depend on row order. ``attrs["set_aside"]`` holds the rows not used, as records:
        blank rows of a CSV or XLSX, tracks and routes of a GPX without points, and exact duplicates (force, name, kind,
        reach, dates, geometry). ``attrs["input"]`` holds the counts, how the file was understood, and remarks on rows that
        somebody should look at. With `only` these are of its rows alone; ``attrs["others"]`` holds what the column says in
        each of the others, by row, None where the row is blank.

    Raises
    ------
    MissingFileError
        If there is no such file.
    CrsError
        If the file has no CRS and none is given, or two contradict each other.
    InputError
        If the file cannot be read or has no rows; if not exactly one of `force` and `force_column` is given; if `only`
        names no column, several, or what no row says; if `reach_m`
        is no number or names an unknown kind; and, all at once with their row numbers, for rows without geometry, with coordinates out of range or not finite, geometry
        collections, geometry that cannot be repaired, areas drawn as lines that do not close, unknown kinds, a reach that
        is negative, above 200 km or in another unit, unreadable or reversed dates.

    Notes
    -----
    A row that is given and cannot be used stops the work: a post left out by mistake would open a gap that is not there.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "posts.csv"
    >>> _ = path.write_text("name,lat,lon,reach\nGwer,36.04,43.48,5 km\n", encoding="utf-8")
    >>> read_zones(path, force="regional")[["name", "kind", "reach_m"]]
                  name  kind  reach_m
    zone_id
    regional-001  Gwer  post   5000.0
    """
    _check_options(force, force_column, kind)
    _check_reach(reach_m)
    words = {**_KIND_WORDS, **_checked_kinds(kinds or {})}
    rows, others = _only(files.read_rows(path, role="zones", layer=layer, encoding=encoding), only or {})
    names = files.field_names(rows, FIELDS, columns or {})
    index = rows.columns.index
    where = {field: names[field] for field in positions.COLUMNS}
    geometry, problems = positions.locate(rows, crs=crs, columns=where, mgrs_zones=mgrs_zones)
    aside = dict.fromkeys(index[_blank(rows)], "blank row")
    if rows.geometry is not None and rows.path.suffix.lower() == ".gpx":
        # A receiver leaves such where it was switched off.
        hollow = rows.geometry.is_empty & (rows.geometry.geom_type != "Point")
        aside |= dict.fromkeys(index[hollow], "a track or route without points")
    for row in aside:
        del problems[row]

    stated = _stated_kinds(rows, names["kind"], words, problems).replace("", kind or "")
    geometry, closed = close_lines(geometry, stated == "area", problems)
    geometry, repaired = repair(geometry, problems)
    found = {
        "force": _forces(rows, force, force_column, words, problems),
        "name": rows.texts(names["name"]),
        "kind": _kinds(stated, geometry),
        "valid_from": _days(rows, names["valid_from"], "begin", problems, day_first=day_first),
        "valid_to": _days(rows, names["valid_to"], "end", problems, day_first=day_first),
    }
    found["reach_m"] = _reaches(rows, names, found["kind"], reach_m, problems)
    for row in index[found["valid_from"] >= found["valid_to"]]:
        problems.setdefault(row, _reversed(found["valid_from"][row], found["valid_to"][row]))
    for row in aside:  # it has no force or reach either, and that is no fault
        problems.pop(row, None)
    files.refuse(rows.path, _with_names(rows, found["name"], problems), rows=len(index), role="zones")

    zones = gpd.GeoDataFrame(found, geometry=geometry, crs=WGS84)
    zones["source"], zones["source_row"] = rows.path.name, index
    zones = zones.drop(index=list(aside))
    again = _repeats(zones)
    aside |= {row: f"the same as row {first}" for row, first in again.items()}
    zones = zones.drop(index=list(again))
    out = _numbered(zones)
    if out.empty:
        raise InputError(f"{rows.path.name}: no zones in it, all rows are blank or without points")
    remarks = [
        *rows.remarks,
        *(_other_forces(rows, force) if force_column is None and not only else []),
        *_not_heard(rows, names),
        *(
            said
            for field in ("valid_from", "valid_to")
            for said in values.doubt_turned(rows.column(names[field]) or "", rows.texts(names[field]))
        ),
        *_remarks(zones, stated, closed, positions.mgrs_radii_m(rows, where)),
        *_mended(rows, [*names["valid_to"], "end"], repaired.difference(list(aside))),
    ]
    out.attrs["input"] = files.describe(
        rows.path,
        role="zones",
        rows=len(index),
        used=len(out),
        repaired=len(repaired.difference(list(aside))),
        aside=len(aside),
        read_as="; ".join(
            text for text in (rows.read_as, _unused(rows, names, [force_column or "", *(only or {})])) if text
        ),
        unread=rows.unread,
        remarks=remarks,
    )
    out.attrs["set_aside"] = files.set_aside(rows.path, aside)
    if only:
        out.attrs["others"] = others
    return out


def forces_in(path: str | Path) -> list[str]:
    r"""Return the forces that a list of zones names.

    Parameters
    ----------
    path : str or Path
        As for :func:`read_zones`.

    Returns
    -------
    list of str
        What its column "force" says, each as it is first written, for `only`; none where that is not two at least.

    Raises
    ------
    InputError
        If the file cannot be read or has no rows.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "all.csv"
    >>> _ = path.write_text("lon,lat,Force\n43,36,North\n43,36.2,South\n43,36.1,NORTH\n", encoding="utf-8")
    >>> forces_in(path)
    ['North', 'South']
    """
    return _forces_in(files.read_rows(path, role="zones"))


def forces_by_folder(path: str | Path) -> list[str]:
    """Return the folders of a KML of which each seems to hold the zones of a force.

    Parameters
    ----------
    path : str or Path
        As for :func:`read_zones`.

    Returns
    -------
    list of str
        For `layer`: the outermost folders that do not hold all placemarks and are not called after a kind. None of a file of
        another format; none where these are not two at least, or a placemark lies in none of them or in two.

    Raises
    ------
    InputError
        If the file cannot be read or has no rows.
    """
    path = Path(path)
    if path.suffix.lower() not in files.KML:
        return []
    rows = files.read_rows(path, role="zones")
    if not all(map(kml.in_folders, kml.documents(path))):
        return []
    around = [_around(folders, _KIND_WORDS) for folders in rows.texts([files.FOLDER])]
    # The folders that hold all are none of a force.
    shared = len([*takewhile(lambda level: len(set(level)) == 1, zip(*around, strict=False))])
    spelled: dict[str, str] = {}
    for names in around:
        for name in names[shared : shared + 1]:
            spelled.setdefault(fold(name), name)
    once = all(sum(fold(name) in spelled for name in names) == 1 for names in around)
    return list(spelled.values()) if once and len(spelled) > 1 else []


def join_zones(tables: Sequence[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """Put the zones of several files into one table.

    Parameters
    ----------
    tables : sequence of GeoDataFrame
        As :func:`read_zones` gives them.

    Returns
    -------
    GeoDataFrame
        Numbered anew within each force, whatever the order of the tables. ``attrs["inputs"]`` is the list of what was
        ``attrs["input"]``, ``attrs["set_aside"]`` all records.

    Raises
    ------
    CrsError
        If two tables differ in CRS.
    """
    if not tables:
        return empty("zones", WGS84)
    if len({table.crs for table in tables}) > 1:
        raise CrsError("two CRS among the zones", hint="other.to_crs(zones.crs)")
    inputs = [table.attrs["input"] for table in tables if "input" in table.attrs]
    aside = [record for table in tables for record in table.attrs.get("set_aside", [])]
    out = _numbered(pd.concat([table.reset_index(drop=True) for table in tables], ignore_index=True))
    out.attrs["inputs"], out.attrs["set_aside"] = inputs, aside
    return out


def suspect_swaps(tables: Iterable[gpd.GeoDataFrame]) -> None:
    """Refuse tables whose longitude and latitude seem to be swapped, judged by the others and by their own rows.

    Both orders are valid degrees in much of the world (36, 43 is in Iraq one way and in Georgia the other), so a file alone
    cannot tell.

    Parameters
    ----------
    tables : iterable of GeoDataFrame
        Zones, incidents or places in EPSG:4326 with ``source`` and ``source_row`` where they have them.

    Raises
    ------
    InputError
        If a row lies over 500 km from the most central one of its table, or a table's middle over 500 km from another's, and would
        lie at least three times nearer with its coordinates swapped.
    """
    filled = [table for table in tables if len(table)]
    boxes = [table.geometry.bounds for table in filled]
    spots = [np.column_stack([(box.minx + box.maxx) / 2, (box.miny + box.maxy) / 2]) for box in boxes]
    middles = [np.median(points, axis=0) for points in spots]
    for number, (table, points) in enumerate(zip(filled, spots, strict=True)):
        # Where just half of the rows are swapped their median is as far from either half: a row is taken that is in one.
        central = points[np.argmin(np.hypot(*(points - middles[number]).T))]
        suspects = np.flatnonzero(_swapped(points, central))
        where = "swapped"
        if 2 * len(suspects) >= len(points):  # which half is wrong the other tables tell, if there are any
            others = [*middles[:number], *middles[number + 1 :]]
            told = np.flatnonzero(_swapped(points, np.median(others, axis=0))) if others else suspects[:0]
            suspects, where = (told, where) if len(told) else (suspects, "swapped, here or in the others")
        if len(suspects):
            rows = table["source_row"].iloc[suspects] if "source_row" in table else suspects + 1
            files.refuse(
                Path(_source(table)),
                dict.fromkeys(
                    (int(row) for row in rows), f"far from the other rows: are longitude and latitude {where}?"
                ),
                rows=len(table),
                role="rows",
            )
    # A row for each table that is held against all, a column for each that is judged.
    against = np.array([_swapped(np.array(middles), middle) for middle in middles])
    if not against.any():
        return
    # The table that disagrees with most others is named; of two alone, nobody can tell which one is wrong.
    worst = int(against.sum(axis=0).argmax())
    other = _source(filled[int(against[:, worst].argmax())])
    lon, lat = middles[worst]
    alone = "here" if against[:, worst].sum() > 1 else f"here or in {other}"
    raise InputError(
        f"{_source(filled[worst])}: its middle (latitude {lat:.2f}, longitude {lon:.2f}) is far from that of {other}, "
        "and near it with the two swapped",
        problems=[f"rows 1 to {len(filled[worst])}: longitude and latitude are swapped {alone}"],
        hint="name the columns lon and lat the other way round in the file that is wrong",
    )


def _check_options(force: str | None, force_column: str | None, kind: str | None) -> None:
    if (force is None) == (force_column is None):
        raise InputError("say whose zones they are", hint='either force="north" or force_column="force"')
    if force is not None and not is_force_name(force):
        raise InputError(f"force {force!r} is not a name", hint="letters, digits, - and _ only; no blanks")
    if kind is not None and kind not in ZONE_KINDS:
        raise InputError(unknown("kind", kind, ZONE_KINDS))


def _check_reach(reach_m: object) -> None:
    each = reach_m if isinstance(reach_m, Mapping) else {} if reach_m is None else {"reach_m": reach_m}
    problems = [unknown("kind", kind, ZONE_KINDS) for kind in each if each is reach_m and kind not in ZONE_KINDS]
    problems += [f"{name}: {reach!r} is no number" for name, reach in each.items() if not isinstance(reach, Real)]
    if problems:
        raise InputError("reach_m cannot be used", problems=problems, hint='metres: 5_000, or {"post": 5_000}')


def _only(rows: files.Rows, only: Mapping[str, str]) -> tuple[files.Rows, dict[int, str | None]]:
    """Return the rows of which a column says what is asked for; and what it says of each other row, None of a blank one."""
    if not only:
        return rows, {}
    if len(only) > 1:
        raise InputError(
            f"only: {len(only)} columns ({', '.join(only)})", hint="the column that tells the forces apart"
        )
    ((column, wanted),) = only.items()
    if (named := rows.column([fold(column)])) is None:
        raise InputError(f"{rows.path.name}: {unknown('column', column, rows.header)}")
    texts = rows.texts([fold(column)])
    mine = texts.map(fold) == fold(wanted)
    if not mine.any():
        there = set(filter(None, texts))
        few = len(there) <= _VALUES_LISTED
        said = unknown("value", wanted, there) if few else f"no row says {wanted!r}"
        raise InputError(f"{rows.path.name}: column {named!r}: {said}")
    blank = _blank(rows)
    others = {int(row): None if blank[row] else texts[row] for row in texts.index[~mine]}
    kept = dataclasses.replace(
        rows,
        columns=rows.columns[mine],
        geometry=None if rows.geometry is None else rows.geometry[mine],
        broken=tuple(row for row in rows.broken if mine[row]),
        read_as="; ".join(filter(None, (rows.read_as, f"the rows of which column {named!r} says {wanted!r}"))),
    )
    return kept, others


def _blank(rows: files.Rows) -> pd.Series:
    return (rows.columns == "").all(axis=1) & (rows.geometry is None)


def _checked_kinds(kinds: Mapping[str, str]) -> dict[str, str]:
    problems = [
        f"{word}: {unknown('kind', kind, ZONE_KINDS)}" for word, kind in kinds.items() if kind not in ZONE_KINDS
    ]
    if problems:
        raise InputError("the kinds cannot be mapped", problems=problems)
    return {fold(word): kind for word, kind in kinds.items()}


def _forces(
    rows: files.Rows, force: str | None, column: str | None, words: Mapping[str, str], problems: dict[int, str]
) -> pd.Series:
    index = rows.columns.index
    if column is None:
        return pd.Series(force, index=index, dtype=object)
    if rows.column([fold(column)]) is None:
        raise InputError(f"{rows.path.name}: {unknown('column', column, rows.header)}")
    forces = rows.texts([fold(column)])
    if column == files.FOLDER and rows.path.suffix.lower() in files.KML:
        forces = forces.map(lambda folders: next(iter(_around(folders, words)), ""))
    for row in index[~forces.map(is_force_name).astype(bool)]:
        problems.setdefault(row, f"force {forces[row]!r} is not a name (letters, digits, - and _ only)")
    spelled: dict[str, str] = {}  # the first spelling of each
    for row, name in forces.items():
        if name != (first := spelled.setdefault(name.casefold(), name)):
            problems.setdefault(row, f"force {name!r} is {first!r} in an earlier row: write it alike")
    return forces


def _around(folders: str, words: Mapping[str, str]) -> list[str]:
    """Return the folders around a placemark, the outermost first, without those that are called after a kind."""
    return [name for name in folders.split("/") if name and fold(name) not in words]


def _forces_in(rows: files.Rows) -> list[str]:
    if sum(fold(each) == "force" for each in rows.columns) != 1:
        return []
    said: dict[str, str] = {}
    for text in filter(None, rows.texts(["force"])):
        said.setdefault(fold(text), text)
    return list(said.values()) if len(said) > 1 else []


def _other_forces(rows: files.Rows, force: str | None) -> list[str]:
    """Say that a list of several forces is taken for that of one."""
    if not (said := _forces_in(rows)):
        return []
    theirs = f"its column 'force' names {files.list_names(said)}: all are taken for {force}"
    return [f'{theirs}; only = {{ force = "{said[0]}" }} would take the rows of one']


def _stated_kinds(
    rows: files.Rows, names: Sequence[str], words: Mapping[str, str], problems: dict[int, str]
) -> pd.Series:
    """Return the kind that a row or the innermost of its folders states, "" where neither does."""
    texts = rows.texts(names)
    kinds = texts.map(lambda text: words.get(fold(text), ""))
    for row in texts.index[(texts != "") & (kinds == "")]:
        problems.setdefault(
            row,
            f'{unknown("kind", texts[row], ZONE_KINDS)}, or say what it means: kinds = {{ "{texts[row]}" = "post" }}',
        )
    if rows.column(names) is None and rows.path.suffix.lower() in files.KML:
        folders = rows.texts([files.FOLDER])
        return folders.map(
            lambda path: next((words[fold(name)] for name in reversed(path.split("/")) if fold(name) in words), "")
        )
    return kinds


def _kinds(stated: pd.Series, geometry: gpd.GeoSeries) -> pd.Series:
    by_shape = pd.Series(shapely.get_dimensions(geometry.to_numpy()), index=stated.index).map(_KIND_OF_DIMENSION)
    return stated.where(stated != "", by_shape).astype(object)


def _days(
    rows: files.Rows, names: Sequence[str], of_span: str, problems: dict[int, str], *, day_first: bool
) -> pd.Series:
    if rows.path.suffix.lower() in files.KML:
        names = [*names, of_span]
    texts = rows.texts(names)
    if of_span == "end":
        texts = texts.where(~texts.map(values.is_endless).astype(bool), "")
    days, bad = values.parse_days(texts, day_first=values.DAY_FIRST_MARKS if day_first else "")
    for row in texts.index[bad]:
        problems.setdefault(row, values.no_day(names[0], texts[row], day_first=day_first))
    return days


def _reaches(
    rows: files.Rows,
    names: Mapping[str, Sequence[str]],
    kinds: pd.Series,
    reach_m: float | Mapping[str, float] | None,
    problems: dict[int, str],
) -> pd.Series:
    stated = [field for field in ("reach_m", "reach_km", "reach") if rows.column(names[field]) is not None]
    texts = rows.texts(names[stated[0]] if stated else [])
    if stated[:1] == ["reach_km"]:
        texts = texts.where(texts == "", texts + " km")
    lengths: dict[str, float] = {"": np.nan}
    for text in texts.unique():
        if text:
            try:
                lengths[text] = parse_length(text)
            except InputError as error:
                problems.update(
                    {row: f"reach {error.message}" for row in texts.index[texts == text] if row not in problems}
                )
    reaches = texts.map(lengths).astype(float)
    default = kinds.map(dict(reach_m)) if isinstance(reach_m, Mapping) else reach_m
    reaches = reaches.fillna(default) if default is not None else reaches
    for row in reaches.index[(reaches > REACH_MAX_M) | (reaches < 0)]:
        problems.setdefault(row, f"reach {reaches[row] / 1000:g} km is outside 0..{REACH_MAX_M / 1000:g} km")
    return reaches


def _with_names(rows: files.Rows, names: pd.Series, problems: Mapping[int, str]) -> Mapping[int, str]:
    """Say more than the row's number where that is not enough to find what is meant.

    The name, where nobody counts rows: in what is drawn on a map or walked with a receiver. What the row begins with, where a
    list gives no position: most such rows are a note, or a total, below it.
    """
    if rows.geometry is None:
        begins = {
            row: next(filter(None, rows.columns.loc[row]), "")
            for row, what in problems.items()
            if what == positions.NO_POSITION
        }
        return {
            row: f"{what}; it begins {begins[row][:60]!r}: take a note or a total out of the list"
            if row in begins
            else what
            for row, what in problems.items()
        }
    if rows.path.suffix.lower() not in (".kml", ".kmz", ".gpx"):
        return problems
    return {row: f"{names[row]!r}: {what}" if names[row] else what for row, what in problems.items()}


def _unused(rows: files.Rows, names: Mapping[str, Sequence[str]], others: Iterable[str]) -> str:
    """Name the columns that nobody asked for: a reach or a date in one of them would count for nothing."""
    return files.unused(rows, [*names.values(), *([fold(each)] for each in others)])


def _not_heard(rows: files.Rows, names: Mapping[str, Sequence[str]]) -> list[str]:
    """Say which columns look like a reach or a date and count for nothing: the scenario's reach is taken, and every day."""
    used = {rows.column(each) for each in names.values()}
    if rows.path.suffix.lower() in (".kml", ".kmz", ".gpx"):
        used |= _TIMES_OF_FORMAT
    reaches = [names[field] for field in ("reach_m", "reach_km", "reach") if rows.column(names[field]) is not None]
    said = []
    if len(reaches) > 1:
        both = ", ".join(repr(rows.column(each)) for each in reaches[1:])
        said.append(f"the reach is that of column {rows.column(reaches[0])!r}, not of {both}")
    # By place: two columns may have one name.
    left = {column: rows.columns.iloc[:, place] for place, column in enumerate(rows.columns) if column not in used}
    lengths = [column for column in left if not reaches and _REACH_WORDS.search(fold(column))]
    if lengths:
        said.append(
            f"column {lengths[0]!r} is not used; if it is the reach: columns = {{ reach_km = {lengths[0]!r} }}, or reach_m"
        )
    dated = rows.column(names["valid_from"]) is not None or rows.column(names["valid_to"]) is not None
    days = [] if dated else [column for column, texts in left.items() if _holds_days(texts)]
    if days:
        said.append(
            f"column {days[0]!r} holds dates and is not used; if zones count from or to these: "
            f"columns = {{ valid_from = {days[0]!r} }}, or valid_to"
        )
    return said


def _holds_days(texts: pd.Series) -> bool:
    given = texts[texts != ""]
    return len(given) > 0 and not values.parse_days(given, day_first=values.DAY_FIRST_MARKS)[1].any()


def _remarks(zones: gpd.GeoDataFrame, stated: pd.Series, closed: pd.Index, radii_m: pd.Series) -> list[str]:
    """Return what somebody who knows the ground should look at."""
    remarks = []
    loops = closed.intersection(zones.index[stated[zones.index] == ""])
    if len(loops):
        remarks.append(
            f"{files.list_rows(loops)}: a closed line, taken for a route; if it bounds an area, say so: kind area, or a "
            "folder called areas"
        )
    flat = shapely.get_dimensions(zones.geometry.to_numpy()) == 0
    for kind, advice in _OF_POINTS.items():
        spots = zones.index[flat & (zones["kind"] == kind)]
        if len(spots):
            each = "each covers" if len(spots) > 1 else "it covers"
            remarks.append(f"{files.list_rows(spots)}: kind {kind}, but a point: {each} a disc of its reach; {advice}")
    coarse = zones.index[radii_m[zones.index] >= _COARSE_M]
    if len(coarse):
        worst = radii_m[coarse].max() / 1000
        remarks.append(
            f"{files.list_rows(coarse)}: MGRS of few digits, taken for the centre of its square, up to {worst:.1f} km off"
        )
    short = zones.index[(zones["reach_m"] > 0) & (zones["reach_m"] < SHORT_M)]
    if len(short):
        lengths = zones["reach_m"][short]
        most = format_length(lengths.max()) + (" or less" if lengths.min() < lengths.max() else "")
        remarks.append(f"{files.list_rows(short)}: a reach of {most}; {doubt_short(lengths)}")
    return remarks


def _mended(rows: files.Rows, last: Sequence[str], repaired: pd.Index) -> list[str]:
    """Say what was read otherwise than it is written."""
    said = []
    if len(repaired):
        said.append(f"{files.list_rows(repaired)}: repaired, for an outline crosses itself or a part has no length")
    texts = rows.texts(last)
    endless = texts[texts.map(values.is_endless).astype(bool)]
    if len(endless):
        said.append(f"{files.list_rows(endless.index)}: a last day in the year 9999 is taken for no end")
    return said


def _reversed(start: pd.Timestamp, end: pd.Timestamp) -> str:
    return f"dates reversed: valid_from {start:%Y-%m-%d} is not before valid_to {end:%Y-%m-%d}"


def _wkb(geometry: gpd.GeoSeries) -> list[bytes]:
    return list(shapely.to_wkb(shapely.normalize(geometry.to_numpy())))


def _repeats(zones: gpd.GeoDataFrame) -> dict[int, int]:
    """Return row to first row for rows that say the same."""
    keys = pd.DataFrame(zones[["force", "name", "kind", "reach_m", "valid_from", "valid_to"]]).assign(
        wkb=_wkb(zones.geometry)
    )
    first = keys.assign(row=zones.index).groupby(list(keys.columns), dropna=False, sort=False)["row"].transform("min")
    return {int(row): int(start) for row, start in first.items() if row != start}


def _numbered(zones: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Sort by what a zone is, and number it within its force: an id that does not depend on row order."""
    order = ["force", "kind", "name", "wkb", "reach_m", "valid_from", "valid_to"]
    zones = zones.assign(wkb=_wkb(zones.geometry)).sort_values(order, kind="stable").drop(columns="wkb")
    number = zones.groupby("force", sort=False).cumcount() + 1
    zones.index = pd.Index([f"{force}-{n:03d}" for force, n in zip(zones["force"], number, strict=True)])
    return conform(zones, "zones")


def _swapped(points: np.ndarray, middle: np.ndarray) -> np.ndarray:
    geod = pyproj.Geod(ellps="WGS84")
    lon, lat = np.broadcast_to(middle, points.shape).T
    as_given = geod.inv(points[:, 0], points[:, 1], lon, lat)[2]
    # A latitude beyond 90 is no place at all: it stays as far as it is.
    possible = np.abs(points[:, 0]) <= 90  # noqa: PLR2004
    mirrored = geod.inv(points[:, 1], np.where(possible, points[:, 0], 0.0), lon, lat)[2]
    return possible & (as_given > _SWAP_FAR_M) & (mirrored * _SWAP_NEARER < as_given)


def _source(table: gpd.GeoDataFrame) -> str:
    if "source" in table:
        return str(table["source"].iloc[0])
    return str(table.attrs["input"]["name"]) if "input" in table.attrs else "a table"
