"""From the edges of the covered ground to the pieces of corridor between two forces: arrays only.

In: vertices, directed edges with the cover on their left, and for each edge the forces it belongs to. Out: pieces, each
a triangle or a part of one between two spans, with the width at both. Method: constrained Delaunay triangulation of
edges that are sampled finely where they face another force.
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

GRID_M = 0.01  # coordinates lie on this grid after noding
TOLERANCE_M = 2 * GRID_M  # what snapping to the grid can do to a width
EDGE_MAX_M = 1_000.0  # first sampling looks only at the edge, so that pruning and tiling see the same vertices
COARSE_RATIO = 1 / 4  # edge length over distance to the nearest other force: enough to see what faces what
FINE_RATIO = 1 / 50  # the same on edges that face another force
SPACING_MIN_M = 10.0  # towards places where forces touch; measured widths of straight edges do not depend on it
SELECT = 1.1  # triangles with a radius up to this many times the limit take part, so that none at the limit is missed
NEAR_LIMIT = 0.01  # the answer jumps where a gap triangle's radius passes the limit: flagged within this share of it
_TIE_BREAK_M = 1e-6
_HALF, _TWO, _THREE = 0.5, 2, 3
_MUCH = 1e12  # a weight beside which no other counts


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


class Pieces(NamedTuple):
    """Pieces of corridor, one a row, each between a first span (0) and a second (1).

    The ``a`` end of a span lies on the cover of ``force_a`` (the smaller number), the ``b`` end on that of ``force_b``.
    ``a0`` to ``b1`` are the corners of the piece, sides of triangles that carry the diagonal of the sampling;
    ``span_a0`` to ``span_b1`` are the spans that were measured there. ``side_0`` and ``side_1`` number the sides that
    pieces share, -1 where the corridor ends. ``foot_a`` and ``foot_b`` are the ends of the foot span between the two,
    NaN where there is none: only strips have one.
    """

    force_a: Ints
    force_b: Ints
    a0: Floats
    b0: Floats
    a1: Floats
    b1: Floats
    span_a0: Floats
    span_b0: Floats
    span_a1: Floats
    span_b1: Floats
    width_0: Floats
    width_1: Floats
    side_0: Ints
    side_1: Ints
    foot_a: Floats
    foot_b: Floats
    strip: Flags
    near_limit: Flags

    def take(self, rows: NDArray[Any] | slice) -> Pieces:
        """Return some rows: a mask, positions, or a slice."""
        return Pieces(*(cast("Any", column[rows]) for column in self))


def facing_pieces(edges: Edges, *, limit_m: float) -> Pieces:
    """Find the ground swept by spans of at most ``limit_m`` between edges of different forces.

    Parameters
    ----------
    edges : Edges
        The whole edge of the covered ground; finite coordinates in metres, no crossings.
    limit_m : float
        The maximum width W, which also bounds the radius of the empty discs.

    Returns
    -------
    Pieces
        In no particular order.

    Raises
    ------
    EngineError
        If the triangulation fails, as it does where edges cross.

    Notes
    -----
    Widths are those of spans between sampled edges: an edge is at most 1/50 as long as the next other force is far,
    which keeps widths within 0.02 % of those between the edges as given.
    """
    edges = prune(densify(edges, length_max_m=EDGE_MAX_M), limit_m=limit_m)
    if len(edges.ends) == 0:
        return no_pieces()
    edges = refine(edges)
    edges = refine_facing(edges, _facing_edges(edges, limit_m), limit_m=limit_m)
    return _split_triangles(edges, _outside_triangles(edges, limit_m), limit_m)


def no_pieces() -> Pieces:
    """Return pieces without rows."""
    number, point, width, flag = np.empty(0, np.int64), np.empty((0, 2)), np.empty(0), np.empty(0, bool)
    return Pieces(
        number,
        number,
        point,
        point,
        point,
        point,
        point,
        point,
        point,
        point,
        width,
        width,
        number,
        number,
        point,
        point,
        flag,
        flag,
    )


def densify(edges: Edges, *, length_max_m: float) -> Edges:
    """Split edges into equal parts no longer than ``length_max_m``."""
    return _cut_evenly(edges, _parts(_lengths(edges), length_max_m))


def prune(edges: Edges, *, limit_m: float) -> Edges:
    """Keep the edges that can carry or block a span within the limit.

    A vertex stays if a vertex of another force lies within two radii of it, plus what an end can lie away from the
    point of its edge that a disc touches: twice the longest edge. An edge stays with both its ends.
    """
    if len(edges.ends) == 0:
        return edges
    reach = 2 * SELECT * limit_m + 2 * float(_lengths(edges).max())
    label, members = vertex_labels(edges)
    keep = np.zeros(len(edges.xy), bool)
    for force in range(members.shape[1]):
        own = members[label, force]
        for some, others in ((own, ~own), (~own, own)):
            rows = np.flatnonzero(some & ~keep)
            if len(rows) and others.any():
                distance, _ = cKDTree(edges.xy[others]).query(edges.xy[rows], distance_upper_bound=reach)
                keep[rows[distance <= reach]] = True
    kept = keep[edges.ends].all(axis=1)
    used, ends = np.unique(edges.ends[kept], return_inverse=True)
    return replace(edges, xy=edges.xy[used], ends=ends.reshape(-1, 2), label=edges.label[kept])


def refine(edges: Edges) -> Edges:
    """Halve edges until none is longer than a third of its distance to the nearest other force.

    The rule compares with the nearest *vertex* at either end. Where it holds for both of two edges, each is at most a
    third as long as they are apart, whatever the offset of their vertices. It looks at the geometry alone, so that a
    larger limit finds a superset.
    """
    active = np.ones(len(edges.ends), bool)
    while active.any():
        length, wanted = _lengths(edges), np.full(len(edges.ends), np.inf)
        wanted[active] = COARSE_RATIO * _gaps(edges, active, bound_m=EDGE_MAX_M * (1 / COARSE_RATIO + 1))
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


def refine_facing(edges: Edges, facing: Flags, *, limit_m: float) -> Edges:
    """Split edges that face another force into parts of about 1/50 of their distance to it."""
    gap = np.full(len(edges.ends), np.inf)
    gap[facing] = _gaps(edges, facing, bound_m=2 * SELECT * limit_m + EDGE_MAX_M)
    return _cut_evenly(edges, _parts(_lengths(edges), np.maximum(FINE_RATIO * gap, SPACING_MIN_M)))


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
        mesh.erase_super_triangle()
    except RuntimeError as error:
        raise EngineError(f"the triangulation failed: {error}") from error
    return mesh.triangles_array()["vertices"].astype(np.int64)


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
    following = np.roll(triangles, -1, axis=1)
    backward = _find_edges(edges, following, triangles) >= 0
    length = np.hypot(*np.moveaxis(edges.xy[triangles] - edges.xy[following], -1, 0))
    short = ((length <= limit_m + TOLERANCE_M) | backward).all(axis=1)
    outside = _tell_outside(edges, triangles)
    return edges.xy[triangles[short & outside]]


def _facing_edges(edges: Edges, limit_m: float) -> Flags:
    """Tell which edges have an end on a triangle between forces: these may carry spans once sampled finely."""
    touched = np.zeros(len(edges.xy), bool)
    touched[_outside_triangles(edges, limit_m).ravel()] = True
    return np.any(touched[edges.ends], axis=1)


def _outside_triangles(edges: Edges, limit_m: float) -> Ints:
    """Return the triangles outside the cover with corners on different forces, their radius near the limit at most."""
    label, members = vertex_labels(edges)
    triangles = triangulate(edges)
    corners = label[triangles]
    differ = (corners[:, 0] != corners[:, 1]) | (corners[:, 1] != corners[:, 2])
    triangles, corners = triangles[differ], corners[differ]
    mixed = _disjoint(members)[corners, np.roll(corners, -1, axis=1)].any(axis=1)
    triangles = triangles[mixed]
    _, radius = circumcircles(edges.xy[triangles])
    triangles = triangles[radius <= SELECT * limit_m]
    return triangles[_tell_outside(edges, triangles)]


def _tell_outside(edges: Edges, triangles: Ints) -> Flags:
    """Tell which triangles lie outside the cover: by a side that is an edge, or else by a corner."""
    following = np.roll(triangles, -1, axis=1)
    inside: Flags = np.any(_find_edges(edges, triangles, following) >= 0, axis=1)
    outside: Flags = np.any(_find_edges(edges, following, triangles) >= 0, axis=1)
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


def _split_triangles(edges: Edges, triangles: Ints, limit_m: float) -> Pieces:
    """Turn triangles between forces into pieces, and cut away what is wider than the limit."""
    label, members = vertex_labels(edges)
    triangles, mixed = _turn(edges, triangles, label, members)
    number = mixed.sum(axis=1)
    corner, forces = edges.xy[triangles], members[label[triangles]]
    centre, radius = circumcircles(corner)
    base = _find_edges(edges, triangles[:, 2], triangles[:, 1])
    strip = (number == _TWO) & (base >= 0)
    gap = ~strip & (radius <= limit_m + TOLERANCE_M)

    # Strip triangles measure from the middle of their base to where the disc touches the edges at the apex: raw sides
    # carry the diagonal of the sampling, and strips just as wide as the limit would vanish.
    foot_base, foot_apex = corner[:, 1:].mean(axis=1), np.full((len(corner), 2), np.nan)
    foot_apex[strip] = _feet(edges, triangles[strip, 0], centre[strip])
    base_forces = forces[:, 1] & forces[:, 2]
    base_forces[strip] = edges.members[edges.label[base[strip]]]
    side, width, side_radius, side_near_limit = _sides(
        edges, triangles, mixed, strip, np.hypot(*(foot_base - foot_apex).T), radius, limit_m
    )

    apex, first, second = corner.transpose(1, 0, 2)
    heart, nowhere, no_side = corner.mean(axis=1), np.full_like(apex, np.nan), np.full(len(side), -1)
    kinds = [  # which, ends p and q of both spans, their forces, sides, feet
        # Between two mixed sides: a strip or a gap triangle.
        (
            strip | gap & (number == _TWO),
            apex,
            first,
            apex,
            second,
            forces[:, 0],
            base_forces,
            side[:, 0],
            side[:, 2],
            foot_apex,
            foot_base,
        ),
        # One mixed side: two forces touch at the first corner, where the width is 0.
        (
            gap & (number == 1),
            apex,
            apex,
            first,
            second,
            forces[:, 0] & forces[:, 1],
            forces[:, 0] & forces[:, 2],
            no_side,
            side[:, 1],
            nowhere,
            nowhere,
        ),
        # Three forces: each pair has the third between its side and the centroid, as wide as that side.
        *(
            (
                gap & (number == _THREE),
                corner[:, k],
                corner[:, (k + 1) % 3],
                heart,
                heart,
                forces[:, k],
                forces[:, (k + 1) % 3],
                side[:, k],
                no_side,
                nowhere,
                nowhere,
            )
            for k in range(3)
        ),
    ]
    pieces = [_oriented(*(column[which] for column in rest), width=width) for which, *rest in kinds]
    joined = Pieces(*(np.concatenate(column) for column in zip(*pieces, strict=True)))
    near_limit = side_near_limit[joined.side_0] | side_near_limit[joined.side_1]
    return _cut(_measured(joined._replace(near_limit=near_limit), len(width)), side_radius, limit_m)


def _turn(edges: Edges, triangles: Ints, label: Ints, members: Flags) -> tuple[Ints, Flags]:
    """Rotate triangles so that what tells them apart comes first; return them and which sides (k to k+1) are mixed.

    With one mixed side the corner opposite to it, with two the corner they share, with three the smallest corner, so
    that the order of the triangulation leaves no trace.
    """
    apart = _disjoint(members)
    corners = label[triangles]
    mixed = apart[corners, np.roll(corners, -1, axis=1)]
    xy = edges.xy[triangles]
    order = np.lexsort((xy[..., 1], xy[..., 0]), axis=1)
    opposite = (np.where(mixed.sum(axis=1) == 1, mixed.argmax(axis=1), (~mixed).argmax(axis=1)) + 2) % 3
    turn = (np.where(mixed.all(axis=1), order[:, 0], opposite)[:, None] + np.arange(3)) % 3
    return np.take_along_axis(triangles, turn, axis=1), np.take_along_axis(mixed, turn, axis=1)


def _feet(edges: Edges, apex: Ints, centre: Floats) -> Floats:
    """Return the point nearest to each disc's centre on the edges that meet at its apex."""
    at = np.concatenate([edges.ends[:, 0], edges.ends[:, 1]])
    order = np.argsort(at, kind="stable")
    first, last = np.searchsorted(at[order], apex), np.searchsorted(at[order], apex, side="right")
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


