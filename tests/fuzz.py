"""The fuzzer of the corridor engine: small nasty covers by the thousand, and what must hold for each.

``python -m tests.fuzz --cases 100000 --seed 1`` draws cases, runs the engine on them in its strictest setting (every
warning an error, a time limit) and prints each case that breaks an invariant as WKT. Method: cases of one limit W are
laid out side by side, too far apart to see each other, so that one run of the engine judges a batch of them; a case
that fails is run again alone. A batch is a function of the seed and its number, whatever the number of workers.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
import traceback
import warnings
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from shapely import affinity

from gapmap import chains, corridors, tiling
from gapmap.corridors import Corridors, find_corridors
from gapmap.noding import edges_of_union
from gapmap.pieces import split
from gapmap.plane import coordinates
from gapmap.tiling import facing_triangles
from gapmap.triangulation import GRID_M, SPACING_MIN_M, spacing_m

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    Real = NDArray[np.float64]
    Shapes = NDArray[np.object_]

PLANE = pyproj.CRS.from_wkt('LOCAL_CS["plane",UNIT["metre",1]]')  # coordinates may lie anywhere
FORCES = ("blue", "green", "red", "white")
TABLES = ("corridors", "centrelines", "transects", "stretches", "facets")
MEASURES = ["width_min_m", "width_mean_m", "width_max_m", "length_km", "area_km2"]
BATCH = 72  # fewer at a time take three times as long for each
SHARE = 0.1  # of the batches in which what takes longest is judged too
SECONDS = 10.0  # a case alone, on a busy machine; the usual case takes 0.1 s

# Tolerances. Vertices are put on a grid of 0.01 m, which moves an edge by 0.007 m, and once more where edges that were
# moved cross: 0.03 m is two such steps at either end of a span. A span between two samples of an edge may cut a corner by
# as much as they lie apart.
SNAP_M = 0.03


class Case(NamedTuple):
    """A cover: rows of force and polygon, in metres on a plane, and the limit W."""

    rows: tuple[tuple[str, Any], ...]
    max_width_m: float

    @property
    def shapes(self) -> Shapes:
        """The polygons."""
        return np.array([shape for _, shape in self.rows], dtype=object)

    def text(self) -> str:
        """Return the case as ``tests/nasty.py`` writes it."""
        rows = "\n".join(
            f'    ("{force}", "{shapely.to_wkt(shape, rounding_precision=-1)}"),' for force, shape in self.rows
        )
        return f"({self.max_width_m!r}, [\n{rows}\n])"


class Fault(NamedTuple):
    """A broken invariant of one case of a batch."""

    case: int
    what: str


# What must hold


def run(cases: Sequence[Case], *, max_width_m: float | None = None, tiles: float | None = None) -> Corridors:
    """Find the corridors of cases that lie side by side. Any warning is an error."""
    rows = [row for case in cases for row in case.rows]
    table = gpd.GeoDataFrame({"force": [force for force, _ in rows]}, geometry=[shape for _, shape in rows], crs=PLANE)
    # A batch is parted as a large region is: a strip for each core, and corridors that hang together a few at a time.
    small = (tiling, "_STRIP_VERTICES", 500), (tiling, "_STRIP_MARGINS", 1), (corridors, "_PART_TRIANGLES", 500)
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("error")
        for room, name, value in small:
            stack.enter_context(patch.object(room, name, value))
        limit = cases[0].max_width_m if max_width_m is None else max_width_m
        return find_corridors(
            table, max_width_m=limit, stretch_length_m=3 * limit, transect_every_m=limit / 2, tiles=tiles
        )


class Judge:
    """Holds the result of a batch against the invariants, and tells which case broke one."""

    def __init__(self, cases: Sequence[Case], found: Corridors) -> None:
        self.cases, self.found = cases, found
        self.snap = SNAP_M * found.grid_m / GRID_M
        self.limit = found.max_width_m
        self.covers = [{force: _union(case, force) for force in {name for name, _ in case.rows}} for case in cases]
        united = np.array([shapely.union_all(list(cover.values())) for cover in self.covers], dtype=object)
        self.covered = shapely.make_valid(united)  # GEOS may leave a union that it then cannot work with
        self.boxes = shapely.STRtree([shapely.box(*shapely.total_bounds(case.shapes)) for case in cases])
        self.of_corridor = dict(
            zip(found.corridors.index, self.case_of(found.corridors.geometry.to_numpy()), strict=True)
        )
        self.faults: list[Fault] = []

    def case_of(self, shapes: Shapes) -> NDArray[np.int64]:
        """Return the case in which each shape lies."""
        return self.boxes.nearest(shapely.point_on_surface(shapes)) if len(shapes) else np.empty(0, np.int64)

    def hold(self, good: Any, case: Any, what: str, **figures: Any) -> None:  # noqa: ANN401 - arrays and Series
        """Note a fault for each row that is not good; the first of a case shows its figures."""
        good, case = np.atleast_1d(np.asarray(good, dtype=bool)), np.atleast_1d(np.asarray(case))
        bad = np.flatnonzero(~good)
        for row in bad[np.unique(case[bad], return_index=True)[1]]:
            shown = ", ".join(f"{name} {np.atleast_1d(np.asarray(value))[row]!s}" for name, value in figures.items())
            self.faults.append(Fault(int(case[row]), f"{what} ({shown})" if shown else what))

    def rows(self, name: str) -> tuple[gpd.GeoDataFrame, NDArray[np.int64]]:
        """Return a table and the case of each of its rows."""
        table = getattr(self.found, name)
        ids = table.get("corridor_id", table.index)
        return table, np.array([self.of_corridor[key] for key in ids], dtype=np.int64)

    def judge(self, random: Generator, *, share: float = 1) -> list[Fault]:
        """Hold all invariants of one result; what takes longest only so often."""
        self.shapes()
        self.ids()
        self.widths()
        self.overlaps()
        self.parts()
        self.transects()
        self.facets(random)
        self.middles()
        if random.random() < share:
            self.ground()
        if random.random() < share:
            self.chains()
        return self.faults

    def shapes(self) -> None:
        """Every geometry is valid and not empty."""
        for name in TABLES:
            table, case = self.rows(name)
            self.hold(table.is_valid, case, f"{name}: invalid geometry", id=table.index)
            self.hold(~table.is_empty, case, f"{name}: empty geometry", id=table.index)
            kinds = {"centrelines": ["LineString"], "transects": ["LineString"]}.get(name, ["Polygon", "MultiPolygon"])
            self.hold(table.geom_type.isin(kinds), case, f"{name}: wrong kind", kind=table.geom_type)

    def ids(self) -> None:
        """Ids are unique, in order, and tell the whole from the part."""
        for name in TABLES:
            table, case = self.rows(name)
            self.hold(~table.index.duplicated(), case, f"{name}: id twice", id=table.index)
            self.hold(table.index == sorted(table.index), case, f"{name}: ids out of order", id=table.index)
        for name, whole in (("stretches", "corridor_id"), ("transects", "stretch_id")):
            table, case = self.rows(name)
            good = [key.startswith(f"{of}.") for key, of in zip(table.index, table[whole], strict=True)]
            self.hold(good, case, f"{name}: id does not tell its {whole}", id=table.index)
        corridors, case = self.rows("corridors")
        self.hold(corridors["force_a"] < corridors["force_b"], case, "forces out of order")

    def widths(self) -> None:
        """All widths lie within [0, W] and in order."""
        top = self.limit + self.snap
        for name in ("corridors", "stretches"):
            table, case = self.rows(name)
            low, mean, high = (table[f"width_{which}_m"].to_numpy() for which in ("min", "mean", "max"))
            good = (low >= 0) & (low <= mean + 1e-6) & (mean <= high + 1e-6) & (high <= top)
            self.hold(good, case, f"{name}: widths", low=low, mean=mean, high=high)
            measured = table.area.to_numpy() / 1e6
            self.hold(np.isclose(table["area_km2"], measured, rtol=1e-9, atol=0), case, f"{name}: area_km2")
        facets, case = self.rows("facets")
        for which in ("start", "end"):
            width = facets[f"width_{which}_m"].to_numpy()
            self.hold(
                (width >= 0) & (width <= top), case, "facets: width beyond the limit", width=width, id=facets.index
            )

    def overlaps(self) -> None:
        """Corridors overlap neither each other nor the cover by more than snapping does along their edges.

        Before an edge that two forces hold, the ground lies between each of them and a third, or and each of two others.
        """
        corridors, case = self.rows("corridors")
        shapes = corridors.geometry.to_numpy()
        sliver = self.snap * shapely.length(shapes) + self.snap
        covered = self.covered[case]
        both = shapely.area(shapely.intersection(shapes, covered))
        self.hold(both <= sliver, case, "corridor over cover", area=both, id=corridors.index)
        one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
        apart = one < other
        pairs = [frozenset(pair) for pair in zip(corridors["force_a"], corridors["force_b"], strict=True)]
        for row in np.flatnonzero(apart):
            covers = self.covers[case[one[row]]]
            mine, theirs = pairs[one[row]] - pairs[other[row]], pairs[other[row]] - pairs[one[row]]
            apart[row] = not mine or all(
                max(shapely.distance(covers[a], covers[b]) for a, b in zip(mine, order, strict=True)) > self.snap
                for order in permutations(theirs)
            )
        one, other = one[apart], other[apart]
        both = shapely.area(shapely.intersection(shapes[one], shapes[other]))
        self.hold(
            both <= self.snap + 1e-6 * shapely.length(shapes[one]),
            case[one],
            "corridors overlap",
            area=both,
            id=corridors.index[one],
        )

    def parts(self) -> None:
        """Stretches and facets tile their corridor."""
        corridors, case = self.rows("corridors")
        whole = corridors.area.to_numpy()
        slack = 1e-6 * whole + 1e-4 * corridors.length.to_numpy() + 1e-3
        # Where the gap is narrower than the edges are sampled, neighbouring spans may cross.
        slack += np.where(corridors["width_min_m"] < 10 * SPACING_MIN_M, 2 * SPACING_MIN_M**2, 0)
        for name in ("stretches", "facets"):
            table = getattr(self.found, name)
            total = table.area.groupby(table["corridor_id"]).sum().reindex(corridors.index).fillna(0).to_numpy()
            self.hold(
                np.abs(total - whole) <= slack, case, f"{name}: areas", sum=total, whole=whole, id=corridors.index
            )
        stretches, case_of_stretch = self.rows("stretches")
        of, begin, end = (stretches[name].to_numpy() for name in ("corridor_id", "from_m", "to_m"))
        first = np.append(True, of[1:] != of[:-1])
        follows = np.where(first, begin == 0, begin == np.append(0.0, end[:-1]))
        self.hold(follows, case_of_stretch, "stretches leave a hole", id=stretches.index)
        self.hold(begin < end, case_of_stretch, "stretch without length", id=stretches.index, begin=begin, end=end)
        total = stretches["length_km"].groupby(of).sum().reindex(corridors.index).to_numpy() * 1e3
        length = self.found.centrelines["length_km"].reindex(corridors.index).to_numpy() * 1e3
        number = stretches.groupby(of).size().reindex(corridors.index).to_numpy()
        good = np.abs(total - length) <= 1e-6 * length + 2 * GRID_M * number
        self.hold(good, case, "stretches: lengths", sum=total, whole=length, id=corridors.index)

    def transects(self) -> None:
        """Transects run from cover to cover over open ground, and are as long as they say."""
        transects, case = self.rows("transects")
        width, lines = transects["width_m"].to_numpy(), transects.geometry.to_numpy()
        self.hold(
            np.isclose(transects.length, width, rtol=1e-9, atol=SNAP_M), case, "transects: length", id=transects.index
        )
        self.hold(
            width <= self.limit + self.snap, case, "transects: width beyond the limit", id=transects.index, width=width
        )
        corridors = self.found.corridors.loc[transects["corridor_id"]]
        slack = self.snap + spacing_m(width)
        for end, which in ((0, "force_a"), (-1, "force_b")):
            covers = np.array(
                [self.covers[k][force] for k, force in zip(case, corridors[which], strict=True)], dtype=object
            )
            off = shapely.distance(shapely.get_point(lines, end), covers)
            self.hold(off <= slack, case, "transects: end off the cover", id=transects.index, off=off)
        covered = self.covered[case]
        inside = shapely.intersection(lines, covered)
        deep = np.array([_depth(line, cover) for line, cover in zip(inside, covered, strict=True)])
        self.hold(deep <= slack, case, "transects: across cover", id=transects.index, deep=deep, width=width)

    def facets(self, random: Generator) -> None:
        """Spans are as long as their widths; the width inside lies between them, and there is none outside."""
        facets, case = self.rows("facets")
        widths = facets[["width_start_m", "width_end_m"]].to_numpy()
        for k, which in enumerate(("start", "end")):
            a, b = (facets[[f"{which}_{end}_x", f"{which}_{end}_y"]].to_numpy() for end in "ab")
            long = np.hypot(*(a - b).T)
            # At the end of a corridor it may be the cut of a gap triangle, which is shorter, or the centre of one.
            end = ~facets["corridor_id"].duplicated(keep=("first", "last")[k]).to_numpy()
            slack = self.snap + 2 * spacing_m(widths[:, k])
            good = (np.abs(long - widths[:, k]) <= slack) | (end & (long <= widths[:, k] + slack))
            self.hold(good, case, "facets: span unlike its width", id=facets.index, span=long, width=widths[:, k])
        if len(facets):
            rows = random.integers(0, len(facets), 4 * len(self.cases))
            corners = shapely.get_point(
                shapely.get_exterior_ring(shapely.get_geometry(facets.geometry.to_numpy()[rows], 0)), 0
            )
            inner = shapely.point_on_surface(facets.geometry.to_numpy()[rows])
            share = random.uniform(0, 0.9, len(rows))
            xy = (
                shapely.get_coordinates(inner) * (1 - share)[:, None]
                + shapely.get_coordinates(corners) * share[:, None]
            )
            points = gpd.GeoSeries.from_xy(*xy.T, crs=PLANE)
            here = self.found.width_at(points).to_numpy()
            on, of = facets.sindex.query(points.to_numpy(), predicate="intersects")
            low, high = np.full(len(points), np.inf), np.full(len(points), -np.inf)
            np.minimum.at(low, on, widths[of].min(axis=1))
            np.maximum.at(high, on, widths[of].max(axis=1))
            good = np.where(np.isinf(low), np.isnan(here), (here >= low - 1e-6) & (here <= high + 1e-6))
            self.hold(good, case[rows], "width_at", here=here, low=low, high=high)

    def middles(self) -> None:
        """The middle line keeps within its corridor."""
        lines, case = self.rows("centrelines")
        corridors = self.found.corridors.loc[lines.index]
        slack = self.snap + spacing_m(corridors["width_max_m"].to_numpy())
        outside = shapely.difference(lines.geometry.to_numpy(), shapely.buffer(corridors.geometry.to_numpy(), slack))
        self.hold(
            shapely.length(outside) == 0,
            case,
            "middle line leaves its corridor",
            id=lines.index,
            by=shapely.length(outside),
        )

    def ground(self) -> None:
        """The kinds of ground tile the area of interest."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ground, area = self.found.ground, self.found._area
        # Outlines are noded on a grid of 1e-8 m.
        if not np.isclose(ground.area.sum(), area.area, rtol=1e-9, atol=1e-8 * ground.length.sum()):
            self.faults.append(Fault(-1, f"ground: {ground.area.sum()} of {area.area} m2"))
        if not ground.is_valid.all():
            self.faults.append(Fault(-1, "ground: invalid geometry"))

    def chains(self) -> None:
        """Every piece has its place in a chain or ring in which each starts where the one before it ends."""
        covers = np.array(list(self.found._covers.values()), dtype=object)
        edges = edges_of_union(covers, grid_m=self.found.grid_m)
        pieces = split(facing_triangles(edges, limit_m=self.limit), limit_m=self.limit)
        ordered = chains.order(pieces)
        if len(ordered.chain) != len(pieces.force_a):
            self.faults.append(Fault(-1, f"chains: {len(ordered.chain)} of {len(pieces.force_a)} pieces"))
        if len(ordered.chain) == 0:
            return
        run, chain = ordered.pieces, ordered.chain
        start = np.append(True, chain[1:] != chain[:-1])
        before = np.arange(len(chain)) - 1
        last = np.append(np.flatnonzero(start)[1:], len(chain)) - 1
        before[start] = last
        joined = ~start | ordered.ring[chain]
        case = self.boxes.nearest(shapely.points(coordinates((run.a0 + run.b0) / 2)))
        same = (run.a0 == run.a1[before]) & (run.b0 == run.b1[before])
        self.hold(same | ~joined, case, "chains: a piece starts elsewhere")
        pair = (run.force_a == run.force_a[before]) & (run.force_b == run.force_b[before])
        self.hold(pair | ~joined, case, "chains: a piece between other forces")


