"""From pieces to chains: pieces that share a span, in order, and the middle line through them. Arrays only.

In: pieces in any order. Out: the same pieces ordered along their chains and turned so that each starts where the one
before it ends. Method: a piece has at most two neighbours, so a chain is a list; lists are ranked by pointer jumping.
Along each, the spans that pieces measured, and those where a disc begins or ends to turn about a corner of the cover.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gapmap import plane, sorting
from gapmap.plane import NOWHERE, cross, dot, length

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gapmap.pieces import Pieces
    from gapmap.plane import Points

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

_NONE = -1
_SMOOTHING = 0.05  # of the width, to either side
_SMOOTHED_MIN_M = 1.0  # a mean over less would be rounding: it is a small difference of two large sums
_NOT_A_SPAN = 1e-3  # a line this share of its width longer or shorter than that
_ROUNDING = 1e-6  # of metres, and of the way between two vertices
_APART_M = 3e-3  # nearer, two spans are one; corners lie on a grid of a centimetre
_BEND = 1e-3  # of less, in radians, the width takes no notice
_MICRO = 1e-6  # of a metre
_APART = 1_000_000  # of these, from one line to the next
_STEPS = 2.0**30  # to the next vertex: with their number, a million of them fill a float
_BETWEEN = 4  # vertices to look at between two stations: more are rare, and then the width bends unseen
_ON_EDGE_M = 1e-3  # how far off an edge a point on it may come out


@dataclass(frozen=True, slots=True)
class Chains:
    """Pieces in order.

    Parameters
    ----------
    pieces : Pieces
        Sorted by chain and along it, each turned so that its first span is the second span of the one before.
    chain : ndarray of int
        The chain of each piece, numbered from the north-west by where they start.
    ring : ndarray of bool
        For each chain, whether its end joins its start.
    start : ndarray of float, shape (chains, 6)
        By what they are numbered, the last column first: chains that were put in order apart can be numbered together.
    """

    pieces: Pieces
    chain: Ints
    ring: Flags
    start: Floats


@dataclass(frozen=True, slots=True)
class Stations:
    """The spans that were measured, in order along each chain: feet, sides across which discs jump, and the ends.

    And those at which a disc begins or ends to turn about a corner of the cover.

    Parameters
    ----------
    a, b : ndarray of complex, shape (n,)
        Ends of the span on either force.
    width : ndarray of float, shape (n,)
        Length of the span in metres.
    chain, piece : ndarray of int, shape (n,)
        The chain, and the piece in which it was measured.
    along : ndarray of float, shape (n,)
        Metres along the middle line, from the start of the chain.
    is_span : ndarray of bool, shape (n,)
        Whether its ends lie on the covers: not where a piece was cut, and not in the middle of a triangle between three
        forces.
    edge_a, edge_b : ndarray of float, shape (n,)
        Where the span meets the two edges of its chain, as positions on :func:`edges`.
    middle : ndarray of complex, shape (n,)
        Points of the middle line: the midpoint of the span, averaged over a twentieth of the width to either side.
    """

    a: Points
    b: Points
    width: Floats
    chain: Ints
    piece: Ints
    along: Floats
    is_span: Flags
    edge_a: Floats
    edge_b: Floats
    middle: Points


def order(pieces: Pieces) -> Chains:
    """Put pieces in order along chains that share spans of the same pair of forces."""
    count = len(pieces.force_a)
    if count == 0:
        return Chains(pieces, np.empty(0, np.int64), np.empty(0, bool), np.empty((0, 6)))
    # State s = 2 p + e: leaving piece p through its end e. ``s ^ 1`` is the other end.
    partner = _partners(pieces)
    linked = np.flatnonzero(partner >= 0)
    graph = coo_array((np.ones(len(linked), bool), (linked // 2, partner[linked] // 2)), shape=(count, count))
    number, component = connected_components(graph, directed=False)
    has_end = np.bincount(component, weights=(partner.reshape(-1, 2) < 0).any(axis=1), minlength=number) > 0

    start = _starts(pieces, partner, np.repeat(component, 2), np.repeat(~has_end[component], 2))
    rank, terminal = _ranks(partner, start)
    run = np.flatnonzero(terminal == terminal[start][np.repeat(component, 2)])
    # Number the chains by where they start, from the north-west; by their forces where these touch in one triangle.
    forces = pieces.force_b[start // 2], pieces.force_a[start // 2]
    keys = np.stack([*forces, *_from_north_west(_middles(pieces), start)], axis=1)
    by_start = np.lexsort(keys.T)
    place = np.empty(number, np.int64)
    place[by_start] = np.arange(number)
    run = run[sorting.argsort(place[component[run // 2]] * len(rank) - rank[run])]
    ring = np.empty(number, bool)
    ring[place] = ~has_end
    turned = _turned(pieces.take(run // 2), run % 2 == 0)
    return Chains(turned, place[component[run // 2]], ring, keys[by_start])


def stations(chains: Chains) -> Stations:
    """Return the spans that were measured, in order. A ring starts and ends with the same."""
    pieces, chain = chains.pieces, chains.chain
    first, last = np.diff(chain, prepend=_NONE) != 0, np.diff(chain, append=_NONE) != 0
    has_foot = ~np.isnan(pieces.foot_a)
    wanted = np.stack([pieces.kink_0 | first, has_foot, pieces.kink_1 | last], axis=1)
    piece, which = np.nonzero(wanted)
    # A side between two pieces comes from both: the second stands for it.
    twin = (which[:-1] == 2) & (which[1:] == 0) & (np.diff(chain[piece]) == 0)  # noqa: PLR2004 - second span
    keep = np.append(~twin, True)
    piece, which = piece[keep], which[keep]
    at = 3 * piece + which
    a = np.stack([pieces.span_a0, pieces.foot_a, pieces.span_a1], axis=1).take(at)
    b = np.stack([pieces.span_b0, pieces.foot_b, pieces.span_b1], axis=1).take(at)
    foot_width = length(pieces.foot_a - pieces.foot_b)
    width = np.stack([pieces.width_0, foot_width, pieces.width_1], axis=1).take(at)
    of = chain[piece]

    edge_a = _positions(pieces.a0, pieces.a1, pieces, chain, piece, which, a)
    edge_b = _positions(pieces.b0, pieces.b1, pieces, chain, piece, which, b)
    is_span = np.stack([pieces.kink_0, has_foot, pieces.kink_1], axis=1).take(at)
    measured = {"a": a, "b": b, "width": width, "chain": of, "piece": piece, "is_span": is_span}
    measured |= {"edge_a": edge_a, "edge_b": edge_b}
    measured = _with_corners(measured, pieces, chain)
    middle = _smoothed((measured["a"] + measured["b"]) / 2, measured["width"], measured["chain"])
    return Stations(**measured, middle=middle, along=_along(middle, measured["chain"]))


class _Side(NamedTuple):
    """One edge of all chains without the vertices that repeat: where an apex stays, a vertex stands for many pieces."""

    points: Points
    cover: Flags  # whether the way from a vertex to the next is an edge of the cover
    first: Ints  # of each vertex, the first and the last row of :func:`edges`
    last: Ints
    at: Floats  # where each station lies, in vertices

    @classmethod
    def of(cls, first: Points, second: Points, strip: Flags, chain: Ints, position: Floats) -> _Side:
        points = edges(first, second, chain)
        starts = np.flatnonzero(np.diff(chain, prepend=_NONE) != 0)
        fresh = np.append(True, points[1:] != points[:-1])
        fresh[starts + np.arange(len(starts))] = True
        number = np.cumsum(fresh) - 1
        rows = np.flatnonzero(fresh)
        last = np.append(rows[1:], len(points)) - 1
        on_cover = np.zeros(len(points), bool)
        on_cover[np.arange(len(chain)) + chain] = strip  # the piece from each row to the next
        low = np.minimum(position.astype(np.int64), len(points) - 2)
        at = number[low] + (position - low) * (number[low + 1] - number[low])
        at = np.where(np.abs(at - np.rint(at)) < _ROUNDING, np.rint(at), at)
        # One vertex more stands behind the last and before the first: no edge leads there.
        return cls(np.append(points[rows], points[0]), np.append(on_cover[last], False), rows, last, at)


def _with_corners(measured: dict[str, NDArray[Any]], pieces: Pieces, chain: Ints) -> dict[str, NDArray[Any]]:
    """Return stations with those added where a disc begins or ends to turn about a corner of the cover.

    There the width bends: between them it runs straight, or, while the disc turns, almost so. A disc that touches an
    edge at its end v, with the outward normal n, and a line from which v is s away, with the normal m, has the radius
    s / (1 - n m); one that touches a corner w too has |w - v|^2 / (2 n (w - v)).
    """
    sides = {
        end: _Side.of(
            getattr(pieces, f"{end}0"), getattr(pieces, f"{end}1"), pieces.strip, chain, measured[f"edge_{end}"]
        )
        for end in "ab"
    }
    found = [
        _corners(measured, sides, pieces.strip, near, far, arriving)
        for near, far in ("ab", "ba")
        for arriving in (1, 0)
    ]
    added = {name: np.concatenate([each[name] for each in found]) for name in found[0]}
    order = np.lexsort((added["at_a"] + added["at_b"], added["row"]))
    added = {name: values[order] for name, values in added.items()}
    row = added["row"]
    good, fresh = np.ones(len(row), bool), np.zeros((2, len(row)), bool)
    first = np.diff(row, prepend=_NONE) != 0
    for end, side in sides.items():
        at, foot, there = added[f"at_{end}"], added[end], measured[end]
        before = np.where(first, side.at[row], np.roll(at, 1))
        good &= (at >= before - _ROUNDING) & (at <= side.at[row + 1] + _ROUNDING)  # else two discs would cross
        fresh[0] |= length(foot - np.where(first, there[row], np.roll(foot, 1))) > _APART_M
        fresh[1] |= length(foot - there[row + 1]) > _APART_M
        low = at.astype(np.int64)
        place = np.where(at > low, side.last[low] + (at - low), side.first[low])
        position = measured[f"edge_{end}"]
        added[f"edge_{end}"] = np.clip(place, position[row], position[row + 1])
    good &= fresh.all(axis=0)  # a disc about two corners has one span
    added |= {"chain": measured["chain"][row], "piece": measured["piece"][row], "is_span": good}
    added["width"] = length(added["b"] - added["a"])
    # Corners stick out, so there the way across is shorter; else it lies where the limit cut something away.
    good &= added["width"] <= np.maximum(measured["width"][row], measured["width"][row + 1]) + _ROUNDING
    out = {name: np.insert(values, row[good] + 1, added[name][good]) for name, values in measured.items()}
    return out | {name: np.maximum.accumulate(out[name]) for name in ("edge_a", "edge_b")}


def _corners(
    measured: dict[str, NDArray[Any]], sides: dict[str, _Side], strip: Flags, near: str, far: str, arriving: int
) -> dict[str, NDArray[Any]]:
    """Return the spans from corners of the ``near`` edge at which a disc leaves the edge that arrives, or takes up the next."""
    side, other = sides[near], sides[far]
    corner = np.flatnonzero(side.cover) + arriving
    row = np.searchsorted(side.at, corner, side="left" if arriving else "right") - 1
    inner = (row >= 0) & (row + 1 < len(side.at))
    corner, row = corner[inner], row[inner]
    of, piece = measured["chain"], measured["piece"]
    inner = (of[row] == of[row + 1]) & strip[piece[row]] & strip[piece[row + 1]]
    corner, row = corner[inner], row[inner]
    v = side.points[corner]
    before, after = v - side.points[corner - 1], side.points[corner + 1] - v
    left = np.sign(cross(before if arriving else after, measured[far][row] - v))
    # Where the edge ends, at a triangle between three places, a disc turns about its last vertex.
    bends = left * cross(before, after) < -_BEND * length(before) * length(after)
    bends |= ~(side.cover[corner - 1] & side.cover[corner])
    corner, row, v, before, after, left = (column[bends] for column in (corner, row, v, before, after, left))
    normal = _normal(before if arriving else after, left)

    at = np.full(len(corner), np.nan)
    foot = np.full(len(corner), NOWHERE)
    begin, end = other.at[row], other.at[row + 1]
    for step in range(_BETWEEN):
        low = np.minimum(begin.astype(np.int64) + step, len(other.points) - 2)
        start = other.points[low]
        # A line: the way from here to the next vertex.
        run = other.points[low + 1] - start
        inward = _normal(run, -left)
        away = dot(v - start, inward)
        with np.errstate(divide="ignore", invalid="ignore"):
            radius = away / (1 - dot(normal, inward))
            point = v + radius * (normal - inward)
            share = _snapped(dot(point - start, run) / dot(run, run))
            on = other.cover[low] & (radius > 0) & (share >= 0) & (share <= 1)
            on &= (low + share >= begin - _ROUNDING) & (low + share <= end + _ROUNDING) & np.isnan(at)
        at[on], foot[on] = (low + share)[on], point[on]
        # A corner: discs that touch it lie between the normals of its edges.
        before_there = start - other.points[low - 1]
        way = start - v
        with np.errstate(divide="ignore", invalid="ignore"):
            radius = dot(way, way) / (2 * dot(normal, way))
            centre = v + radius * normal - start
            on = (other.cover[low] | other.cover[low - 1]) & (radius > 0) & (low >= begin) & (low <= end) & np.isnan(at)
            on &= (dot(centre, before_there) >= 0) | ~other.cover[low - 1]
            on &= (dot(centre, run) <= 0) | ~other.cover[low]
        at[on], foot[on] = low[on], start[on]
    known = ~np.isnan(at)
    return {
        "row": row[known],
        near: v[known],
        far: foot[known],
        f"at_{near}": corner[known] * 1.0,
        f"at_{far}": at[known],
    }


def _normal(run: Points, left: Floats) -> Points:
    """Return unit vectors across some ways, to the left (1) or to the right (-1)."""
    with np.errstate(divide="ignore", invalid="ignore"):  # a way of no length has none
        return left / length(run) * 1j * run


def with_stations(line: Stations, chains: Chains, chain: Ints, along: Floats) -> Stations:
    """Return stations with more of them, part of the way between two that were measured, where that is a span too.

    Parameters
    ----------
    line : Stations
        As :func:`stations` returns them for ``chains``.
    chain, along : ndarray of int and float, shape (m,)
        Where to put them: the chain, and the metres along its middle line, in order. Less than its length.
    """
    row, share = between(line.chain, line.along, chain, along)
    added: dict[str, NDArray[Any]] = {
        name: plane.between(getattr(line, name)[row], getattr(line, name)[row + 1], share)
        for name in ("width", "along", "middle")
    }
    for name in ("edge_a", "edge_b"):
        position = getattr(line, name)
        added[name] = position[row] + _snapped(share * (position[row + 1] - position[row]))
    added |= {"chain": chain, "piece": line.piece[row], "is_span": np.zeros(len(row), bool)}
    for end in "ab":
        first, second = (getattr(chains.pieces, f"{end}{k}") for k in "01")
        added[end] = on_edge(edges(first, second, chains.chain), added[f"edge_{end}"])
    # Beside a corner of the cover what lies between two spans may be none.
    good = np.abs(length(added["b"] - added["a"]) - added["width"]) <= _NOT_A_SPAN * added["width"]
    return Stations(**{name: np.insert(getattr(line, name), row[good] + 1, new[good]) for name, new in added.items()})


def on_edge(vertices: Points, position: Floats) -> Points:
    """Return the points at some positions on an edge."""
    low = np.minimum(position.astype(np.int64), len(vertices) - 2)
    return plane.between(vertices[low], vertices[low + 1], position - low)


def edges(first: Points, second: Points, chain: Ints) -> Points:
    """Return the vertices of one edge of all chains, in order: one more than there are pieces in each.

    Parameters
    ----------
    first, second : ndarray of complex, shape (pieces,)
        The ends of the first and second spans on one force: ``a0, a1`` or ``b0, b1``.
    chain : ndarray of int
        The chain of each piece.
    """
    rows = np.flatnonzero(np.diff(chain, prepend=_NONE) != 0)
    return np.insert(second, rows, first[rows])


def before(of: Ints, along: Floats, line: Ints, at: Floats) -> Ints:
    """Return the last point at or before each place on some lines, or the first point of the line.

    Parameters
    ----------
    of, along : ndarray of int and float, shape (n,)
        Points of lines, in order: the number of the line, and metres from its start.
    line, at : ndarray of int and float, shape (m,)
        The places, in any order.
    """
    last = np.flatnonzero(np.diff(of, append=_NONE) != 0)
    first = np.append(0, last[:-1] + 1)
    # In whole millionths of a metre: no line leaves rounding in another.
    offset = np.append(0, np.cumsum(np.rint(along[last] / _MICRO).astype(np.int64) + _APART))
    points, places = (offset[each] + np.rint(way / _MICRO).astype(np.int64) for each, way in ((of, along), (line, at)))
    return np.clip(np.searchsorted(points, places, side="right") - 1, first[line], last[line])


def between(of: Ints, along: Floats, line: Ints, at: Floats) -> tuple[Ints, Floats]:
    """Return the point before each place that has one after it, and which share of the way to that the place is.

    Parameters
    ----------
    of, along, line, at : ndarray
        As for :func:`before`; two points or more of each line.
    """
    row = before(of, along, line, at)
    row -= row == np.flatnonzero(np.diff(of, append=_NONE) != 0)[line]
    step = along[row + 1] - along[row]
    return row, np.clip(np.divide(at - along[row], step, out=np.zeros(len(row)), where=step > 0), 0, 1)


def _snapped(share: Floats) -> Floats:
    """Round the way between two vertices, so that it can be added to the number of any without a trace of that."""
    return np.rint(share * _STEPS) / _STEPS


def _along(line: Points, of: Ints) -> Floats:
    """Return the way from the first point of each line to each of its points."""
    step = length(np.diff(line, prepend=line[:1]))
    step[np.diff(of, prepend=_NONE) != 0] = 0
    return running(step, of)


def running(values: NDArray[Any], of: Ints) -> NDArray[Any]:
    """Return running totals of each line by itself: what other lines add up to shall leave no rounding in it."""
    cuts = np.flatnonzero(np.diff(of, prepend=_NONE) != 0)
    return np.concatenate([np.cumsum(part) for part in np.split(values, cuts[1:])])


def _smoothed(points: Points, width: Floats, of: Ints) -> Points:
    """Average lines over a window that is a share of the width, shrinking towards their ends, which stay.

    A cover drawn with corners lets a disc turn about a corner of one force while it rolls along the other, and then the
    other way round; in a wide notch the midpoint goes to and fro, however fine the corners are.
    """
    along = _along(points, of)
    last = np.flatnonzero(np.diff(of, append=_NONE) != 0)
    first = np.append(0, last[:-1] + 1)
    line = np.cumsum(np.diff(of, prepend=of[:1]) != 0)
    length = along[last][line]
    reach = np.minimum(np.minimum(along, length - along), _SMOOTHING * width)
    step = np.diff(along, append=0)
    step[last] = 1
    wide = reach > _SMOOTHED_MIN_M
    start = points[first][line]
    value = points - start  # of each line from its own start: rounding grows with the sums
    slope = np.append(np.diff(value), 0) / np.where(step > 0, step, 1)
    slope[last] = 0  # not the way to the next line
    area = step * value + slope * step**2 / 2
    total = running(area, of) - area  # up to each point

    def integral(way: Floats) -> Points:
        row = before(line, along, line, along + way)
        rest = along + way - along[row]
        return total[row] + value[row] * rest + slope[row] * rest**2 / 2

    mean = (integral(reach) - integral(-reach)) / np.where(wide, 2 * reach, 1)
    return np.where(wide, start + mean, points)


def _positions(
    first: Points, second: Points, pieces: Pieces, chain: Ints, piece: Ints, which: Ints, end: Points
) -> Floats:
    """Return where the ends of stations lie on an edge, in vertices of :func:`edges`, never decreasing.

    A side lies at a vertex. A foot in the middle of a base lies half-way; one beside an apex lies on the base that
    comes next or came last on this edge, which is another piece's.
    """
    place = chain[piece] + piece + which / 2.0
    foot = which == 1
    rows = np.arange(len(chain))
    base = pieces.strip & (first != second)
    following = np.minimum.accumulate(np.where(base, rows, len(rows))[::-1])[::-1]
    before = np.maximum.accumulate(np.where(base, rows, _NONE))
    for near, origin, sign in ((following, first, 1), (before, second, -1)):
        other = np.clip(near[piece], 0, len(rows) - 1)
        apart = np.flatnonzero(foot & (near[piece] == other) & ~base[piece] & (chain[other] == chain[piece]))
        other = other[apart]
        run = sign * (second[other] - first[other])
        way = end[apart] - origin[other]
        share = dot(way, run) / dot(run, run)
        miss = length(way - share * run)
        on = (share > 0) & (share <= 1) & (miss < _ON_EDGE_M)
        start = chain[other] + other + (sign < 0)
        place[apart[on]] = (start + sign * _snapped(share))[on]
    # Feet keep between the sides around them, and in order.
    low = np.maximum.accumulate(np.where(foot, -np.inf, place))
    high = np.minimum.accumulate(np.where(foot, np.inf, place)[::-1])[::-1]
    return np.maximum.accumulate(np.clip(place, low, high))


def _partners(pieces: Pieces) -> Ints:
    """Return for each state the end that shares its span, -1 where there is none."""
    side = np.stack([pieces.side_0, pieces.side_1], axis=1).ravel()
    partner = np.full(len(side), _NONE)
    pair = pieces.force_a * (pieces.force_b.max() + 1) + pieces.force_b
    state = np.flatnonzero(side >= 0)
    key = side[state] * (pair.max() + 1) + pair[state // 2]
    by_key = sorting.argsort(key)
    state, key = state[by_key], key[by_key]
    same = np.flatnonzero(key[1:] == key[:-1])
    partner[state[same]], partner[state[same + 1]] = state[same + 1], state[same]
    return partner


def _starts(pieces: Pieces, partner: Ints, component: Ints, in_ring: Flags) -> Ints:
    """Choose the state in which each chain starts: the end most to the north-west.

    A ring may start anywhere, and runs with its first force on the left.
    """
    middle = _middles(pieces)
    may_start = np.flatnonzero(in_ring | (partner[np.arange(len(middle)) ^ 1] < 0))
    piece, entry = may_start // 2, (may_start ^ 1) % 2
    onward = middle[may_start] - middle[may_start ^ 1]
    across = np.where(entry == 0, (pieces.a0 - pieces.b0)[piece], (pieces.a1 - pieces.b1)[piece])
    left = cross(onward, across) > 0
    from_north_west = _from_north_west(middle, may_start)
    by = np.lexsort((*from_north_west, in_ring[may_start] & ~left, component[may_start]))
    _, first = np.unique(component[may_start][by], return_index=True)
    return may_start[by[first]]


def _from_north_west(middle: Points, states: Ints) -> tuple[Floats, ...]:
    """Return keys that sort states by where they enter; by where they leave, where several start at one point.

    Chains do so where forces touch, and in the middle of a triangle between three forces.
    """
    keys: list[Floats] = []
    for at in (middle[states], middle[states ^ 1]):
        keys += [at.real, at.real - at.imag]
    return tuple(keys)


def _ranks(partner: Ints, start: Ints) -> tuple[Ints, Ints]:
    """Return for each state how many follow it, and the last of them; rings are cut where they start."""
    size = len(partner)
    hop = np.where(partner >= 0, partner ^ 1, np.arange(size))
    for begin in (start, start ^ 1):  # cut rings in both directions
        before = partner[begin ^ 1]
        before = before[before >= 0]
        hop[before] = before
    steps = (hop != np.arange(size)).astype(np.int64)
    for _ in range(size.bit_length()):
        steps += steps[hop]
        hop = hop[hop]
    return steps, hop


def _middles(pieces: Pieces) -> Points:
    """Return the middle of the span of each state."""
    return np.stack([(pieces.a0 + pieces.b0) / 2, (pieces.a1 + pieces.b1) / 2], axis=1).ravel()


def _turned(pieces: Pieces, turn: Flags) -> Pieces:
    """Swap the first and second spans of some pieces."""
    swapped = {}
    for name in ("a", "b", "span_a", "span_b", "width_", "side_", "kink_"):
        zero, one = getattr(pieces, f"{name}0"), getattr(pieces, f"{name}1")
        swapped[f"{name}0"], swapped[f"{name}1"] = np.where(turn, one, zero), np.where(turn, zero, one)
    return pieces._replace(**swapped)