def _sides(
    edges: Edges, triangles: Ints, mixed: Flags, strip: Flags, foot_width: Floats, radius: Floats, limit_m: float
) -> tuple[Ints, Floats, Floats, Flags]:
    """Give each mixed side a number, and measure it.

    Returns
    -------
    side : ndarray of int, shape (t, 3)
        The number of each mixed side, -1 for others. The last entry of the other arrays stands for "no side".
    width, side_radius, near_limit : ndarray, shape (sides + 1,)
        A side between two strip triangles takes the mean of their foot widths, each weighted by the base of the other
        since feet lie in the middle of bases; any other side its own length. Its radius is that of the gap triangle
        that has it, or the same mean. ``near_limit``: a gap triangle near the limit has this side.
    """
    row, which = np.nonzero(mixed)
    ends = np.sort(np.stack([triangles[row, which], triangles[row, (which + 1) % 3]], axis=1), axis=1)
    _, one, side_of = np.unique(ends[:, 0] * len(edges.xy) + ends[:, 1], return_index=True, return_inverse=True)
    side = np.full(triangles.shape, -1)
    side[row, which] = side_of

    def total(values: NDArray[Any]) -> Floats:
        return np.bincount(side_of, weights=values[row], minlength=len(one)).astype(np.float64)

    between_strips = total(strip) == _TWO
    own = np.hypot(*(edges.xy[ends[one, 0]] - edges.xy[ends[one, 1]]).T)
    weight = np.where(strip, 1 / np.hypot(*(edges.xy[triangles[:, 1]] - edges.xy[triangles[:, 2]]).T), _MUCH)
    width = np.where(between_strips, total(weight * np.where(strip, foot_width, 0)) / total(weight), own)
    side_radius = total(weight * radius) / total(weight)
    near = ~strip & (np.abs(radius / limit_m - 1) <= NEAR_LIMIT)
    return side, np.append(width, 0), np.append(side_radius, 0), np.append(total(near) > 0, False)


