"""The area of interest parted into kinds of ground.

In: covers, corridors and what is wider than the limit, as geometries in one metric CRS. Out: one table whose parts do
not overlap and together are the area. Method: all outlines are noded together once, and each face between them is told
by a point of it what claims it; ground inside one force comes from a triangulation of its own.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from gapmap import tables, threads
from gapmap.noding import on_a_grid
from gapmap.plane import coordinates
from gapmap.triangulation import EDGE_MAX_M, GRID_M, SPACING_MIN_M, densify, enclosed_triangles

_KINDS = ("excluded", "overlap", "covered", "corridor", "beyond", "interior", "open")
_SLIVER_M2 = 1.0  # what noding leaves along edges is open ground
_IN_LINE_M = 1e-6
_NODING_M = 1e-8  # outlines are noded on this grid: too fine to be seen in an area, and safe whatever they cross

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]
    Shapes = NDArray[np.object_]


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
        If the triangulation of the ground inside a force fails on every grid.
    """
    names = sorted(covers)
    inside = threads.each(partial(interior, max_width_m=max_width_m), [covers[name] for name in names])
    claims: list[tuple[str, tuple[str, ...], Any]] = [
        *([("excluded", (), excluded)] if excluded is not None else []),
        *(("covered", (name,), covers[name]) for name in names),
        *(("corridor", pair, shape) for pair, shape in corridors.items()),
        *(("beyond", pair, shape) for pair, shape in beyond.items()),
        *(("interior", (name,), shape) for name, shape in zip(names, inside, strict=True)),
    ]
    faces = _faces([area, *(shape for _, _, shape in claims)])
    faces = faces[_hold(area, faces)]
    found = _dissolved(faces, _told(faces, claims))
    if not found:
        return tables.empty("ground", crs)
    order = {kind: rank for rank, kind in enumerate(_KINDS)}
    rows = [
        (kind, forces, found[kind, forces]) for kind, forces in sorted(found, key=lambda key: (order[key[0]], key[1]))
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
        If the triangulation fails on every grid.
    """
    length_m = min(EDGE_MAX_M, max(max_width_m / 50, SPACING_MIN_M))
    corners, _ = on_a_grid(
        np.array([cover], dtype=object),
        lambda edges: enclosed_triangles(densify(edges, length_max_m=length_m), limit_m=max_width_m),
        grid_m=GRID_M,
    )
    return _polygons(joined(shapely.polygons(shapely.linearrings(coordinates(corners)))))


def joined(shapes: Shapes) -> Any:  # noqa: ANN401
    """Return the union of triangles, or parts of them, that meet in whole sides.

    What they share need not be sought, which takes a fifth of the time; but triangles of corners in line may overlap by
    rounding.

    Parameters
    ----------
    shapes : ndarray of Polygon
        In any order.

    Returns
    -------
    Polygon or MultiPolygon
        Normalized.
    """
    try:
        return shapely.normalize(shapely.coverage_union_all(shapes))
    except shapely.GEOSException:
        return shapely.normalize(shapely.union_all(shapes))


def _faces(shapes: Iterable[Any]) -> Shapes:
    """Return the faces between all outlines."""
    outlines = shapely.boundary(np.array(list(shapes), dtype=object))
    # Corridors have tens of thousands of vertices in line on an edge of the cover: noding them takes minutes.
    lines = shapely.union_all(shapely.simplify(outlines, _IN_LINE_M, preserve_topology=False), grid_size=_NODING_M)
    return shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))


def _hold(shape: Any, faces: Shapes) -> Flags:  # noqa: ANN401
    """Say which faces lie in a shape; each lies in it or beside it."""
    shapely.prepare(shape)
    return np.asarray(shapely.contains_xy(shape, shapely.get_coordinates(shapely.point_on_surface(faces))))


def _told(faces: Shapes, claims: list[tuple[str, tuple[str, ...], Any]]) -> list[tuple[str, str]]:
    """Return the kind and the forces of each face: of the first kind that claims it, all forces that do."""
    kind, forces = np.full(len(faces), "open", dtype=object), [set[str]() for _ in faces]
    for name, own, shape in claims:
        free = np.flatnonzero((kind == "open") | ((kind == name) & (name != "interior")))
        for face in free[_hold(shape, faces[free])]:  # each face is claimed a few times at most
            kind[face] = name
            forces[face].update(own)
    # Before an edge that several forces hold, the ground lies between each of them and the other side.
    return [
        ("overlap" if name == "covered" and len(own) > 1 else name, " + ".join(sorted(own)))
        for name, own in zip(kind, forces, strict=True)
    ]


def _dissolved(faces: Shapes, told: list[tuple[str, str]]) -> dict[tuple[str, str], Any]:
    """Join the faces of each kind and set of forces; slivers become open ground."""
    of = np.array([f"{kind}|{forces}" for kind, forces in told], dtype=str)
    found: dict[tuple[str, str], Any] = {}
    slivers: list[Any] = []
    for key in np.unique(of):
        parts = shapely.get_parts(shapely.coverage_union_all(faces[of == key]))
        kind, _, forces = str(key).partition("|")
        small = (shapely.area(parts) < _SLIVER_M2) & (kind != "open")
        slivers.extend(parts[small])
        if not small.all():
            found[kind, forces] = _one(parts[~small])
    if slivers:
        rest = [*slivers, *([found["open", ""]] if ("open", "") in found else [])]
        found["open", ""] = _one(shapely.get_parts(shapely.coverage_union_all(rest)))
    return found


def _one(parts: Shapes) -> Any:  # noqa: ANN401
    return parts[0] if len(parts) == 1 else shapely.multipolygons(parts)


def _polygons(shape: Any) -> Any:  # noqa: ANN401
    """Drop points and lines that a union leaves where parts merely touch."""
    parts = shapely.get_parts(shape)
    return _one(parts[shapely.get_dimensions(parts) == 2])  # noqa: PLR2004 - polygons
