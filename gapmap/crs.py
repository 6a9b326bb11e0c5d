"""The working coordinate reference system, and the gate that every geometry function passes.

In: tables in any CRS. Out: a local Lambert azimuthal equal-area CRS (or UTM where asked for), and the promise that a
metre on the map is a metre on the ground within 0.1 % over the data. Method: PROJ's Tissot factors on a grid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pyproj
import shapely

from gapmap.errors import CrsError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geopandas import GeoDataFrame, GeoSeries
    from numpy.typing import NDArray

WGS84 = pyproj.CRS.from_epsg(4326)
SCALE_ERROR_MAX = 1e-3
_SMALL_DEG = 6  # so small a region may lie half a degree off the middle of its plane
_GATE_GRID = 7  # points a side at which the scale is sampled
_STEP_M = 100.0  # each way: the scale is measured to 1e-9


def working_crs(tables: Iterable[GeoDataFrame | GeoSeries], *, kind: Literal["laea", "utm"] = "laea") -> pyproj.CRS:
    """Choose the working CRS for some tables.

    Parameters
    ----------
    tables : iterable of GeoDataFrame or GeoSeries
        Any geometry, any CRS. Empty tables are passed over.
    kind : {"laea", "utm"}
        A Lambert azimuthal equal-area centred on the data (to a whole degree; to a tenth where they
        span more than six), or the UTM zone of the centre.

    Returns
    -------
    pyproj.CRS
        Projected, in metres, WGS 84.

    Raises
    ------
    CrsError
        If a table has no CRS, no table holds a geometry, or there is no such kind.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import Point
    >>> crs = working_crs([gpd.GeoSeries([Point(43, 36), Point(44, 35)], crs=4326)])
    >>> crs.coordinate_operation.method_name, crs.axis_info[0].unit_name
    ('Lambert Azimuthal Equal Area', 'metre')
    """
    if kind not in ("laea", "utm"):
        raise CrsError(f"{kind!r} is no working CRS", hint='"laea", "utm" or, for gapmap.cover, a pyproj.CRS')
    centre, spans = _lonlat_box(tables)
    if kind == "utm":
        zone = int((centre[0] + 180) // 6) % 60 + 1
        return pyproj.CRS.from_epsg((32600 if centre[1] >= 0 else 32700) + zone)
    # To a whole degree where it may be: a zone more or less then seldom shifts the plane, and two runs can be compared.
    lon, lat = (round(degrees, 0 if max(spans) <= _SMALL_DEG else 1) for degrees in centre)
    return pyproj.CRS.from_proj4(f"+proj=laea +lat_0={lat:g} +lon_0={lon:g} +datum=WGS84 +units=m +no_defs")


def require_metric(table: GeoDataFrame | GeoSeries, *others: GeoDataFrame | GeoSeries) -> pyproj.CRS:
    """Pass tables whose lengths are true to 0.1 %, and refuse all others.

    Parameters
    ----------
    table : GeoDataFrame or GeoSeries
        The table whose CRS counts.
    *others : GeoDataFrame or GeoSeries
        Further tables; each must have the same CRS.

    Returns
    -------
    pyproj.CRS
        The CRS they share.

    Raises
    ------
    CrsError
        If a CRS is missing or geographic, if two differ, or if the scale is off by more than 0.1 % anywhere over the
        data (EPSG:3857 is off by 24 % in northern Iraq).

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import Point
    >>> require_metric(gpd.GeoSeries([Point(43, 36)], crs=4326))
    Traceback (most recent call last):
        ...
    gapmap.errors.CrsError: coordinates are degrees (EPSG:4326), not metres
      -> project first: table.to_crs(gapmap.crs.working_crs([table]))
    """
    hint = "project first: table.to_crs(gapmap.crs.working_crs([table]))"
    crs = table.crs
    if crs is None:
        raise CrsError("the table has no CRS", hint="set it: table.set_crs(...), then table.to_crs(...)")
    if crs.is_geographic:
        raise CrsError(f"coordinates are degrees ({_label(crs)}), not metres", hint=hint)
    if not (crs.is_projected or crs.is_engineering) or any(
        axis.unit_conversion_factor != 1 for axis in crs.axis_info[:2]
    ):
        raise CrsError(f"coordinates are not in metres ({_label(crs)})", hint=hint)
    for other in others:
        if other.crs != crs:
            raise CrsError(
                f"two tables differ in CRS ({_label(crs)} and {_label(other.crs)})", hint="other.to_crs(table.crs)"
            )
    if crs.is_engineering:  # a plane of its own, drawn in metres: nothing to distort
        return crs
    for each in (table, *others):
        error = scale_error(crs, each.total_bounds)
        if not error <= SCALE_ERROR_MAX:
            raise CrsError(
                f"{_label(crs)} is off by {error:.2%} in scale over the data; at most 0.10 % is allowed",
                hint="a region over about 1 100 km across must be split; if these are not the zones as read, " + hint,
            )
    return crs


def scale_error(crs: pyproj.CRS, bounds: NDArray[np.float64]) -> float:
    """Return the largest relative error of length in any direction over a box, 0 for an empty one.

    Parameters
    ----------
    crs : pyproj.CRS
        Projected.
    bounds : ndarray of shape (4,)
        West, south, east, north in units of the CRS; NaN for no data.

    Returns
    -------
    float
        ``max(abs(scale - 1))`` over a grid of points and both Tissot axes, on the ellipsoid of the CRS; infinite where PROJ
        gives no answer.
    """
    if not np.isfinite(bounds).all():
        return 0.0
    west, south, east, north = bounds
    x, y = np.meshgrid(np.linspace(west, east, _GATE_GRID), np.linspace(south, north, _GATE_GRID))
    geodetic = crs.geodetic_crs or WGS84
    to_lonlat = pyproj.Transformer.from_crs(crs, geodetic, always_xy=True)
    lon, lat = to_lonlat.transform(x.ravel(), y.ravel())
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        return float("inf")
    # Measured, not PROJ's factors: of a plane whose formulas are those of a sphere they tell its scale on that sphere.
    geod = crs.get_geod() or pyproj.Geod(ellps="WGS84")
    degrees = float(np.degrees(geodetic.axis_info[0].unit_conversion_factor))  # France once counted in grads
    east, west, north, south = (
        np.stack(to_lonlat.transform(there[0] / degrees, there[1] / degrees, direction="INVERSE"))
        for azimuth in (90.0, 270.0, 0.0, 180.0)
        for there in [geod.fwd(lon * degrees, lat * degrees, np.full(len(lon), azimuth), np.full(len(lon), _STEP_M))]
    )
    # At each point a matrix: how a metre to the east and one to the north show in the plane.
    shown = np.moveaxis(np.stack([east - west, north - south], axis=-1), 1, 0) / (2 * _STEP_M)
    if not np.isfinite(shown).all():
        return float("inf")
    return float(np.abs(np.linalg.svd(shown, compute_uv=False) - 1).max())


def placed(point: object, crs: pyproj.CRS) -> shapely.Point:
    """Return a point in a plane, from degrees.

    Parameters
    ----------
    point : shapely.Point
        Longitude and latitude, WGS 84.
    crs : pyproj.CRS
        The plane.

    Returns
    -------
    shapely.Point
        In metres.

    Raises
    ------
    InputError
        If it is no point in degrees, or lengths there are off by more than 0.1 % in this plane.
    """
    if not isinstance(point, shapely.Point) or point.is_empty or not (abs(point.x) <= 180 and abs(point.y) <= 90):  # noqa: PLR2004
        raise InputError(f"{point!r} is not a point", hint="longitude and latitude in degrees, or text")
    x, y = pyproj.Transformer.from_crs(WGS84, crs, always_xy=True).transform(point.x, point.y)
    box = np.array([x, y, x, y])
    if not np.isfinite(box).all() or scale_error(crs, box) > SCALE_ERROR_MAX:
        raise InputError(
            f"{point.y:g}, {point.x:g} lies too far from this result to measure anything",
            hint="latitude comes first: are the two swapped?",
        )
    return shapely.Point(x, y)


def bearings(start: shapely.Point, shapes: GeoSeries) -> NDArray[np.float64]:
    """Return the directions from a point to the nearest points of some geometries.

    Parameters
    ----------
    start : shapely.Point
        In the CRS of ``shapes``.
    shapes : GeoSeries
        Any geometry, in a projected CRS.

    Returns
    -------
    ndarray of float
        Degrees clockwise from true north at ``start``, 0 to 360; NaN where the point lies in or on the geometry.

    Raises
    ------
    CrsError
        If the geometries have no CRS.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import Point
    >>> bearings(Point(5e5, 4e6), gpd.GeoSeries([Point(5e5, 4.1e6), Point(4e5, 4e6)], crs=32638)).round()
    array([  0., 270.])
    """
    if shapes.crs is None:
        raise CrsError("the geometries have no CRS", hint="set it: table.set_crs(...)")
    ends = shapely.get_coordinates(shapely.get_point(shapely.shortest_line(start, shapes.to_numpy()), 1))
    to_lonlat = pyproj.Transformer.from_crs(shapes.crs, shapes.crs.geodetic_crs, always_xy=True)
    lon, lat = to_lonlat.transform([start.x, *ends[:, 0]], [start.y, *ends[:, 1]])
    here = [np.full(len(ends), value[0]) for value in (lon, lat)]
    towards = shapes.crs.get_geod().inv(*here, lon[1:], lat[1:])[0]
    return np.where((ends == [start.x, start.y]).all(axis=1), np.nan, np.asarray(towards) % 360)


def projected(shapes: GeoSeries, crs: pyproj.CRS) -> GeoSeries:
    """Return geometries in a CRS, as they are where they have it already.

    Parameters
    ----------
    shapes : GeoSeries
        Any geometry, any CRS.
    crs : pyproj.CRS
        Where to.

    Returns
    -------
    GeoSeries
        On the same index.

    Raises
    ------
    CrsError
        If the geometries have no CRS.
    """
    if shapes.crs is None:
        raise CrsError("a table has no CRS", hint="set it: table.set_crs(...)")
    return shapes if shapes.crs == crs else shapes.to_crs(crs)


def _lonlat_box(tables: Iterable[GeoDataFrame | GeoSeries]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the middle and the size of the data's box in degrees, also where the data lie across the antimeridian."""
    places = []
    for table in tables:
        if table.crs is None:
            raise CrsError("a table has no CRS", hint="set it: table.set_crs(...)")
        xy = shapely.get_coordinates(table.geometry.to_numpy())
        to_lonlat = pyproj.Transformer.from_crs(table.crs, WGS84, always_xy=True)
        places.append(np.column_stack(to_lonlat.transform(xy[:, 0], xy[:, 1])))
    lonlat = np.concatenate(places) if places else np.empty((0, 2))
    lonlat = lonlat[np.isfinite(lonlat).all(axis=1)]
    if len(lonlat) == 0:
        raise CrsError("no geometry to choose a working CRS from")
    turn = np.radians(lonlat[:, 0])
    middle = np.degrees(np.arctan2(np.sin(turn).mean(), np.cos(turn).mean()))
    east = (lonlat[:, 0] - middle + 180) % 360 - 180
    lon = (middle + (east.min() + east.max()) / 2 + 180) % 360 - 180
    south, north = lonlat[:, 1].min(), lonlat[:, 1].max()
    return (float(lon), float(south + north) / 2), (float(np.ptp(east)), float(north - south))


def _label(crs: pyproj.CRS | None) -> str:
    if crs is None:
        return "none"
    authority = crs.to_authority()
    if authority:
        return ":".join(authority)
    operation = crs.coordinate_operation
    return operation.method_name if crs.name == "unknown" and operation else crs.name
