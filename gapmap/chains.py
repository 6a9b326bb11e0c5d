"""From pieces to chains: pieces that share a span, in order, and the middle line through them. Arrays only.

In: pieces in any order. Out: the same pieces ordered along their chains and turned so that each starts where the one
before it ends. Method: a piece has at most two neighbours, so a chain is a list; lists are ranked by pointer jumping.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gapmap.triangulation import Pieces

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

_NONE = -1


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
    """

    pieces: Pieces
    chain: Ints
    ring: Flags


@dataclass(frozen=True, slots=True)
class Stations:
    """The spans that carry the middle line, in order along each chain.

    Parameters
    ----------
    a, b : ndarray of float, shape (n, 2)
        Ends of the span on either force.
    chain, piece : ndarray of int, shape (n,)
    along : ndarray of float, shape (n,)
        Metres along the middle line, from the start of the chain.
    in_gap : ndarray of bool, shape (n,)
        Whether the way to the next station crosses a gap triangle, in which no span runs.
    """

    a: Floats
    b: Floats
    chain: Ints
    piece: Ints
    along: Floats
    in_gap: Flags

    @property
    def middle(self) -> Floats:
        """Midpoints of the spans, shape (n, 2)."""
        return (self.a + self.b) / 2


def order(pieces: Pieces) -> Chains:
    """Put pieces in order along chains that share spans of the same pair of forces."""
    count = len(pieces.force_a)
    if count == 0:
        return Chains(pieces, np.empty(0, np.int64), np.empty(0, bool))
    # State s = 2 p + e: leaving piece p through its end e. ``s ^ 1`` is the other end.
    partner = _partners(pieces)
    linked = np.flatnonzero(partner >= 0)
    graph = coo_array((np.ones(len(linked), bool), (linked // 2, partner[linked] // 2)), shape=(count, count))
    number, component = connected_components(graph, directed=False)
    has_end = np.bincount(component, weights=(partner.reshape(-1, 2) < 0).any(axis=1), minlength=number) > 0

    start = _starts(pieces, partner, np.repeat(component, 2), np.repeat(~has_end[component], 2))
    rank, terminal = _ranks(partner, start)
    run = np.flatnonzero(terminal == terminal[start][np.repeat(component, 2)])
    # Number the chains by where they start, from the north-west.
    entry = _ends(pieces)[start ^ 1].mean(axis=1)
    place = np.empty(number, np.int64)
    place[np.lexsort((entry[:, 0], entry[:, 0] - entry[:, 1]))] = np.arange(number)
    run = run[np.lexsort((-rank[run], place[component[run // 2]]))]
    ring = np.empty(number, bool)
    ring[place] = ~has_end
    return Chains(_turned(pieces.take(run // 2), run % 2 == 0), place[component[run // 2]], ring)


def stations(chains: Chains) -> Stations:
    """Return the spans that carry the middle line: foot spans, mixed sides of gap triangles, and the ends."""
    pieces, chain = chains.pieces, chains.chain
    count = len(chain)
    first = np.diff(chain, prepend=_NONE) != 0
    last = np.diff(chain, append=_NONE) != 0
    open_end = ~chains.ring[chain] if count else np.empty(0, bool)
    gap = ~pieces.strip
    wanted = np.stack([gap | (first & open_end), ~np.isnan(pieces.foot_a[:, 0]), gap | (last & open_end)], axis=1)
    a = np.stack([pieces.span_a0, pieces.foot_a, pieces.span_a1], axis=1)
    b = np.stack([pieces.span_b0, pieces.foot_b, pieces.span_b1], axis=1)
    piece, which = np.nonzero(wanted)
    a, b, in_gap = a[piece, which], b[piece, which], gap[piece] & (which == 0)
    # A span between two gap triangles comes from both.
    twin = np.zeros(len(piece), bool)
    twin[1:] = (which[1:] == 0) & (which[:-1] == 2) & (chain[piece[1:]] == chain[piece[:-1]])  # noqa: PLR2004
    twin[1:] &= (a[1:] == a[:-1]).all(axis=1) & (b[1:] == b[:-1]).all(axis=1)
    in_gap[np.flatnonzero(twin) - 1] = in_gap[twin]
    a, b, in_gap, piece = a[~twin], b[~twin], in_gap[~twin], piece[~twin]
    # A ring ends where it starts.
    of = chain[piece]
    starts = np.flatnonzero(np.diff(of, prepend=_NONE) != 0)
    closing = starts[chains.ring[of[starts]]]
    after = np.append(starts[1:], len(of))[chains.ring[of[starts]]]
    a, b = np.insert(a, after, a[closing], axis=0), np.insert(b, after, b[closing], axis=0)
    in_gap, of = np.insert(in_gap, after, False), np.insert(of, after, of[closing])
    piece = np.insert(piece, after, piece[after - 1])
    middle = (a + b) / 2
    step = np.hypot(*np.diff(middle, axis=0, prepend=middle[:1]).T)
    total = np.cumsum(step)
    starts = np.flatnonzero(np.diff(of, prepend=_NONE) != 0)
    return Stations(a, b, of, piece, total - np.repeat(total[starts], np.diff(np.append(starts, len(of)))), in_gap)


def _partners(pieces: Pieces) -> Ints:
    """Return for each state the end that shares its span, -1 where there is none."""
    side = np.stack([pieces.side_0, pieces.side_1], axis=1).ravel()
    partner = np.full(len(side), _NONE)
    state = np.flatnonzero(side >= 0)
    key = np.stack([np.repeat(pieces.force_b, 2), np.repeat(pieces.force_a, 2), side])[:, state]
    by_key = np.lexsort(key)
    state, key = state[by_key], key[:, by_key]
    same = np.flatnonzero((key[:, 1:] == key[:, :-1]).all(axis=0))
    partner[state[same]], partner[state[same + 1]] = state[same + 1], state[same]
    return partner


def _starts(pieces: Pieces, partner: Ints, component: Ints, in_ring: Flags) -> Ints:
    """Choose the state in which each chain starts: the end most to the north-west.

    A ring may start anywhere, and runs with its first force on the left.
    """
    ends = _ends(pieces)
    entry, leaving = ends[np.arange(len(ends)) ^ 1], ends
    middle, onward = entry.mean(axis=1), leaving.mean(axis=1) - entry.mean(axis=1)
    across = entry[:, 0] - entry[:, 1]
    left = onward[:, 0] * across[:, 1] - onward[:, 1] * across[:, 0] > 0
    may_start = np.flatnonzero(in_ring | (partner[np.arange(len(ends)) ^ 1] < 0))
    x, y = middle[may_start].T
    by = np.lexsort((x, x - y, (in_ring & ~left)[may_start], component[may_start]))
    _, first = np.unique(component[may_start][by], return_index=True)
    return may_start[by[first]]


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


def _ends(pieces: Pieces) -> Floats:
    """Return the spans of all states, shape (states, 2, 2): a end, b end."""
    both = np.stack([np.stack([pieces.a0, pieces.b0], axis=1), np.stack([pieces.a1, pieces.b1], axis=1)], axis=1)
    return both.reshape(-1, 2, 2)


def _turned(pieces: Pieces, turn: Flags) -> Pieces:
    """Swap the first and second spans of some pieces."""
    swapped = {}
    for name in ("a", "b", "span_a", "span_b", "width_", "side_"):
        zero, one = getattr(pieces, f"{name}0"), getattr(pieces, f"{name}1")
        flag = turn.reshape(-1, *[1] * (zero.ndim - 1))
        swapped[f"{name}0"], swapped[f"{name}1"] = np.where(flag, one, zero), np.where(flag, zero, one)
    return pieces._replace(**swapped)