def _union(case: Case, force: str) -> Any:  # noqa: ANN401 - a shapely geometry
    return shapely.union_all([shape for name, shape in case.rows if name == force])


def _depth(inside: Any, cover: Any) -> float:  # noqa: ANN401 - shapely geometries
    """Return how far the parts of a line in a cover run in it, or how deep their middles lie where that is less."""
    parts = shapely.get_parts(inside)
    parts = parts[shapely.length(parts) > 0]  # not where it merely touches
    middles = shapely.line_interpolate_point(parts, 0.5, normalized=True)
    return float(np.minimum(shapely.length(parts), shapely.distance(middles, cover.boundary)).max(initial=0))


# What must hold between two results


def differences(
    one: Corridors, other: Corridors, *, tolerance_m: float, names: Sequence[str] = TABLES
) -> Iterator[str]:
    """Say where two results are not the same."""
    for name in names:
        first, second = getattr(one, name), getattr(other, name)
        if not first.index.equals(second.index):
            yield f"{name}: {len(first)} and {len(second)} rows, or other ids"
            continue
        shapes = [shapely.normalize(table.geometry.to_numpy()) for table in (first, second)]
        alike = shapely.equals_exact(*shapes, tolerance_m)
        if tolerance_m and not alike.all():
            apart = np.flatnonzero(~alike)
            area = shapely.area(shapely.symmetric_difference(shapes[0][apart], shapes[1][apart]))
            length = shapely.length(shapes[0][apart])
            alike[apart] = (area <= 2 * tolerance_m * length) & (
                np.abs(length - shapely.length(shapes[1][apart])) <= 1 + 0.01 * length
            )
        for row in np.flatnonzero(~alike)[:1]:
            yield f"{name} {first.index[row]}: other geometry"
        numbers = first.select_dtypes("number").columns
        if not np.allclose(first[numbers], second[numbers], rtol=1e-9, atol=tolerance_m, equal_nan=True):
            yield f"{name}: other figures"


