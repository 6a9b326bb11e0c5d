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
from scipy.spatial import cKDTree

from gapmap.errors import EngineError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Box = tuple[float, float, float, float]

GRID_M = 0.01  # coordinates lie on this grid after noding
TOLERANCE_M = 2 * GRID_M  # what snapping to the grid can do to a width
EDGE_MAX_M = 1_000.0  # first sampling looks only at the edge, so that pruning and tiling see the same vertices
COARSE_RATIO = 1 / 8  # edge length over distance to the nearest other force, at most
FINE_RATIO = 1 / 50  # the same, unless that is finer than FINE_MIN_M
FINE_MIN_M = 10.0  # feet on straight edges are exact however coarse the sampling; corners need no more than this
SPACING_MIN_M = 2.0  # towards places where forces touch: across less than this, facets are rough
JUMP = 1.05  # radii of neighbours that differ by more are not two samples of one run, but of two
SELECT = JUMP**2  # times the limit: the radii that may have a say in what is cut at it
_REFINE_BOUND_M = EDGE_MAX_M * (1 / COARSE_RATIO + 1)  # an edge so far from other forces stays as it is, at first
_TIE_BREAK_M = 1e-6
_AROUND = 3


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
    """

    xy: Floats
    ends: Ints
    label: Ints
    members: Flags

    def part(self, some: Flags | Ints) -> tuple[Ints, Edges]:
        """Return the rows of the vertices of some edges, and these edges by themselves."""
        vertices, ends = np.unique(self.ends[some], return_inverse=True)
        return vertices, replace(self, xy=self.xy[vertices], ends=ends.reshape(-1, 2), label=self.label[some])


class Triangles(NamedTuple):
    """Triangles of the uncovered ground with corners on different forces, one a row, and what was measured in each.

    Each is turned so that what tells it apart comes first: with one mixed side (between corners that share no force)
    the corner opposite to it, with two the corner they share. Rows of ``xy`` are vertices, all other columns triangles.
    """

    xy: Floats  # (n, 2)
    corners: Ints  # (t, 3), rows of xy
    mixed: Flags  # (t, 3), the side from a corner to the next
    forces: Flags  # (t, 3, forces), of each corner
    strip: Flags  # (t,), two mixed sides and a base that is an edge of the cover
    base_forces: Flags  # (t, forces), what the base of a triangle with two mixed sides belongs to
    foot: Floats  # (t, 2), where the disc of a strip triangle touches the edges at its apex; NaN in others
    centre: Floats  # (t, 2), of the circle through the corners
    radius: Floats  # (t,)


def facing_triangles(edges: Edges, *, limit_m: float) -> Triangles:
    """Find the triangles across which spans of at most ``limit_m`` may run between edges of different forces.

    Parameters
    ----------
    edges : Edges
        The whole edge of the covered ground; finite coordinates in metres, no crossings.
    limit_m : float
        The maximum width W, which also bounds the radius of the empty discs.

    Returns
    -------
    Triangles
        In no particular order, with radii up to a little more than the limit.

    Raises
    ------
    EngineError
        If the triangulation fails, as it does where edges cross.
    """
    return measured_triangles(sample(edges, limit_m=limit_m), limit_m=limit_m)


def sample(edges: Edges, *, limit_m: float) -> Edges:
    """Leave out edges that no span reaches, and split the others as finely as they lie near another force.

    Where an edge stays, how it is split does not depend on the limit: a larger one finds a superset.
    """
    return refine(prune(densify(edges, length_max_m=EDGE_MAX_M), limit_m=limit_m))


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
    finder = _Finder(edges)
    return _measure(edges, finder, _outside_triangles(edges, finder, limit_m, within))


def densify(edges: Edges, *, length_max_m: float) -> Edges:
    """Split edges into equal parts no longer than ``length_max_m``."""
    return _cut_evenly(edges, _parts(_lengths(edges), length_max_m))


def prune(edges: Edges, *, limit_m: float) -> Edges:
    """Keep the edges that can carry or block a span within the limit.

    A vertex stays if a vertex of another force lies within two radii of it, plus what an end can lie away from the
    point of its edge that a disc touches: twice the longest edge after :func:`densify`. An edge stays with both its ends.
    """
    if len(edges.ends) == 0:
        return edges
    reach = 2 * SELECT * limit_m + 2 * EDGE_MAX_M
    label, members = vertex_labels(edges)
    keep = np.zeros(len(edges.xy), bool)
    for force in range(members.shape[1]):
        own = members[label, force]
        for some, others in ((own, ~own), (~own, own)):
            rows = np.flatnonzero(some & ~keep)
            if len(rows) and others.any():
                distance, _ = cKDTree(edges.xy[others]).query(edges.xy[rows], distance_upper_bound=reach, workers=-1)
                keep[rows[distance <= reach]] = True
    kept: Flags = np.all(keep[edges.ends], axis=1)
    _, part = edges.part(kept)
    return part


def refine(edges: Edges) -> Edges:
    """Split edges until none is longer than a share of its distance to the nearest other force.

    An eighth everywhere, so that two edges always see each other across a gap longer than they are, and a fiftieth
    where that is 10 m or more. The distance is that of either end to the nearest *vertex*, which halving the edges
    until the first rule holds for both brings near enough to the true one. The rule looks at the geometry alone.
    """
    # Far edges are told apart once, and keep their distance. They have no say in how the others are halved: of two
    # vertices of different forces within the bound, each lies on an edge that has a gap or belongs to several forces.
    gap = _gaps(edges, np.ones(len(edges.ends), bool), bound_m=EDGE_MAX_M / FINE_RATIO)
    near = (gap <= _REFINE_BOUND_M) | (edges.members.sum(axis=1) > 1)[edges.label]
    used, part = edges.part(near)
    part = _refine_near(part)
    rows = np.concatenate([used, len(edges.xy) + np.arange(len(part.xy) - len(used))])
    gap = np.concatenate([gap[~near], _gaps(part, np.ones(len(part.ends), bool), bound_m=EDGE_MAX_M / FINE_RATIO)])
    edges = replace(
        edges,
        xy=np.concatenate([edges.xy, part.xy[len(used) :]]),
        ends=np.concatenate([edges.ends[~near], rows[part.ends]]),
        label=np.concatenate([edges.label[~near], part.label]),
    )
    finest = np.minimum(FINE_MIN_M, COARSE_RATIO * gap)
    return _cut_evenly(edges, _parts(_lengths(edges), np.maximum(np.maximum(FINE_RATIO * gap, finest), SPACING_MIN_M)))


def _refine_near(edges: Edges) -> Edges:
    active = np.ones(len(edges.ends), bool)
    while active.any():
        length, wanted = _lengths(edges), np.full(len(edges.ends), np.inf)
        wanted[active] = COARSE_RATIO * _gaps(edges, active, bound_m=_REFINE_BOUND_M)
        # Vertices still to come on either edge can bring two edges closer by half their lengths at most.
        active &= (length > SPACING_MIN_M) & (length + COARSE_RATIO * (length + EDGE_MAX_M) / 2 > wanted)
        long = np.flatnonzero(active & (length > np.maximum(wanted, SPACING_MIN_M)))
        if len(long) == 0:
            break
        # No point of an edge is farther than gap + length: several halvings at once are never too many.
        enough = np.maximum(wanted[long] + COARSE_RATIO * length[long], SPACING_MIN_M)
        parts = np.ones(len(active), np.int64)
        parts[long] = 1 << np.maximum(np.floor(np.log2(length[long] / enough)), 1).astype(np.int64)
        edges, active = _cut_evenly(edges, parts), np.repeat(active, parts)
    return edges


def vertex_labels(edges: Edges) -> tuple[Ints, Flags]:
    """Return a label for each vertex, and the forces of each label: those of all edges that meet there.

    Returns
    -------
    label : ndarray of int, shape (n,)
        Row of ``members``. Labels of edges keep their number.
    members : ndarray of bool, shape (labels, forces)
        Which forces share a label.
    """
    low = np.full(len(edges.xy), len(edges.members))
    high = np.full(len(edges.xy), -1)
    for end in edges.ends.T:
        np.minimum.at(low, end, edges.label)
        np.maximum.at(high, end, edges.label)
    several = np.flatnonzero(low < high)
    if len(several) == 0:
        return low, edges.members
    row = np.full(len(edges.xy), -1)
    row[several] = np.arange(len(several))
    joined = np.zeros((len(several), edges.members.shape[1]), bool)
    for end in edges.ends.T:
        here = row[end] >= 0
        np.logical_or.at(joined, row[end[here]], edges.members[edges.label[here]])
    extra, which = np.unique(joined, axis=0, return_inverse=True)
    low[several] = len(edges.members) + which.ravel()
    return low, np.concatenate([edges.members, extra])


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
    # The first three vertices are those of the triangle around everything. Leaving out what hangs on them here is
    # four times as fast as erasing it there, which renumbers the neighbours of all triangles too.
    triangles = mesh.triangles_array()["vertices"].astype(np.int64) - _AROUND
    return triangles[(triangles[:, 0] >= 0) & (triangles[:, 1] >= 0) & (triangles[:, 2] >= 0)]


def circumcircles(corners: Floats) -> tuple[Floats, Floats]:
    """Return centres (t, 2) and radii (t,) of the circles through three corners (t, 3, 2); infinite where in line."""
    origin = corners[:, 0]
    b, c = corners[:, 1] - origin, corners[:, 2] - origin
    with np.errstate(divide="ignore", invalid="ignore"):
        double = 2 * (b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0])
        b2, c2 = (b**2).sum(axis=1), (c**2).sum(axis=1)
        x = (c[:, 1] * b2 - b[:, 1] * c2) / double
        y = (b[:, 0] * c2 - c[:, 0] * b2) / double
        radius = np.hypot(x, y)
    return origin + np.stack([x, y], axis=1), np.where(np.isfinite(radius), radius, np.inf)


def enclosed_triangles(edges: Edges, *, limit_m: float) -> Floats:
    """Return the corners, shape (t, 3, 2), of triangles outside the cover that no disc or span over the limit crosses.

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
    _, radius = circumcircles(edges.xy[triangles])
    triangles = triangles[radius <= limit_m]
    finder = _Finder(edges)
    triangles = triangles[_tell_outside(edges, finder, triangles)]
    following = np.roll(triangles, -1, axis=1)
    on_cover = finder.find(following, triangles) >= 0
    length = np.hypot(*np.moveaxis(edges.xy[triangles] - edges.xy[following], -1, 0))
    long = (length > limit_m + TOLERANCE_M) & ~on_cover
    whole = edges.xy[triangles[~long.any(axis=1)]]

    # One side too long beside an edge of the cover: turn the edge first, and bring its far end nearer.
    some = (long.sum(axis=1) == 1) & (on_cover.sum(axis=1) == 1)
    turn = (on_cover[some].argmax(axis=1)[:, None] + np.arange(3)) % 3
    cut = edges.xy[np.take_along_axis(triangles[some], turn, axis=1)]
    long, length = (np.take_along_axis(column[some], turn, axis=1) for column in (long, length))
    far = np.where(long[:, 1], 1, 0)  # sides 1 and 2 end at the second and at the first corner
    near, rows = 1 - far, np.arange(len(cut))
    short, over = np.sort(length[:, 1:], axis=1).T
    share = ((limit_m - short) / (over - short))[:, None]
    cut[rows, far] = cut[rows, near] + share * (cut[rows, far] - cut[rows, near])
    return np.concatenate([whole, cut[share[:, 0] > 0]])


