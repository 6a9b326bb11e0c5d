"""Invalid geometry made valid, areas drawn as lines made areas.

In: geometry by row. Out: the same, mended, with the rows that were changed. Method: GEOS make_valid, keeping the parts of
the geometry's own dimension; a closed line becomes the ring of a polygon; what cannot be kept is a problem of its row.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

_MULTI = {
    "MultiPoint": shapely.multipoints,
    "MultiLineString": shapely.multilinestrings,
    "MultiPolygon": shapely.multipolygons,
}
_COLLECTION = 7  # shapely's type id
_LINE = 1  # dimension
_CORNERS = 3
_NEARLY_CLOSED = 0.05  # of its length: a ring drawn by hand that lacks no more than this is closed


def close_lines(geometry: gpd.GeoSeries, areas: pd.Series, problems: dict[int, str]) -> tuple[gpd.GeoSeries, pd.Index]:
    """Make areas of the lines that are meant as areas.

    Parameters
    ----------
    geometry : GeoSeries
        With row numbers; None where a row has none.
    areas : Series
        Whether a row is meant as an area.
    problems : dict of int to str
        Row number to what is wrong with it; added to: such lines that do not close (a twentieth of their length may lack), or
        that have fewer than three corners.

    Returns
    -------
    GeoSeries
        The same rows.
    Index
        The rows of closed lines that are not meant as areas.
    """
    values = geometry.to_numpy(copy=True)
    lines = shapely.get_dimensions(values) == _LINE
    for place in np.flatnonzero(lines & areas.to_numpy()):  # few: each is a drawing by hand
        row, parts = geometry.index[place], shapely.get_parts(values[place])
        gaps = shapely.distance(shapely.get_point(parts, 0), shapely.get_point(parts, -1))
        corners = shapely.get_num_coordinates(parts) - (gaps == 0)
        if (corners < _CORNERS).any():
            problems.setdefault(row, "an area drawn as a line of fewer than three corners")
        elif (gaps > _NEARLY_CLOSED * shapely.length(parts)).any():
            problems.setdefault(row, "an area drawn as a line that does not close: draw it to where it began")
        else:
            rings = shapely.polygons([shapely.linearrings(shapely.get_coordinates(part)) for part in parts])
            values[place] = rings[0] if len(rings) == 1 else shapely.multipolygons(rings)
    loops = geometry.index[lines & ~areas.to_numpy() & shapely.is_closed(values)]
    return gpd.GeoSeries(values, index=geometry.index, crs=geometry.crs), loops


def repair(geometry: gpd.GeoSeries, problems: dict[int, str]) -> tuple[gpd.GeoSeries, pd.Index]:
    """Make invalid geometry valid, keeping the parts of its own dimension.

    Parameters
    ----------
    geometry : GeoSeries
        With row numbers; None where a row has none.
    problems : dict of int to str
        Row number to what is wrong with it; added to: geometry collections, lines without length, and geometry of which
        nothing is left.

    Returns
    -------
    GeoSeries
        The same rows.
    Index
        The rows that were repaired.
    """
    values = geometry.to_numpy(copy=True)
    for place in np.flatnonzero(shapely.get_num_geometries(values) > 1):  # a track may have a part without points
        parts = shapely.get_parts(values[place])
        if shapely.is_empty(parts).any() and values[place].geom_type in _MULTI:
            values[place] = _MULTI[values[place].geom_type](parts[~shapely.is_empty(parts)])
    collections = geometry.index[shapely.get_type_id(values) == _COLLECTION]
    for row in collections:
        problems.setdefault(row, "a geometry collection: give its points, lines and areas a row each, or a placemark")
    usable = ~geometry.index.isin(list(problems)) & ~shapely.is_missing(values)
    broken = np.flatnonzero(usable & ~shapely.is_valid(values))
    kept = []
    for place in broken:  # few, or none
        dimension = shapely.get_dimensions(values[place])
        parts = shapely.get_parts(shapely.make_valid(values[place], method="structure", keep_collapsed=False))
        parts = parts[(shapely.get_dimensions(parts) == dimension) & ~shapely.is_empty(parts)]
        if len(parts) == 0:
            problems[geometry.index[place]] = "the geometry is invalid, and nothing is left of it when repaired"
            continue
        values[place] = shapely.union_all(parts)
        kept.append(geometry.index[place])
    flat = np.flatnonzero(usable & (shapely.get_dimensions(values) == 1) & (shapely.length(values) == 0))
    problems.update(dict.fromkeys(geometry.index[flat], "the line has no length"))
    return gpd.GeoSeries(values, index=geometry.index, crs=geometry.crs), pd.Index(kept)
