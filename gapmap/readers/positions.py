"""Where each row of a file lies.

In: rows as read. Out: geometry in EPSG:4326, and what is wrong with the rows that have none. Method: the file's geometry,
or a WKT, longitude and latitude, or MGRS column, found by name and never by place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from gapmap.crs import WGS84
from gapmap.errors import CrsError, InputError
from gapmap.points import parse_point
from gapmap.readers.files import parse_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gapmap.readers.files import Rows

# Names in lower case, the preferred one first.
COLUMNS: Mapping[str, Sequence[str]] = {
    "lon": ("lon", "longitude", "lng", "long", "x"),
    "lat": ("lat", "latitude", "y"),
    "mgrs": ("mgrs",),
    "wkt": ("wkt", "geometry", "geom", "the_geom"),
}
NO_POSITION = "no geometry"
_BROKEN = "the geometry cannot be built: a ring not closed or of too few points, a line of one point, or a NaN in it"
_LON_MAX, _LAT_MAX, _TURN = 180.0, 90.0, 360.0


def locate(
    rows: Rows, *, crs: object = None, columns: Mapping[str, Sequence[str]] = COLUMNS
) -> tuple[gpd.GeoSeries, dict[int, str]]:
    """Give every row its geometry.

    Parameters
    ----------
    rows : Rows
        As read.
    crs : object, optional
        Anything pyproj understands: what the coordinates are in where the file does not say. Without it, the columns
        of a CSV or XLSX are degrees.
    columns : mapping, optional
        Names of the position columns, for "lon", "lat", "mgrs" and "wkt".

    Returns
    -------
    GeoSeries
        Two-dimensional, in EPSG:4326, with the rows' numbers; None where there is nothing usable.
    dict of int to str
        Row number to what is wrong with it; ``NO_POSITION`` where nothing is given.

    Raises
    ------
    CrsError
        If the file has no CRS and none is given, one is given and the file states another, or it is a local one that
        does not say where on the Earth it is.
    InputError
        If a CSV or XLSX has no position column.
    """
    problems: dict[int, str] = dict.fromkeys(rows.broken, _BROKEN)
    stated = None if crs is None else _understand(crs)
    if rows.geometry is None:
        geometry = _from_columns(rows, columns, problems).set_crs(stated or WGS84)
    elif rows.geometry.crs is None and stated is None:
        raise CrsError(
            f"{rows.path.name}: has no CRS (a shapefile's is in its .prj file)",
            hint='add the .prj, or export it again with its CRS; for zones, crs = "EPSG:4326" under the force says it',
        )
    elif rows.geometry.crs is not None and stated is not None and rows.geometry.crs != stated:
        raise CrsError(
            f"{rows.path.name}: two CRS: the file states {rows.geometry.crs.name}, asked for is {stated.name}",
            hint="leave crs out",
        )
    else:
        geometry = rows.geometry.set_crs(stated or rows.geometry.crs)
    values = shapely.force_2d(geometry.to_numpy())
    # GEOS calls a point of NaN empty.
    gone = (shapely.is_missing(values) | shapely.is_empty(values)) & ~geometry.index.isin(list(problems))
    problems.update(dict.fromkeys(geometry.index[gone], NO_POSITION))
    coordinates, owner = shapely.get_coordinates(values, return_index=True)
    endless = geometry.index[np.unique(owner[~np.isfinite(coordinates).all(axis=1)])]
    problems.update(dict.fromkeys(endless, "a coordinate is not a finite number"))
    values[geometry.index.isin(list(problems))] = None
    try:
        out = gpd.GeoSeries(values, index=geometry.index, crs=geometry.crs).to_crs(WGS84)
    except pyproj.exceptions.ProjError as error:
        raise CrsError(
            f"{rows.path.name}: its CRS ({geometry.crs.name}) does not say where on the Earth it is",
            hint="export it again in WGS 84 (EPSG:4326)",
        ) from error
    _check_range(out, problems)
    return out, problems


def _understand(crs: object) -> pyproj.CRS:
    try:
        return pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError as error:
        raise CrsError(f"{crs!r} is not a CRS", hint='for example crs = "EPSG:32638"') from error


def _from_columns(rows: Rows, columns: Mapping[str, Sequence[str]], problems: dict[int, str]) -> gpd.GeoSeries:
    found = {field: rows.column(names) for field, names in columns.items()}
    if (found["lon"] is None or found["lat"] is None) and found["mgrs"] is None and found["wkt"] is None:
        raise InputError(
            f"{rows.path.name}: no position column among {', '.join(map(str, rows.columns)) or 'none'}",
            hint="name two columns lon and lat, or one mgrs or wkt",
        )
    index = rows.columns.index
    lon_text, lat_text, mgrs_text, wkt_text = (rows.texts(columns[field]) for field in ("lon", "lat", "mgrs", "wkt"))
    lon, lon_bad = parse_numbers(lon_text)
    lat, lat_bad = parse_numbers(lat_text)
    pair = lon.notna() & lat.notna()
    values = np.full(len(index), None, dtype=object)
    values[pair] = shapely.points(lon[pair], lat[pair])
    for row in index[lon_bad | lat_bad]:
        bad = lon_text[row] if lon_bad[row] else lat_text[row]
        problems[row] = f"{bad!r} is not a coordinate (a finite number with a decimal point)"
    for row in index[(lon_text == "") != (lat_text == "")]:
        problems[row] = "one of longitude and latitude is missing"
    texts = pd.DataFrame({"wkt": wkt_text, "mgrs": mgrs_text})
    # A loop, since both are read from text one by one.
    for place, (row, wkt, mgrs) in enumerate(texts.itertuples(name=None)):
        if sum((wkt != "", mgrs != "", bool(pair[row]))) > 1:
            problems[row] = "more than one position: fill in one of lon and lat, mgrs, wkt"
        elif wkt:
            values[place] = shapely.from_wkt(wkt, on_invalid="ignore")
            if values[place] is None:
                problems[row] = f"{wkt[:60]!r} is not WKT"
        elif mgrs:
            try:
                values[place] = parse_point(mgrs)
            except InputError as error:
                problems[row] = error.message
    return gpd.GeoSeries(values, index=index)


def _check_range(geometry: gpd.GeoSeries, problems: dict[int, str]) -> None:
    bounds = geometry.bounds
    for axis, low, high, limit in (
        ("longitude", "minx", "maxx", _LON_MAX),
        ("latitude", "miny", "maxy", _LAT_MAX),
    ):
        outside = bounds.index[(bounds[low] < -limit) | (bounds[high] > limit)]
        for row in outside:  # few, or none
            value = bounds[high][row] if bounds[high][row] > limit else bounds[low][row]
            hint = "are the columns swapped?" if abs(value) <= _TURN else "metres? then say which CRS they are in"
            problems.setdefault(row, f"{axis} {value:g} is outside -{limit:g}..{limit:g} ({hint})")
