"""From the edges of the covered ground to the triangles that lie between forces: arrays only.

In: vertices, directed edges with the cover on their left, and for each edge the forces it belongs to. Out: triangles
with corners on different forces, and what can be measured in each. Method: constrained Delaunay triangulation of edges
that are sampled finely where they face another force.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import pythoncdt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from gapmap import sorting, threads
from gapmap.errors import EngineError
from gapmap.plane import NOWHERE, coordinates, cross, dot, length, points

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from gapmap.plane import Points

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Box = tuple[float, float, float, float]
    Distances = Callable[[Points, Ints, float], Floats]  # of places with their labels, up to a bound

GRID_M = 0.01  # coordinates lie on this grid after noding
TOLERANCE_M = 2 * GRID_M  # what snapping to the grid can do to a width
EDGE_MAX_M = 1_000.0  # first sampling looks only at the edge, so that pruning and tiling see the same vertices
COARSE_RATIO = 1 / 8  # edge length over distance to the nearest other force, at most: so two edges see each other
FINE_RATIO = 1 / 16  # the same, unless that is finer than FINE_MIN_M: radii on a wedge differ by twice as much at most
FINE_MIN_M = 10.0
SAG_M = 5.0  # feet are exact however coarse the sampling; widths between two of them depart from a straight line so far
SPACING_MIN_M = 2.0  # towards places where forces touch: across less than this, facets are rough
JUMP = 1 + 2.2 * FINE_RATIO  # radii of neighbours that differ by more are not two samples of one run, but of two
SELECT = JUMP**2  # times the limit: the radii that may have a say in what is cut at it
REACH = 1.05 * SELECT  # the largest disc, and what rounding does to one through points 1 cm apart
_REFINE_BOUND_M = EDGE_MAX_M * (1 / COARSE_RATIO + 1)  # an edge so far from other forces stays as it is, at first
_GAP_MAX_M = EDGE_MAX_M**2 / (8 * SAG_M)  # farther from other forces an edge stays as it is
_TIE_BREAK_M = 1e-6
_AROUND = 3
_POCKET = 3  # a disc so many times smaller finds most edges that look into a pocket; 2 or 5 leave more edges in
_ANEW = 2  # so many times as large, a tree is kept beside the next; else one is built of both
_ASKED = 3  # of so many neighbours one: what it has near or far, they have too, by as much as they lie apart
_ASKED_M = 5_000.0  # it looks so much farther than it must, so that neighbours know that they have nothing near
_BEYOND_M = 1e-3  # nearer than this to a bound, or to the end of an edge, may be rounding


@dataclass(frozen=True, slots=True)
class Edges:
    """The edge of the covered ground.

    Parameters
    ----------
    xy : ndarray of float, shape (n, 2)
        Vertices in metres, no two alike.
    ends : ndarray of int, shape (m, 2)
        Rows of ``xy``; the covered ground lies on the left of each edge.
    label : ndarray of int, shape (m,)
        Row of ``members``.
    members : ndarray of bool, shape (labels, forces)
        The forces to which edges of a label belong.
    merged : ndarray of bool, shape (m,)
        Whether covers of several forces meet, or nearly so, in the ground of which this is the edge.
    """

    xy: Floats
    ends: Ints
    label: Ints
    members: Flags
    merged: Flags

    @property
    def points(self) -> Points:
        """The vertices as complex numbers."""
        return points(self.xy)

    def lengths_m(self) -> Floats:
        """Return how long edges are."""

        def measured(some: slice) -> Floats:
            start, end = (self.points.take(at) for at in self.ends[some].T)
            return length(end - start)

        return threads.by_rows(measured, len(self.ends))

    def part(self, some: Flags | Ints) -> tuple[Ints, Edges]:
        """Return the rows of the vertices of some edges, and these edges by themselves."""
        some = np.flatnonzero(some) if some.dtype == bool else some
        ends = self.ends.take(some, axis=0)
        used = np.zeros(len(self.xy), bool)
        used[ends] = True
        vertices = np.flatnonzero(used)
        xy = self.xy.take(vertices, axis=0)
        new = {"xy": xy, "ends": (np.cumsum(used) - 1)[ends], "label": self.label[some], "merged": self.merged[some]}
        return vertices, replace(self, **new)


class Triangles(NamedTuple):
    """Triangles of the uncovered ground with corners on different forces, one a row, and what was measured in each.

    Each is turned so that what tells it apart comes first: with one mixed side (between corners that share no force)
    the corner opposite to it, with two the corner they share. Rows of ``xy`` are vertices, all other columns triangles.
    """

    xy: Floats  # (n, 2)
    corners: Ints  # (t, 3), rows of xy
    mixed: Flags  # (t, 3), the side from a corner to the next
    forces: Flags  # (t, 3, forces), of each corner; at the apex of a strip those that hold its foot
    strip: Flags  # (t,), two mixed sides and a base that is an edge of the cover
    base_forces: Flags  # (t, forces), what the base of a triangle with two mixed sides belongs to
    foot: Points  # (t,), where the disc of a strip triangle touches the edges at its apex; NaN in others
    corner: Flags  # (t,), whether it does so where the cover turns
    centre: Points  # (t,), of the circle through the corners
    radius: Floats  # (t,)

    def parts(self, size: int) -> Iterator[Triangles]:
        """Part triangles so that those that hang together through mixed sides stay together.

        Parameters
        ----------
        size : int
            About how many to tell at a time; more where more hang together.

        Yields
        ------
        Triangles
            No corridor leaves its part. Which come together does not depend on their order.
        """
        row, which = np.nonzero(self.mixed)
        one, other = self.corners[row, which], self.corners[row, (which + 1) % 3]
        side = np.minimum(one, other) * len(self.xy) + np.maximum(one, other)
        by_side = sorting.argsort(side)
        shared = np.flatnonzero(np.diff(side[by_side]) == 0)
        pairs = row[by_side[shared]], row[by_side[shared + 1]]
        count = len(self.corners)
        graph = coo_array((np.ones(len(shared), bool), pairs), shape=(count, count))
        number, component = connected_components(graph, directed=False)
        first = np.full(number, np.iinfo(np.int64).max)
        np.minimum.at(first, component[row], side)
        order = sorting.argsort(first)
        held = np.bincount(component, minlength=number)[order]
        part = np.empty(number, np.int64)
        part[order] = (np.cumsum(held) - held) // size
        by_part = sorting.argsort(part[component])
        cuts = np.flatnonzero(np.diff(part[component][by_part])) + 1
        for rows in np.split(by_part, cuts) if count else []:
            yield Triangles(self.xy, *(cast("Any", column).take(rows, axis=0) for column in self[1:]))


def sample(edges: Edges, *, limit_m: float) -> Edges:
    """Leave out edges that no span reaches, and split the others by how far another force is: see :func:`spacing_m`.

    Where an edge stays, how it is split does not depend on the limit: a larger one finds a superset.
    """
    edges = densify(edges, length_max_m=EDGE_MAX_M)
    if len(edges.ends) == 0:
        return edges
    label, members = vertex_labels(edges)
    vertices = _Nearest(edges.points, label)
    facing, kept = _facing(edges, vertices, len(members), radius_m=REACH * limit_m)
    seen, _ = edges.part(facing)
    gap = np.full(len(edges.xy), np.inf)
    gap[seen] = vertices.distances(_strange(members), edges.points[seen], label[seen], bound_m=_GAP_MAX_M)
    del vertices
    rows, part = edges.part(kept)
    return _refine(part, gap[rows])


def measured_triangles(edges: Edges, *, limit_m: float, within: Box | None = None) -> Triangles:
    """Return the triangles between forces, measured.

    Parameters
    ----------
    edges : Edges
        As :func:`sample` returns them, or those that come near the box.
    limit_m : float
        The maximum width W.
    within : tuple of float, optional
        West, south, east, north: only triangles with their circumcentre in this box, its west and south sides included.
    """
    spokes, labels = _Spokes(edges), vertex_labels(edges)
    return _measure(edges, spokes, labels, _outside_triangles(edges, spokes, labels, limit_m, within))


def densify(edges: Edges, *, length_max_m: float) -> Edges:
    """Split edges into equal parts no longer than ``length_max_m``."""
    return _cut_evenly(edges, _parts(edges.lengths_m(), length_max_m))


def _facing(edges: Edges, vertices: _Nearest, labels: int, *, radius_m: float) -> tuple[Flags, Flags]:
    """Tell which edges can carry or block a span across a disc of at most this radius, and which to keep for it.

    Those that a disc of this radius touches, outside the cover, with a vertex of other forces in it. Where a smaller
    disc holds a vertex wherever it touches the edge, so does any larger one, and the smaller is asked instead: most
    edges look into a pocket of their own force. A disc that turns about a corner lies within a chord of those that
    touch the edges beside it. Neighbours are kept too, which say on which side the cover lies; and the edges of merged
    ground so near, which only block.

    No other edge has a say. Suppose a disc between p, of one force, and q, of another, held ground of edges left out,
    and no edge that was kept. That ground belongs to one force, not q's (else swap p and q). Shrink the disc towards q
    until it only touches such ground, at y. If it holds ground of q's force, shrink it towards y until it only touches
    that too. Now it holds none, and y lies on an edge that faces another force across an empty disc: it was kept, and
    lay in the first disc. In merged ground y might lie where two covers meet, away from any edge.
    """
    places = len(edges.members)  # labels of edges; vertices may have others
    others = vertices.prepared(~np.eye(places, labels, dtype=bool))
    # Any vertex will do: every fourth finds nearly as many in half the time.
    sparse = _Nearest(vertices.at[::4], np.zeros_like(vertices.label[::4])).prepared(np.ones((places, 1), bool))
    turn = _turns(edges)
    small_m = radius_m / _POCKET

    def told(some: slice) -> Flags:
        ends, label = edges.ends[some], edges.label[some]
        start, end = (edges.points.take(at) for at in ends.T)
        run, middle = end - start, (start + end) / 2
        long = length(run)
        outward = -1j * run / long
        chord = 2 * np.sin(turn.take(ends).max(axis=1) / 4)  # of a disc of radius 1

        def holds(rows: Ints, radius: float, slack: Floats, nearest: Distances) -> Flags:
            """Tell whether a disc at the middle of some edges, larger by a slack, holds one of the vertices."""
            at, own, bound = middle.take(rows) + radius * outward.take(rows), label.take(rows), radius + slack
            # Most are told by a neighbour that is asked; the others are then asked themselves.
            asked = slice(0, None, _ASKED)
            most = np.max(bound, initial=0) + _ASKED_M
            near = np.minimum(nearest(at[asked], own[asked], most), most)
            of = np.minimum((np.arange(len(at)) + _ASKED // 2) // _ASKED, len(near) - 1)
            moved = length(at - at[asked].take(of)) + _BEYOND_M
            moved[own != own[asked].take(of)] = np.inf
            near = near.take(of)
            found = near + moved <= bound
            unsure = np.flatnonzero(~found & (near - moved <= bound))
            most = np.max(bound[unsure], initial=0) + _BEYOND_M  # what lies just on the rim is seen, whoever else asks
            found[unsure] = nearest(at[unsure], own[unsure], most) <= bound[unsure]
            return found

        pocket = holds(np.arange(len(long)), small_m, -long - small_m * chord, sparse)
        wanted, blocking = found = np.zeros((2, len(long)), bool)
        for rows, radius in ((np.flatnonzero(pocket), small_m), (np.flatnonzero(~pocket), radius_m)):
            # The disc may touch any point of the edge, and hold no end of another.
            wanted[rows] = holds(rows, radius, radius * chord[rows] + (long[rows] + EDGE_MAX_M) / 2, others)
        rows = np.flatnonzero(edges.merged[some] & ~wanted)
        blocking[rows] = holds(rows, 0, np.full(len(rows), 2 * radius_m + EDGE_MAX_M), others)
        return found

    wanted, blocking = threads.by_rows(told, len(edges.ends))
    return _with_neighbours(edges, wanted), _with_neighbours(edges, wanted | blocking)


def _with_neighbours(edges: Edges, some: Flags) -> Flags:
    """Tell which edges share a vertex with some of them."""
    held = np.zeros(len(edges.xy), bool)
    held[edges.ends[some]] = True
    return held[edges.ends[:, 0]] | held[edges.ends[:, 1]]


def _turns(edges: Edges) -> Floats:
    """Return by how much the edge of the cover turns about it at each vertex, in radians; half a turn where several meet."""
    start, end = edges.ends.T
    following = np.empty(len(edges.xy), np.int64)
    following[start] = end

    def turned(rows: slice) -> Floats:
        before, here = (edges.points.take(at[rows]) for at in (start, end))
        run, onward = here - before, edges.points.take(following.take(end[rows])) - here
        return np.maximum(np.arctan2(cross(run, onward), dot(run, onward)), 0)

    turn = np.zeros(len(edges.xy))
    turn[end] = threads.by_rows(turned, len(end))
    turn[np.bincount(start, minlength=len(turn)) > 1] = np.pi
    return turn


def _refine(edges: Edges, gap: Floats) -> Edges:
    """Split edges until none is longer than :func:`spacing_m` of its distance to the nearest other force.

    The distance is that of either end to the nearest *vertex*, which halving the edges until none is longer than an
    eighth of it brings near enough to the true one. The rule looks at the geometry alone.

    Parameters
    ----------
    edges : Edges
        None longer than ``EDGE_MAX_M``.
    gap : ndarray of float, shape (n,)
        The distance of each vertex.
    """
    # Far edges are told apart once, and keep their distance. They have no say in how the others are halved: of two
    # vertices of different forces within the bound, each lies on an edge that has a gap or belongs to several forces.
    label, members = vertex_labels(edges)
    far_gap = _edge_gaps(edges, label, members, gap)
    near = (far_gap <= _REFINE_BOUND_M) | (edges.members.sum(axis=1) > 1)[edges.label]
    used, part = edges.part(near)
    part, gap = _halved(part, gap[used])
    rows = np.concatenate([used, len(edges.xy) + np.arange(len(part.xy) - len(used))])
    edges = replace(
        edges,
        xy=np.concatenate([edges.xy, part.xy[len(used) :]]),
        ends=np.concatenate([edges.ends[~near], rows[part.ends]]),
        label=np.concatenate([edges.label[~near], part.label]),
        merged=np.concatenate([edges.merged[~near], part.merged]),
    )
    gap = np.concatenate([far_gap[~near], _edge_gaps(part, *vertex_labels(part), gap)])
    return _cut_evenly(edges, _parts(edges.lengths_m(), spacing_m(gap)))


def spacing_m(gap_m: Floats) -> Floats:
    """Return how long an edge may be, so far from the nearest other force.

    An eighth of the way, so that two edges always see each other across a gap longer than they are; a sixteenth where
    that is 10 m or more; and less over long ways, so that what is measured between two feet, a parabola at most, is
    within 5 metres of a straight line.
    """
    fine = np.minimum(FINE_RATIO * gap_m, np.sqrt(8 * SAG_M * gap_m))
    coarse = np.minimum(FINE_MIN_M, COARSE_RATIO * gap_m)
    return np.maximum(np.maximum(fine, coarse), SPACING_MIN_M)


def _halved(edges: Edges, gap: Floats) -> tuple[Edges, Floats]:
    """Split edges until none is longer than an eighth of its distance to the nearest other force.

    Return the distance of each vertex too, as it was when an edge there was last looked at.
    """
    active = np.ones(len(edges.ends), bool)
    label, members = vertex_labels(edges)
    strange = _strange(members)
    batches = [_Nearest(edges.points, label)]
    while True:
        long_m, wanted = edges.lengths_m(), COARSE_RATIO * _edge_gaps(edges, label, members, gap)
        # Vertices still to come on either edge can bring two edges closer by half their lengths at most.
        active &= (long_m > SPACING_MIN_M) & (long_m + COARSE_RATIO * (long_m + EDGE_MAX_M) / 2 > wanted)
        long = np.flatnonzero(active & (long_m > np.maximum(wanted, SPACING_MIN_M)))
        if len(long) == 0:
            return edges, gap
        # No point of an edge is farther than gap + length: several halvings at once are never too many.
        enough = np.maximum(wanted[long] + COARSE_RATIO * long_m[long], SPACING_MIN_M)
        parts = np.ones(len(active), np.int64)
        parts[long] = 1 << np.maximum(np.floor(np.log2(long_m[long] / enough)), 1).astype(np.int64)
        before = len(edges.xy)
        label = np.append(label, np.repeat(edges.label, parts - 1))  # in the order in which they are cut
        edges, active = _cut_evenly(edges, parts), np.repeat(active, parts)
        gap = np.append(gap, np.full(len(edges.xy) - before, np.inf))
        # To search one is quicker than two; but it has to be built first.
        while len(batches) > 1 and len(batches[-2].at) < _ANEW * len(batches[-1].at):
            batches[-2:] = [batches[-2].joined(batches[-1])]
        batches.append(_Nearest(edges.points[before:], label[before:]))
        vertices, _ = edges.part(active)
        # Those that were there before have seen all batches but the last.
        fresh = vertices >= before
        measured = [*threads.each(lambda batch: batch.prepared(strange), batches)]
        for rows, unseen in ((vertices[~fresh], measured[-1:]), (vertices[fresh], measured)):
            gap[rows] = np.minimum(gap[rows], _nearest_of(unseen, edges.points[rows], label[rows], _REFINE_BOUND_M))


def _nearest_of(measured: list[Distances], at: Points, own: Ints, bound_m: float) -> Floats:
    """Return the distance of places with their labels to what is nearest by any of these measures."""

    def nearest(some: slice) -> Floats:
        return np.minimum.reduce([distances(at[some], own[some], bound_m) for distances in measured])

    return threads.by_rows(nearest, len(at))


def vertex_labels(edges: Edges) -> tuple[Ints, Flags]:
    """Return a label for each vertex, and the forces of each label: those of all edges that meet there.

    Returns
    -------
    label : ndarray of int, shape (n,)
        Row of ``members``. Labels of edges keep their number.
    members : ndarray of bool, shape (labels, forces)
        Which forces share a label.
    """
    label = np.full(len(edges.xy), len(edges.members))
    for end in edges.ends.T:
        label[end] = edges.label
    mixed = np.zeros(len(edges.xy), bool)
    for end in edges.ends.T:
        mixed[end[label[end] != edges.label]] = True
    several = np.flatnonzero(mixed)
    if len(several) == 0:
        return label, edges.members
    row = np.full(len(edges.xy), -1)
    row[several] = np.arange(len(several))
    joined = np.zeros((len(several), edges.members.shape[1]), bool)
    for end in edges.ends.T:
        here = row[end] >= 0
        np.logical_or.at(joined, row[end[here]], edges.members[edges.label[here]])
    extra, which = np.unique(joined, axis=0, return_inverse=True)
    label[several] = len(edges.members) + which.ravel()
    return label, np.concatenate([edges.members, extra])


def triangulate(edges: Edges) -> Ints:
    """Return the constrained Delaunay triangles, shape (t, 3), counter-clockwise, rows of ``edges.xy``.

    Raises
    ------
    EngineError
        If coordinates are not finite, or edges cross.

    Notes
    -----
    Ties (four points on one circle) are broken by a displacement of at most 1e-6 m hashed from the coordinates, so
    that the same points give the same triangles whatever their order and whatever else is triangulated with them.
    """
    triangles = _mesh(edges)
    return triangles[(triangles >= _AROUND).all(axis=1)].astype(np.int64) - _AROUND


def _mesh(edges: Edges) -> NDArray[np.uint32]:
    """Return all triangles, with those that hang on the first three vertices: the corners of one around everything.

    Leaving those out later is four times as fast as erasing them, which renumbers the neighbours of all triangles too.
    """
    if not np.isfinite(edges.xy).all():
        raise EngineError("coordinates to triangulate are not finite")
    mesh = pythoncdt.Triangulation(
        pythoncdt.VertexInsertionOrder.AUTO, pythoncdt.IntersectingConstraintEdges.NOT_ALLOWED, 0.0
    )
    try:
        mesh.insert_vertices(cast("Any", edges.xy + _tie_break(edges.xy)))
        mesh.insert_edges(cast("Any", edges.ends.astype(np.uint32)))
    except RuntimeError as error:
        raise EngineError(f"the triangulation failed: {error}") from error
    return cast("NDArray[np.uint32]", mesh.triangles_array()["vertices"])


def circumcircles(corners: Points) -> tuple[Points, Floats]:
    """Return centres and radii, both of shape (t,), of the circles through three corners (t, 3); infinite where in line."""
    origin, b, c = corners.T
    b, c = b - origin, c - origin
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = 1j * (b * dot(c, c) - c * dot(b, b)) / (2 * cross(b, c))
        radius = length(centre)
    return origin + centre, np.where(np.isfinite(radius), radius, np.inf)


def enclosed_triangles(edges: Edges, *, limit_m: float) -> Points:
    """Return the corners, shape (t, 3), of triangles outside the cover that no disc or span over the limit crosses.

    Of a triangle between an edge of the cover and a corner, the part stays in which spans from the corner to the edge
    are within the limit.

    Parameters
    ----------
    edges : Edges
        All of one force.
    limit_m : float
        The largest radius, and the longest side that is not an edge of the cover.

    Raises
    ------
    EngineError
        If the triangulation fails.
    """
    triangles = triangulate(edges)
    _, radius = circumcircles(edges.points[triangles])
    triangles = triangles[radius <= limit_m]
    spokes = _Spokes(edges)
    triangles = triangles[_tell_outside(edges, spokes, triangles)]
    following = np.roll(triangles, -1, axis=1)
    on_cover = spokes.find(following, triangles) >= 0
    long_m = length(edges.points[triangles] - edges.points[following])
    long = (long_m > limit_m + TOLERANCE_M) & ~on_cover
    whole = edges.points[triangles[~long.any(axis=1)]]

    # One side too long beside an edge of the cover: turn the edge first, and bring its far end nearer.
    some = (long.sum(axis=1) == 1) & (on_cover.sum(axis=1) == 1)
    turn = (on_cover[some].argmax(axis=1)[:, None] + np.arange(3)) % 3
    cut = edges.points[np.take_along_axis(triangles[some], turn, axis=1)]
    long, long_m = (np.take_along_axis(column[some], turn, axis=1) for column in (long, long_m))
    far = np.where(long[:, 1], 1, 0)  # sides 1 and 2 end at the second and at the first corner
    near, rows = 1 - far, np.arange(len(cut))
    short, over = np.sort(long_m[:, 1:], axis=1).T
    share = (limit_m - short) / (over - short)
    cut[rows, far] = cut[rows, near] + share * (cut[rows, far] - cut[rows, near])
    return np.concatenate([whole, cut[share > 0]])


class _Spokes:
    """The edges at each vertex: those that leave it and those that arrive, and directed edges by their ends."""

    def __init__(self, edges: Edges) -> None:
        self.ends = edges.ends
        # Edges by the vertex at which they start or end; those of vertex v are from first[v] up to first[v + 1].
        self.order = [sorting.argsort(at) for at in edges.ends.T]
        self.first = [np.append(0, np.cumsum(np.bincount(at, minlength=len(edges.xy)))) for at in edges.ends.T]
        self.several = np.diff(self.first[0]) > 1
        self.leaving = np.full(len(edges.xy), -1)
        self.leaving[edges.ends[:, 0]] = np.arange(len(edges.ends))

    def each(self, vertices: Ints, end: int) -> Iterator[tuple[Ints, Ints]]:
        """Yield rows of ``vertices``, and for each an edge that starts (end 0) or ends (1) there, until all were seen."""
        place, last = self.first[end][vertices], self.first[end][vertices + 1]
        rows = np.flatnonzero(place < last)
        while len(rows):
            yield rows, self.order[end][place[rows]]
            place[rows] += 1
            rows = rows[place[rows] < last[rows]]

    def find(self, start: Ints, end: Ints) -> Ints:
        """Return the number of the edge from each start to each end, -1 where there is none."""
        found = self.leaving.take(start.ravel())
        wanted = end.ravel()
        found[(found >= 0) & (self.ends[:, 1].take(found) != wanted)] = -1
        several = np.flatnonzero(self.several.take(start.ravel()))  # few: where covers touch
        for rows, edge in self.each(start.ravel()[several], 0):
            hit = self.ends[edge, 1] == wanted[several[rows]]
            found[several[rows[hit]]] = edge[hit]
        return found.reshape(start.shape)


def _outside_triangles(
    edges: Edges, spokes: _Spokes, labels: tuple[Ints, Flags], limit_m: float, within: Box | None
) -> Ints:
    """Return the triangles outside the cover with corners on different forces, their radius near the limit at most."""
    if len(edges.ends) == 0:
        return np.empty((0, 3), np.int64)
    label, members = labels
    mesh = _mesh(edges)
    # The label of the corners around everything, apart from none; and of those where edges were left out: none has a
    # triangle within the limit, and what lies on which side of them is not known.
    nothing = len(members)
    leaving, arriving = (np.bincount(at, minlength=len(label)) for at in edges.ends.T)
    label = np.where(leaving == arriving, label, nothing)
    small = np.concatenate([np.full(_AROUND, nothing), label]).astype(np.min_scalar_type(nothing))
    one, two, three = (small[corner] for corner in mesh.T)
    differ = np.flatnonzero((one != two) | (two != three))  # few: all that follows is done on these
    one, two, three = one[differ], two[differ], three[differ]
    apart = np.pad(_disjoint(members), (0, 1))
    wanted = apart[one, two] | apart[two, three] | apart[three, one]
    wanted &= (one != nothing) & (two != nothing) & (three != nothing)
    triangles = mesh[differ[wanted]].astype(np.int64) - _AROUND
    # Starting with the same corner, circles come out the same to the last bit whatever else is triangulated.
    turn = (_westernmost(edges.points[triangles])[:, None] + np.arange(3)) % 3
    triangles = np.take_along_axis(triangles, turn, axis=1)
    centre, radius = circumcircles(edges.points[triangles])
    wanted = radius <= SELECT * limit_m
    if within is not None:
        for axis, low, high in zip((centre.real, centre.imag), within[:2], within[2:], strict=True):
            wanted &= (axis >= low) & (axis < high)
    triangles = triangles[wanted]
    return triangles[_tell_outside(edges, spokes, triangles)]


def _tell_outside(edges: Edges, spokes: _Spokes, triangles: Ints) -> Flags:
    """Tell which triangles lie outside the cover: by a side that is an edge, or else by a corner."""
    following = np.roll(triangles, -1, axis=1)
    inside, outside = (
        np.logical_or.reduce(spokes.find(start, end).T >= 0)
        for start, end in ((triangles, following), (following, triangles))
    )
    unsure = np.flatnonzero(~outside & ~inside)
    if len(unsure):
        outside[unsure] = _corner_is_outside(edges, spokes, triangles[unsure])
    return outside


def _corner_is_outside(edges: Edges, spokes: _Spokes, triangles: Ints) -> Flags:
    """Tell by the first corner whether triangles lie outside: the next edge clockwise has its cover on the far side.

    All edges there are known, so that this local test is exact, which flooding across a mesh without all edges is not.
    """
    vertex, position = np.unique(triangles[:, 0], return_inverse=True)
    around = []
    for near, far in ((0, 1), (1, 0)):
        for rows, edge in spokes.each(vertex, near):
            run = edges.points[edges.ends[edge, far]] - edges.points[vertex[rows]]
            around.append((rows, np.angle(run), np.full(len(rows), near == 0)))
    at, angle, leaves = (np.concatenate(column) for column in zip(*around, strict=True))
    order = np.lexsort((angle, at))
    at, angle, leaves = at[order], angle[order], leaves[order]
    run = edges.points[triangles].mean(axis=1) - edges.points[triangles[:, 0]]
    key = position * 8.0 + np.angle(run)
    first = np.searchsorted(at, position)
    before = np.searchsorted(at * 8.0 + angle, key) - 1
    last = np.searchsorted(at, position, side="right") - 1
    before = np.where(before < first, last, before)
    return np.logical_not(leaves[before])


def _measure(edges: Edges, spokes: _Spokes, labels: tuple[Ints, Flags], corners: Ints) -> Triangles:
    """Turn triangles, tell strips from others, and find the feet of strips."""
    label, members = labels
    corners, mixed = _turn(edges, corners, label, members)
    forces = members[label[corners]]
    centre, radius = circumcircles(edges.points[corners])
    base = spokes.find(corners[:, 2], corners[:, 1])
    strip = (mixed.sum(axis=1) == 2) & (base >= 0)  # noqa: PLR2004 - mixed sides
    base_forces = forces[:, 1] & forces[:, 2]
    base_forces[strip] = edges.members[edges.label[base[strip]]]
    # Strips measure from the middle of their base to where the disc touches the edges at the apex: raw sides carry the
    # diagonal of the sampling, and strips just as wide as the limit would vanish.
    foot = np.full(len(corners), NOWHERE)
    corner = np.zeros(len(corners), bool)
    foot[strip], on, corner[strip] = _feet(edges, spokes, corners[strip, 0], centre[strip])
    # Of the forces that meet at an apex, those hold the foot that hold its edge.
    forces[np.flatnonzero(strip)[on >= 0], 0] = edges.members[edges.label[on[on >= 0]]]
    return Triangles(edges.xy, corners, mixed, forces, strip, base_forces, foot, corner, centre, radius)


def _turn(edges: Edges, triangles: Ints, label: Ints, members: Flags) -> tuple[Ints, Flags]:
    """Rotate triangles so that what tells them apart comes first; return them and which sides (k to k+1) are mixed.

    With one mixed side the corner opposite to it, with two the corner they share, with three the smallest corner, so
    that the order of the triangulation leaves no trace.
    """
    apart = _disjoint(members)
    corners = label[triangles]
    mixed = apart[corners, np.roll(corners, -1, axis=1)]
    one, two, three = mixed.T
    # The side after the first corner is the one before the odd one out.
    odd = np.where(one == two, 2, np.where(one == three, 1, 0))
    first = (odd + 2) % 3
    between_three = np.flatnonzero(one & two & three)
    first[between_three] = _westernmost(edges.points[triangles[between_three]])
    turn = (first[:, None] + np.arange(3)) % 3
    return np.take_along_axis(triangles, turn, axis=1), np.take_along_axis(mixed, turn, axis=1)


def _westernmost(corners: Points) -> Ints:
    """Return which corner of each triangle lies farthest west, the southern one of two."""
    return corners.argmin(axis=1)  # complex numbers go by their real parts first


def _feet(edges: Edges, spokes: _Spokes, apex: Ints, centre: Points) -> tuple[Points, Ints, Flags]:
    """Return the point nearest to each disc's centre on the edges that meet at its apex.

    And the edge on which it lies, -1 at the apex itself; and whether the disc touches a corner there: it would touch
    each edge beyond its end. On a straight line it may touch just where two edges meet.
    """
    foot, best, on = edges.points[apex], np.full(len(apex), np.inf), np.full(len(apex), -1)
    corner = np.ones(len(apex), bool)
    for end in (0, 1):
        for rows, edge in spokes.each(apex, end):
            start, stop = (edges.points[at] for at in edges.ends.take(edge, axis=0).T)
            run, at = stop - start, centre[rows]
            along = dot(at - start, run) / dot(run, run)
            point = np.where(along <= 0, start, np.where(along >= 1, stop, start + along * run))
            distance = length(point - at)
            nearer = distance < best[rows]
            foot[rows[nearer]], best[rows[nearer]] = point[nearer], distance[nearer]
            on[rows[nearer]] = edge[nearer]
            beyond = -along if end == 0 else along - 1
            corner[rows] &= beyond * length(run) > _BEYOND_M
    on[foot == edges.points[apex]] = -1
    return foot, on, corner


def _parts(long_m: Floats, length_max_m: Floats | float) -> Ints:
    return np.maximum(np.ceil(long_m / length_max_m), 1).astype(np.int64)


def _strange(members: Flags) -> Flags:
    """Return for each label (row) which labels (columns) have a force that it has not."""
    strange: Flags = np.any(members[None, :] & ~members[:, None], axis=2)
    return strange


class _Nearest:
    """How far places, each with a label, are from the nearest of some vertices with labels."""

    def __init__(self, at: Points, label: Ints) -> None:
        self.at, self.label = at, label
        self.trees: dict[bytes, cKDTree] = {}

    def joined(self, other: _Nearest) -> _Nearest:
        """Return the vertices of both."""
        return _Nearest(np.concatenate([self.at, other.at]), np.concatenate([self.label, other.label]))

    def prepared(self, of: Flags) -> Distances:
        """Return what measures from places, with their labels, to vertices with a label that is one ``of`` those asked for.

        A row for each label of a place; infinite beyond a bound. Threads may share it.
        """
        wanted, asked = np.unique(of, axis=0, return_inverse=True)
        asked = asked.ravel()
        trees = [*threads.each(self._tree, wanted)]

        def distances(at: Points, own: Ints, bound_m: float) -> Floats:
            distance = np.full(len(at), np.inf)
            number = asked[own]
            for k, tree in enumerate(trees):
                here = np.flatnonzero(number == k)
                if tree.n and len(here):
                    distance[here], _ = tree.query(coordinates(at[here]), distance_upper_bound=bound_m)
            return distance

        return distances

    def distances(self, of: Flags, at: Points, own: Ints, *, bound_m: float) -> Floats:
        """Return the distances of places with their labels, as :meth:`prepared` measures them."""
        return _nearest_of([self.prepared(of)], at, own, bound_m)

    def _tree(self, wanted: Flags) -> cKDTree:
        key = wanted.tobytes()
        if key not in self.trees:
            some = self.at[np.flatnonzero(wanted[self.label])]
            # Built so, it answers twice as fast where all points are queried once.
            self.trees[key] = cKDTree(coordinates(some), balanced_tree=False, compact_nodes=False)
        return self.trees[key]


def _edge_gaps(edges: Edges, label: Ints, members: Flags, gap: Floats) -> Floats:
    """Return the distance of each edge: that of the nearer of its ends, 0 where another force holds one of them."""
    held: Flags = np.any(members[:, None] & ~edges.members[None, :], axis=2)

    def nearer(some: slice) -> Floats:
        own = edges.label[some]
        start, end = (np.where(held[label.take(at), own], 0, gap.take(at)) for at in edges.ends[some].T)
        return np.minimum(start, end)

    return threads.by_rows(nearer, len(edges.ends))


def _cut_evenly(edges: Edges, parts: Ints) -> Edges:
    """Split each edge into so many equal parts."""
    cuts = parts - 1
    if not cuts.any():
        return edges
    edge = np.repeat(np.arange(len(parts)), cuts)
    at = (counter(cuts) + 1) / np.repeat(parts, cuts)
    start, stop = (edges.points[at] for at in edges.ends.take(edge, axis=0).T)
    fresh = len(edges.xy) + np.arange(len(edge))
    ends = np.repeat(edges.ends, parts, axis=0)
    inner = np.flatnonzero(counter(parts) > 0)  # the parts that start at a new vertex
    ends[inner, 0] = fresh
    ends[inner - 1, 1] = fresh
    xy = np.concatenate([edges.xy, coordinates(start + at * (stop - start))])
    label, merged = np.repeat(edges.label, parts), np.repeat(edges.merged, parts)
    return replace(edges, xy=xy, ends=ends, label=label, merged=merged)


def _tie_break(xy: Floats) -> Floats:
    """Return displacements of at most 1e-6 m, a hash of the coordinates rounded to the grid (splitmix64)."""
    cells = np.rint(xy / GRID_M).astype(np.int64).view(np.uint64)
    out = np.empty_like(xy)
    for axis, salt in enumerate((0x9E3779B97F4A7C15, 0xD1B54A32D192ED03)):
        bits = cells[:, 0] * np.uint64(0xBF58476D1CE4E5B9) ^ cells[:, 1] * np.uint64(salt)
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        bits = bits ^ (bits >> np.uint64(31))
        out[:, axis] = ((bits >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1) * _TIE_BREAK_M
    return out


def _disjoint(members: Flags) -> Flags:
    """Return for each pair of labels whether they have no force in common."""
    return np.equal(members.astype(np.int64) @ members.T.astype(np.int64), 0)


def counter(counts: Ints) -> Ints:
    """Count 0, 1, .. within each run: counts (2, 3) give 0, 1, 0, 1, 2."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
