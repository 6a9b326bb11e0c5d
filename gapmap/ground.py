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
    corridors: Mapping[tuple[str, ...], Any],
    beyond: Mapping[tuple[str, ...], Any],
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
        The corridor ground at W and at 2 W; what is in the second alone lies beyond the limit. Those of several pairs
        may overlap.
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
    found: dict[tuple[str, str], list[Any]] = {}
    for kind, forces, claim in _claims(covers, excluded, corridors, beyond, max_width_m):
        part = _polygons(shapely.intersection(rest, claim), least_m2=_SLIVER_M2)
        if part.area > 0:
            found.setdefault((kind, forces), []).append(part)
            rest = _polygons(shapely.difference(rest, part))
    if rest.area > 0:
        found["open", ""] = [rest]
    if not found:
        return tables.empty("ground", crs)
    rows = [
        (kind, forces, parts[0] if len(parts) == 1 else _polygons(shapely.union_all(parts)))
        for (kind, forces), parts in found.items()
    ]
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
    corridors: Mapping[tuple[str, ...], Any],
    beyond: Mapping[tuple[str, ...], Any],
    max_width_m: float,
) -> Iterator[tuple[str, str, Any]]:
    """Yield (kind, forces, geometry) in the order in which ground is claimed."""
    if excluded is not None:
        yield "excluded", "", excluded
    held: dict[tuple[str, ...], Any] = {(force,): cover for force, cover in covers.items()}
    kinds: tuple[tuple[str, str, Mapping[tuple[str, ...], Any]], ...] = (
        ("overlap", "covered", held),
        ("corridor", "corridor", corridors),
        ("beyond", "beyond", beyond),
    )
    for several, kind, claims in kinds:
        # Before an edge that several forces hold, the ground lies between each of them and the other side.
        for names, shape in _shared(claims):
            yield several, " + ".join(names), shape
        for key, shape in claims.items():
            yield kind, " + ".join(key), shape
    for force, cover in covers.items():
        yield "interior", force, interior(cover, max_width_m=max_width_m)


def _shared(claims: Mapping[tuple[str, ...], Any]) -> Iterator[tuple[list[str], Any]]:
    """Yield the ground claimed more than once with all forces that claim it, that of the most claims first."""
    keys = sorted(claims)
    known: list[tuple[tuple[tuple[str, ...], ...], Any]] = [((key,), claims[key]) for key in keys]
    found = []
    while known:
        known = [
            ((*those, key), both)
            for those, shape in known
            for key in keys[keys.index(those[-1]) + 1 :]
            if (both := _polygons(shapely.intersection(shape, claims[key]), least_m2=_SLIVER_M2)).area > 0
        ]
        found.extend(known)
    for those, shape in reversed(found):
        yield sorted({force for key in those for force in key}), shape


def _polygons(shape: Any, *, least_m2: float = 0) -> Any:  # noqa: ANN401
    """Drop points and lines that overlay leaves where parts merely touch, and parts smaller than told."""
    parts = shapely.get_parts(shape)
    parts = parts[(shapely.get_dimensions(parts) == 2) & (shapely.area(parts) >= least_m2)]  # noqa: PLR2004 - polygons
    return parts[0] if len(parts) == 1 else shapely.multipolygons(parts)