def shuffled(cases: Sequence[Case], random: Generator) -> list[Case]:
    """Put rows in another order, turn rings, and start them elsewhere."""

    def ring(xy: Real) -> Real:
        at = int(random.integers(len(xy) - 1))
        xy = np.roll(xy[:-1], at, axis=0)
        return np.concatenate([xy, xy[:1]])[:: int(random.choice([-1, 1]))]

    def turned(shape: Any) -> Any:  # noqa: ANN401 - a shapely geometry
        parts = [
            shapely.Polygon(
                ring(shapely.get_coordinates(part.exterior)),
                [ring(shapely.get_coordinates(hole)) for hole in part.interiors],
            )
            for part in shapely.get_parts(shape)
        ]
        return parts[0] if len(parts) == 1 else shapely.MultiPolygon([parts[k] for k in random.permutation(len(parts))])

    return [
        Case(
            tuple((case.rows[k][0], turned(case.rows[k][1])) for k in random.permutation(len(case.rows))),
            case.max_width_m,
        )
        for case in cases
    ]


def far_zones(cases: Sequence[Case]) -> Case:
    """Return zones too far away to matter, with edges so long that more is kept when what cannot matter is pruned."""
    west, south, _, _ = np.min([shapely.total_bounds(case.shapes) for case in cases], axis=0)
    away = 10 * cases[0].max_width_m + 20_000
    box = shapely.box(west - away - 900, south - away - 900, west - away, south - away)
    return Case((("blue", box), ("red", affinity.translate(box, -away, 0))), cases[0].max_width_m)