def _oriented(
    p0: Floats,
    q0: Floats,
    p1: Floats,
    q1: Floats,
    forces_p: Flags,
    forces_q: Flags,
    side_0: Ints,
    side_1: Ints,
    foot_p: Floats,
    foot_q: Floats,
    *,
    width: Floats,
) -> Pieces:
    """Make pieces whose a ends lie on the force that comes first.

    A piece with one side is as wide throughout, unless it starts where two forces touch.
    """
    p, q = forces_p.argmax(axis=1), forces_q.argmax(axis=1)
    swap = (p > q)[:, None]
    touching = (p0 == q0).all(axis=1)
    width_1 = np.where(side_1 < 0, width[side_0], width[side_1])
    nothing = np.full(p0.shape, np.nan)  # measured once all sides are known
    return Pieces(
        force_a=np.minimum(p, q),
        force_b=np.maximum(p, q),
        a0=np.where(swap, q0, p0),
        b0=np.where(swap, p0, q0),
        a1=np.where(swap, q1, p1),
        b1=np.where(swap, p1, q1),
        span_a0=nothing,
        span_b0=nothing,
        span_a1=nothing,
        span_b1=nothing,
        width_0=np.where(touching, 0, width[side_0]),
        width_1=width_1,
        side_0=side_0,
        side_1=side_1,
        foot_a=np.where(swap, foot_q, foot_p),
        foot_b=np.where(swap, foot_p, foot_q),
        strip=~np.isnan(foot_p[:, 0]),
        near_limit=np.zeros(len(p), bool),
    )


