"""What happened, from a plain table.

In: a CSV, XLSX, GeoPackage or GeoJSON with a row an incident. Out: table ``incidents`` in EPSG:4326. Method: columns by a mapping
or by their usual names. Unlike a zone, an incident that cannot be used is set aside with its reason: one lost among
hundreds moves no outline, and field data are never whole.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import shapely

from gapmap.crs import WGS84
from gapmap.errors import InputError
from gapmap.readers import files, positions
from gapmap.tables import conform

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# Field -> the names it goes by, in a mapping and as a column.
FIELDS: Mapping[str, Sequence[str]] = {
    "id": ("id", "incident_id", "event_id"),
    "date": ("date", "date_from", "event_date"),
    "date_to": ("date_to", "date_end"),
    "kind": ("kind", "event_type", "type"),
    "deaths": ("deaths", "deaths_best", "fatalities", "killed"),
    "deaths_low": ("deaths_low",),
    "deaths_high": ("deaths_high",),
    "civilians": ("civilians",),
    "precision": ("precision", "location_precision"),
    "radius_km": ("radius_km", "location_radius_km"),
    "note": ("note", "notes"),
    **positions.COLUMNS,
}
PRECISIONS = ("exact", "near", "area")
RADIUS_M: Mapping[str, float] = {"exact": 1_000.0, "near": 5_000.0, "area": 15_000.0}
_TRUTH = {"1": 1.0, "yes": 1.0, "true": 1.0, "0": 0.0, "no": 0.0, "false": 0.0}
_RADIUS_MAX_M = 500_000.0
_SHOWN = 5
_BEFORE, _AFTER = "before the first day asked for", "after the last day asked for"
_BY_CHOICE = frozenset({_BEFORE, _AFTER, "blank row"})


def read_incidents(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    since: dt.date | None = None,
    until: dt.date | None = None,
    radius_m: Mapping[str, float] = RADIUS_M,
    crs: object = None,
    layer: str | None = None,
) -> gpd.GeoDataFrame:
    r"""Read incidents from a plain table.

    Parameters
    ----------
    path : str or Path
        CSV, XLSX, GeoPackage, GeoJSON, or another vector file of points.
    columns : mapping of str to str, optional
        Field to column name in the file, for columns with other than the usual names. Fields: id, date, date_to, kind,
        deaths, deaths_low, deaths_high, civilians (1 or 0, yes or no), precision (exact, near, area), radius_km, note,
        lat, lon, mgrs, wkt.
    since, until : datetime.date, optional
        Incidents that lie wholly before or after are set aside. Both days count.
    radius_m : mapping of str to float, optional
        Metres within which the position holds, by precision, where the row gives no radius: 1 km, 5 km, 15 km. Rows
        without a precision count as "near".
    crs : object, optional
        Anything pyproj understands, for a file that does not say.
    layer : str, optional
        Layer or sheet, where there are several and none is called "incidents".

    Returns
    -------
    GeoDataFrame
        Table ``incidents`` in EPSG:4326, points, sorted by date and id; ``ground`` and ``stretch_id`` still empty. The
        id is the file's where it has one, else a number that does not depend on row order. ``attrs["set_aside"]``
        holds the rows not used, as records: no or unreadable date or position, out of range, outside `since` and
        `until`, a repeated id, an unknown precision, a number that is none. ``attrs["input"]`` holds the counts.

    Raises
    ------
    MissingFileError
        If there is no such file.
    CrsError
        If a vector file has no CRS and none is given.
    InputError
        If the file cannot be read, has no column for date or position, `columns` names a field or a column that does
        not exist, or no row at all can be understood. A CSV or XLSX with a header and no rows is fine: no incidents.

    Notes
    -----
    Notes are kept as they are written. Reversed dates are set aside, not turned.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "log.csv"
    >>> _ = path.write_text("when,lat,lon,kind\n2021-02-03,35.9,43.5,attack\n2021-02-04,,,attack\n", encoding="utf-8")
    >>> found = read_incidents(path, columns={"date": "when"})
    >>> found[["date_from", "kind", "location_precision", "location_radius_m"]]
                 date_from    kind location_precision  location_radius_m
    incident_id
    I00001      2021-02-03  attack               near             5000.0
    >>> found.attrs["set_aside"]
    [{'source': 'log.csv', 'source_row': 2, 'reason': 'no geometry'}]
    """
    rows = files.read_rows(path, role="incidents", layer=layer, may_be_empty=True)
    names = files.field_names(rows, FIELDS, columns or {})
    if rows.column(names["date"]) is None:
        raise InputError(
            f"{rows.path.name}: no date column among {', '.join(map(str, rows.columns)) or 'none'}",
            hint='say which it is: columns = { date = "when" }',
        )
    geometry, aside = positions.locate(rows, crs=crs, columns={field: names[field] for field in positions.COLUMNS})
    points = shapely.get_type_id(geometry.to_numpy()) == 0
    for row in geometry.index[~points & geometry.notna()]:
        aside.setdefault(row, "the geometry is not a point")
    for row in geometry.index[(rows.columns == "").all(axis=1) & geometry.isna()]:
        aside[row] = "blank row"
    table = _columns(rows, names, radius_m, aside)
    _outside(table, since, until, aside)
    out = gpd.GeoDataFrame(table, geometry=geometry, crs=WGS84)
    understood = len(out) - sum(reason not in _BY_CHOICE for reason in aside.values())
    if len(out) and not understood:
        lines = [f"row {row}: {aside[row]}" for row in sorted(aside)[:_SHOWN]]
        raise InputError(
            f"{rows.path.name}: none of {len(out)} incidents can be used",
            problems=lines,
            hint="check that the columns are the right ones: columns = { date = ..., lat = ..., lon = ... }",
        )
    out = _identified(out.drop(index=list(aside)), aside)
    out.attrs["input"] = files.describe(
        rows.path, role="incidents", rows=len(rows.columns), used=len(out), aside=len(aside)
    )
    out.attrs["set_aside"] = files.set_aside(rows.path, aside)
    return out


def _columns(
    rows: files.Rows, names: Mapping[str, Sequence[str]], radius_m: Mapping[str, float], aside: dict[int, str]
) -> pd.DataFrame:
    texts = {field: rows.texts(names[field]) for field in FIELDS}
    table = pd.DataFrame({"source": rows.path.name, "source_row": rows.columns.index}, index=rows.columns.index)
    table["given_id"], table["kind"], table["note"] = texts["id"], texts["kind"], texts["note"]

    table["date_from"], bad = files.parse_days(texts["date"])
    _note(aside, texts["date"], bad, "date {!r} is not an ISO date such as 2021-06-01")
    _note(aside, texts["date"], texts["date"] == "", "no date")
    ends, bad = files.parse_days(texts["date_to"])
    _note(aside, texts["date_to"], bad, "date_to {!r} is not an ISO date such as 2021-06-01")
    table["date_to"] = ends.fillna(table["date_from"])
    _note(aside, texts["date_to"], table["date_to"] < table["date_from"], "dates reversed: date_to {} is before date")

    for field, column in {"deaths": "deaths_best", "deaths_low": "deaths_low", "deaths_high": "deaths_high"}.items():
        table[column], bad = files.parse_numbers(texts[field])
        _note(aside, texts[field], bad | (table[column] < 0), field + " {!r} is not a number of zero or more")
    words = texts["civilians"].str.lower()
    table["civilians"] = words.map(_TRUTH).astype(float)
    _note(aside, texts["civilians"], (words != "") & table["civilians"].isna(), "civilians {!r} is not 1, 0, yes or no")

    precision = texts["precision"].str.lower().replace("", "near")
    table["location_precision"] = precision
    _note(
        aside, texts["precision"], ~precision.isin(PRECISIONS), "precision {!r} is not one of " + ", ".join(PRECISIONS)
    )
    km, bad = files.parse_numbers(texts["radius_km"])
    _note(aside, texts["radius_km"], bad | (km < 0) | (km * 1e3 > _RADIUS_MAX_M), "radius_km {!r} is not within 0..500")
    table["location_radius_m"] = (km * 1e3).fillna(precision.map({**RADIUS_M, **radius_m}))
    return table


def _note(aside: dict[int, str], texts: pd.Series, bad: pd.Series, reason: str) -> None:
    for row in texts.index[bad]:
        aside.setdefault(row, reason.format(texts[row]))


def _outside(table: pd.DataFrame, since: dt.date | None, until: dt.date | None, aside: dict[int, str]) -> None:
    if since is not None:
        _note(aside, table["note"], table["date_to"] < pd.Timestamp(since), _BEFORE)
    if until is not None:
        _note(aside, table["note"], table["date_from"] > pd.Timestamp(until), _AFTER)


def _identified(incidents: gpd.GeoDataFrame, aside: dict[int, str]) -> gpd.GeoDataFrame:
    """Give every row its id, set repeated ones aside, and sort by date and id."""
    given = incidents["given_id"]
    first = given.drop_duplicates()
    for row in given.index[(given != "") & given.duplicated()]:
        aside[row] = f"the id {given[row]!r} is in row {first.index[first == given[row]][0]} already"
    incidents = incidents.drop(index=[row for row in incidents.index if row in aside])
    order = ["date_from", "date_to", "given_id", "kind", "note", "x", "y"]
    xy = shapely.get_coordinates(incidents.geometry.to_numpy())
    incidents = incidents.assign(x=xy[:, 0], y=xy[:, 1]).sort_values(order, kind="stable").drop(columns=["x", "y"])
    taken = set(incidents["given_id"])
    numbers = (name for number in count(1) if (name := f"I{number:05d}") not in taken)
    incidents.index = pd.Index([given or next(numbers) for given in incidents["given_id"]], dtype=object)
    return conform(incidents.drop(columns="given_id"), "incidents")