def relations(cases: Sequence[Case], base: Corridors, random: Generator) -> Iterator[tuple[str, str]]:
    """Run cases again in another guise and say what changed: with a larger limit, and one guise more."""
    for guise in ("larger limit", str(random.choice(list(GUISES)[1:]))):
        for what in GUISES[guise](cases, base, random):
            yield guise, what


def _larger_limit(cases: Sequence[Case], base: Corridors, random: Generator) -> Iterator[str]:
    """Say what a larger limit loses."""
    large = run(cases, max_width_m=base.max_width_m * float(random.choice([1.02, 1.3, 2.0])))
    table, more = base.corridors, large.corridors
    for (a, b), shapes in table.groupby(["force_a", "force_b"]).geometry:
        rows = more[(more["force_a"] == a) & (more["force_b"] == b)]
        lost = shapely.area(shapely.difference(shapes.to_numpy(), shapely.union_all(rows.geometry.to_numpy())))
        slack = 1e-6 * shapes.area + GRID_M * shapes.length
        for row in np.flatnonzero(lost > slack)[:1]:
            yield f"{a} + {b} loses {lost[row]:.1f} of {shapes.iloc[row].area:.1f} m2 at {large.max_width_m:g} m"


def _shuffled(cases: Sequence[Case], base: Corridors, random: Generator) -> Iterator[str]:
    yield from differences(base, run(shuffled(cases, random)), tolerance_m=0)


