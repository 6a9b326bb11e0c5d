"""The columns of every table: names with units, types, and what an empty table looks like.

One place, so that a result with no incidents has the same columns as one with a million.
"""

from __future__ import annotations

import datetime as dt
import json
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from gapmap.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyproj

TEXT = "str"
REAL = "float64"
COUNT = "int64"
FLAG = "bool"
DAY = "datetime64[ms]"  # midnight, no time zone; GeoPackage keeps it as a date-time

# Overlay columns that corridors and stretches share. ``incidents_count`` is a plain count of coded positions;
# ``incidents_certain`` counts those whose whole circle of uncertainty lies inside.
_FACING: Mapping[str, str] = {"facing_a": TEXT, "facing_b": TEXT}
_OVERLAY: Mapping[str, str] = {
    "incidents_count": COUNT,
    "incidents_certain": COUNT,
    "location_radius_median_m": REAL,
    "deaths_best": REAL,
    "last_incident": DAY,
    "places": COUNT,
    "population": REAL,
}
_MEASURES: Mapping[str, str] = {
    "width_min_m": REAL,
    "width_mean_m": REAL,
    "width_max_m": REAL,
    "length_km": REAL,
    "area_km2": REAL,
    "near_limit": FLAG,
}

INDEX: Mapping[str, str] = {
    "zones": "zone_id",
    "cover": "force",
    "corridors": "corridor_id",
    "stretches": "stretch_id",
    "transects": "transect_id",
    "centrelines": "corridor_id",
    "facets": "facet_id",
    "ground": "ground_id",
    "incidents": "incident_id",
    "places": "place_id",
    "set_aside": "set_aside_id",
    "run": "run_id",
    "boundaries": "boundary_id",
    "relief": "relief_id",
}

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "zones": {
        "force": TEXT,
        "name": TEXT,
        "kind": TEXT,  # post, route, area
        "reach_m": REAL,  # NaN until the scenario or cover() gives it
        "valid_from": DAY,  # NaT: always
        "valid_to": DAY,  # NaT: without end; the day itself does not count
        "source": TEXT,
        "source_row": COUNT,  # counted from 1 as a person counts data rows
    },
    "cover": {"area_km2": REAL},
    "corridors": {"name": TEXT, "force_a": TEXT, "force_b": TEXT, **_MEASURES, **_FACING, **_OVERLAY},
    "stretches": {
        "corridor_id": TEXT,
        "name": TEXT,
        "force_a": TEXT,
        "force_b": TEXT,
        "from_m": REAL,  # along the corridor's middle line
        "to_m": REAL,
        **_MEASURES,
        **_FACING,
        **_OVERLAY,
    },
    "transects": {"corridor_id": TEXT, "stretch_id": TEXT, "along_m": REAL, "width_m": REAL, **_FACING},
    "centrelines": {"length_km": REAL},
    # A facet lies between two spans: the start span from (start_a_x, start_a_y) on force_a's cover to
    # (start_b_x, start_b_y) on force_b's, and the end span likewise. Where forces touch, or a triangle between three
    # forces ends in its centre, a span is a point.
    "facets": {
        "corridor_id": TEXT,
        "stretch_id": TEXT,
        "width_start_m": REAL,
        "width_end_m": REAL,
        "start_a_x": REAL,
        "start_a_y": REAL,
        "start_b_x": REAL,
        "start_b_y": REAL,
        "end_a_x": REAL,
        "end_a_y": REAL,
        "end_b_x": REAL,
        "end_b_y": REAL,
        "near_limit": FLAG,
    },
    # kind: covered, overlap, corridor, beyond, interior, excluded, open; forces: names in alphabetical order,
    # joined by " + ", empty for excluded and open ground.
    "ground": {"kind": TEXT, "forces": TEXT, "area_km2": REAL},
    "incidents": {
        "source": TEXT,
        "date_from": DAY,
        "date_to": DAY,  # the last day, included
        "date_precision": TEXT,  # as the source codes it: day, week, month, year; "" unknown
        "kind": TEXT,
        "deaths_best": REAL,
        "deaths_low": REAL,
        "deaths_high": REAL,
        "civilians": REAL,  # 1 civilians were the target, 0 not, NaN unknown
        "location_precision": TEXT,  # exact, near, area
        "location_radius_m": REAL,
        "coded_to": TEXT,  # what the position is that of, as far as known: place, centroid (of a district or larger)
        "stacked": COUNT,  # incidents of the file at this very position, itself included; 0 not counted
        "duplicate_of": TEXT,  # incident_id of an earlier one that may be the same; "" none suspected
        "note": TEXT,
        "ground": TEXT,
        "stretch_id": TEXT,  # "" outside every corridor
        "source_row": COUNT,
    },
    # Overlay adds, for each force: nearest_zone_<force>, distance_<force>_m (0 inside its cover).
    "places": {
        "name": TEXT,
        "names": TEXT,  # JSON list of variants
        "population": REAL,
        "ground": TEXT,
        "stretch_id": TEXT,
        "width_here_m": REAL,
    },
    "set_aside": {"source": TEXT, "source_row": COUNT, "reason": TEXT},
    "run": {
        "title": TEXT,
        "notice": TEXT,  # shown across the map; "" for none
        "date": DAY,
        "max_width_m": REAL,
        "parameters": TEXT,  # JSON: the scenario as understood
        "crs": TEXT,  # WKT of the working CRS
        "inputs": TEXT,  # JSON list: {"role", "name", "sha256", "rows", "used", "set_aside", "repaired", ...}
        "versions": TEXT,  # JSON: gapmap, python, geopandas, shapely, geos, proj, pythoncdt
        "created": TEXT,  # ISO 8601, UTC
        "edition": TEXT,  # "" for a result; what an exported file may be: "full", "partner <force>", "public"
    },
    # The two backgrounds of the map, kept with the result so that the map needs no other file.
    "boundaries": {
        "layer": TEXT,  # country, governorate, region, ...: the layer of the source file
        "name": TEXT,
        "name_ar": TEXT,
        "attribution": TEXT,  # "Made with Natural Earth."
    },
    "relief": {
        "image": TEXT,  # hillshade in EPSG:3857 rows and columns, base64
        "media_type": TEXT,  # image/webp or image/png
        "west": REAL,  # degrees of the image's outer edges
        "south": REAL,
        "east": REAL,
        "north": REAL,
        "attribution": TEXT,  # "Elevation: NOAA GLOBE."
    },
}

