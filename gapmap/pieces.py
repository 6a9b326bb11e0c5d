"""From triangles between forces to pieces of corridor: arrays only.

In: triangles with their measured feet and radii. Out: pieces, each a triangle or a part of one between two spans, with
the width at both. Method: widths of sides are those of the feet around them; width and radius run linearly between
the sides, and what is over the limit is cut away by a straight line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from gapmap import sorting
from gapmap.plane import NOWHERE, between, cross, dot, length, points
from gapmap.triangulation import JUMP, TOLERANCE_M

if TYPE_CHECKING:
    from typing import TypeVar

    from numpy.typing import NDArray

    from gapmap.plane import Points
    from gapmap.triangulation import Triangles

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Values = TypeVar("Values", Floats, Points)

NEAR_LIMIT = 0.01  # the answer jumps where a gap triangle's radius passes the limit: flagged within this share of it
_HALF, _TWO, _THREE = 0.5, 2, 3
_NO_SIDE = -1


class Pieces(NamedTuple):
    """Pieces of corridor, one a row, each between a first span (0) and a second (1).

    The ``a`` end of a span lies on the cover of ``force_a`` (the smaller number), the ``b`` end on that of ``force_b``.
    ``a0`` to ``b1`` are the corners of the piece, sides of triangles that carry the diagonal of the sampling;
    ``span_a0`` to ``span_b1`` are the spans that were measured there. ``side_0`` and ``side_1`` number the sides that
    pieces share, -1 where the corridor ends; ``kink_0`` and ``kink_1`` say that the side is a span by itself, across
    which discs jump. ``foot_a`` and ``foot_b`` are the ends of the foot span between the two, NaN where there is none:
    only strips have one.
    """

    force_a: Ints
    force_b: Ints
    a0: Points
    b0: Points
    a1: Points
    b1: Points
    span_a0: Points
    span_b0: Points
    span_a1: Points
    span_b1: Points
    width_0: Floats
    width_1: Floats
    side_0: Ints
    side_1: Ints
    kink_0: Flags
    kink_1: Flags
    foot_a: Points
    foot_b: Points
    radius: Floats
    strip: Flags
    near_limit: Flags

    def take(self, rows: NDArray[Any] | slice) -> Pieces:
        """Return some rows: a mask, positions, or a slice."""
        if isinstance(rows, slice):
            return Pieces(*(cast("Any", column[rows]) for column in self))
        at = np.flatnonzero(rows) if rows.dtype == bool else rows
        return Pieces(*(cast("Any", column.take(at)) for column in self))


def no_pieces() -> Pieces:
    """Return pieces without rows."""
    number, point, value, flag = np.empty(0, np.int64), np.empty(0, complex), np.empty(0), np.empty(0, bool)
    return Pieces(
        force_a=number,
        force_b=number,
        a0=point,
        b0=point,
        a1=point,
        b1=point,
        span_a0=point,
        span_b0=point,
        span_a1=point,
        span_b1=point,
        width_0=value,
        width_1=value,
        side_0=number,
        side_1=number,
        kink_0=flag,
        kink_1=flag,
        foot_a=point,
        foot_b=point,
        radius=value,
        strip=flag,
        near_limit=flag,
    )


def split(triangles: Triangles, *, limit_m: float) -> Pieces:
    """Turn triangles between forces into pieces, and cut away what is wider than the limit.

    Parameters
    ----------
    triangles : Triangles
        As measured by ``triangulation.facing_triangles`` for the same limit.
    limit_m : float
        The maximum width W, which also bounds the radius of the empty discs.

    Returns
    -------
    Pieces
        In no particular order.
    """
    if len(triangles.corners) == 0:
        return no_pieces()
    _, corners, mixed, forces, strip, base_forces, foot, _, _, radius = triangles
    number = mixed.sum(axis=1)
    apex, first, second = corner = np.stack([points(triangles.xy)[column] for column in corners.T])
    gap = ~strip & (radius <= limit_m + TOLERANCE_M)
    foot_base = np.where(strip, (first + second) / 2, NOWHERE)
    side, sides, own = _sides(triangles, corner, length(foot_base - foot), limit_m)

    heart, nowhere, no_side = corner.mean(axis=0), np.full(len(side), NOWHERE), np.full(len(side), _NO_SIDE)
    no_spans = (nowhere,) * 4
    kinds = [  # which, their forces, ends p and q of both sides, sides, feet, ends of both spans
        # Between two mixed sides: a strip or a gap triangle.
        (
            strip | gap & (number == _TWO),
            forces[:, 0],
            base_forces,
            apex,
            first,
            apex,
            second,
            side[:, 0],
            side[:, 2],
            foot,
            foot_base,
            *own,
        ),
        # One mixed side: two forces touch at the first corner, where the width is 0.
        (
            gap & (number == 1),
            forces[:, 0] & forces[:, 1],
            forces[:, 0] & forces[:, 2],
            apex,
            apex,
            first,
            second,
            no_side,
            side[:, 1],
            nowhere,
            nowhere,
            *no_spans,
        ),
        # Three forces: each pair has the third between its side and the centroid, as wide as that side.
        *(
            (
                gap & (number == _THREE),
                forces[:, k],
                forces[:, (k + 1) % 3],
                corner[k],
                corner[(k + 1) % 3],
                heart,
                heart,
                side[:, k],
                no_side,
                nowhere,
                nowhere,
                *no_spans,
            )
            for k in range(3)
        ),
    ]
    pieces = []
    for which, forces_p, forces_q, *columns in kinds:
        rows = np.flatnonzero(which)
        row, p, q = _pairs(forces_p.take(rows, axis=0), forces_q.take(rows, axis=0))
        at = rows[row]
        pieces.append(_oriented(p, q, *(column[at] for column in columns), radius=radius[at], sides=sides))
    joined = Pieces(*(np.concatenate(column) for column in zip(*pieces, strict=True)))
    near_limit = sides.near_limit[joined.side_0] | sides.near_limit[joined.side_1]
    return _cut(_measured(joined._replace(near_limit=near_limit), sides), sides, limit_m)


class _Sides(NamedTuple):
    """What is known of the mixed sides of triangles; the last row stands for "no side".

    Where the discs of two strip triangles touch the cover in corners, or one of them is no strip, the side between them
    is a span: as wide as it is long. Else it carries the diagonal of the sampling, and takes the width of the span that
    parts the ground as the side does, the mean of what both strips say of it. So does ``radius``, which on a wedge is in
    proportion to the width. It is NaN where one is no strip: discs of all sizes between those of its triangles touch the ends of the side.
    Likewise where radii or centres jump, as they do where a disc rolls around a corner or two corners face each other:
    there the side is a span too. ``near_limit``: a gap triangle near the limit has this side.

    Of each triangle that may come within the limit all neighbours are known whose radius does not jump from its own:
    so a larger limit finds the same widths and radii, and a superset.
    """

    width: Floats
    radius: Floats
    by_feet: Flags
    near_limit: Flags


def _sides(
    triangles: Triangles, corner: Points, foot_width: Floats, limit_m: float
) -> tuple[Ints, _Sides, tuple[Points, ...]]:
    """Give each mixed side a number, -1 for others, shape (t, 3); and measure them.

    What each strip by itself says of the spans at its first and last side comes too: their ends at its apex and its
    base.
    """
    corners, strip, radius = triangles.corners, triangles.strip, triangles.radius
    row, which = np.nonzero(triangles.mixed)
    end, other = corners[row, which], corners[row, (which + 1) % 3]
    low, high = np.minimum(end, other), np.maximum(end, other)
    one, side_of = sorting.distinct(low * len(triangles.xy) + high)
    side = np.full(corners.shape, _NO_SIDE)
    side[row, which] = side_of

    def total(values: NDArray[Any]) -> Floats:
        return np.bincount(side_of, weights=values[row], minlength=len(one)).astype(np.float64)

    def largest(values: Floats) -> Floats:
        out = np.full(len(one), -np.inf)
        np.maximum.at(out, side_of, values[row])
        return out

    def mean(values: Floats) -> Floats:
        return np.bincount(side_of, weights=values[row, which], minlength=len(one)) / _TWO

    # Which of two triangles comes first leaves no trace in sums and maxima: tiles find them in another order.
    apart = 2 * largest(radius) - total(radius)
    smaller = (total(radius) - apart) / 2
    centre = triangles.centre.real, triangles.centre.imag
    moved = np.hypot(*(2 * largest(axis) - total(axis) for axis in centre))
    alike = (total(strip) == _TWO) & (apart <= (JUMP - 1) * smaller) & (moved <= smaller / 2)
    at = points(triangles.xy)
    own = length(at[low[one]] - at[high[one]])
    (first_m, *first), (last_m, *last) = _at_sides(*corner, foot=triangles.foot, turns=triangles.corner)
    at_side = np.stack([first_m, np.full(len(strip), np.nan), last_m], axis=1)
    by_feet = alike & (total(triangles.corner) < _TWO)
    width = np.where(by_feet, mean(at_side), own)
    with np.errstate(invalid="ignore"):
        side_radius = np.where(alike, mean(at_side * (radius / foot_width)[:, None]), np.nan)
    near = ~strip & (np.abs(radius / limit_m - 1) <= NEAR_LIMIT)
    sides = _Sides(
        width=np.append(width, 0),
        radius=np.append(side_radius, np.nan),
        by_feet=np.append(by_feet, False),
        near_limit=np.append(total(near) > 0, False),
    )
    return side, sides, (*first, *last)


def _at_sides(
    apex: Points, first: Points, second: Points, *, foot: Points, turns: Flags
) -> list[tuple[Floats, Points, Points]]:
    """Return the spans that part the ground as the mixed sides of strips do: their widths, their ends at apex and at base.

    Each lies as far before the one end of its side, on the base, as it lies behind the other, the apex. From the middle
    of the base and ``foot``, both ends of the span move by the same way, on the two sides of a wedge, until that is so.
    If the disc ``turns`` about a corner at the apex, the side itself is that span.
    """
    middle, half = (first + second) / 2, (first - second) / 2
    half_m, way_m = length(half), length(foot - apex)
    run, across = half / half_m, foot - middle
    width = length(across)
    towards = dot(run, across) / width
    mirrored = run - 2 * towards / width * across
    sides = first - apex, second - apex
    turn = cross(*sides)
    found = []
    for end, side, sign in ((first, sides[0], 1), (second, sides[1], -1)):
        before = sign * turn * cross(side, foot - apex) >= 0
        move = sign * (half_m + np.where(before, way_m, -way_m)) / 2
        found.append(
            (
                np.where(turns, length(side), width - 2 * move * towards),
                np.where(turns, apex, foot + move * mirrored),
                np.where(turns, end, middle + move * run),
            )
        )
    return found


def _oriented(
    p: Ints,
    q: Ints,
    p0: Points,
    q0: Points,
    p1: Points,
    q1: Points,
    side_0: Ints,
    side_1: Ints,
    foot_p: Points,
    foot_q: Points,
    span_p0: Points,
    span_q0: Points,
    span_p1: Points,
    span_q1: Points,
    *,
    radius: Floats,
    sides: _Sides,
) -> Pieces:
    """Make pieces between forces p and q, whose a ends lie on the force that comes first.

    A piece with one side is as wide throughout, unless it starts where two forces touch.
    """
    swap = p > q
    touching = p0 == q0
    width = sides.width
    width_1 = np.where(side_1 < 0, width[side_0], width[side_1])
    return Pieces(
        force_a=np.minimum(p, q),
        force_b=np.maximum(p, q),
        a0=np.where(swap, q0, p0),
        b0=np.where(swap, p0, q0),
        a1=np.where(swap, q1, p1),
        b1=np.where(swap, p1, q1),
        span_a0=np.where(swap, span_q0, span_p0),
        span_b0=np.where(swap, span_p0, span_q0),
        span_a1=np.where(swap, span_q1, span_p1),
        span_b1=np.where(swap, span_p1, span_q1),
        width_0=np.where(touching, 0, width[side_0]),
        width_1=width_1,
        side_0=side_0,
        side_1=side_1,
        kink_0=np.isnan(sides.radius[side_0]) & (side_0 != _NO_SIDE),
        kink_1=np.isnan(sides.radius[side_1]) & (side_1 != _NO_SIDE),
        foot_a=np.where(swap, foot_q, foot_p),
        foot_b=np.where(swap, foot_p, foot_q),
        radius=radius,
        strip=~np.isnan(foot_p),
        near_limit=np.zeros(len(p), bool),
    )


def _pairs(forces_p: Flags, forces_q: Flags) -> tuple[Ints, Ints, Ints]:
    """Return row by row each force of the one side with each of the other, as three equally long columns.

    Where several forces hold an edge, the ground before it lies between each of them and the other side.
    """
    row, p, q = np.arange(len(forces_p)), forces_p.argmax(axis=1), forces_q.argmax(axis=1)
    several = (forces_p.sum(axis=1) > 1) | (forces_q.sum(axis=1) > 1)
    if not several.any():
        return row, p, q
    both = np.nonzero(forces_p[several][:, :, None] & forces_q[several][:, None, :])
    single = ~several
    return (
        np.concatenate([row[single], row[several][both[0]]]),
        np.concatenate([p[single], both[1]]),
        np.concatenate([q[single], both[2]]),
    )


def _measured(pieces: Pieces, sides: _Sides) -> Pieces:
    """Make the spans what two strips of one pair say in the mean; else the sides."""
    # A side belongs to each pair of forces for itself: where a post of another force begins, strips of two pairs share it.
    pair = pieces.force_a * (pieces.force_b.max(initial=0) + 1) + pieces.force_b
    pairs = int(pair.max(initial=0)) + 1
    side = np.concatenate([pieces.side_0, pieces.side_1])
    of = side + 1  # 0 stands for no side
    if (pair != pair[:1]).any():
        _, of = sorting.distinct(of * pairs + np.tile(pair, 2))
        of += 1
    of = np.where(np.tile(pieces.strip, 2), of, 0)
    number = np.bincount(of)
    shared = np.split(sides.by_feet[side] & (of > 0) & (number[of] == _TWO), 2)
    filled = {}
    for end in "ab":
        ends = np.concatenate([getattr(pieces, f"span_{end}{k}") for k in "01"])
        x, y = (np.bincount(of, weights=axis) / _TWO for axis in (ends.real, ends.imag))
        mean = np.split((x + 1j * y)[of], 2)
        for k in range(2):
            filled[f"span_{end}{k}"] = np.where(shared[k], mean[k], getattr(pieces, f"{end}{k}"))
    return pieces._replace(**filled)


def _cut(pieces: Pieces, sides: _Sides, limit_m: float) -> Pieces:
    """Keep the part of each piece whose width and radius are at most the limit.

    Both run linearly from side to side of the ground. The span measured at a cut lies on the way from the side to the
    foot and on to the other side: sides lean, feet do not.
    """
    limit = limit_m + TOLERANCE_M
    strip = pieces.strip
    start, stop = _within(pieces.width_0, pieces.width_1, limit)
    own = np.where(strip, pieces.radius, 0)
    radius_0, radius_1 = (
        np.where(strip & ~np.isnan(sides.radius[side]), sides.radius[side], own)
        for side in (pieces.side_0, pieces.side_1)
    )
    low, high = _within(radius_0, radius_1, limit)
    start, stop = np.maximum(start, low), np.minimum(stop, high)
    foot_width = length(pieces.foot_a - pieces.foot_b)
    over = np.fmax.reduce([pieces.width_0, pieces.width_1, foot_width, radius_0, radius_1]) > limit
    keep = start < stop
    whole = pieces.take(keep)
    rows = np.flatnonzero(keep & over)  # few: all others stay as they are
    pieces, start, stop, strip, own = pieces.take(rows), start[rows], stop[rows], strip[rows], own[rows]
    radius_0, radius_1, foot_width = radius_0[rows], radius_1[rows], foot_width[rows]

    half_way = np.where(strip, foot_width, (pieces.width_0 + pieces.width_1) / 2)
    by_width = _within_by_way_of(pieces.width_0, half_way, pieces.width_1, limit)
    by_radius = _within_by_way_of(radius_0, own, radius_1, limit)
    span_start, span_stop = np.maximum(by_width[0], by_radius[0]), np.minimum(by_width[1], by_radius[1])
    has_foot = strip & (foot_width <= limit) & (span_start < _HALF) & (span_stop > _HALF)
    middle_a = np.where(strip, pieces.foot_a, (pieces.span_a0 + pieces.span_a1) / 2)
    middle_b = np.where(strip, pieces.foot_b, (pieces.span_b0 + pieces.span_b1) / 2)
    cut = pieces._replace(
        a0=between(pieces.a0, pieces.a1, start),
        b0=between(pieces.b0, pieces.b1, start),
        a1=between(pieces.a0, pieces.a1, stop),
        b1=between(pieces.b0, pieces.b1, stop),
        span_a0=_by_way_of(pieces.span_a0, middle_a, pieces.span_a1, span_start),
        span_b0=_by_way_of(pieces.span_b0, middle_b, pieces.span_b1, span_start),
        span_a1=_by_way_of(pieces.span_a0, middle_a, pieces.span_a1, span_stop),
        span_b1=_by_way_of(pieces.span_b0, middle_b, pieces.span_b1, span_stop),
        width_0=_by_way_of(pieces.width_0, half_way, pieces.width_1, span_start),
        width_1=_by_way_of(pieces.width_0, half_way, pieces.width_1, span_stop),
        side_0=np.where(start == 0, pieces.side_0, _NO_SIDE),
        side_1=np.where(stop == 1, pieces.side_1, _NO_SIDE),
        kink_0=pieces.kink_0 & (start == 0),
        kink_1=pieces.kink_1 & (stop == 1),
        foot_a=np.where(has_foot, pieces.foot_a, NOWHERE),
        foot_b=np.where(has_foot, pieces.foot_b, NOWHERE),
    )
    place = (np.cumsum(keep) - 1)[rows]
    for column, fresh in zip(whole, cut, strict=True):
        cast("Any", column)[place] = fresh
    return whole


def _within(v0: Floats, v1: Floats, limit: float) -> tuple[Floats, Floats]:
    """Return from where to where (0 to 1) values that run linearly are at most the limit; from 1 to 0 if nowhere."""
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = (limit - v0) / (v1 - v0)
    over_0, over_1 = v0 > limit, v1 > limit
    return np.where(over_0, np.where(over_1, 1, crossing), 0), np.where(over_1, np.where(over_0, 0, crossing), 1)


def _within_by_way_of(v0: Floats, half_way: Floats, v1: Floats, limit: float) -> tuple[Floats, Floats]:
    """Return the same for values that run by way of another half-way; all of it where both ends are within."""
    first, later = _within(v0, half_way, limit), _within(half_way, v1, limit)
    over = half_way > limit
    start = np.where(v0 > limit, np.where(over, (1 + later[0]) / 2, first[0] / 2), 0)
    return start, np.where(v1 > limit, np.where(over, first[1] / 2, (1 + later[1]) / 2), 1)


def _by_way_of(v0: Values, half_way: Values, v1: Values, t: Floats) -> Values:
    return np.where(t < _HALF, between(v0, half_way, 2 * t), between(half_way, v1, 2 * t - 1))