def _far_zones(cases: Sequence[Case], base: Corridors, _: Generator) -> Iterator[str]:
    yield from differences(base, run([*cases, far_zones(cases)]), tolerance_m=0)


def _tiled(cases: Sequence[Case], base: Corridors, random: Generator) -> Iterator[str]:
    yield from differences(base, run(cases, tiles=base.max_width_m * float(random.uniform(1, 6))), tolerance_m=0)


def _swapped(cases: Sequence[Case], base: Corridors, _: Generator) -> Iterator[str]:
    """Say what changes with the names of forces but their order.

    A ring runs with its first force on the left: under other names its stretches count the other way round.
    """
    names = dict(zip(FORCES, FORCES[::-1], strict=True))
    other = run([Case(tuple((names[force], shape) for force, shape in case.rows), case.max_width_m) for case in cases])
    if max(len({force for force, _ in case.rows}) for case in cases) == 2:
        yield from differences(base, other, tolerance_m=SNAP_M, names=("corridors", "centrelines"))
    one, two = base.corridors, other.corridors
    areas = one.area.groupby([one["force_a"], one["force_b"]]).sum()
    swapped = two.area.groupby([two["force_b"].map(names), two["force_a"].map(names)]).sum()
    lengths = one.length.groupby([one["force_a"], one["force_b"]]).sum()
    for pair, area in areas.sub(swapped, fill_value=0).abs().items():
        if area > 1e-6 * areas.get(pair, 0) + SNAP_M * lengths.get(pair, 0) + SNAP_M:
            yield f"{pair}: {swapped.get(pair, 0)} m2 instead of {areas.get(pair, 0)} m2"