class _Finder:
    """Finds directed edges by their ends."""

    def __init__(self, edges: Edges) -> None:
        self.size = len(edges.xy)
        key = edges.ends[:, 0] * self.size + edges.ends[:, 1]
        self.order = np.argsort(key)
        self.key = key[self.order]

    def find(self, start: Ints, end: Ints) -> Ints:
        """Return the number of the edge from each start to each end, -1 where there is none."""
        wanted = start * self.size + end
        place = np.minimum(np.searchsorted(self.key, wanted), len(self.key) - 1)
        return np.where(self.key[place] == wanted, self.order[place], -1)


def _outside_triangles(edges: Edges, finder: _Finder, limit_m: float, within: Box | None) -> Ints:
    """Return the triangles outside the cover with corners on different forces, their radius near the limit at most."""
    if len(edges.ends) == 0:
        return np.empty((0, 3), np.int64)
    label, members = vertex_labels(edges)
    triangles = triangulate(edges)
    corners = label[triangles]
    differ = (corners[:, 0] != corners[:, 1]) | (corners[:, 1] != corners[:, 2])
    triangles, corners = triangles[differ], corners[differ]
    apart = _disjoint(members)
    one, two, three = corners.T
    triangles = triangles[apart[one, two] | apart[two, three] | apart[three, one]]
    # Starting with the same corner, circles come out the same to the last bit whatever else is triangulated.
    turn = (triangles.argmin(axis=1)[:, None] + np.arange(3)) % 3
    triangles = np.take_along_axis(triangles, turn, axis=1)
    centre, radius = circumcircles(edges.xy[triangles])
    wanted = radius <= SELECT * limit_m
    if within is not None:
        wanted &= ((centre >= within[:2]) & (centre < within[2:])).all(axis=1)
    triangles = triangles[wanted]
    return triangles[_tell_outside(edges, finder, triangles)]


