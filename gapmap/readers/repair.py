"""Invalid geometry made valid.

In: geometry by row. Out: the same, valid, with the rows that were changed. Method: GEOS make_valid, keeping the parts of
the geometry's own dimension; what cannot be kept is a problem of its row.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

_COLLECTION = 7  # shapely's type id


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
    collections = geometry.index[shapely.get_type_id(values) == _COLLECTION]
    for row in collections:
        problems.setdefault(row, "a geometry collection: give points, lines and polygons a row each")
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