def _alone(cases: Sequence[Case], base: Corridors, _: Generator) -> Iterator[str]:
    """Say what the first cases are without the others."""
    some = cases[: max(len(cases) // 2, 1)]
    other = run(some)
    table, case = Judge(cases, base).rows("corridors")
    for column in ("area_km2", "length_km"):
        total = float(table[column][case < len(some)].sum())
        if other.grid_m == base.grid_m and not np.isclose(other.corridors[column].sum(), total, rtol=1e-6, atol=1e-9):
            yield f"{column} {other.corridors[column].sum()}, with others {total}"


GUISES = {
    "larger limit": _larger_limit,
    "shuffled": _shuffled,
    "swapped": _swapped,
    "far zones": _far_zones,
    "alone": _alone,
    "tiled": _tiled,
}


# The generator


def draw_batch(seed: int, number: int, size: int = BATCH) -> list[Case]:
    """Draw cases of one limit, side by side."""
    random = np.random.default_rng([seed, number])
    large = random.random() < 0.03  # slow: edges of 100 km that touch are sampled every 10 m
    limit = float(np.exp(random.uniform(np.log(3), np.log(60_000 if large else 6_000))))
    size = min(size, 6) if large else size
    limit = float(random.choice([limit, np.round(limit), np.round(limit, 2)]))
    scale = np.clip(limit * np.exp(random.uniform(np.log(0.1), np.log(6), size)), 10, 100_000)
    slot = float(scale.max()) * 2 + 5 * limit + 10_000
    across = int(np.ceil(np.sqrt(size)))
    origin = random.uniform(-1e6, 1e6, 2) if random.random() < 0.7 else np.zeros(2)  # most cases
    cases = []
    for k in range(size):
        angle = float(random.choice([0, 0, 45, 90, random.uniform(0, 360)]))
        at = origin + slot * np.array(divmod(k, across)) + random.uniform(-1, 1, 2) * random.choice([0, 1])
        rows: list[tuple[str, Any]] = []
        for force, shape in draw_zones(random):
            placed = affinity.scale(shape, scale[k], scale[k], origin=(0, 0))
            nudge = random.choice([0, 0, 0, 0.001, 0.004, 0.006, 0.01, 0.02, 0.1, 1.0])
            if nudge:
                placed = affinity.translate(placed, *(nudge * random.choice([-1, 0, 1], 2)))
            placed = affinity.translate(affinity.rotate(placed, angle, origin=(0, 0)), *at)
            rows.extend((force, part) for part in _polygons(placed))
        if not rows:
            rows = [("blue", shapely.box(*at, *(at + 1)))]
        cases.append(Case(tuple(rows), limit))
    return cases


def draw_zones(random: Generator) -> list[tuple[str, Any]]:
    """Draw zones of some forces in about the unit square."""
    forces = FORCES[: int(random.choice([1, 2, 2, 2, 2, 3, 3, 4]))]
    draw = ARRANGEMENTS[int(random.integers(len(ARRANGEMENTS)))]
    try:
        zones = [(str(random.choice(forces)), shapely.make_valid(shape)) for shape in draw(random)]
    except shapely.GEOSException:  # too nasty to be drawn
        return draw_zones(random)
    if len(zones) > 1 and len({force for force, _ in zones}) == 1 < len(forces):
        zones[0] = (next(force for force in forces if force != zones[0][0]), zones[0][1])
    if random.random() < 0.1:  # held by two
        zones.append((str(random.choice(forces)), zones[-1][1]))
    if random.random() < 0.15:  # more vertices than needed
        zones = [(force, _doubled(shape, random)) for force, shape in zones]
    return zones


def _polygons(shape: Any) -> list[Any]:  # noqa: ANN401 - a shapely geometry
    parts = shapely.get_parts(shapely.make_valid(shape))
    parts = shapely.get_parts(parts[shapely.get_dimensions(parts) == 2])
    return [part for part in parts if part.area > 0 and part.is_valid]


def _doubled(shape: Any, random: Generator) -> Any:  # noqa: ANN401 - a shapely geometry
    """Give a polygon vertices twice, nearly twice, or in line."""
    if shape.geom_type != "Polygon":
        return shape
    xy = shapely.get_coordinates(shape.exterior)[:-1]
    rows = np.repeat(np.arange(len(xy)), random.integers(1, 3, len(xy)))
    jitter = random.choice([0.0, 1e-9, 1e-6, 1e-4]) * random.normal(size=(len(rows), 2))
    more = shapely.make_valid(shapely.Polygon(xy[rows] + jitter, shape.interiors))
    return shapely.segmentize(more, 0.3) if random.random() < 0.5 else more


def _disc(random: Generator, radius: float | None = None) -> Any:  # noqa: ANN401 - a shapely geometry
    radius = float(random.uniform(0.05, 0.4)) if radius is None else radius
    return shapely.Point(*random.uniform(0, 1, 2)).buffer(radius, quad_segs=int(random.choice([1, 2, 3, 6])))


def _box(random: Generator) -> Any:  # noqa: ANN401
    (west, east), (south, north) = np.sort(
        random.choice([random.uniform(0, 1, (2, 2)), random.integers(0, 7, (2, 2)) / 6]), axis=1
    )
    return shapely.box(west, south, max(east, west + 1e-3), max(north, south + 1e-3))


def _star(random: Generator) -> Any:  # noqa: ANN401
    number = int(random.integers(3, 9))
    turn = np.sort(random.uniform(0, 2 * np.pi, number))
    xy = random.uniform(0.02, 0.5, (number, 1)) * np.column_stack([np.cos(turn), np.sin(turn)])
    return shapely.Polygon(xy + random.uniform(0, 1, 2))


def _sliver(random: Generator) -> Any:  # noqa: ANN401
    one, two = random.uniform(0, 1, (2, 2))
    thin = 10.0 ** random.uniform(-8, -2)
    return shapely.Polygon([one, two, (one + two) / 2 + thin * (two - one)[::-1] * (1, -1)])


def _spike(random: Generator) -> Any:  # noqa: ANN401
    return shapely.union(_box(random), shapely.make_valid(_sliver(random)))


def _wall(random: Generator) -> Any:  # noqa: ANN401
    thin = 10.0 ** random.uniform(-6, -1)
    at = float(random.choice([0.2, 0.5, 0.8, random.uniform()]))
    west, east = np.sort(random.uniform(0, 1, 2))
    wall = shapely.box(west, at, east + 0.01, at + thin)
    return affinity.rotate(wall, float(random.choice([0, 0, 90, 30])), origin=(0.5, 0.5))


def _comb(random: Generator) -> Any:  # noqa: ANN401
    teeth = int(random.integers(2, 6))
    at = random.uniform(0, 0.5, 2)
    thick = random.uniform(0.1, 0.9) / teeth / 2
    bars = [shapely.box(k / teeth / 2, 0, k / teeth / 2 + thick, random.uniform(0.1, 0.5)) for k in range(teeth)]
    comb = shapely.union_all([shapely.box(0, 0, 0.5, 0.05), *bars])
    return affinity.translate(affinity.rotate(comb, float(random.choice([0, 90, 180, 270])), origin=(0.25, 0.25)), *at)


def _holed(random: Generator) -> Any:  # noqa: ANN401
    shape = shapely.difference(*(shapely.make_valid(_zone(random, 3)) for _ in range(2)))
    return shape if shape.area else _box(random)


def _post(random: Generator) -> Any:  # noqa: ANN401
    return shapely.Point(*random.choice([random.uniform(0, 1, 2), random.integers(0, 7, 2) / 6])).buffer(
        10.0 ** random.uniform(-5, -2), quad_segs=1
    )


ZONES = (_box, _disc, _star, _sliver, _spike, _wall, _comb, _holed, _post)


def _zone(random: Generator, kinds: int = len(ZONES)) -> Any:  # noqa: ANN401
    return ZONES[int(random.integers(kinds))](random)


def _scatter(random: Generator) -> list[Any]:
    return [_zone(random) for _ in range(random.integers(2, 6))]


def _like(random: Generator) -> list[Any]:
    draw = ZONES[int(random.integers(len(ZONES)))]
    return [draw(random) for _ in range(random.integers(2, 6))]


def _mosaic(random: Generator) -> list[Any]:
    """Cells that share edges and corners, some left out, some a little smaller."""
    seeds = random.choice([random.uniform(0, 1, (6, 2)), random.integers(0, 4, (6, 2)) / 3])[: random.integers(3, 7)]
    cells = shapely.get_parts(
        shapely.voronoi_polygons(shapely.multipoints(np.unique(seeds, axis=0)), extend_to=shapely.box(0, 0, 1, 1))
    )
    cells = shapely.intersection(shapely.make_valid(cells), shapely.box(-0.2, -0.2, 1.2, 1.2))
    less = float(random.choice([0, 0, 1e-7, 1e-5, 1e-3, 0.03]))
    cells = [
        shapely.buffer(cell, -less, join_style="mitre") if less else cell for cell in cells if random.random() < 0.8
    ]
    return [cell for cell in cells if cell.area] or _scatter(random)


def _board(random: Generator) -> list[Any]:
    """Boxes on a grid: sharing edges, touching in corners, or apart."""
    number = int(random.integers(2, 5))
    side = float(random.choice([1, 1, 0.5, 0.9999, 0.8])) / number
    fields = [(x / number, y / number) for x in range(number) for y in range(number)]
    chequered = random.random() < 0.4
    fields = [
        at
        for k, at in enumerate(fields)
        if ((k // number + k % number) % 2 == 0 if chequered else random.random() < 0.6)
    ]
    return [shapely.box(x, y, x + side, y + side) for x, y in fields] or _scatter(random)


def _nest(random: Generator) -> list[Any]:
    """Rings within rings; each may fill the hole it lies in."""
    centre = shapely.Point(0.5, 0.5)
    segs = int(random.choice([1, 2, 4]))
    radii = np.sort(random.choice([random.uniform(0.02, 0.6, 7), np.arange(1, 8) / 12]))[::-1][: random.integers(3, 8)]
    discs = [
        affinity.translate(centre.buffer(r, quad_segs=segs), *random.uniform(-0.02, 0.02, 2) * random.choice([0, 0, 1]))
        for r in radii
    ]
    rings = [
        shapely.difference(outer, inner) for outer, inner in zip(discs, [*discs[1:], shapely.Polygon()], strict=True)
    ]
    return [ring for ring in rings if ring.area and random.random() < 0.75] or _scatter(random)


def _twins(random: Generator) -> list[Any]:
    """A zone and its like: the same, moved a little, mirrored at one of its corners, or touching when turned."""
    one = _zone(random)
    corner = shapely.get_coordinates(one)[0]
    step = random.choice([0, 1e-9, 1e-7, 1e-6, 1e-5, 1e-3, 0.05]) * random.normal(size=2)
    two = [
        affinity.translate(one, *step),
        affinity.rotate(one, 180, origin=tuple(corner)),
        affinity.rotate(one, float(random.uniform(0, 360)), origin=tuple(corner)),
        affinity.scale(one, -1, 1, origin=(one.bounds[2] + abs(step[0]), 0)),
    ][int(random.integers(4))]
    return [one, two, *([_zone(random)] if random.random() < 0.5 else [])]


def _carved(random: Generator) -> list[Any]:
    """A zone, and what fits into the hole it makes in another, exactly or nearly."""
    whole = random.choice([shapely.box(-0.2, -0.2, 1.2, 1.2), _disc(random, 0.7)])
    piece = shapely.make_valid(_zone(random))
    less = float(random.choice([0, 0, 1e-7, 1e-5, 1e-3, 0.05, -1e-6]))
    inner = shapely.buffer(piece, -less, join_style="mitre") if less else piece
    zones = [
        shapely.difference(whole, piece),
        inner,
        *([_zone(random)] if random.random() < 0.3 else []),
    ]
    return [zone for zone in zones if zone.area] or [whole]


def _facing(random: Generator) -> list[Any]:
    """Two walls face to face, straight, at an angle or in line, and something small between."""
    gap = 10.0 ** random.uniform(-5, -0.3)
    lean = float(random.choice([0, 0, 1e-6, 0.01, 0.3]))
    south = shapely.box(0, 0, 1, 0.2)
    north = affinity.rotate(
        shapely.box(random.uniform(-0.3, 0.3), 0.2 + gap, 1, 0.4 + gap), np.degrees(lean), origin=(0, 0.2 + gap)
    )
    between = [_post(random)] if random.random() < 0.4 else []
    return [south, north, *between]


ARRANGEMENTS = (_scatter, _like, _mosaic, _board, _nest, _twins, _carved, _facing)


# Running


@dataclass(frozen=True)
class Report:
    """What came of a batch."""

    cases: int
    with_corridor: int
    coarser: int
    failed: tuple[tuple[Case, tuple[str, ...]], ...]


def judge(cases: Sequence[Case], random: Generator) -> tuple[Corridors | None, list[Fault]]:
    """Run cases together; what goes wrong for all of them is a fault of case -1."""
    try:
        found = run(cases)
        faults = Judge(cases, found).judge(random, share=1 if len(cases) == 1 else SHARE)
        faults += [Fault(-1, f"{guise}: {what}") for guise, what in relations(cases, found, random)]
    except Exception:  # noqa: BLE001 - a crash is what is looked for
        return None, [Fault(-1, _last_lines())]
    return found, faults


def _last_lines() -> str:
    return "".join(traceback.format_exc().splitlines(keepends=True)[-4:])


def judge_batch(seed: int, number: int, size: int = BATCH) -> Report:
    """Draw and judge a batch; where something is wrong, judge its cases one by one."""
    cases = draw_batch(seed, number, size)
    found, faults = judge(cases, np.random.default_rng([seed, number, 1]))
    failed = []
    if faults:
        for k, case in enumerate(cases):
            mine = judge_alone(case, seed=[seed, number, 2]) + [fault.what for fault in faults if fault.case == k]
            if mine:
                failed.append((case, tuple(dict.fromkeys(mine))))
        if not failed:
            failed.append((cases[0], tuple(f"only together: {fault.what}" for fault in faults)))
    corridors = len(set(Judge(cases, found).of_corridor.values())) if found else 0
    return Report(len(cases), corridors, int(found is not None and found.grid_m > GRID_M), tuple(failed))


def judge_alone(case: Case, *, seed: Any = 0) -> list[str]:  # noqa: ANN401 - what numpy takes for a seed
    """Judge one case, in every guise."""
    random = np.random.default_rng(seed)
    found, faults = judge([case], random)
    if found is not None:
        try:
            for guise, differs in GUISES.items():
                faults += [Fault(0, f"{guise}: {what}") for what in differs([case], found, random)]
        except Exception:  # noqa: BLE001
            faults.append(Fault(0, _last_lines()))
    return list(dict.fromkeys(fault.what for fault in faults))


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge so many cases and print those that fail."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first batch: to go on, or to repeat one")
    options = parser.parse_args(arguments)

    begun, done, corridors, coarser, failed, number = time.monotonic(), 0, 0, 0, 0, options.first
    waiting: list[tuple[int, Any]] = []
    pool = multiprocessing.get_context("spawn").Pool(options.workers)
    while done < options.cases:
        while len(waiting) < 2 * options.workers:
            waiting.append((number, pool.apply_async(judge_batch, (options.seed, number))))
            number += 1
        batch, result = waiting.pop(0)
        try:
            report = result.get(timeout=BATCH * SECONDS)
        except multiprocessing.TimeoutError:
            print(f"seed {options.seed} batch {batch}: no answer within {BATCH * SECONDS:g} s", flush=True)
            for case in draw_batch(options.seed, batch):
                print(case.text())
            pool.terminate()
            return 1
        done += report.cases
        corridors += report.with_corridor
        coarser += report.coarser
        failed += len(report.failed)
        for case, what in report.failed:
            print(f"\nseed {options.seed} batch {batch}\n{case.text()}", *what, sep="\n  ", flush=True)
        if batch % 20 == 0:
            print(
                f"{done} cases, {failed} failed, batch {batch}, {time.monotonic() - begun:.0f} s",
                file=sys.stderr,
                flush=True,
            )
    pool.terminate()
    print(f"{done} cases, {corridors} with corridors, {coarser} batches on a coarser grid, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