def _tell_outside(edges: Edges, finder: _Finder, triangles: Ints) -> Flags:
    """Tell which triangles lie outside the cover: by a side that is an edge, or else by a corner."""
    following = np.roll(triangles, -1, axis=1)
    inside: Flags = np.any(finder.find(triangles, following) >= 0, axis=1)
    outside: Flags = np.any(finder.find(following, triangles) >= 0, axis=1)
    unsure = np.flatnonzero(~outside & ~inside)
    outside[unsure] = _corner_is_outside(edges, triangles[unsure])
    return outside


def _corner_is_outside(edges: Edges, triangles: Ints) -> Flags:
    """Tell by the first corner whether triangles lie outside: the next edge clockwise has its cover on the far side.

    All edges at a corner of a triangle within the limit survive pruning, so that this local test is exact, which
    flooding across a pruned mesh is not.
    """
    vertex, position = np.unique(triangles[:, 0], return_inverse=True)
    spokes = []
    for near, far, leaving in ((0, 1, True), (1, 0, False)):
        place = np.searchsorted(vertex, edges.ends[:, near])
        here = vertex[np.minimum(place, len(vertex) - 1)] == edges.ends[:, near] if len(vertex) else np.zeros(0, bool)
        run = edges.xy[edges.ends[here, far]] - edges.xy[edges.ends[here, near]]
        spokes.append((place[here], np.arctan2(run[:, 1], run[:, 0]), np.full(here.sum(), leaving)))
    at, angle, leaves = (np.concatenate(column) for column in zip(*spokes, strict=True))
    order = np.lexsort((angle, at))
    at, angle, leaves = at[order], angle[order], leaves[order]
    run = edges.xy[triangles].mean(axis=1) - edges.xy[triangles[:, 0]]
    key = position * 8.0 + np.arctan2(run[:, 1], run[:, 0])
    first = np.searchsorted(at, position)
    before = np.searchsorted(at * 8.0 + angle, key) - 1
    last = np.searchsorted(at, position, side="right") - 1
    before = np.where(before < first, last, before)
    return np.logical_not(leaves[before])