def _measured(pieces: Pieces, sides: int) -> Pieces:
    """Fill in the measured spans: between the feet of two strips as their bases weigh, the side itself elsewhere."""
    side = np.concatenate([pieces.side_0[pieces.strip], pieces.side_1[pieces.strip]])
    number = np.bincount(side, minlength=sides)
    base = np.hypot(*(pieces.a0 - pieces.a1).T) + np.hypot(*(pieces.b0 - pieces.b1).T)  # one of the two is a corner
    weight = np.tile(1 / base[pieces.strip], 2)
    whole = np.maximum(np.bincount(side, weights=weight, minlength=sides), 1 / _MUCH)
    filled = {}
    for end in "ab":
        foot = np.tile(getattr(pieces, f"foot_{end}")[pieces.strip], (2, 1)) * weight[:, None]
        mean = np.stack([np.bincount(side, weights=axis, minlength=sides) / whole for axis in foot.T], axis=1)
        for k, of in ((0, pieces.side_0), (1, pieces.side_1)):
            own = getattr(pieces, f"{end}{k}")
            filled[f"span_{end}{k}"] = np.where((number[of] == _TWO)[:, None] & pieces.strip[:, None], mean[of], own)
    return pieces._replace(**filled)


def _cut(pieces: Pieces, side_radius: Floats, limit_m: float) -> Pieces:
    """Keep the part of each piece whose width and radius, linear between the spans, are at most the limit."""
    limit = limit_m + TOLERANCE_M
    strip = pieces.strip
    start, stop = np.zeros(len(strip)), np.ones(len(strip))
    radius_0, radius_1 = (np.where(strip, side_radius[side], 0) for side in (pieces.side_0, pieces.side_1))
    for v0, v1 in ((pieces.width_0, pieces.width_1), (radius_0, radius_1)):
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = (limit - v0) / (v1 - v0)
        start = np.where((v0 > limit) & (v1 <= limit), np.maximum(start, crossing), start)
        stop = np.where((v1 > limit) & (v0 <= limit), np.minimum(stop, crossing), stop)
        stop = np.where((v0 > limit) & (v1 > limit), -1, stop)
    pieces, start, stop = pieces.take(start < stop), start[start < stop], stop[start < stop]

    cut = {}
    for k, t in ((0, start), (1, stop)):
        cut[f"side_{k}"] = np.where(t == k, getattr(pieces, f"side_{k}"), -1)
        for name in ("a", "b", "width_"):
            cut[f"{name}{k}"] = _between(getattr(pieces, f"{name}0"), getattr(pieces, f"{name}1"), t)
        for end in "ab":
            first, last, foot = (getattr(pieces, f"{name}") for name in (f"span_{end}0", f"span_{end}1", f"foot_{end}"))
            by_foot = np.where(t[:, None] < _HALF, _between(first, foot, 2 * t), _between(foot, last, 2 * t - 1))
            cut[f"span_{end}{k}"] = np.where(pieces.strip[:, None], by_foot, _between(first, last, t))
    foot_width = np.hypot(*(pieces.foot_a - pieces.foot_b).T)
    foot = ((start < _HALF) & (stop > _HALF) & (foot_width <= limit))[:, None]
    return pieces._replace(
        **cut, foot_a=np.where(foot, pieces.foot_a, np.nan), foot_b=np.where(foot, pieces.foot_b, np.nan)
    )


def _between(v0: Floats, v1: Floats, t: Floats) -> Floats:
    """Run linearly from the first values (t = 0) to the second (t = 1), exact at both."""
    t = t.reshape(-1, *[1] * (v0.ndim - 1))
    return np.where(t == 0, v0, np.where(t == 1, v1, v0 + (v1 - v0) * t))


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
        distance, _ = cKDTree(edges.xy[strange]).query(edges.xy[vertices], distance_upper_bound=bound_m)
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


def _find_edges(edges: Edges, start: Ints, end: Ints) -> Ints:
    """Return the number of the directed edge from each start to each end, -1 where there is none."""
    size = len(edges.xy)
    key = edges.ends[:, 0] * size + edges.ends[:, 1]
    order = np.argsort(key)
    wanted = start * size + end
    place = np.minimum(np.searchsorted(key[order], wanted), len(key) - 1)
    return np.where(key[order[place]] == wanted, order[place], -1)


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
