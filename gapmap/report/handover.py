"""Where two forces could meet on a stretch, and how a position is read out.

In: the measuring lines of a stretch and two covers, in metres; or a position in degrees. Out: the line whose middle is
equally near to both covers; the position in words. Method: distances to both covers, then width, then the way along.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import mgrs
import numpy as np
import shapely

EQUAL_M = 100.0  # ways that differ by less are equally long
_MGRS_FIGURES = 4  # of easting and northing: squares of 10 m


@dataclass(frozen=True)
class HandOver:
    """Where two forces could meet: see `build_report`.

    Attributes
    ----------
    transect_id : str
        The measuring line.
    point : shapely.Point
        Its middle, in the CRS of the tables.
    along_m, width_m : float
        Of the line.
    ways_m : tuple of float
        From the point to the declared cover of force_a and of force_b.
    """

    transect_id: str
    point: shapely.Point
    along_m: float
    width_m: float
    ways_m: tuple[float, float]


def hand_over(
    transects: gpd.GeoDataFrame, stretch: shapely.Geometry, cover_a: shapely.Geometry, cover_b: shapely.Geometry
) -> HandOver | None:
    """Choose the point of a stretch at which both forces are equally near.

    Parameters
    ----------
    transects : GeoDataFrame
        Those of the stretch, in metres.
    stretch, cover_a, cover_b : shapely.Geometry
        Polygons in the same CRS.

    Returns
    -------
    HandOver or None
        None where no measuring line has its middle in the stretch.
    """
    points = middles(transects).to_numpy()
    inside = shapely.dwithin(points, stretch, 1.0)
    if not inside.any():
        return None
    ways = np.column_stack([shapely.distance(points, cover) for cover in (cover_a, cover_b)])
    unequal = np.floor(np.abs(ways[:, 0] - ways[:, 1]) / EQUAL_M)
    order = np.lexsort((transects["along_m"], transects["width_m"], unequal, ~inside))
    row = order[0]
    return HandOver(
        transect_id=str(transects.index[row]),
        point=points[row],
        along_m=float(transects["along_m"].iloc[row]),
        width_m=float(transects["width_m"].iloc[row]),
        ways_m=(float(ways[row, 0]), float(ways[row, 1])),
    )


def mgrs_words(lat: float, lon: float) -> str:
    """Write a position as a square of 10 m, in groups that can be read out.

    Parameters
    ----------
    lat, lon : float
        Degrees, WGS 84.

    Returns
    -------
    str
        "" near the poles, where there is none.

    Examples
    --------
    >>> mgrs_words(36.34, 43.13)
    '38S LF 3217 2328'
    """
    lowest, highest = -80, 84
    if not lowest <= lat <= highest:
        return ""
    text = mgrs.MGRS().toMGRS(lat, lon, MGRSPrecision=_MGRS_FIGURES)
    zone, north = text[: -2 * _MGRS_FIGURES - 2], text[-_MGRS_FIGURES:]
    return f"{zone} {text[len(zone) : len(zone) + 2]} {text[-2 * _MGRS_FIGURES : -_MGRS_FIGURES]} {north}"


def middles(transects: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """Return the middle between the two ends of each measuring line; a border may have cut the line itself into several.

    Parameters
    ----------
    transects : GeoDataFrame
        Measuring lines, in metres.

    Returns
    -------
    GeoSeries of Point
        With the same index, in the same CRS.
    """
    ends = [shapely.get_coordinates(line)[[0, -1]].mean(axis=0) for line in transects.geometry]
    return gpd.GeoSeries(shapely.points(np.reshape(ends, (-1, 2))), transects.index, crs=transects.crs)