def _measure(edges: Edges, finder: _Finder, corners: Ints) -> Triangles:
    """Turn triangles, tell strips from others, and find the feet of strips."""
    label, members = vertex_labels(edges)
    corners, mixed = _turn(edges, corners, label, members)
    forces = members[label[corners]]
    centre, radius = circumcircles(edges.xy[corners])
    base = finder.find(corners[:, 2], corners[:, 1])
    strip = (mixed.sum(axis=1) == 2) & (base >= 0)  # noqa: PLR2004 - mixed sides
    base_forces = forces[:, 1] & forces[:, 2]
    base_forces[strip] = edges.members[edges.label[base[strip]]]
    # Strips measure from the middle of their base to where the disc touches the edges at the apex: raw sides carry the
    # diagonal of the sampling, and strips just as wide as the limit would vanish.
    foot = np.full((len(corners), 2), np.nan)
    foot[strip] = _feet(edges, corners[strip, 0], centre[strip])
    return Triangles(edges.xy, corners, mixed, forces, strip, base_forces, foot, centre, radius)


def _turn(edges: Edges, triangles: Ints, label: Ints, members: Flags) -> tuple[Ints, Flags]:
    """Rotate triangles so that what tells them apart comes first; return them and which sides (k to k+1) are mixed.

    With one mixed side the corner opposite to it, with two the corner they share, with three the smallest corner, so
    that the order of the triangulation leaves no trace.
    """
    apart = _disjoint(members)
    corners = label[triangles]
    mixed = apart[corners, np.roll(corners, -1, axis=1)]
    first = (np.where(mixed.sum(axis=1) == 1, mixed.argmax(axis=1), (~mixed).argmax(axis=1)) + 2) % 3
    between_three = np.flatnonzero(mixed.all(axis=1))
    xy = edges.xy[triangles[between_three]]
    first[between_three] = np.lexsort((xy[..., 1], xy[..., 0]), axis=1)[:, 0]
    turn = (first[:, None] + np.arange(3)) % 3
    return np.take_along_axis(triangles, turn, axis=1), np.take_along_axis(mixed, turn, axis=1)


