"""The width of a corridor at a point, and along its middle line: one rule for memory, file, page and briefing.

In: a table of facets, and points or stretches. Out: metres. Method: a facet lies between two spans of known width; between
them the width runs linearly with the distances to both; a stretch begins and ends with a span.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gapmap import plane
from gapmap.crs import projected, require_metric
from gapmap.errors import InputError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame, GeoSeries
    from numpy.typing import NDArray

    from gapmap.plane import Points

_SAME_M = 1.0


def width_here(facets: GeoDataFrame, points: GeoSeries) -> pd.Series:
    """Return the width in metres of the corridor at some points, from a table of facets.

    Parameters
    ----------
    facets : GeoDataFrame of Polygon
        As in :class:`gapmap.Corridors`, in a metric CRS.
    points : GeoSeries of Point
        Any CRS.

    Returns
    -------
    Series of float
        On the index of ``points``; NaN outside every facet and for empty points.

    Raises
    ------
    CrsError
        If either has no CRS, or that of the facets is not true to metres.
    InputError
        If the points are no GeoSeries, or hold anything but points.

    Notes
    -----
    The one rule for "width here", in memory, in the file and on the page: with d0 and d1 the distances to the first
    and second span of the facet, the width is ``width_start_m + d0 / (d0 + d1) * (width_end_m - width_start_m)``. A
    point on the line between two facets takes the first.
    """
    if not isinstance(points, gpd.GeoSeries):
        raise InputError(
            f"points are a {type(points).__name__}, not a GeoSeries", hint="gpd.GeoSeries([...], crs=4326)"
        )
    if others := sorted(set(points.geom_type.dropna()) - {"Point"}):
        raise InputError(f"points hold a {others[0]}", hint="take points of it, such as points.representative_point()")
    crs = require_metric(facets)
    shapes = projected(points, crs).to_numpy()
    width = np.full(len(shapes), np.nan)
    row, facet = shapely.STRtree(facets.geometry.to_numpy()).query(shapes, predicate="intersects")
    first = np.lexsort((facet, row))
    row, facet = row[first], facet[first]
    row, first = np.unique(row, return_index=True)
    facet = facet[first]
    at = plane.points(shapely.get_coordinates(shapes[row]))
    start, end = (
        _distance(at, *(plane.points(facets[[f"{span}_{end}_x", f"{span}_{end}_y"]].to_numpy())[facet] for end in "ab"))
        for span in ("start", "end")
    )
    both = start + end
    share = np.divide(start, both, out=np.full(len(both), 0.5), where=both > 0)
    first_width, last_width = (facets[f"width_{which}_m"].to_numpy()[facet] for which in ("start", "end"))
    width[row] = first_width + share * (last_width - first_width)
    return pd.Series(width, index=points.index, name="width_m")


def widths_along(stretches: GeoDataFrame, transects: GeoDataFrame, facets: GeoDataFrame) -> pd.DataFrame:
    """Return the widths in metres along each stretch, from one end of it to the other.

    Parameters
    ----------
    stretches, transects, facets : GeoDataFrame
        As in :class:`gapmap.Corridors`, in its order.

    Returns
    -------
    DataFrame
        ``stretch_id``, ``along_m`` (on the middle line of the corridor) and ``width_m``, in order along each stretch: its
        two ends and the measuring lines between them. A stretch without facets has its lines alone.

    Notes
    -----
    Measuring lines stand at steps, so that those next to the ends may lie a kilometre inside, and the widest spot beyond
    them. The first facet begins and the last one ends with the span where the stretch does. Of a stretch that the area of
    interest cuts, the part that is left counts: cut where its lines lie farther from the end.
    """
    ends = facets.groupby("stretch_id", sort=False).agg({"width_start_m": "first", "width_end_m": "last"})
    ends = ends.reindex(stretches.index)
    lines = transects[["stretch_id", "along_m", "width_m"]]
    lines = lines[lines["stretch_id"].isin(stretches.index)]
    low, high = (lines.groupby("stretch_id")["along_m"].agg(which).reindex(stretches.index) for which in ("min", "max"))
    from_m, to_m = stretches["from_m"], stretches["to_m"]
    lost = (to_m - from_m - 1_000 * stretches["length_km"]).clip(lower=0).where(low.notna(), 0)
    at_start = low - from_m > to_m - high
    first = np.fmin(from_m + lost.where(at_start, 0), low)
    last = np.fmax(to_m - lost.where(~at_start, 0), high)
    # A line that stands at an end is the end.
    parts = [
        pd.DataFrame({"along_m": first, "width_m": ends["width_start_m"]})[~(low - first < _SAME_M)],
        lines.set_index("stretch_id"),
        pd.DataFrame({"along_m": last, "width_m": ends["width_end_m"]})[~(last - high < _SAME_M)],
    ]
    along = pd.concat([part.rename_axis("stretch_id").reset_index() for part in parts], ignore_index=True).dropna()
    order = np.lexsort((along["along_m"], stretches.index.get_indexer(along["stretch_id"])))
    return along.iloc[order].reset_index(drop=True)


def _distance(at: Points, a: Points, b: Points) -> NDArray[np.float64]:
    """Return the distances from points to segments, which may be points themselves."""
    run = b - a
    square = plane.dot(run, run)
    along = np.divide(plane.dot(at - a, run), square, out=np.zeros(len(at)), where=square > 0)
    return plane.length(at - a - np.clip(along, 0, 1) * run)
