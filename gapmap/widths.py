"""The width of a corridor at a point, and along its middle line: one rule for memory, file, page and briefing.

In: a table of facets, and points or stretches. Out: metres. Method: a facet lies between two spans of known width; between
them the width runs linearly with the distances to both; where a stretch begins and ends, that on the middle line counts.
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

_SAME_M = 1.0  # places on a middle line that are one
_NUDGE_M = 2.0  # at the very end of a stretch a point may lie in the next, or a little outside the last facet
_BESIDE_M = 100.0  # a line from which less is cut counts as whole


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


def widths_along(
    stretches: GeoDataFrame, centrelines: GeoDataFrame, transects: GeoDataFrame, facets: GeoDataFrame
) -> pd.DataFrame:
    """Return the widths in metres along each stretch, from one end of it to the other.

    Parameters
    ----------
    stretches, centrelines, transects, facets : GeoDataFrame
        As in :class:`gapmap.Corridors`.

    Returns
    -------
    DataFrame
        ``stretch_id``, ``along_m`` (on the middle line of the corridor) and ``width_m``, in order along each stretch: its
        two ends and the measuring lines between them.

    Notes
    -----
    Measuring lines stand at steps, so that those next to the ends may lie a kilometre inside, and the widest spot beyond
    them. At the ends the width is that on the middle line: see :func:`width_here`. Where the area of interest cuts the
    line, the end is where it is cut. An end in excluded ground, or of a line cut into several, is left out.
    """
    lines = transects[["stretch_id", "along_m", "width_m"]]
    if stretches.empty:  # as in an edition that holds none, and no plane either
        return lines.iloc[:0].reset_index(drop=True)
    lines = lines[lines["stretch_id"].isin(stretches.index)]
    from_m, to_m = (stretches[side].reindex(lines["stretch_id"]).to_numpy() for side in ("from_m", "to_m"))
    # Measuring lines beyond a stretch were those of one that is all excluded.
    lines = lines[(lines["along_m"] >= from_m - _SAME_M) & (lines["along_m"] <= to_m + _SAME_M)]
    middle = centrelines.geometry.where(centrelines.geom_type == "LineString")
    cut = _cut_before(middle, stretches, transects.loc[lines.index])
    own, before = (each.reindex(stretches["corridor_id"]).set_axis(stretches.index) for each in (middle, cut))
    first = np.fmax(stretches["from_m"], before)
    last = np.fmin(stretches["to_m"], before + own.length)
    parts = [lines]
    for place, inwards in ((first, _NUDGE_M), (last, -_NUDGE_M)):
        spots = gpd.GeoSeries(
            shapely.line_interpolate_point(own.to_numpy(), (place - before + inwards).to_numpy()),
            index=stretches.index,
            crs=stretches.crs,
        )
        end = pd.DataFrame({"stretch_id": stretches.index, "along_m": place, "width_m": width_here(facets, spots)})
        nearest = lines.groupby("stretch_id")["along_m"].agg("min" if inwards > 0 else "max").reindex(stretches.index)
        parts.append(end[~((place - nearest).abs() < _SAME_M)])  # a line that stands at an end is the end
    along = pd.concat(parts, ignore_index=True)[["stretch_id", "along_m", "width_m"]].dropna()
    order = np.lexsort((along["along_m"], stretches.index.get_indexer(along["stretch_id"])))
    return along.iloc[order].reset_index(drop=True)


def _cut_before(middle: GeoSeries, stretches: GeoDataFrame, transects: GeoDataFrame) -> pd.Series:
    """Return how many metres the area of interest took of each middle line before where it now begins; NaN if not known."""
    whole = stretches.groupby("corridor_id")["to_m"].max().reindex(middle.index)
    spots = shapely.line_interpolate_point(transects.geometry.to_numpy(), 0.5, normalized=True)
    at = shapely.line_locate_point(middle.reindex(transects["corridor_id"]).to_numpy(), spots)
    # The middles of measuring lines stand a little beside it, some way along.
    lost = (transects["along_m"] - at).groupby(transects["corridor_id"]).median().reindex(middle.index)
    return lost.mask(((middle.length - whole).abs() < _SAME_M) | (lost.abs() < _BESIDE_M), 0.0)


def _distance(at: Points, a: Points, b: Points) -> NDArray[np.float64]:
    """Return the distances from points to segments, which may be points themselves."""
    run = b - a
    square = plane.dot(run, run)
    along = np.divide(plane.dot(at - a, run), square, out=np.zeros(len(at)), where=square > 0)
    return plane.length(at - a - np.clip(along, 0, 1) * run)