def _feet(edges: Edges, apex: Ints, centre: Floats) -> Floats:
    """Return the point nearest to each disc's centre on the edges that meet at its apex."""
    wanted = np.zeros(len(edges.xy), bool)
    wanted[apex] = True
    half = np.flatnonzero(wanted[edges.ends.T.ravel()])  # first all starts, then all ends
    at = edges.ends.T.ravel()[half]
    order = half[np.argsort(at, kind="stable")]
    at = np.sort(at)
    first, last = np.searchsorted(at, apex), np.searchsorted(at, apex, side="right")
    foot, best = edges.xy[apex], np.full(len(apex), np.inf)
    for k in range(int((last - first).max(initial=0))):
        rows = np.flatnonzero(first + k < last)
        edge = order[first[rows] + k] % len(edges.ends)
        start, end = edges.xy[edges.ends[edge]].transpose(1, 0, 2)
        run = end - start
        along = ((centre[rows] - start) * run).sum(axis=1) / (run**2).sum(axis=1)
        point = start + np.clip(along, 0, 1)[:, None] * run
        distance = np.hypot(*(point - centre[rows]).T)
        nearer = distance < best[rows]
        foot[rows[nearer]], best[rows[nearer]] = point[nearer], distance[nearer]
    return foot


def _lengths(edges: Edges) -> Floats:
    start, end = edges.xy[edges.ends].transpose(1, 0, 2)
    return np.hypot(*(end - start).T)


def _parts(length: Floats, length_max: Floats | float) -> Ints:
    return np.maximum(np.ceil(length / length_max), 1).astype(np.int64)


def _gaps(edges: Edges, rows: Flags, *, bound_m: float) -> Floats:
    """Return for some edges the distance from their ends to the nearest vertex of a force they do not belong to.

    Infinite beyond the bound. An edge that ends where two forces touch has none.
    """
    label, members = vertex_labels(edges)
    gap = np.full(len(edges.ends), np.inf)
    for number in np.unique(edges.label[rows]):
        strange = (members & ~edges.members[number]).any(axis=1)[label]
        if not strange.any():
            continue
        here = np.flatnonzero(rows & (edges.label == number))
        vertices, end = np.unique(edges.ends[here], return_inverse=True)
        distance, _ = cKDTree(edges.xy[strange]).query(edges.xy[vertices], distance_upper_bound=bound_m, workers=-1)
        gap[here] = distance[end.reshape(-1, 2)].min(axis=1)
    return gap[rows]


def _cut_evenly(edges: Edges, parts: Ints) -> Edges:
    """Split each edge into so many equal parts."""
    cuts = parts - 1
    edge = np.repeat(np.arange(len(parts)), cuts)
    at = (_counter(cuts) + 1) / np.repeat(parts, cuts)
    start, end = edges.xy[edges.ends[edge]].transpose(1, 0, 2)
    fresh = len(edges.xy) + np.arange(len(edge))
    ends = np.repeat(edges.ends, parts, axis=0)
    inner = np.flatnonzero(_counter(parts) > 0)  # the parts that start at a new vertex
    ends[inner, 0] = fresh
    ends[inner - 1, 1] = fresh
    xy = np.concatenate([edges.xy, start + at[:, None] * (end - start)])
    return replace(edges, xy=xy, ends=ends, label=np.repeat(edges.label, parts))


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


def _counter(counts: Ints) -> Ints:
    """Count 0, 1, .. within each run: counts (2, 3) give 0, 1, 0, 1, 2."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
