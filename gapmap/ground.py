"""The area of interest parted into kinds of ground.

In: covers, corridors and what is wider than the limit, as geometries in one metric CRS. Out: one table whose parts do
not overlap and together are the area. Method: each kind takes what it claims of the area that the kinds before it
left; ground inside one force comes from a triangulation of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from gapmap import tables
from gapmap.noding import edges_of_union
from gapmap.triangulation import EDGE_MAX_M, GRID_M, densify, enclosed_triangles

_SLIVER_M2 = 1.0  # what overlay leaves along edges stays with the ground that is told apart later

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from geopandas import GeoDataFrame


def partition(
    covers: Mapping[str, Any],
    *,
    area: Any,  # noqa: ANN401 - shapely geometries are Any to mypy
    excluded: Any,  # noqa: ANN401
    corridors: Mapping[tuple[str, str], Any],
    beyond: Mapping[tuple[str, str], Any],
    max_width_m: float,
    crs: Any,  # noqa: ANN401
) -> GeoDataFrame:
    """Part an area into excluded, covered, overlap, corridor, beyond, interior and open ground.

    Parameters
    ----------
    covers : mapping of force to Polygon or MultiPolygon
        Metres.
    area : Polygon or MultiPolygon
        The area of interest.
    excluded : Polygon or MultiPolygon or None
        What the scenario leaves out.
    corridors, beyond : mapping of (force, force) to Polygon or MultiPolygon
        The corridor ground at W and at 2 W; what is in the second alone lies beyond the limit.
    max_width_m : float
        W.
    crs : pyproj.CRS
        Of everything given, in metres.

    Returns
    -------
    GeoDataFrame of Polygon or MultiPolygon
        A row for each kind and set of forces that has area: kind, forces, area_km2. Areas sum to that of ``area``.

    Raises
    ------
    EngineError
        If the triangulation of the ground inside a force fails.
    """
    rest = area
    rows = []
    for kind, forces, claim in _claims(covers, excluded, corridors, beyond, max_width_m):
        part = _polygons(shapely.intersection(rest, claim), least_m2=_SLIVER_M2)
        if part.area > 0:
            rows.append((kind, forces, part))
            rest = _polygons(shapely.difference(rest, part))
    if rest.area > 0:
        rows.append(("open", "", rest))
    if not rows:
        return tables.empty("ground", crs)
    frame = gpd.GeoDataFrame(rows, columns=["kind", "forces", "geometry"], geometry="geometry", crs=crs)
    frame["area_km2"] = frame.geometry.area / 1e6
    frame.index = [f"G{number:02d}" for number in range(1, len(frame) + 1)]
    return tables.conform(frame, "ground")


def interior(cover: Any, *, max_width_m: float) -> Any:  # noqa: ANN401
    """Return the uncovered ground between zones of one force, notches included.

    Parameters
    ----------
    cover : Polygon or MultiPolygon
        One force's cover, or that of several forces taken as one; metres.
    max_width_m : float
        No span across it is longer, no empty disc in it larger.

    Returns
    -------
    MultiPolygon or Polygon
        Triangles of the constrained Delaunay triangulation outside the cover, united.

    Raises
    ------
    EngineError
        If the triangulation fails.
    """
    edges = edges_of_union(np.array([cover], dtype=object), grid_m=GRID_M)
    edges = densify(edges, length_max_m=min(EDGE_MAX_M, max_width_m / 50))
    corners = enclosed_triangles(edges, limit_m=max_width_m)
    return _polygons(shapely.union_all(shapely.polygons(shapely.linearrings(corners))))


def _claims(
    covers: Mapping[str, Any],
    excluded: Any,  # noqa: ANN401
    corridors: Mapping[tuple[str, str], Any],
    beyond: Mapping[tuple[str, str], Any],
    max_width_m: float,
) -> Iterator[tuple[str, str, Any]]:
    """Yield (kind, forces, geometry) in the order in which ground is claimed."""
    if excluded is not None:
        yield "excluded", "", excluded
    yield from _overlaps(covers)
    for force, cover in covers.items():
        yield "covered", force, cover
    for kind, between in (("corridor", corridors), ("beyond", beyond)):
        for pair, shape in between.items():
            yield kind, " + ".join(pair), shape
    for force, cover in covers.items():
        yield "interior", force, interior(cover, max_width_m=max_width_m)


def _overlaps(covers: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield the ground in the cover of several forces, that of the most forces first."""
    known: list[tuple[tuple[str, ...], Any]] = [((force,), cover) for force, cover in covers.items()]
    found = []
    while known:
        known = [
            ((*forces, force), both)
            for forces, shape in known
            for force, cover in covers.items()
            if force > forces[-1] and (both := shapely.intersection(shape, cover)).area > 0
        ]
        found.extend(known)
    for forces, shape in reversed(found):
        yield "overlap", " + ".join(forces), shape


def _polygons(shape: Any, *, least_m2: float = 0) -> Any:  # noqa: ANN401
    """Drop points and lines that overlay leaves where parts merely touch, and parts smaller than told."""
    parts = shapely.get_parts(shape)
    parts = parts[(shapely.get_dimensions(parts) == 2) & (shapely.area(parts) >= least_m2)]  # noqa: PLR2004 - polygons
    return parts[0] if len(parts) == 1 else shapely.multipolygons(parts)
