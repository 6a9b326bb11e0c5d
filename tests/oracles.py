"""The second method: the ground between forces, straight from the definition by dense brute force. Tests only.

In: the same cover as the engine. Out: corridor ground and width of each pair of forces. Method: from every point of the
edge of U a ball is grown outwards until it touches U again (closed form against every edge, no index, no triangulation,
nothing shared with the package); the two contacts are a span, neighbouring spans sweep a sliver of ground.

Error bound: contacts are exact to rounding, and jumps of the far contact and the limits of width and radius are found by
halving down to ``_TINY`` metres. What is left is the turn of spans between two samples, of second order in the step: under
0.1 % of a corridor's area at the default step of W/200. Edges shared by two forces are labelled in pieces of one step, so
there a label can be off by half a step.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    Real = NDArray[np.float64]
    Whole = NDArray[np.int64]
    Flag = NDArray[np.bool_]

_GRID = 0.01  # m: covers that come nearer than this touch
_TINY = 1e-4  # m: halving stops here
_LEVELS = 48
_CHUNK = 500_000  # ball-edge pairs at a time
_SLACK = 1e-9  # relative: "at most W" must survive rounding


@dataclass(frozen=True)
class Edges:
    """The edge of U as directed segments with U on their left, and the labels (bits, one a force) of its points."""

    start: Real
    end: Real
    before: Whole  # the segment that ends where this one starts
    bits: list[Whole]  # of each segment, in equal pieces of about one step
    corner_bits: Whole  # of each segment's start

    @property
    def along(self) -> Real:
        """Unit vectors."""
        step = self.end - self.start
        return step / np.hypot(*step.T)[:, None]

    @property
    def normal(self) -> Real:
        """Unit vectors away from U."""
        return self.along[:, ::-1] * (1, -1)


@dataclass(frozen=True)
class Balls:
    """Balls that touch U at ``near`` from outside and have grown until they touched it again at ``far``."""

    piece: Whole
    share: Real  # 0..1 along the piece
    near: Real
    near_bits: Whole
    far: Real
    far_bits: Whole
    radius: Real

    def length(self) -> Real:
        """Distance between the contacts; NaN for a ball that touches nothing else."""
        return np.hypot(*(self.far - self.near).T)


class Oracle:
    """Corridor ground of all pairs of forces by brute force.

    Parameters
    ----------
    cover : GeoDataFrame
        Column ``force`` and polygons in metres.
    max_width_m : float
        W.
    step_m : float, optional
        Distance of samples on the edge of U; W/200 unless given.
    """

    def __init__(self, cover: GeoDataFrame, max_width_m: float, *, step_m: float | None = None) -> None:
        self.limit = max_width_m * (1 + _SLACK)
        self.step = step_m or max_width_m / 200
        held = cover.dissolve("force", method="unary")
        self.forces = sorted(held.index)
        self.covers = [held.geometry[force] for force in self.forces]
        self.edges = _edges(self.covers, self.step)
        self.pair: list[tuple[str, str]] = []
        self.shape: list[Any] = []
        self.span: list[tuple[Real, Real]] = []  # first and last span of each piece, each 2 points
        self.width: list[tuple[float, float]] = []
        self._sweep()

    def area(self, force_a: str, force_b: str) -> float:
        """Square metres between two forces."""
        return float(self.ground(force_a, force_b).area)

    def areas(self) -> dict[tuple[str, str], float]:
        """Square metres of every pair that has any."""
        return {pair: self.area(*pair) for pair in sorted(set(self.pair))}

    def ground(self, force_a: str, force_b: str) -> Any:  # noqa: ANN401 - a shapely geometry
        """Return the ground between two forces as one geometry."""
        pair = tuple(sorted((force_a, force_b)))
        shapes = [shape for shape, each in zip(self.shape, self.pair, strict=True) if each == pair]
        # A triangle with a short side can also have been swept as a sliver: the union counts it once.
        return shapely.union_all(shapely.make_valid(shapes), grid_size=_TINY)

    def in_corridor(self, points: Real) -> Flag:
        """Tell which points (n, 2) lie on corridor ground."""
        return ~np.isnan(self.width_at(points))

    def width_at(self, points: Real) -> Real:
        """Width in metres at points (n, 2), NaN outside."""
        out = np.full(len(points), np.nan)
        if not self.shape:
            return out
        dots = shapely.points(points)
        for dot, piece in zip(*self._tree.query(dots, predicate="intersects"), strict=True):
            first, last = (shapely.distance(dots[dot], shapely.linestrings(span)) for span in self.span[piece])
            part = 0.5 if first + last == 0 else first / (first + last)
            start, end = self.width[piece]
            out[dot] = start + part * (end - start)
        return out

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree(self.shape)

    def _sweep(self) -> None:
        """Grow the balls, halve where the far contact jumps or a limit is passed, and collect the swept ground."""
        piece, share = self._first_samples()
        balls = self._grow(piece, share)
        for _ in range(_LEVELS):
            i, j = _neighbours(balls, within=True)
            inside = np.minimum(balls.radius[i], balls.radius[j]) <= self.limit
            mixed = (balls.near_bits & balls.far_bits) == 0
            inside &= mixed[i] | mixed[j]
            gap = np.hypot(*(balls.far[i] - balls.far[j]).T) > 2 * self.step
            passed = self._kept(balls)[i] != self._kept(balls)[j]
            apart = self._apart(balls, i, j) > _TINY
            split = inside & (gap | passed) & apart
            if not split.any():
                break
            more = self._grow(balls.piece[i][split], (balls.share[i][split] + balls.share[j][split]) / 2)
            balls = _merged(balls, more)
        self._collect_slivers(balls)
        self._collect_triangles(balls)

    def _first_samples(self) -> tuple[Whole, Real]:
        """Piece 2k is the fan of normals at the start of segment k (where U is convex), piece 2k + 1 the segment."""
        edges = self.edges
        turn = _cross(edges.along[edges.before], edges.along)
        turn = np.arctan2(turn, (edges.along[edges.before] * edges.along).sum(axis=1))
        reach = np.empty(2 * len(edges.start))
        reach[0::2] = np.where(turn >= 0, turn * self.limit / 2, -1)
        reach[1::2] = np.hypot(*(edges.end - edges.start).T)
        counts = np.where(reach < 0, 0, np.ceil(reach / self.step).astype(int) + 1)
        # Both ends and, where a piece is one step or less, its middle.
        counts = np.where(counts > 0, np.maximum(counts, 3), 0)
        piece = np.repeat(np.arange(len(counts)), counts)
        share = np.concatenate([np.linspace(0, 1, count) for count in counts])
        return piece, share

    def _place(self, piece: Whole, share: Real) -> tuple[Real, Real, Whole]:
        """Return where a ball touches first, its direction, and the labels there."""
        edges = self.edges
        k = piece // 2
        fan = piece % 2 == 0
        before = edges.before[k]
        first = np.arctan2(*edges.normal[before].T[::-1])
        cross = _cross(edges.normal[before], edges.normal[k])
        turn = np.arctan2(cross, (edges.normal[before] * edges.normal[k]).sum(axis=1))
        angle = first + share * turn
        direction = np.where(fan[:, None], np.column_stack([np.cos(angle), np.sin(angle)]), edges.normal[k])
        # Just short of the ends: at a hollow corner itself a ball would have no room, and rounding would decide.
        short = np.minimum(2 * _TINY / np.hypot(*(edges.end[k] - edges.start[k]).T), 0.25)
        part = np.where(fan, 0.0, np.clip(share, short, 1 - short))
        near = edges.start[k] + part[:, None] * (edges.end[k] - edges.start[k])
        bits = np.where(fan, edges.corner_bits[k], _bits_on(edges, k, share))
        return near, direction, bits

    def _grow(self, piece: Whole, share: Real) -> Balls:
        near, direction, near_bits = self._place(piece, share)
        radius = np.full(len(piece), np.inf)
        far = np.full((len(piece), 2), np.nan)
        far_bits = np.zeros(len(piece), dtype=np.int64)
        size = max(1, _CHUNK // len(self.edges.start))
        for at in range(0, len(piece), size):
            part = slice(at, at + size)
            own = np.column_stack(
                [piece[part] // 2, np.where(piece[part] % 2, -1, self.edges.before[piece[part] // 2])]
            )
            radius[part], far[part], far_bits[part] = _first_touch(self.edges, near[part], direction[part], own)
        return Balls(piece, share, near, near_bits, far, far_bits, radius)

    def _apart(self, balls: Balls, i: Whole, j: Whole) -> Real:
        """Distance between neighbouring samples, the turn counted at the end of an arm of length W."""
        shift = np.hypot(*(balls.near[i] - balls.near[j]).T)
        return shift + np.where(balls.piece[i] % 2 == 0, np.abs(balls.share[i] - balls.share[j]) * self.limit, 0)

    def _kept(self, balls: Balls) -> Flag:
        mixed = (balls.near_bits & balls.far_bits) == 0
        return mixed & (balls.radius <= self.limit) & (balls.length() <= self.limit)

    def _collect_slivers(self, balls: Balls) -> None:
        i, j = _neighbours(balls, within=False)
        kept = self._kept(balls)
        smooth = np.hypot(*(balls.far[i] - balls.far[j]).T) <= 2 * self.step
        same = (balls.near_bits[i] == balls.near_bits[j]) & (balls.far_bits[i] == balls.far_bits[j])
        length = balls.length()
        for m, n in zip(i[kept[i] & kept[j] & smooth & same], j[kept[i] & kept[j] & smooth & same], strict=True):
            shape = shapely.Polygon([balls.near[m], balls.near[n], balls.far[n], balls.far[m]])
            spans = (np.array([balls.near[m], balls.far[m]]), np.array([balls.near[n], balls.far[n]]))
            # Every span is met from both its ends: it counts from the force that comes first.
            for first, second in self._pairs(int(balls.near_bits[m]), int(balls.far_bits[m])):
                if first < second:
                    self._add((first, second), shape, spans, (length[m], length[n]))

    def _collect_triangles(self, balls: Balls) -> None:
        i, j = _neighbours(balls, within=False)
        jump = np.hypot(*(balls.far[i] - balls.far[j]).T) > 2 * self.step
        close = np.hypot(*(balls.near[i] - balls.near[j]).T) <= 10 * _TINY
        inside = np.maximum(balls.radius[i], balls.radius[j]) <= self.limit
        i, j = i[jump & close & inside], j[jump & close & inside]
        corners = np.stack([balls.near[i], balls.far[i], balls.far[j]], axis=1)
        bits = np.column_stack([balls.near_bits[i], balls.far_bits[i], balls.far_bits[j]])
        if not len(corners):
            return
        # A triangle is met from each of its corners: once is enough.
        again = cKDTree(corners.mean(axis=1)).query_pairs(max(1.0, self.step / 100), output_type="ndarray")
        once = np.ones(len(corners), dtype=bool)
        once[again.max(axis=1)] = False
        for corner, bit in zip(corners[once], bits[once], strict=True):
            self._add_triangle(corner, bit)

    def _add_triangle(self, corner: Real, bit: Whole) -> None:
        sides = [(m, (m + 1) % 3) for m in range(3)]
        mixed = [(m, n) for m, n in sides if bit[m] & bit[n] == 0]
        length = {side: float(np.hypot(*(corner[side[0]] - corner[side[1]]))) for side in sides}
        if len(mixed) == 3:
            centre = corner.mean(axis=0)
            for m, n in mixed:
                if length[m, n] <= self.limit:
                    span = corner[[m, n]]
                    self._add_once(bit[m], bit[n], [*span, centre], (span, span), (length[m, n], length[m, n]))
        elif len(mixed) == 2:
            (apex,) = set(mixed[0]) & set(mixed[1])
            p, q = (next(m for m in side if m != apex) for side in mixed)
            start, end = length[mixed[0]], length[mixed[1]]
            # Width runs linearly from one mixed side to the other; the part at most W wide stays.
            reach = 1.0 if max(start, end) <= self.limit else (self.limit - min(start, end)) / abs(end - start)
            if reach < 0:
                return
            if start > end:
                p, q, start, end = q, p, end, start
            stop = corner[p] + reach * (corner[q] - corner[p])
            spans = (corner[[apex, p]], np.array([corner[apex], stop]))
            ground = [corner[apex], corner[p], stop]
            self._add_once(bit[apex], bit[p] & bit[q], ground, spans, (start, start + reach * (end - start)))
        elif len(mixed) == 1 and length[mixed[0]] <= self.limit:
            # The third contact is held by both: width falls to 0 there.
            m, n = mixed[0]
            other = corner[3 - m - n]
            spans = (corner[[m, n]], np.array([other, other]))
            self._add_once(bit[m], bit[n], corner, spans, (length[m, n], 0.0))

    def _add_once(
        self,
        bits_a: int,
        bits_b: int,
        ring: Any,  # noqa: ANN401 - points in any form
        spans: tuple[Real, Real],
        width: tuple[float, float],
    ) -> None:
        for first, second in self._pairs(int(bits_a), int(bits_b)):
            self._add((min(first, second), max(first, second)), shapely.Polygon(ring), spans, width)

    def _add(self, pair: tuple[str, str], shape: Any, spans: tuple[Real, Real], width: tuple[float, float]) -> None:  # noqa: ANN401
        if shape.area > 0:
            self.pair.append(pair)
            self.shape.append(shape)
            self.span.append(spans)
            self.width.append(width)

    def _pairs(self, bits_a: int, bits_b: int) -> list[tuple[str, str]]:
        held = [[force for n, force in enumerate(self.forces) if bits >> n & 1] for bits in (bits_a, bits_b)]
        return [(first, second) for first in held[0] for second in held[1]]


def is_span(a: Real, b: Real, obstacles: Real, max_width_m: float, *, slack_m: float) -> bool:
    """Look for an empty disc in the pencil of circles through a and b.

    A circle through both has its centre at the middle plus ``x`` times the unit normal; a point of U is inside it where a
    linear inequality in ``x`` holds. So each point of U leaves a half-line, and a span needs something in common to all.

    Parameters
    ----------
    a, b : array of shape (2,)
        The ends.
    obstacles : array of shape (n, 2)
        Dense points of the edge of U.
    max_width_m : float
        W.
    slack_m : float
        Points that lie less deep inside the disc than this do not count: the ends themselves, and their neighbours.
    """
    gap = b - a
    length = float(np.hypot(*gap))
    if length > max_width_m:
        return False
    normal = np.array([-gap[1], gap[0]]) / length
    away = obstacles - (a + b) / 2
    side = 2 * away @ normal
    power = (away**2).sum(axis=1) - length**2 / 4
    # Depth d inside a disc of radius R means a power of about -2 R d.
    power = power + 2 * slack_m * max_width_m
    reach = np.sqrt(max(max_width_m**2 - length**2 / 4, 0.0))
    low, high = -reach, reach
    right, left, on = side > 1e-9, side < -1e-9, np.abs(side) <= 1e-9
    if right.any():
        high = min(high, float((power[right] / side[right]).min()))
    if left.any():
        low = max(low, float((power[left] / side[left]).max()))
    return bool(low <= high) and not bool((power[on] < 0).any())


def edge_points(cover: GeoDataFrame, step_m: float) -> tuple[Real, list[frozenset[str]]]:
    """Return points along the edge of U and the forces that hold each."""
    held = cover.dissolve("force", method="unary")
    everything = shapely.union_all(held.geometry.to_numpy(), grid_size=_GRID)
    points = shapely.get_coordinates(shapely.segmentize(everything.boundary, step_m))
    dots = shapely.points(points)
    near = {force: shapely.dwithin(shape, dots, 2 * _GRID) for force, shape in held.geometry.items()}
    return points, [frozenset(force for force in near if near[force][n]) for n in range(len(points))]


def _edges(covers: list[Any], step: float) -> Edges:
    everything = shapely.union_all(covers, grid_size=_GRID)
    start, end, before = [], [], []
    count = 0
    for polygon in shapely.get_parts(everything):
        for ring in shapely.get_rings(shapely.orient_polygons(polygon)):
            corners = shapely.get_coordinates(ring)
            n = len(corners) - 1
            start.append(corners[:-1])
            end.append(corners[1:])
            before.append(count + (np.arange(n) - 1) % n)
            count += n
    starts, ends = np.concatenate(start), np.concatenate(end)
    bits = []
    for first, last in zip(starts, ends, strict=True):
        n = max(1, int(np.ceil(np.hypot(*(last - first)) / step)))
        middles = first + ((np.arange(n) + 0.5) / n)[:, None] * (last - first)
        bits.append(_bits(covers, middles))
    return Edges(starts, ends, np.concatenate(before), bits, _bits(covers, starts))


def _bits(covers: list[Any], points: Real) -> Whole:
    dots = shapely.points(points)
    held = [shapely.dwithin(shape, dots, 2 * _GRID) for shape in covers]
    return np.sum([inside.astype(np.int64) << n for n, inside in enumerate(held)], axis=0)


def _bits_on(edges: Edges, segment: Whole, share: Real) -> Whole:
    counts = np.array([len(bits) for bits in edges.bits])
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    place = np.clip((share * counts[segment]).astype(int), 0, counts[segment] - 1)
    return np.concatenate(edges.bits)[starts[segment] + place]


def _first_touch(edges: Edges, near: Real, direction: Real, own: Whole) -> tuple[Real, Real, Whole]:
    """Grow balls from ``near`` in ``direction`` until they touch an edge: radius, contact, labels of the contact.

    The balls of one direction are nested, so an edge is touched first where its line is, or, where that point is not
    on the edge, at one of its ends.
    """
    rows = np.arange(len(near))
    # Component by component: this is where the time goes.
    x, y = (edges.start[None, :, axis] - near[:, None, axis] for axis in (0, 1))
    ahead = x * direction[:, :1] + y * direction[:, 1:]
    square = x**2 + y**2
    best = np.full_like(x, np.inf)
    # Ends: a point level with the contact is an end of its own edge, not ahead.
    np.divide(square, 2 * ahead, out=best, where=ahead > 1e-12 * square + 1e-10)
    # Lines: the distance to each, and its unit normal on the far side.
    (along_x, along_y), (normal_x, normal_y) = edges.along.T, edges.normal.T
    height = x * normal_x + y * normal_y
    slope = 1 + np.where(height < 0, -1.0, 1.0) * (direction @ edges.normal.T)
    height = np.abs(height)
    # A line level with the contact and facing the same way (slope 0) is never touched.
    radius = np.full_like(x, np.inf)
    np.divide(height, slope, out=radius, where=(height > 1e-9) & (slope > 1e-12))
    radius[~(radius < best)] = np.inf
    with np.errstate(invalid="ignore"):
        part = radius * (direction @ edges.along.T) - (x * along_x + y * along_y)
    part /= np.hypot(*(edges.end - edges.start).T)
    line = (part > 0) & (part < 1)
    # The start of the next edge speaks for this one's end.
    best = np.where(line, radius, best)
    share = np.where(line, part, 0.0)
    for column in own.T:
        held = column >= 0
        best[rows[held], column[held]] = np.inf
    found = best.argmin(axis=1)
    radius, share = best[rows, found], share[rows, found]
    far = edges.start[found] + share[:, None] * (edges.end - edges.start)[found]
    far[np.isinf(radius)] = np.nan
    bits = np.where(share > 0, _bits_on(edges, found, share), edges.corner_bits[found])
    return radius, far, bits


def _neighbours(balls: Balls, *, within: bool) -> tuple[Whole, Whole]:
    """Return samples that follow each other: of one piece, or (not ``within``) also across to the next piece."""
    i = np.arange(len(balls.piece) - 1)
    j = i + 1
    step = balls.piece[j] - balls.piece[i]
    keep = step == 0
    if not within:
        keep |= np.hypot(*(balls.near[i] - balls.near[j]).T) <= 10 * _TINY
    return i[keep], j[keep]


def _merged(balls: Balls, more: Balls) -> Balls:
    piece = np.concatenate([balls.piece, more.piece])
    share = np.concatenate([balls.share, more.share])
    order = np.lexsort([share, piece])
    names = ("near", "near_bits", "far", "far_bits", "radius")
    rest = {name: np.concatenate([getattr(balls, name), getattr(more, name)])[order] for name in names}
    return Balls(piece[order], share[order], **rest)


def _cross(a: Real, b: Real) -> Real:
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
