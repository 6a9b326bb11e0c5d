"""From the forces' covers to the edge of all covered ground, noded and labelled.

In: one polygon a force, metres. Out: ``triangulation.Edges`` with the forces of each edge. Method: a union on a fixed
grid, so that edges that meet share their vertices; each edge is then told its forces by its midpoint, since matching
vertices exactly fails after snapping.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from gapmap.triangulation import Edges

if TYPE_CHECKING:
    from numpy.typing import NDArray


def edges_of_union(covers: NDArray[np.object_], *, grid_m: float) -> Edges:
    """Return the edge of the union of some covers.

    Parameters
    ----------
    covers : ndarray of Polygon or MultiPolygon, one a force
        Valid, in metres.
    grid_m : float
        All vertices are put on a grid of this size with its origin at (0, 0).

    Returns
    -------
    Edges
        Its members have a column for each cover, in order.
    """
    union = shapely.orient_polygons(shapely.union_all(covers, grid_size=grid_m))
    xy, ring = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(union)), return_index=True)
    cells, vertex = np.unique(np.rint(xy / grid_m).astype(np.int64), axis=0, return_inverse=True)
    vertex = vertex.ravel()
    same_ring = ring[1:] == ring[:-1]
    ends = np.stack([vertex[:-1], vertex[1:]], axis=1)[same_ring]
    xy = cells * grid_m
    label, members = _labels(xy[ends], covers, grid_m)
    return Edges(xy=xy, ends=ends, label=label, members=members)


def _labels(
    segments: NDArray[np.float64], covers: NDArray[np.object_], grid_m: float
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Say for each segment on the edge of which covers its midpoint lies, within two steps of the grid."""
    belongs = np.zeros((len(segments), len(covers)), bool)
    middles = shapely.points(segments.mean(axis=1))
    edge_segments, force = [], []
    for number, cover in enumerate(covers):
        xy, ring = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(cover)), return_index=True)
        pairs = np.stack([xy[:-1], xy[1:]], axis=1)[ring[1:] == ring[:-1]]
        edge_segments.append(shapely.linestrings(pairs))
        force.append(np.full(len(pairs), number))
    owner = np.concatenate(force)
    tree = shapely.STRtree(np.concatenate(edge_segments))
    middle, found = tree.query(middles, predicate="dwithin", distance=2 * grid_m)
    belongs[middle, owner[found]] = True
    # Repeated snapping can move an edge farther than the tolerance; it then belongs to the nearest cover.
    stray = np.flatnonzero(~belongs.any(axis=1))
    if len(stray):
        (row, found), _ = tree.query_nearest(middles[stray], return_distance=True, all_matches=False)
        belongs[stray[row], owner[found]] = True
    members, label = np.unique(belongs, axis=0, return_inverse=True)
    return label.ravel(), members
