"""From the forces' covers to the edge of all covered ground, noded and labelled.

In: one polygon a force, metres. Out: ``triangulation.Edges`` with the forces of each edge. Method: a union on a fixed
grid, so that edges that meet share their vertices; each edge is then told its forces by its midpoint, since matching
vertices exactly fails after snapping.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gapmap import sorting, threads
from gapmap.errors import EngineError
from gapmap.plane import coordinates, points
from gapmap.triangulation import GRID_M, Edges

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gapmap.plane import Points

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Shapes = NDArray[np.object_]


_COARSEST_M = 100 * GRID_M
_AT_ONCE = 100_000  # vertices for a thread at a time
_NEAR_ENDS = 5  # steps of the grid: ends may have been moved more than once
Found = TypeVar("Found")


@threads.uncollected()
def edges_of_union(covers: Shapes, *, grid_m: float) -> Edges:
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
    # Only parts that meet need a union; the others keep their edges, and their force is known.
    parts, force = shapely.get_parts(covers, return_index=True)
    parts, force = parts[~shapely.is_empty(parts)], force[~shapely.is_empty(parts)]
    if len(parts) == 0:
        return _no_edges(len(covers))
    alone, groups = _groups(parts, within_m=2 * grid_m)
    number = 1 + int(shapely.get_num_coordinates(parts).sum()) // _AT_ONCE

    def noded(some: tuple[Ints, Ints]) -> _Rings:
        return _noded(parts, force, some[0], [groups[k] for k in some[1]], len(covers), grid_m)

    batches = (np.array_split(rows, number) for rows in (np.flatnonzero(alone), np.arange(len(groups))))
    found = [*threads.each(noded, zip(*batches, strict=True))]
    rings = _Rings(*(np.concatenate(column) for column in zip(*found, strict=True)))
    if len(rings.at) == 0:  # nothing is as wide as the grid
        return _no_edges(len(covers))
    # Numbered as they come along the rings: what lies together on the ground then lies together in memory.
    x, y = ((axis - axis.min()).astype(np.int64) for axis in (rings.at.real, rings.at.imag))
    vertex, first = _numbered(x * (y.max() + 1) + y)
    start = np.flatnonzero(rings.starts)
    before = np.cumsum([0, *(len(part.members) for part in found[:-1])])
    members, which = _distinct(rings.members)
    return Edges(
        xy=coordinates(rings.at.take(np.flatnonzero(first)) * grid_m),
        ends=np.stack([vertex.take(start), vertex.take(start + 1)], axis=1),
        label=which.take(rings.label + np.repeat(before, [len(part.label) for part in found])),
        members=members,
        merged=rings.merged,
    )


class _Rings(NamedTuple):
    """The rings of some polygons, one after the other."""

    at: Points  # (n,), the vertices in whole steps of the grid
    starts: Flags  # (n,), whether an edge leads from a vertex to the next
    label: Ints  # (edges,), row of members
    members: Flags  # (labels, forces), whose edges of a label are
    merged: Flags  # (edges,), whether covers of several forces meet in the polygon


def _noded(parts: Shapes, force: Ints, alone: Ints, groups: list[Ints], forces: int, grid_m: float) -> _Rings:
    """Put parts that lie alone on the grid, unite groups of others, and tell whose their edges are."""
    unions = np.array([shapely.union_all(parts[rows], grid_size=grid_m) for rows in groups], dtype=object)
    shapes = np.concatenate([_rounded(parts[alone], grid_m), _in_cells(unions, grid_m)])
    owner = np.concatenate([force[alone], [force[rows[0]] if np.ptp(force[rows]) == 0 else -1 for rows in groups]])

    pieces, of = shapely.get_parts(shapely.orient_polygons(shapes), return_index=True)
    rings, piece = shapely.get_rings(pieces, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    at = points(xy)
    starts = np.zeros(len(at), bool)
    starts[:-1] = (ring[1:] == ring[:-1]) & (at[1:] != at[:-1])
    start = np.flatnonzero(starts)
    owner = owner[of[piece[ring[start]]]].astype(np.int64)
    belongs = np.zeros((len(start), forces), bool)
    belongs[np.arange(len(start)), owner] = owner >= 0
    shared = start[owner < 0]
    if len(shared):
        mixed = np.concatenate(groups)
        segments = np.stack([xy[shared], xy[shared + 1]], axis=1) * grid_m
        belongs[owner < 0] = _belongs(segments, parts[mixed], force[mixed], forces, grid_m)
    members, label = _distinct(belongs)
    return _Rings(at, starts, label, members, owner < 0)


def on_a_grid(covers: Shapes, task: Callable[[Edges], Found], *, grid_m: float) -> tuple[Found, float]:
    """Node covers and do a task that triangulates, on coarser grids where a finer one leaves edges that cross.

    Parameters
    ----------
    covers : ndarray of Polygon or MultiPolygon, one a force
        Valid, in metres.
    task : callable
        Called with the edge of their union.
    grid_m : float
        The first grid to try; each further one is ten times coarser, up to a hundred times :data:`GRID_M`.

    Returns
    -------
    object, float
        What the task returned, and the grid.

    Raises
    ------
    EngineError
        If it fails on every grid.
    """
    try:
        return task(edges_of_union(covers, grid_m=grid_m)), grid_m
    except EngineError:
        if grid_m >= _COARSEST_M:
            raise
        return on_a_grid(covers, task, grid_m=10 * grid_m)


def _rounded(parts: Shapes, grid_m: float) -> Shapes:
    """Put polygons on the grid; what would not stay valid, or has a hole that may touch a ring, takes longer."""
    cells = _in_cells(parts, grid_m)
    unsure = (shapely.get_num_interior_rings(parts) > 0) | ~shapely.is_valid(cells)
    cells[unsure] = _in_cells(shapely.set_precision(parts[unsure], grid_m), grid_m)
    return cells


def _in_cells(shapes: Shapes, grid_m: float) -> Shapes:
    """Return shapes in whole steps of the grid, each vertex at the nearest: what is in line is so exactly."""
    cells: Shapes = shapely.transform(shapes, lambda xy: np.rint(xy / grid_m) + 0.0)  # -0.0 would point another way
    return cells


def united(shapes: Shapes) -> Any:  # noqa: ANN401 - shapely geometries are Any to mypy
    """Return the union of polygons, such that what lies elsewhere has no say in how parts that meet are united.

    Parameters
    ----------
    shapes : ndarray of Polygon or MultiPolygon
        Valid, in any order.

    Returns
    -------
    Polygon or MultiPolygon
        Normalized.
    """
    parts = shapely.normalize(shapely.get_parts(shapes))
    parts = parts[~shapely.is_empty(parts)]
    parts = parts[np.argsort(shapely.to_wkb(parts))]
    alone, groups = _groups(parts, within_m=0)
    unions = shapely.get_parts(np.array([shapely.union_all(parts[rows]) for rows in groups], dtype=object))
    found = np.concatenate([parts[alone], unions])
    return shapely.normalize(found[0] if len(found) == 1 else shapely.multipolygons(found))


def _groups(parts: Shapes, *, within_m: float) -> tuple[Flags, list[Ints]]:
    """Say which parts have no other so near; and return the rows of each group of others that hang together."""
    reach = shapely.box(*(shapely.bounds(parts) + within_m * np.array([-1, -1, 1, 1])).T)
    one, other = shapely.STRtree(parts).query(reach)
    one, other = one[one < other], other[one < other]
    shapely.prepare(parts[np.unique(one)])
    # One core asks about all pairs of a part: two threads may not ask the prepared form of one geometry.
    shares = [np.flatnonzero(one % threads.cores() == core) for core in range(threads.cores())]
    asked = threads.each(lambda some: shapely.dwithin(parts[one[some]], parts[other[some]], within_m), shares)
    near = np.zeros(len(one), bool)
    near[np.concatenate(shares)] = np.concatenate([*asked])
    shapely.destroy_prepared(parts)
    graph = coo_array((near[near], (one[near], other[near])), shape=(len(parts), len(parts)))
    _, cluster = connected_components(graph, directed=False)
    alone = np.bincount(cluster)[cluster] == 1
    by_cluster = sorting.argsort(np.where(alone, -1, cluster.astype(np.int64)))[alone.sum() :]
    cuts = np.flatnonzero(np.diff(cluster[by_cluster])) + 1
    return alone, np.split(by_cluster, cuts) if len(by_cluster) else []


def _no_edges(forces: int) -> Edges:
    none = np.empty(0, np.int64)
    return Edges(np.empty((0, 2)), none.reshape(0, 2), none, np.empty((0, forces), bool), none > 0)


def _belongs(segments: Floats, parts: Shapes, force: Ints, forces: int, grid_m: float) -> Flags:
    """Say for each segment on which forces' edges its midpoint lies, within two steps of the grid.

    The edge must have its cover on the same side: where two forces face each other a centimetre apart, neither holds
    the edge of the other. It must come near both ends too: a short one may run a centimetre behind the middle of a long one.
    """
    belongs = np.zeros((len(segments), forces), bool)
    middles = shapely.points(segments.mean(axis=1))
    rings, part = shapely.get_rings(shapely.orient_polygons(parts), return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    same_ring = ring[1:] == ring[:-1]
    lines = np.stack([xy[:-1], xy[1:]], axis=1)[same_ring]
    tree = shapely.STRtree(shapely.linestrings(lines))
    owner = force[part[ring[:-1][same_ring]]]
    middle, found = tree.query(middles, predicate="dwithin", distance=2 * grid_m)
    along = (np.diff(segments[middle], axis=1) * np.diff(lines[found], axis=1)).sum(axis=(1, 2)) > 0
    belongs[middle[along], owner[found[along]]] = True
    several = np.flatnonzero(belongs.sum(axis=1) > 1)
    for end in segments[several].transpose(1, 0, 2):
        row, found = tree.query(shapely.points(end), predicate="dwithin", distance=_NEAR_ENDS * grid_m)
        here = np.zeros((len(several), forces), bool)
        here[row, owner[found]] = True
        belongs[several] &= here
    # Repeated snapping can move an edge farther than the tolerance; it then belongs to the nearest.
    stray = np.flatnonzero(~belongs.any(axis=1))
    row, found = tree.query_nearest(middles[stray], all_matches=False)
    belongs[stray[row], owner[found]] = True
    return belongs


def _numbered(cells: Ints) -> tuple[Ints, Flags]:
    """Give cells numbers as they first come along; return that of each, and whether a cell is the first that has it."""
    earliest, which = sorting.distinct(cells)
    first = np.zeros(len(cells), bool)
    first[earliest] = True
    return (np.cumsum(first) - 1).take(earliest).take(which), first


def _distinct(belongs: Flags) -> tuple[Flags, Ints]:
    """Return the distinct rows, and which of them each row is."""
    keys = np.packbits(belongs, axis=1)
    _, first, label = np.unique(keys.view(f"V{keys.shape[1]}").ravel(), return_index=True, return_inverse=True)
    return belongs[first], label
