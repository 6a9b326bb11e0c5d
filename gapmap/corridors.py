"""Covers -> corridors: the ground between two forces that neither covers, with its width everywhere.

In: one cover a force, in metres. Out: tables of corridors, stretches, transects, centrelines and facets, and the width
at any point. Method: spans across empty discs, found in a constrained Delaunay triangulation (``triangulation``),
linked into chains (``chains``).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, partial
from numbers import Real
from typing import TYPE_CHECKING, Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gapmap import chains, ground, plane, sorting, tables, threads, tiling
from gapmap.crs import projected, require_metric
from gapmap.errors import InputError
from gapmap.noding import on_a_grid, united
from gapmap.pieces import Pieces, no_pieces, split
from gapmap.triangulation import GRID_M, counter
from gapmap.widths import width_here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from distributed import Client
    from geopandas import GeoDataFrame, GeoSeries
    from numpy.typing import NDArray
    from pandas.api.extensions import ExtensionArray

    from gapmap.plane import Points
    from gapmap.triangulation import Edges, Triangles

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Shapes = NDArray[np.object_]
    _Columns = dict[str, dict[str, NDArray[Any]]]  # of each table

WIDTH_STEP_M = 5.0  # a facet's widths differ by no more than this, or by WIDTH_STEP_SHARE of them
WIDTH_STEP_SHARE = 5e-4
_PART_TRIANGLES = 60_000  # for a thread at a time: enough for numpy, and some parts for each core
_CHECKS = 64  # parts of the cover's rows, to be checked at once: few rows are large, or many small
_POLYGONS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
_SURE = 1e-14  # of a product: what rounding does to a difference of two is far less
# Stretches, or transects, of a corridor: more than anybody tells apart, and soon more than memory holds.
_PARTS_MAX = 100_000
_FACET_PIECES_MAX = 64  # keeps facets small enough to be found quickly and drawn smoothly


@dataclass(frozen=True)
class Corridors:
    """What :func:`find_corridors` found, all tables in the CRS of the cover.

    Attributes
    ----------
    corridors, stretches : GeoDataFrame of Polygon or MultiPolygon
        Index ``corridor_id`` and ``stretch_id``; widths in metres, lengths in km, areas in km2.
    transects : GeoDataFrame of LineString
        Measuring lines from ``force_a`` to ``force_b`` at regular steps along the middle line.
    centrelines : GeoDataFrame of LineString or MultiLineString
    facets : GeoDataFrame of Polygon or MultiPolygon
        Pieces of corridor between two spans, with the width at both.
    grid_m : float
        The noding grid that was used: 0.01 m unless the triangulation asked for a coarser one.
    """

    corridors: GeoDataFrame
    stretches: GeoDataFrame
    transects: GeoDataFrame
    centrelines: GeoDataFrame
    facets: GeoDataFrame
    max_width_m: float
    grid_m: float
    _covers: dict[str, Any] = field(repr=False)
    _asked: Any = field(repr=False)
    _excluded: Any = field(repr=False)
    _tiles: tiling.Tiles | None = field(default=None, repr=False)

    @cached_property
    def _area(self) -> Any:  # noqa: ANN401 - shapely geometries are Any to mypy
        """The area of interest."""
        if self._asked is not None:
            return self._asked
        return shapely.convex_hull(shapely.geometrycollections(list(self._covers.values()))).buffer(self.max_width_m)

    @cached_property
    def ground(self) -> GeoDataFrame:
        """The area of interest parted into kinds of ground; see :func:`gapmap.ground.partition`."""
        forces = list(self._covers)
        covers = np.array(list(self._covers.values()), dtype=object)
        limit_m = 2 * self.max_width_m
        parts, _ = _parts(covers, limit_m, self.grid_m, self._tiles)
        wide = [no_pieces(), *threads.each(partial(split, limit_m=limit_m), parts)]
        beyond = Pieces(*(np.concatenate(column) for column in zip(*wide, strict=True)))
        shapes = shapely.polygons(plane.coordinates(np.stack([beyond.a0, beyond.a1, beyond.b1, beyond.b0], axis=1)))
        wider: dict[tuple[str, ...], Any] = {
            (forces[a], forces[b]): ground.joined(shapes[(beyond.force_a == a) & (beyond.force_b == b)])
            for a, b in sorted(set(zip(beyond.force_a.tolist(), beyond.force_b.tolist(), strict=True)))
        }
        by_pair = self.corridors.groupby(["force_a", "force_b"]).geometry
        between: dict[tuple[str, ...], Any] = {
            (str(a), str(b)): shapely.union_all(group.to_numpy()) for (a, b), group in by_pair
        }
        return ground.partition(
            self._covers,
            area=self._area,
            excluded=self._excluded,
            corridors=between,
            beyond=wider,
            max_width_m=self.max_width_m,
            crs=self.corridors.crs,
        )

    def width_at(self, points: GeoSeries) -> pd.Series:
        """Return the width in metres of the corridor at some points; see :func:`gapmap.widths.width_here`.

        Parameters
        ----------
        points : GeoSeries of Point
            Any CRS.

        Returns
        -------
        Series of float
            On the index of ``points``; NaN outside every corridor and for empty points.

        Raises
        ------
        CrsError
            If the points have no CRS.
        InputError
            If they are no GeoSeries, or hold anything but points.
        """
        return width_here(self.facets, points)


def find_corridors(
    cover: GeoDataFrame,
    *,
    max_width_m: float = 20_000,
    area_of_interest: GeoDataFrame | GeoSeries | None = None,
    excluded: GeoDataFrame | GeoSeries | None = None,
    stretch_length_m: float = 10_000,
    transect_every_m: float = 1_000,
    tiles: float | None = None,
    client: Client | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Corridors:
    """Find the corridors between the covers of different forces.

    Parameters
    ----------
    cover : GeoDataFrame of Polygon or MultiPolygon
        A column or an index named ``force``; rows of one force are united. A CRS in metres, true to 0.1 % over the
        data (``gapmap.crs.working_crs`` chooses one).
    max_width_m : float
        W: the longest span, and the largest radius of the empty disc across it.
    area_of_interest : GeoDataFrame or GeoSeries of polygons, optional
        The tables are cut to it after everything is computed, so that its border makes no false ends. Without it, the
        convex hull of the cover grown by W. Any CRS.
    excluded : GeoDataFrame or GeoSeries of polygons, optional
        Ground to leave out of areas, such as water. It does not block a span. Any CRS.
    stretch_length_m, transect_every_m : float
        About how long a stretch is, and how far apart transects are, along the middle line.
    tiles : float, optional
        Work in square tiles of this side in metres, at least ``max_width_m``: memory for triangulations is then that of
        the largest tiles, one for each core. The answer is the same. Without it a large region is worked on in strips.
    client : distributed.Client, optional
        Let the workers of a Dask cluster do the tiles; without ``tiles`` strips: of a large region one for each thread of
        the workers that are there by then, or more if they would hold much.
    progress : callable, optional
        Called with the number of tiles done and the number in all; not where neither tiles nor a client were asked for.

    Returns
    -------
    Corridors
        Tables in the CRS of the cover; empty ones with the same columns where there is no corridor.

    Raises
    ------
    InputError
        If the cover, the area or what is excluded is no table of geopandas, there is no force column, a geometry is
        missing, invalid, not a polygon or not finite, a length is not positive, or a corridor would have more than 100 000
        stretches or transects.
    CrsError
        If a CRS is missing or not true to metres.
    EngineError
        If the triangulation fails on every grid.
    ClusterError
        If the workers or the scheduler are lost.

    Notes
    -----
    A span is a segment between the covers of two forces such that some open disc of radius at most W has both its ends
    on the rim and no covered ground inside. The corridor is the ground that spans no longer than W sweep; where a disc
    touches three places, the triangle between them belongs to it. Spans are exact for the polygons given. Between them,
    edges are sampled at 1/16 of the gap or less (where that is 10 m or more; at 1/8 below), and all else runs linearly:
    areas and lengths are right to 0.1 % for most covers with limits of some hundred metres and more, widths to 10 m or
    0.1 %. They are rougher, by up to some percent, within 1/16 of the gap of an end cut at W and of the side of a triangle
    between three places, and where the gap is less than some metres, where facets may cross. How edges are sampled does
    not depend on W, so that a larger W finds a superset. Ground before an edge that two forces hold lies between each of
    them and the other side: it belongs to two corridors. The answer jumps where the disc of a triangle between three
    places passes W: ``near_limit`` marks corridors in which one lies within 1 % of it.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> cover = gpd.GeoDataFrame(
    ...     {"force": ["north", "south"]},
    ...     geometry=[box(0, 14_000, 40_000, 20_000), box(0, 0, 40_000, 6_000)],
    ...     crs="+proj=laea +lat_0=35.5 +lon_0=43.5 +datum=WGS84",
    ... )
    >>> found = find_corridors(cover)
    >>> found.corridors[["force_a", "force_b", "width_mean_m", "length_km", "area_km2"]].round(1).values.tolist()
    [['north', 'south', 8000.0, 40.0, 320.0]]
    """
    lengths: dict[str, object] = {
        "max_width_m": max_width_m,
        "stretch_length_m": stretch_length_m,
        "transect_every_m": transect_every_m,
        "tiles": max_width_m if tiles is None else tiles,
    }
    for name, value in lengths.items():
        if not (isinstance(value, Real) and 0 < float(value) < math.inf):
            raise InputError(f"{name} is {value!r}; it must be a positive number of metres")
    if tiles is not None and tiles < max_width_m:
        raise InputError(
            f"tiles of {tiles:g} m are smaller than the maximum width, {max_width_m:g} m",
            hint="each tile looks a little farther than the maximum width beyond its sides: take much larger ones",
        )
    parted = None if tiles is None and client is None else tiling.Tiles(tiles, client, progress)
    tables.require_shapes("cover", cover)
    for name, shapes in {"area_of_interest": area_of_interest, "excluded": excluded}.items():
        if shapes is not None:
            tables.require_shapes(name, shapes)
    crs = require_metric(cover)
    covers = _covers_by_force(cover)
    outside = _merged(excluded, crs)
    area = _merged(area_of_interest, crs)

    def columns(part: Triangles) -> _Columns:
        clip = None if area is None and outside is None else _Clip(area, outside)
        return _columns(part, clip, max_width_m, stretch_length_m, transect_every_m)

    parts, grid_m = _parts(np.array(list(covers.values()), dtype=object), max_width_m, GRID_M, parted)
    found = _tables(threads.each(columns, parts), list(covers), crs)
    return Corridors(
        **found, max_width_m=max_width_m, grid_m=grid_m, _covers=covers, _asked=area, _excluded=outside, _tiles=parted
    )


class _Clip:
    """The area of interest less what is excluded, for cutting tables."""

    def __init__(self, area: Any, outside: Any) -> None:  # noqa: ANN401 - shapely geometries are Any to mypy
        # Copies: two threads may not ask one geometry that is prepared.
        self.area = shapely.from_wkb(shapely.to_wkb(area))
        if area is not None:
            shapely.prepare(self.area)
        lakes = shapely.get_parts(shapely.get_parts(outside))
        self.lakes = shapely.STRtree(lakes[shapely.get_dimensions(lakes) == 2])  # noqa: PLR2004 - no lines, no points

    def cut(self, shapes: Shapes, *, excluded: bool = True) -> Shapes:
        """Return the parts of the shapes inside the area, and outside the excluded ground."""
        if self.area is not None:
            outer = np.flatnonzero(~shapely.contains_properly(self.area, shapes))
            shapes = shapes.copy()
            shapes[outer] = shapely.intersection(shapes[outer], self.area)
        if excluded:
            # From each shape only what it meets is taken: with a thousand lakes, taking all takes a hundred times as long.
            row, lake = self.lakes.query(shapes, predicate="intersects")
            order = np.lexsort((lake, row))
            met, nth = np.unique(row[order], return_inverse=True)
            near = shapely.multipolygons(self.lakes.geometries[lake[order]], indices=nth)
            shapes = shapes.copy()
            shapes[met] = shapely.difference(shapes[met], near)
        return shapes


def _covers_by_force(cover: GeoDataFrame) -> dict[str, Any]:
    columns = getattr(cover, "columns", ())  # a GeoSeries has none
    if "force" in columns:
        names = cover["force"]
    elif cover.index.name == "force":
        names = cover.index.to_series()
    else:
        raise InputError(
            f"the cover has no column 'force' (columns: {', '.join(map(str, columns)) or 'none'})",
            hint="one row a force: a column 'force' with its name, and its polygons",
        )
    shapes = cover.geometry.to_numpy()
    faults = itertools.chain.from_iterable(threads.each(_faults, np.array_split(shapes, _CHECKS)))
    problems = []
    for number, (name, fault) in enumerate(zip(names, faults, strict=True), start=1):
        told = fault or ("no force name" if pd.isna(name) or not str(name) else "")
        if told:
            problems.append(f"row {number} ({name}): {told}")
    if problems:
        raise InputError(f"{len(problems)} of {len(cover)} rows of the cover cannot be used", problems=problems)
    flat = shapely.force_2d(shapes)
    names = names.astype(str).to_numpy()
    by_name = {str(name): flat[names == name] for name in np.unique(names)}
    return {name: shapely.normalize(rows[0]) if len(rows) == 1 else united(rows) for name, rows in by_name.items()}


def _faults(shapes: Shapes) -> list[str]:
    """Say why each shape cannot be a cover; nothing where it can."""
    good = shapely.is_valid(shapes) & np.isin(shapely.get_type_id(shapes), _POLYGONS)
    return ["" if fine else _fault(shape) for shape, fine in zip(shapes, good, strict=True)]


def _fault(shape: Any) -> str:  # noqa: ANN401 - shapely geometries are Any to mypy
    if shape is None:
        return "no geometry"
    if shapely.get_type_id(shape) not in _POLYGONS:
        return f"a {shape.geom_type}; a cover is made of polygons"
    if not np.isfinite(shapely.get_coordinates(shape)).all():
        return "a coordinate that is not a finite number"
    return f"invalid geometry ({shapely.is_valid_reason(shape)}); repair it with make_valid()"


def _merged(table: GeoDataFrame | GeoSeries | None, crs: Any) -> Any:  # noqa: ANN401 - pyproj and shapely
    if table is None:
        return None
    shapes = projected(table.geometry, crs).to_numpy()
    return shapely.make_valid(united(shapely.force_2d(shapes)))


def _parts(
    covers: Shapes, limit_m: float, grid_m: float, tiles: tiling.Tiles | None
) -> tuple[Iterator[Triangles], float]:
    """Node and triangulate; return triangles that hang together, some at a time, and the grid."""

    def triangles(edges: Edges) -> Triangles:
        return tiling.facing_triangles(edges, limit_m=limit_m, tiles=tiles)

    found, grid_m = on_a_grid(covers, triangles, grid_m=grid_m)
    return found.parts(_PART_TRIANGLES), grid_m


def _laid_out(ordered: chains.Chains, max_width_m: float, stretch_length_m: float) -> tuple[chains.Stations, _Ribbon]:
    """Return the spans along chains, and the ground between them, which is parted where stretches meet too."""
    line = chains.stations(ordered)
    # A span just as wide as the limit may come out longer by what snapping does to its ends.
    line = replace(line, width=np.minimum(line.width, max_width_m))
    parts, step = _steps(line.along[np.flatnonzero(np.diff(line.chain, append=-1))], stretch_length_m)
    chain = np.repeat(np.arange(len(parts)), parts - 1)
    parted = chains.with_stations(line, ordered, chain, (counter(parts - 1) + 1) * step[chain])
    return line, _Ribbon.of(ordered, parted)


def _columns(
    triangles: Triangles,
    clip: _Clip | None,
    max_width_m: float,
    stretch_length_m: float,
    transect_every_m: float,
) -> _Columns:
    """Return what the tables say of the chains of some triangles; chains and stretches by their number among these."""
    pieces = split(triangles, limit_m=max_width_m)
    if len(pieces.force_a) == 0:
        return {}
    ordered = chains.order(pieces)
    line, ribbon = _laid_out(ordered, max_width_m, stretch_length_m)
    chain = ribbon.chain
    length = line.along[np.flatnonzero(np.diff(line.chain, append=-1))]
    stretch, from_m, to_m = _stretches(ribbon, length, stretch_length_m)
    facet = _facets(ribbon, stretch)
    of_stretch = chain[_starts(stretch)]

    middles = _line_parts(line, np.arange(len(length)), np.zeros(len(length)), length)
    parts = _line_parts(line, of_stretch, from_m, to_m)
    corridors, stretches = (_outlines(ribbon, group, ordered.ring) for group in (chain, stretch))
    facets, areas = _mended(ribbon, facet), ribbon.areas()
    if clip is not None:
        corridors, stretches, facets = (clip.cut(shapes) for shapes in (corridors, stretches, facets))
        middles, parts = (clip.cut(shapes, excluded=False) for shapes in (middles, parts))
        areas = shapely.area(clip.cut(_mended(ribbon, np.arange(len(chain)))))

    def measured(group: Ints, shapes: Shapes, lines: Shapes) -> dict[str, NDArray[Any]]:
        rows = _starts(group)
        return {
            "chain": chain[rows],
            "force_a": ribbon.force_a[rows],
            "force_b": ribbon.force_b[rows],
            **_measures(ribbon, group, areas),
            "length_km": shapely.length(lines) / 1e3,
            "area_km2": shapely.area(shapes) / 1e6,
            "geometry": shapes,
        }

    return {
        "corridors": {**measured(chain, corridors, middles), "start": ordered.start},
        "stretches": {**measured(stretch, stretches, parts), "from_m": from_m, "to_m": to_m},
        "centrelines": {
            "chain": np.arange(len(length)),
            "length_km": shapely.length(middles) / 1e3,
            "geometry": middles,
        },
        "transects": _transects(line, length, from_m, of_stretch, clip, transect_every_m),
        "facets": _facet_columns(ribbon, facet, facets, stretch),
    }


def _joined(drawn: list[_Columns]) -> _Columns:
    """Put together what the tables say of all chains, which are numbered by where they start, whatever their part."""
    for number, of in (("chain", "corridors"), ("stretch", "stretches")):
        before = 0
        for part in drawn:
            for columns in part.values():
                if number in columns:
                    columns[number] += before
            before += len(part[of]["geometry"])
    joined = {
        name: {column: np.concatenate([part[name][column] for part in drawn]) for column in columns}
        for name, columns in drawn[0].items()
    }
    chain = np.argsort(np.lexsort(joined["corridors"].pop("start").T))
    stretch = sorting.argsort(sorting.argsort(chain[joined["stretches"]["chain"]]))
    for name, columns in joined.items():
        columns["chain"] = chain[columns["chain"]]
        if "stretch" in columns:
            columns["stretch"] = stretch[columns["stretch"]]
        by_chain = sorting.argsort(columns["chain"])
        sorted_ = threads.each(partial(np.take, indices=by_chain), columns.values())
        joined[name] = dict(zip(columns, sorted_, strict=True))
    return joined


@threads.uncollected()
def _tables(parts: Iterable[_Columns], forces: list[str], crs: Any) -> dict[str, GeoDataFrame]:  # noqa: ANN401 - pyproj
    """Make the tables of all parts, and give everything its id."""
    drawn = [part for part in parts if part]
    if not drawn:
        names = ("corridors", "stretches", "transects", "centrelines", "facets")
        return {name: tables.empty(name, crs) for name in names}
    joined = _joined(drawn)
    del drawn

    # What lies wholly outside the area of interest is left out before anything is numbered.
    kept = {name: joined[name]["area_km2"] > 0 for name in ("corridors", "stretches")}
    kept["centrelines"] = kept["corridors"]
    corridor_id = _ids("C", np.cumsum(kept["corridors"]))
    of, nth = joined["stretches"]["chain"], np.cumsum(kept["stretches"])
    nth = nth - (nth - kept["stretches"])[_starts(of)][of]
    stretch_id = _ids(corridor_id[of] + ".", nth)
    of = joined["transects"]["stretch"]
    ids = {
        "corridors": corridor_id,
        "stretches": stretch_id,
        "centrelines": corridor_id,
        "transects": _ids(stretch_id[of] + ".", counter(np.bincount(of)) + 1),
        "facets": _ids("F", np.arange(len(joined["facets"]["chain"])) + 1),
    }
    titles = {"corridors": "corridor " + corridor_id, "stretches": "stretch " + stretch_id}
    known: dict[str, tuple[str, Any]] = {"corridor_id": ("chain", corridor_id), "stretch_id": ("stretch", stretch_id)}
    known |= {end: (end, pd.array(forces, dtype=tables.TEXT)) for end in ("force_a", "force_b")}
    found = {}
    for name, numbers in joined.items():
        told: dict[str, Any] = {
            text: of[numbers[number]] for text, (number, of) in known.items() if text in tables.COLUMNS[name]
        }
        measured = {column: values for column, values in numbers.items() if column not in ("chain", "stretch")}
        frame = gpd.GeoDataFrame(measured | told, index=ids[name], crs=crs, copy=False)
        if name in titles:
            frame["name"] = titles[name]
        found[name] = tables.conform(frame[kept[name]] if name in kept else frame, name)
    return found


@dataclass(frozen=True, slots=True)
class _Ribbon:
    """The ground between each station and the next: what stretches and facets are made of.

    Each interval lies between two spans, whose ends are ``span_a0`` to ``span_b1``. ``path_a`` and ``path_b`` are the
    edges of all chains with the stations' ends inserted; interval i runs from ``from_a[i]`` to ``to_a[i]`` on the one and
    likewise on the other. ``path_bends`` says where both bend: outlines need no other vertices.
    """

    chain: Ints
    force_a: Ints
    force_b: Ints
    width_0: Floats
    width_1: Floats
    along_0: Floats
    along_1: Floats
    near_limit: Flags
    span_a0: Points
    span_b0: Points
    span_a1: Points
    span_b1: Points
    path_a: Points
    path_b: Points
    path_bends: Flags
    from_a: Ints
    to_a: Ints
    from_b: Ints
    to_b: Ints

    @classmethod
    def of(cls, ordered: chains.Chains, line: chains.Stations) -> _Ribbon:
        pieces = ordered.pieces
        path_a, at_a, bend_a = _path(chains.edges(pieces.a0, pieces.a1, ordered.chain), line.edge_a)
        path_b, at_b, bend_b = _path(chains.edges(pieces.b0, pieces.b1, ordered.chain), line.edge_b)
        this = np.flatnonzero(np.diff(line.chain) == 0)
        piece = line.piece[this]
        return cls(
            chain=line.chain[this],
            force_a=pieces.force_a[piece],
            force_b=pieces.force_b[piece],
            width_0=line.width[this],
            width_1=line.width[this + 1],
            along_0=line.along[this],
            along_1=line.along[this + 1],
            near_limit=pieces.near_limit[piece] | pieces.near_limit[line.piece[this + 1]],
            span_a0=line.a[this],
            span_b0=line.b[this],
            span_a1=line.a[this + 1],
            span_b1=line.b[this + 1],
            path_a=path_a,
            path_b=path_b,
            path_bends=np.concatenate([bend_a, bend_b]),
            from_a=at_a[this],
            to_a=at_a[this + 1],
            from_b=at_b[this],
            to_b=at_b[this + 1],
        )

    def part(self, rows: Flags) -> _Ribbon:
        """Return some intervals by themselves."""
        kept = {each.name: getattr(self, each.name) for each in fields(self)}
        return replace(self, **{name: value[rows] for name, value in kept.items() if not name.startswith("path")})

    def outlines(self, group: Ints) -> tuple[Shapes, Flags]:
        """Return one polygon for each run of intervals: out along the a edge, back along the b edge.

        And which of them surely touch themselves nowhere: they have three or four corners, as most facets have.
        """
        points, polygon = self._tidy_rings(group)
        first = _starts(polygon)
        # Rings end where they start.
        closed = np.insert(points, np.append(first[1:], len(points)), points[first])
        rings = np.append(first, len(points)) + np.arange(len(first) + 1)
        parts = shapely.from_ragged_array(
            shapely.GeometryType.POLYGON, plane.coordinates(closed), (rings, np.arange(len(rings)))
        )
        return cast("Shapes", parts), _simple(points, first)

    def areas(self) -> Floats:
        """Return the area of each interval in square metres."""
        origin = self.path_a[self.from_a]
        double = plane.cross(self.path_a[self.to_a] - origin, self.path_b[self.to_b] - origin)
        sides = (1, self.path_a, self.from_a, self.to_a), (-1, self.path_b, self.from_b, self.to_b)
        for sign, path, begin, end in sides:
            # One step of all paths after the other: most have one or two.
            rows, at = np.arange(len(begin)), begin.copy()
            while len(rows := rows[at[rows] < end[rows]]):
                here, near = at[rows], origin[rows]
                double[rows] += sign * plane.cross(path[here] - near, path[here + 1] - near)
                at[rows] += 1
        return np.abs(double) / 2

    def _rings(self, group: Ints) -> tuple[Points, Ints]:
        rows = _starts(group)
        last = np.append(rows[1:], len(group)) - 1
        behind = len(self.path_a)  # the b path comes after the a path
        begin = np.stack([self.from_a[rows], behind + self.to_b[last]], axis=1).ravel()
        end = np.stack([self.to_a[last], behind + self.from_b[rows]], axis=1).ravel()
        keep = self.path_bends.copy()
        keep[begin] = keep[end] = True
        place = np.cumsum(keep) - 1
        begin, end = place[begin], place[end]
        # One row after the other: a jump to where each run begins, then steps of one, forth along a and back along b.
        way = np.tile([1, -1], len(rows))
        size = way * (end - begin) + 1
        step = np.repeat(way, size)
        step[np.append(0, np.cumsum(size)[:-1])] = begin - np.append(0, end[:-1])
        polygon = np.repeat(np.arange(len(rows)), size[::2] + size[1::2])
        path = np.concatenate([self.path_a, self.path_b])[np.flatnonzero(keep)]
        return path[np.cumsum(step)], polygon

    def _tidy_rings(self, group: Ints) -> tuple[Points, Ints]:
        points, polygon = self._rings(group)
        fresh = np.ones(len(points), bool)
        fresh[1:] = (points[1:] != points[:-1]) | (polygon[1:] != polygon[:-1])
        # Where two stations fall together there is no ground between: a ring of four equal corners stands for it.
        thin = np.flatnonzero(np.bincount(polygon[fresh]) < 3)  # noqa: PLR2004 - corners of a ring
        fresh |= np.isin(polygon, thin) if len(thin) else False
        kept = np.flatnonzero(fresh)
        return points[kept], polygon[kept]


def _path(vertices: Points, position: Floats) -> tuple[Points, Ints, Flags]:
    """Insert points at fractional positions into a line; return it, where they are on it, and where it bends."""
    points = chains.on_edge(vertices, position)
    order = np.argsort(np.concatenate([np.arange(len(vertices)), position]), kind="stable")
    at = np.empty(len(order), np.int64)
    at[order] = np.arange(len(order))
    bends = np.concatenate([_bends(vertices), np.zeros(len(points), bool)])[order]
    return np.concatenate([vertices, points])[order], at[len(vertices) :], bends


def _bends(vertices: Points) -> Flags:
    """Tell where a line bends: most of its vertices are samples of an edge, in line with their neighbours."""
    fresh = np.append(True, vertices[1:] != vertices[:-1])
    kept = vertices[np.flatnonzero(fresh)]
    before, after = np.diff(kept)[:-1], np.diff(kept)[1:]
    off = np.abs(plane.cross(before, after))
    rounding = 4 * np.spacing(np.maximum(np.abs(kept.real), np.abs(kept.imag))[1:-1])
    in_line = (off <= rounding * plane.length(before + after)) & (plane.dot(before, after) > 0)
    bends = np.concatenate([[True], ~in_line, [True]])
    return bends[np.cumsum(fresh) - 1]


def _require_few(length: Floats, every_m: float, name: str) -> None:
    """Refuse to part a middle line into more pieces than memory holds, before any is made."""
    longest = length.max()
    if longest > _PARTS_MAX * every_m:
        raise InputError(
            f"{name} is {every_m:g}; that would part a corridor of {longest / 1e3:.1f} km more than {_PARTS_MAX:,} times",
            hint=f"at least {longest / _PARTS_MAX:.2g} m; 10 km for stretches and 1 km for transects are usual",
        )


def _steps(length: Floats, stretch_length_m: float) -> tuple[Ints, Floats]:
    """Return how many stretches each chain has, and how long each of them is."""
    _require_few(length, stretch_length_m, "stretch_length_m")
    parts = np.maximum(np.rint(length / stretch_length_m), 1).astype(np.int64)
    return parts, np.maximum(length / parts, GRID_M)


def _stretches(ribbon: _Ribbon, length: Floats, stretch_length_m: float) -> tuple[Ints, Floats, Floats]:
    """Return the stretch of each interval, and where along its chain each stretch runs from and to.

    Where stretches should part in a triangle between three places, which no span crosses, they part beside it.
    """
    chain = ribbon.chain
    parts, step = _steps(length, stretch_length_m)
    nth = np.minimum(((ribbon.along_0 + ribbon.along_1) / 2 / step[chain]).astype(np.int64), parts[chain] - 1)
    number = (np.cumsum(parts) - parts)[chain] + nth
    rows = _starts(number)
    last = np.append(rows[1:], len(chain)) - 1
    return np.cumsum(np.diff(number, prepend=-1) != 0) - 1, ribbon.along_0[rows], ribbon.along_1[last]


def _facets(ribbon: _Ribbon, stretch: Ints) -> Ints:
    """Return the facet of each interval: neighbours within a stretch whose widths differ by about a step at most."""
    chain = ribbon.chain
    width = (ribbon.width_0 + ribbon.width_1) / 2
    step = np.abs(ribbon.width_1 - ribbon.width_0) / np.maximum(WIDTH_STEP_M, WIDTH_STEP_SHARE * width)
    level = np.floor(chains.running(step, chain) - step / 2)
    rows = _starts(chain)
    nth = np.arange(len(chain)) - rows[chain]
    half = nth == (np.diff(np.append(rows, len(chain))) // 2)[chain]  # no facet may close upon itself
    fresh = (nth % _FACET_PIECES_MAX == 0) | half
    fresh |= (np.diff(stretch, prepend=-1) != 0) | (np.diff(level, prepend=-1) != 0)
    return np.cumsum(fresh) - 1


def _transects(
    line: chains.Stations,
    length: Floats,
    from_m: Floats,
    of_stretch: Ints,
    clip: _Clip | None,
    every_m: float,
) -> dict[str, NDArray[Any]]:
    """Return the span at every so many metres of each middle line; at the middle of one that is shorter."""
    _require_few(length, every_m, "transect_every_m")
    count = np.where(length < every_m, 1, np.floor(length / every_m + 1e-9).astype(np.int64) + 1)
    chain = np.repeat(np.arange(len(length)), count)
    nth = counter(count)
    along = np.where(length[chain] < every_m, length[chain] / 2, np.minimum(nth * every_m, length[chain]))
    rows, share = chains.between(line.chain, line.along, chain, along)
    # The nearest span: on the way from one to the next a line may cut a corner of the cover.
    is_span = line.is_span
    nearer = np.where(is_span[rows] & is_span[rows + 1], np.rint(share), np.where(is_span[rows], 0, 1))
    rows = np.unique(rows + nearer.astype(np.int64))
    rows = rows[is_span[rows]]  # all of a corridor may lie in one triangle that is cut
    rows = rows[line.a[rows] != line.b[rows]]  # where forces touch there is nothing to draw
    if clip is not None and clip.area is not None:
        rows = rows[shapely.intersects_xy(clip.area, plane.coordinates((line.a[rows] + line.b[rows]) / 2))]
    chain, along = line.chain[rows], line.along[rows]
    return {
        "chain": chain,
        "stretch": chains.before(of_stretch, from_m, chain, along),
        "along_m": along,
        "width_m": line.width[rows],
        "geometry": shapely.linestrings(plane.coordinates(np.stack([line.a[rows], line.b[rows]], axis=1))),
    }


def _facet_columns(ribbon: _Ribbon, facet: Ints, shapes: Shapes, stretch: Ints) -> dict[str, NDArray[Any]]:
    first, last = _starts(facet), np.flatnonzero(np.diff(facet, append=-1))
    near_limit = np.logical_or.reduceat(ribbon.near_limit, first)
    left = np.flatnonzero(shapely.area(shapes) > 0)
    first, last = first[left], last[left]
    ends = {
        "start_a": ribbon.span_a0[first],
        "start_b": ribbon.span_b0[first],
        "end_a": ribbon.span_a1[last],
        "end_b": ribbon.span_b1[last],
    }
    return {
        "chain": ribbon.chain[first],
        "stretch": stretch[first],
        "width_start_m": ribbon.width_0[first],
        "width_end_m": ribbon.width_1[last],
        **{f"{name}_{axis}": xy for name, end in ends.items() for axis, xy in (("x", end.real), ("y", end.imag))},
        "near_limit": near_limit[left],
        "geometry": shapes[left],
    }


def _measures(ribbon: _Ribbon, group: Ints, areas: Floats) -> dict[str, NDArray[Any]]:
    """Return widths by group, from the intervals that have area left, weighted by it."""
    rows = _starts(group)
    left = areas > 0
    low, high = np.minimum(ribbon.width_0, ribbon.width_1), np.maximum(ribbon.width_0, ribbon.width_1)
    weighted = np.add.reduceat(areas * (ribbon.width_0 + ribbon.width_1) / 2, rows)
    area = np.add.reduceat(areas, rows)
    return {
        "width_min_m": np.minimum.reduceat(np.where(left, low, np.inf), rows),
        "width_mean_m": np.divide(weighted, area, out=np.full(len(area), np.nan), where=area > 0),
        "width_max_m": np.maximum.reduceat(np.where(left, high, -np.inf), rows),
        "near_limit": np.logical_or.reduceat(ribbon.near_limit & left, rows),
    }


def _simple(points: Points, first: Ints) -> Flags:
    """Tell which rings of three or four corners surely touch themselves nowhere; ``first`` says where each begins.

    A ring of four does where it turns to the left at two corners and to the right at the two others.
    """
    size = np.diff(first, append=len(points))
    few = np.flatnonzero(size <= 4)  # noqa: PLR2004 - corners
    corner = [points.take(first[few] + k % size[few]) for k in range(6)]
    turns = np.zeros(len(few))
    sure = np.ones(len(few), bool)
    for before, here, after in zip(corner, corner[1:], corner[2:], strict=False):
        run, onward = here - before, after - here
        left, right = run.real * onward.imag, run.imag * onward.real
        turns += np.sign(left - right)
        sure &= np.abs(left - right) > _SURE * (np.abs(left) + np.abs(right))
    found = np.zeros(len(size), bool)
    found[few] = sure & (turns != 0)
    return found


def _outlines(ribbon: _Ribbon, group: Ints, ring: Flags) -> Shapes:
    """Return the outline of each run of intervals; a run that is a whole ring has a hole."""
    shapes = _mended(ribbon, group)
    rows = _starts(group)
    last = np.append(rows[1:], len(group)) - 1
    of = ribbon.chain[rows]
    whole = ring[of] & (last - rows + 1 == np.bincount(ribbon.chain)[of])
    for k in np.flatnonzero(whole):  # rings are few
        loops = (
            ribbon.path_a[ribbon.from_a[rows[k]] : ribbon.to_a[last[k]] + 1],
            ribbon.path_b[ribbon.from_b[rows[k]] : ribbon.to_b[last[k]] + 1],
        )
        discs = [shapely.Polygon(plane.coordinates(loop)) for loop in loops if len(np.unique(loop)) > 2]  # noqa: PLR2004 - else a point
        outer, *inner = sorted(discs, key=lambda disc: -disc.area)
        hollow = shapely.Polygon(outer.exterior, [disc.exterior for disc in inner])
        shapes[k] = hollow if hollow.is_valid else shapes[k]
    return shapes


def _mended(ribbon: _Ribbon, group: Ints) -> Shapes:
    """Return outlines; those that touch themselves are unions of their intervals instead."""
    shapes, simple = ribbon.outlines(group)
    unsure = np.flatnonzero(~simple)
    invalid = unsure[~shapely.is_valid(shapes[unsure])]
    if len(invalid):
        number = np.cumsum(np.diff(group, prepend=group[0]) != 0)
        some = np.isin(number, invalid)
        single, _ = ribbon.part(some).outlines(np.arange(some.sum()))
        for k in invalid:
            parts = shapely.get_parts(shapely.make_valid(single[number[some] == k]))
            shapes[k] = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])  # noqa: PLR2004 - no lines, no points
    return shapes


def _line_parts(line: chains.Stations, chain: Ints, from_m: Floats, to_m: Floats) -> Shapes:
    """Cut each middle line into its stretches."""
    # Triangles on one circle give one station twice, up to rounding.
    fresh = np.diff(line.along, prepend=-1) > GRID_M
    fresh |= (np.diff(line.chain, prepend=-1) != 0) | (np.diff(line.chain, append=-1) != 0)
    of, along, middle = line.chain[fresh], line.along[fresh], line.middle[fresh]
    part = chains.before(chain, from_m, of, along)
    places = (chains.between(of, along, chain, at) for at in (from_m, to_m))
    ends = [plane.between(middle[row], middle[row + 1], share) for row, share in places]
    group = np.concatenate([np.arange(len(chain)), part, np.arange(len(chain))])
    place = np.repeat([0, 1, 2], [len(chain), len(part), len(chain)])
    order = np.lexsort((place, group))  # stable: stations stay in order
    return shapely.linestrings(
        plane.coordinates(np.concatenate([ends[0], middle, ends[1]])[order]), indices=group[order]
    )


def _starts(group: Ints) -> Ints:
    """Return where each run of equal numbers starts."""
    return np.flatnonzero(np.diff(group, prepend=group[:1] - 1) != 0)


def _ids(prefix: str | ExtensionArray, number: Ints) -> ExtensionArray:
    """Return ids that sort as their numbers do."""
    digits = max(2, len(str(number.max(initial=0))))
    padded = pd.Series(number + 10**digits).astype(tables.TEXT).str[1:]
    return (prefix + padded).array