# Of the run, in every row of every table in a file.
MARKS = ("edition", "notice")
# What stands for a missing value where NaN and NaT cannot.
_FILL: Mapping[str, object] = {TEXT: "", COUNT: 0, FLAG: False}
# Kinds of zone.
ZONE_KINDS = ("post", "route", "area")
# Tables whose rows have no geometry.
PLAIN = frozenset({"set_aside", "run", "relief"})
# Kinds of ground in the order in which they are told apart.
GROUND_KINDS = ("excluded", "covered", "overlap", "corridor", "beyond", "interior", "open")


def is_force_name(text: str) -> bool:
    """Tell whether a text can name a force: letters of any script, digits, ``-`` and ``_``.

    Parameters
    ----------
    text : str
        The name. It becomes part of column names (``distance_<force>_m``), hence the rule.

    Returns
    -------
    bool
        False for the empty text.

    Examples
    --------
    >>> is_force_name("federal"), is_force_name("north west"), is_force_name("")
    (True, False, False)
    """
    return bool(text) and all(letter in "-_" or unicodedata.category(letter)[0] in "LMN" for letter in text)


def marked(table: pd.DataFrame, run: Mapping[str, Any]) -> pd.DataFrame:
    """Return a table that says in every row what it is part of.

    Parameters
    ----------
    table : DataFrame or GeoDataFrame
        To be written to a file.
    run : mapping
        The run it is from, or its ``edition`` and ``notice`` alone.

    Returns
    -------
    DataFrame or GeoDataFrame
        With the columns ``edition`` and ``notice``, each where the run has one and the table has not.

    Examples
    --------
    >>> marked(pd.DataFrame({"name": ["Gwer"]}), {"edition": "full", "notice": ""})
       name edition
    0  Gwer    full
    """
    return table.assign(**{name: run[name] for name in MARKS if run[name] and name not in table})


def shares_points(run: pd.DataFrame) -> bool:
    """Tell whether positions and rows of incidents may leave a result, or counts alone.

    Parameters
    ----------
    run : DataFrame
        Table ``run``.

    Returns
    -------
    bool
        What the scenario says; True where it says nothing.
    """
    parameters = json.loads(run.iloc[0]["parameters"] or "{}")
    return (parameters.get("incidents") or {}).get("share", "points") == "points"


def empty(name: str, crs: pyproj.CRS | None = None) -> gpd.GeoDataFrame | pd.DataFrame:
    """Return a table without rows but with its columns, types and index name.

    Parameters
    ----------
    name : str
        A key of ``COLUMNS``.
    crs : pyproj.CRS, optional
        For tables with geometry.

    Returns
    -------
    GeoDataFrame or DataFrame
        A plain DataFrame for the tables in ``PLAIN``.

    Raises
    ------
    KeyError
        If there is no such table.

    Examples
    --------
    >>> len(empty("corridors", "EPSG:32638")), empty("set_aside").columns.tolist()
    (0, ['source', 'source_row', 'reason'])
    """
    columns = {column: pd.Series([], dtype=dtype) for column, dtype in COLUMNS[name].items()}
    index = pd.Index([], dtype=TEXT, name=INDEX[name])
    if name in PLAIN:
        return pd.DataFrame(columns, index=index)
    return gpd.GeoDataFrame(columns, index=index, geometry=gpd.GeoSeries([], index=index, crs=crs), crs=crs)


