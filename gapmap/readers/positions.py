"""Where each row of a file lies.

In: rows as read. Out: geometry in EPSG:4326, and what is wrong with the rows that have none. Method: the file's geometry; or
columns of longitude and latitude, of positions as people write them, of MGRS or WKT, found by name and never by place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from gapmap.crs import WGS84
from gapmap.errors import CrsError, InputError
from gapmap.points import mgrs_side_m, parse_angle, parse_point
from gapmap.readers.values import cell_text, parse_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gapmap.readers.files import Rows

# Names in lower case, the preferred one first.
COLUMNS: Mapping[str, Sequence[str]] = {
    "lon": ("lon", "longitude", "lng", "long", "x"),
    "lat": ("lat", "latitude", "y"),
    "mgrs": ("mgrs",),
    "position": ("position", "coordinates", "coords"),
    "wkt": ("wkt", "geometry", "geom", "the_geom"),
}
NO_POSITION = "no position"
_ZERO = "longitude 0 and latitude 0, which stand for no position"
_HALF = "one of longitude and latitude is missing"
_POINT = 0  # shapely's type id
_BROKEN = "the geometry cannot be built: a ring not closed or of too few points, a line of one point, or a NaN in it"
_SAME_SPOT_M = 200.0  # degrees of three decimals, and a datum of another time
_BESIDE_DEGREES = 0.002  # as far
_LON_MAX, _LAT_MAX, _TURN = 180.0, 90.0, 360.0


def locate(
    rows: Rows,
    *,
    crs: object = None,
    columns: Mapping[str, Sequence[str]] = COLUMNS,
    mgrs_zones: Sequence[str] = (),
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
        Names of the position columns, for "lon", "lat", "mgrs", "position" and "wkt".
    mgrs_zones : sequence of str, optional
        Grid zones for MGRS references without one.

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
        geometry = _from_columns(rows, columns, mgrs_zones, problems).set_crs(stated or WGS84)
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
    zero = shapely.get_num_coordinates(values) == 1
    zero[owner[(coordinates != 0).any(axis=1)]] = False
    problems.update({row: _ZERO for row in geometry.index[zero] if row not in problems})
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


def locate_points(
    rows: Rows,
    *,
    crs: object = None,
    columns: Mapping[str, Sequence[str]] = COLUMNS,
    mgrs_zones: Sequence[str] = (),
) -> tuple[np.ndarray, np.ndarray, dict[int, str]]:
    """Give every row its longitude and latitude.

    Parameters
    ----------
    rows : Rows
        As read.
    crs : object, optional
        As for :func:`locate`.
    columns : mapping, optional
        As for :func:`locate`.
    mgrs_zones : sequence of str, optional
        As for :func:`locate`.

    Returns
    -------
    ndarray
        Longitudes in WGS 84, NaN where there is nothing usable.
    ndarray
        Latitudes.
    dict of int to str
        Row number to what is wrong with it, lines and areas too.

    Raises
    ------
    CrsError, InputError
        As for :func:`locate`.
    """
    found = {field for field, names in columns.items() if rows.column(names) is not None}
    if rows.geometry is not None or crs is not None or found != {"lon", "lat"}:
        geometry, problems = locate(rows, crs=crs, columns=columns, mgrs_zones=mgrs_zones)
        shapes = geometry.to_numpy()
        for row in geometry.index[(shapely.get_type_id(shapes) != _POINT) & ~shapely.is_missing(shapes)]:
            problems.setdefault(row, "the geometry is not a point")
        return shapely.get_x(shapes), shapely.get_y(shapes), problems
    # The same for two columns of degrees, without a million shapes made to be asked for their coordinates.
    problems = {}
    index = rows.columns.index
    lon, lat = (_angles(rows.cells(columns[axis]), axis, problems) for axis in ("lon", "lat"))
    problems.update(dict.fromkeys(index[(lon[1] != lat[1])], _HALF))
    problems.update(dict.fromkeys(index[(lon[0] == 0) & (lat[0] == 0)], _ZERO))
    nowhere = index[~lon[1] & ~lat[1]]
    problems.update(dict.fromkeys(nowhere, NO_POSITION))
    for name, (degrees, _), limit in (("longitude", lon, _LON_MAX), ("latitude", lat, _LAT_MAX)):
        outside = np.abs(degrees) > limit
        for row, value in zip(index[outside], degrees[outside], strict=True):
            problems.setdefault(row, _out_of_range(name, value, limit))
    return lon[0], lat[0], problems


def mgrs_radii_m(rows: Rows, columns: Mapping[str, Sequence[str]] = COLUMNS) -> pd.Series:
    """Return how far from the centre of its square a position given in MGRS may be.

    Parameters
    ----------
    rows : Rows
        As read.
    columns : mapping, optional
        As for :func:`locate`.

    Returns
    -------
    Series
        Metres, half the diagonal of the square that the digits name; NaN for rows without MGRS.
    """
    radii = pd.Series(np.nan, index=rows.columns.index)
    for field in ("mgrs", "position"):
        if rows.column(columns[field]) is not None:
            texts = rows.texts(columns[field])
            radii = radii.fillna(texts[texts != ""].map(mgrs_side_m).astype(float) / np.sqrt(2))
    return radii


def _from_columns(
    rows: Rows, columns: Mapping[str, Sequence[str]], mgrs_zones: Sequence[str], problems: dict[int, str]
) -> gpd.GeoSeries:
    found = {field: rows.column(names) for field, names in columns.items()}
    if (found["lon"] is None or found["lat"] is None) and not any(
        found[field] for field in ("mgrs", "position", "wkt")
    ):
        raise InputError(
            f"{rows.path.name}: no position column among {', '.join(rows.header) or 'none'}",
            hint="the first row names the columns, with nothing above it: lon and lat, or position, mgrs or wkt; or say which: "
            'columns = { lat = "North", lon = "East" }',
        )
    index = rows.columns.index
    lon, lon_given = _angles(rows.cells(columns["lon"]), "lon", problems)
    lat, lat_given = _angles(rows.cells(columns["lat"]), "lat", problems)
    values = np.full(len(index), None, dtype=object)
    pair = np.isfinite(lon) & np.isfinite(lat)
    values[pair] = shapely.points(lon[pair], lat[pair])
    for row in index[lon_given != lat_given]:
        problems[row] = _HALF
    for field in ("wkt", "mgrs", "position"):
        column = rows.texts(columns[field]) if found[field] else pd.Series(dtype=object)
        # A loop, since these are read from text one by one.
        for place in np.flatnonzero(column != ""):
            try:
                shape = _shape(field, column.iloc[place], mgrs_zones)
            except InputError as error:
                problems.setdefault(index[place], error.message)
                continue
            if values[place] is None:
                values[place] = shape
            elif (apart := _apart(values[place], shape, column.iloc[place])) is not None:
                problems.setdefault(index[place], apart)
            elif shape.geom_type != "Point":  # beside a point of it
                values[place] = shape
    return gpd.GeoSeries(values, index=index)


def _angles(cells: pd.Series, axis: Literal["lat", "lon"], problems: dict[int, str]) -> tuple[np.ndarray, np.ndarray]:
    """Return degrees, NaN for none, and in which rows something is given."""
    degrees, bad = parse_numbers(cells, coordinates=True)
    for row in degrees.index[bad]:
        try:
            degrees[row] = parse_angle(cell_text(cells[row]), axis)
        except InputError as error:
            problems[row] = error.message
    return degrees.to_numpy(), (degrees.notna() | bad).to_numpy()


def _apart(first: shapely.Geometry, other: shapely.Geometry, text: str) -> str | None:
    """Say why a row's second position cannot stand beside its first; None where both are one spot, as finely as they say.

    Nor does a point say anything else than the line or area about it, as in the CSV that gapmap writes.
    """
    if (
        first.geom_type != "Point" or other.geom_type != "Point"
    ):  # of which one alone is no point: there is one column of WKT
        beside = shapely.distance(shapely.envelope(first), shapely.envelope(other)) <= _BESIDE_DEGREES
        return None if beside else "its point lies outside its shape: leave the right one"
    away_m = pyproj.Geod(ellps="WGS84").inv(first.x, first.y, other.x, other.y)[2]
    if away_m <= _SAME_SPOT_M + max(0.0, np.nan_to_num(mgrs_side_m(text))):
        return None
    return f"its positions are {away_m / 1000:.1f} km apart: leave the right one"


def _shape(field: str, text: str, mgrs_zones: Sequence[str]) -> shapely.Geometry:
    if field != "wkt":
        return parse_point(text, mgrs_zones=mgrs_zones)
    shape = shapely.from_wkt(text, on_invalid="ignore")
    if shape is None:
        raise InputError(f"{text[:60]!r} is not WKT")
    return shape


def _check_range(geometry: gpd.GeoSeries, problems: dict[int, str]) -> None:
    bounds = pd.DataFrame(
        shapely.bounds(geometry.to_numpy()), index=geometry.index, columns=["minx", "miny", "maxx", "maxy"]
    )
    for axis, low, high, limit in (
        ("longitude", "minx", "maxx", _LON_MAX),
        ("latitude", "miny", "maxy", _LAT_MAX),
    ):
        outside = bounds.index[(bounds[low] < -limit) | (bounds[high] > limit)]
        for row in outside:  # few, or none
            value = bounds[high][row] if bounds[high][row] > limit else bounds[low][row]
            problems.setdefault(row, _out_of_range(axis, value, limit))


def _out_of_range(axis: str, value: float, limit: float) -> str:
    hint = "are the columns swapped?" if abs(value) <= _TURN else "metres? then say which CRS they are in"
    return f"{axis} {value:g} is outside -{limit:g}..{limit:g} ({hint})"