def iso_day(value: pd.Timestamp | None) -> str | None:
    """Return a day as text.

    Parameters
    ----------
    value : Timestamp, NaT or None
        A cell of a column of days.

    Returns
    -------
    str or None
        "2021-06-01"; None where there is no day.

    Examples
    --------
    >>> iso_day(pd.Timestamp("2021-06-01 12:00")), iso_day(pd.NaT)
    ('2021-06-01', None)
    """
    return None if value is None or pd.isna(value) else value.date().isoformat()


def require_day(name: str, day: object) -> None:
    """Refuse a day that is no date: a text could be read month first, in silence.

    Parameters
    ----------
    name : str
        The option.
    day : object
        What was given for it.

    Raises
    ------
    InputError
        If it is not a ``datetime.date``.
    """
    if not isinstance(day, dt.date):
        raise InputError(f"{name} is {day!r}, not a day", hint=f"{name}=date(2021, 6, 1), with date from datetime")


def require_shapes(name: str, given: object) -> None:
    """Refuse what is no table with a geometry, such as the path of one.

    Parameters
    ----------
    name : str
        The argument.
    given : object
        What was given for it.

    Raises
    ------
    InputError
        If it is neither a GeoSeries nor a GeoDataFrame with an active geometry.
    """
    if isinstance(given, gpd.GeoDataFrame):
        if given.active_geometry_name is None:
            raise InputError(f"{name} has no geometry", hint='say which column it is: table.set_geometry("geom")')
    elif not isinstance(given, gpd.GeoSeries):
        what, path = _told(given)
        raise InputError(
            f"{name} is {what}, not a table of geopandas", hint=f"read a file first: geopandas.read_file({path})"
        )


def require_result(name: str, given: object) -> None:
    """Refuse what hands out no tables, such as the path of a result.

    Parameters
    ----------
    name : str
        The argument.
    given : object
        What was given for it.

    Raises
    ------
    InputError
        If it is no analysis, and nothing like one.
    """
    if not callable(getattr(given, "table", None)):
        what, path = _told(given)
        raise InputError(f"{name} is {what}, not an analysis", hint=f"open a saved one first: gapmap.open({path})")


def _told(given: object) -> tuple[str, str]:
    """Say what was given in place of something else, and how a path to that would be written."""
    if isinstance(given, str | Path):
        return repr(str(given)), repr(str(given))
    return f"of type {type(given).__name__}", "path"


def conform(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a copy with the table's columns in order, types set, missing ones filled; further columns follow.

    Parameters
    ----------
    table : DataFrame or GeoDataFrame
        Rows of table ``name``, the id in the index.
    name : str
        A key of ``COLUMNS``.

    Returns
    -------
    DataFrame or GeoDataFrame
        Of the same class. Missing text is "", missing counts 0, missing flags False, other values NaN or NaT.

    Raises
    ------
    KeyError
        If there is no such table.
    """
    # Copied on writing, as pandas does since 3.0: of a large table a copy takes longer than all else here. But not what
    # pandas leaves to others: geopandas hands out arrays of geometries that write through to every table they are in.
    bare = pd.DataFrame(table)  # setting columns of a GeoDataFrame takes ten times as long
    columns = {
        column: settled(bare[column], dtype) if column in bare else pd.Series(_FILL.get(dtype), bare.index, dtype=dtype)
        for column, dtype in COLUMNS[name].items()
    }
    columns |= {column: bare[column].copy() for column in bare.columns if column not in columns}
    out = pd.DataFrame(columns, index=bare.index, copy=False)
    out.index = out.index.astype(TEXT).rename(INDEX[name])
    if isinstance(table, gpd.GeoDataFrame):
        out = gpd.GeoDataFrame(out, geometry=table.geometry.name, crs=table.crs, copy=False)
    out.attrs = dict(table.attrs)
    return out


def settled(values: pd.Series, dtype: str) -> pd.Series:
    """Return a column with its type; missing text is "", missing counts 0, missing flags False.

    Parameters
    ----------
    values : Series
        As read.
    dtype : str
        One of those in ``COLUMNS``.

    Returns
    -------
    Series
        With the same index.
    """
    if dtype in _FILL:
        if values.hasnans:
            values = values.where(values.notna(), _FILL[dtype])
    elif dtype == DAY:
        values = pd.to_datetime(values)
    return values if values.dtype == dtype else values.astype(dtype)
