"""Scenes for the tests: covers whose corridors are known in closed form, odd ones, and random ones with a seed.

Every builder returns a cover (GeoDataFrame with ``force`` and geometry in a metric CRS). A :class:`ClosedForm` carries the
figures that pencil and paper give for it, written from the geometry alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely
from shapely import affinity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Real = NDArray[np.float64]

LAEA = "+proj=laea +lat_0=35.5 +lon_0=43.5 +datum=WGS84 +units=m +no_defs"
# The same plane with the origin 3 000 km away: what a national grid with a false origin looks like.
FAR = "+proj=laea +lat_0=35.5 +lon_0=43.5 +x_0=3000000 +y_0=2000000 +datum=WGS84 +units=m +no_defs"
FAR_SHIFT = (3_000_000.0, 2_000_000.0)
KM = 1_000.0
W = 20 * KM


def cover(shapes: Mapping[str, Any], crs: str = LAEA) -> gpd.GeoDataFrame:
    """Make a cover of force -> geometry (or list of geometries)."""
    unions = {force: shapely.union_all(shape) if isinstance(shape, list) else shape for force, shape in shapes.items()}
    return gpd.GeoDataFrame({"force": list(unions)}, geometry=list(unions.values()), crs=crs)


def turned(table: gpd.GeoDataFrame, angle: float, shift: tuple[float, float] = (0, 0)) -> gpd.GeoDataFrame:
    """Turn by degrees around the origin, then move."""
    shapes = [_moved(shape, angle, shift) for shape in table.geometry]
    return table.set_geometry(gpd.GeoSeries(shapes, index=table.index, crs=table.crs))


def far_away(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the same ground in a CRS with a far origin."""
    shapes = [affinity.translate(shape, *FAR_SHIFT) for shape in table.geometry]
    return table.set_geometry(gpd.GeoSeries(shapes, index=table.index, crs=LAEA)).set_crs(FAR, allow_override=True)


def _moved(shape: Any, angle: float, shift: tuple[float, float]) -> Any:  # noqa: ANN401 - a shapely geometry
    return affinity.translate(affinity.rotate(shape, angle, origin=(0, 0)), *shift)


@dataclass(frozen=True)
class ClosedForm:
    """A scene and what must come out of it."""

    name: str
    cover: gpd.GeoDataFrame
    max_width_m: float
    area_m2: float
    width_min_m: float
    width_max_m: float
    length_m: float
    width: Callable[[Real], Real] = field(repr=False)  # points (n, 2) -> metres
    inside: Real = field(repr=False)  # points on the corridor, away from its edge
    outside: Real = field(repr=False)  # points on open ground
    forces: tuple[str, str] = ("blue", "green")
    ring: bool = False


def _turn(points: Real, angle: float, shift: tuple[float, float] = (0, 0)) -> Real:
    turn = np.radians(angle)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return points @ matrix.T + np.array(shift)


def _back(points: Real, angle: float, shift: tuple[float, float] = (0, 0)) -> Real:
    return _turn(points - np.array(shift), -angle)


def strips(
    gap: float, length: float, *, max_width_m: float = W, angle: float = 0, shift: tuple[float, float] = (0, 0)
) -> ClosedForm:
    """Two strips of the same length, one above the other."""
    half, deep = length / 2, 15 * KM
    south = shapely.box(-half, -gap / 2 - deep, half, -gap / 2)
    north = shapely.box(-half, gap / 2, half, gap / 2 + deep)
    table = turned(cover({"blue": south, "green": north}), angle, shift)
    x, y = np.meshgrid(np.linspace(-0.45, 0.45, 9) * length, np.linspace(-0.45, 0.45, 5) * gap)
    outside = np.array([[-half - 0.2 * gap, 0], [half + 0.2 * gap, 0]])
    return ClosedForm(
        name=f"strips {gap / KM:g} x {length / KM:g} km turned {angle:g}",
        cover=table,
        max_width_m=max_width_m,
        area_m2=gap * length,
        width_min_m=gap,
        width_max_m=gap,
        length_m=length,
        width=lambda points: np.full(len(points), gap),
        inside=_turn(np.column_stack([x.ravel(), y.ravel()]), angle, shift),
        outside=_turn(outside, angle, shift),
    )


def ring(r1: float, r2: float, *, max_width_m: float = W, quad_segs: int = 256, angle: float = 0) -> ClosedForm:
    """Return a disc of radius r1 inside a ring of another force that starts at r2."""
    centre = shapely.Point(0, 0)
    outer = centre.buffer(r2 + 10 * KM, quad_segs=quad_segs) - centre.buffer(r2, quad_segs=quad_segs)
    table = turned(cover({"blue": centre.buffer(r1, quad_segs=quad_segs), "green": outer}), angle)
    turns, radii = np.meshgrid(np.linspace(0.1, 6.2, 24), r1 + (r2 - r1) * np.linspace(0.1, 0.9, 4))
    inside = np.column_stack([(radii * np.cos(turns)).ravel(), (radii * np.sin(turns)).ravel()])
    return ClosedForm(
        name=f"ring {r1 / KM:g} to {r2 / KM:g} km",
        cover=table,
        max_width_m=max_width_m,
        area_m2=np.pi * (r2**2 - r1**2),
        width_min_m=r2 - r1,
        width_max_m=r2 - r1,
        length_m=np.pi * (r1 + r2),
        width=lambda points: np.full(len(points), r2 - r1),
        inside=inside,
        outside=np.array([[0.0, r2 + 30 * KM]]),
        ring=True,
    )


def two_discs(
    apart: float,
    r: float,
    *,
    max_width_m: float = W,
    angle: float = 0,
    shift: tuple[float, float] = (0, 0),
    quad_segs: int = 256,
) -> ClosedForm:
    """Two discs of radius r, their centres ``apart``."""
    limit = max_width_m
    y1 = r if apart <= limit else np.sqrt(r**2 - ((apart - limit) / 2) ** 2)
    y2 = r * np.sqrt((limit + r) ** 2 - (apart / 2) ** 2) / (limit + r)
    y = min(y1, y2)
    west = shapely.Point(-apart / 2, 0).buffer(r, quad_segs=quad_segs)
    east = shapely.Point(apart / 2, 0).buffer(r, quad_segs=quad_segs)
    table = turned(cover({"blue": west, "green": east}), angle, shift)

    def width(points: Real) -> Real:
        height = _back(points, angle, shift)[:, 1]
        return apart - 2 * np.sqrt(r**2 - height**2)

    heights, shares = np.meshgrid(np.linspace(-0.98, 0.98, 15) * y, [-0.9, -0.4, 0.0, 0.4, 0.9])
    half = apart / 2 - np.sqrt(r**2 - heights**2)
    outside = np.array([[0, 1.02 * y], [0, -1.02 * y]])
    return ClosedForm(
        name=f"discs r {r / KM:g} km, {apart / KM:g} km apart, turned {angle:g}",
        cover=table,
        max_width_m=limit,
        area_m2=2 * apart * y - 2 * (y * np.sqrt(r**2 - y**2) + r**2 * np.arcsin(y / r)),
        width_min_m=apart - 2 * r,
        width_max_m=apart - 2 * float(np.sqrt(r**2 - y**2)),
        length_m=2 * y,
        width=width,
        inside=_turn(np.column_stack([(shares * half).ravel(), heights.ravel()]), angle, shift),
        outside=_turn(outside, angle, shift),
    )


def wedge(phi: float, *, max_width_m: float = W, angle: float = 0, side: float | None = None) -> ClosedForm:
    """Two forces that touch in one point and open at ``phi`` degrees on each side of the middle."""
    half = np.radians(phi)
    s = min(max_width_m / (2 * np.sin(half)), max_width_m / np.tan(half))
    side = side or 1.4 * s
    # Straight behind the tip: there the two make one flat wall, and no span.
    end = (side * np.cos(half), side * np.sin(half))
    table = cover(
        {
            "blue": shapely.Polygon([(0, 0), (0, -side), (end[0], -end[1])]),
            "green": shapely.Polygon([(0, 0), end, (0, side)]),
        }
    )
    along, shares = np.meshgrid(np.linspace(0.03, 0.98, 14) * s * np.cos(half), [-0.9, -0.3, 0.3, 0.9])
    inside = np.column_stack([along.ravel(), (shares * along * np.tan(half)).ravel()])
    return ClosedForm(
        name=f"wedge {phi:g} degrees turned {angle:g}",
        cover=turned(table, angle),
        max_width_m=max_width_m,
        area_m2=s**2 * np.sin(2 * half) / 2,
        width_min_m=0.0,
        width_max_m=2 * s * np.sin(half),
        length_m=s * np.cos(half),
        width=lambda points: 2 * _back(points, angle)[:, 0] * np.tan(half),
        inside=_turn(inside, angle),
        outside=_turn(np.array([[1.03 * s * np.cos(half), 0.0], [-1000.0, 0.0]]), angle),
    )


def corner_to_corner(gap: float, *, max_width_m: float = W, angle: float = 0) -> ClosedForm:
    """Two boxes, the corner of one before the corner of the other, ``gap`` apart in both directions.

    Discs roll between the top of the one and the side of the other, on both sides of the corners: the span through
    (s, -s) along the diagonal s is ``gap`` + 2 s times sqrt(2) long in the turned frame, up to W. At the corners the width
    has a kink, the narrowest place.
    """
    narrow, limit = gap * np.sqrt(2), max_width_m
    reach = (limit - narrow) / 2  # along the middle line, to either side
    size = 4 * limit
    # In the frame of the middle line (x along it, y across) each box is a quarter plane seen corner on.
    blue = shapely.Polygon(
        [(0, -narrow / 2), (size, -narrow / 2 - size), (0, -narrow / 2 - 2 * size), (-size, -narrow / 2 - size)]
    )
    table = cover({"blue": blue, "green": shapely.affinity.rotate(blue, 180, origin=(0, 0))})
    # Where the corridor is cut at the limit, widths are off by up to 1 % within a sample of the cut.
    along, shares = np.meshgrid(np.linspace(-1, 1, 15) * (reach - limit / 40), [-0.9, -0.3, 0.3, 0.9])
    inside = np.column_stack([along.ravel(), (shares * (narrow / 2 + np.abs(along))).ravel()])
    return ClosedForm(
        name=f"corners {gap / KM:g} km apart turned {angle:g}",
        cover=turned(table, angle),
        max_width_m=limit,
        area_m2=reach * (narrow + limit),
        width_min_m=narrow,
        width_max_m=limit,
        length_m=2 * reach,
        width=lambda points: narrow + 2 * np.abs(_back(points, angle)[:, 0]),
        inside=_turn(inside, angle),
        outside=_turn(np.array([[1.03 * reach, 0.0], [-1.03 * reach, 0.0]]), angle),
    )


def block_before_wall(gap: float, length: float, *, max_width_m: float = W, angle: float = 0) -> ClosedForm:
    """Return a block before a very long wall: at both ends spans lean over from the block's sides to the wall.

    A disc between the upright side at height z and the wall has radius z and a span of z * sqrt(2), up to W; so the
    ground at each end is the triangle with both legs W / sqrt(2). For ``gap`` below W / sqrt(2) only.
    """
    half, leg, limit = length / 2, max_width_m / np.sqrt(2), max_width_m
    block = shapely.box(-half, gap, half, gap + 2 * limit)
    wall = shapely.box(-half - 5 * limit, -10 * KM, half + 5 * limit, 0)

    def width(points: Real) -> Real:
        x, y = np.abs(_back(points, angle)).T
        out = np.full(len(points), gap)
        beside = x > half
        # Through the block's lower corner while the far contact is nearer than the gap; then all lean at 45 degrees.
        lean = (x - half)[beside] + y[beside]
        corner = lean <= gap
        foot = (x - half)[beside][corner] * gap / (gap - y[beside][corner])
        out[beside] = lean * np.sqrt(2)
        out[np.flatnonzero(beside)[corner]] = np.hypot(gap, foot)
        return out

    x, y = np.meshgrid(np.linspace(-0.9, 0.9, 7) * half, np.array([0.1, 0.5, 0.9]) * gap)
    lean = np.array([[half + 0.3 * gap, 0.2 * gap], [half + 0.5 * leg, 0.3 * leg], [-half - 0.4 * leg, 0.4 * leg]])
    return ClosedForm(
        name=f"block {gap / KM:g} km before a wall, turned {angle:g}",
        cover=turned(cover({"blue": block, "green": wall}), angle),
        max_width_m=limit,
        area_m2=gap * length + leg**2,
        width_min_m=gap,
        width_max_m=limit,
        length_m=np.nan,  # a middle line of three pieces, not written out
        width=width,
        inside=_turn(np.vstack([np.column_stack([x.ravel(), y.ravel()]), lean]), angle),
        outside=_turn(np.array([[half + 0.55 * leg, 0.55 * leg], [-half - 1.05 * leg, 100.0]]), angle),
    )


def blocked(
    gap: float, wall: float, length: float, *, angle: float = 0, wall_length: float | None = None
) -> gpd.GeoDataFrame:
    """Blue south, green north, red a wall of thickness ``wall`` in the middle; ``gap`` on each side of the wall."""
    half, far = length / 2, (wall_length or length) / 2
    return turned(
        cover(
            {
                "blue": shapely.box(-half, -wall / 2 - gap - 12 * KM, half, -wall / 2 - gap),
                "green": shapely.box(-half, wall / 2 + gap, half, wall / 2 + gap + 12 * KM),
                "red": shapely.box(-far, -wall / 2, far, wall / 2),
            }
        ),
        angle,
    )


def boxes(seed: int, *, cells: int = 14, share: float = 0.45, forces: int = 2) -> gpd.GeoDataFrame:
    """Return boxes on a 1 km grid: everything lies on common circles."""
    random = np.random.default_rng(seed)
    names = ["blue", "green", "red"][:forces]
    held = random.random((cells, cells)) < share
    owner = random.integers(0, forces, (cells, cells))
    shapes: dict[str, list[Any]] = {name: [] for name in names}
    for i, j in zip(*np.nonzero(held), strict=True):
        shapes[names[owner[i, j]]].append(shapely.box(i * KM, j * KM, (i + 1) * KM, (j + 1) * KM))
    return cover(shapes)


def random_discs(
    seed: int,
    *,
    forces: int = 2,
    count: int = 9,
    region: float = 120 * KM,
    radii: tuple[float, float] = (5 * KM, 14 * KM),
    quad_segs: int = 8,
) -> gpd.GeoDataFrame:
    """Return discs of every force over a square; they overlap, nest and leave holes as they fall."""
    random = np.random.default_rng(seed)
    names = ["blue", "green", "red"][:forces]
    shapes: dict[str, list[Any]] = {}
    for name in names:
        x, y = random.uniform(-region / 2, region / 2, (2, count))
        radius = random.uniform(*radii, count)
        shapes[name] = list(shapely.buffer(shapely.points(x, y), radius, quad_segs=quad_segs))
    return cover(shapes)


def along_a_seam(seed: int, *, forces: int = 2, count: int = 8, quad_segs: int = 8) -> gpd.GeoDataFrame:
    """Return two lines of discs that face each other, the third force's among them."""
    random = np.random.default_rng(seed)
    shapes: dict[str, list[Any]] = {"blue": [], "green": [], "red": []}
    for n in range(count):
        for name, side in (("blue", -1), ("green", 1)):
            x = (n - count / 2) * 16 * KM + random.uniform(-3, 3) * KM
            y = side * random.uniform(9, 17) * KM
            owner = "red" if forces == 3 and name == "green" and n % 4 == 1 else name
            shapes[owner].append(shapely.Point(x, y).buffer(random.uniform(6, 10) * KM, quad_segs=quad_segs))
    return cover({name: shape for name, shape in shapes.items() if shape})


def random_walls(seed: int, *, forces: int = 2, count: int = 7, region: float = 110 * KM) -> gpd.GeoDataFrame:
    """Return turned boxes, long and thin: straight walls, corners, slits."""
    random = np.random.default_rng(seed)
    names = ["blue", "green", "red"][:forces]
    shapes: dict[str, list[Any]] = {name: [] for name in names}
    for n in range(forces * count):
        x, y = random.uniform(-region / 2, region / 2, 2)
        long, thin = random.uniform(8, 40) * KM, random.uniform(2, 8) * KM
        box = shapely.box(-long / 2, -thin / 2, long / 2, thin / 2)
        shapes[names[n % forces]].append(_moved(box, random.uniform(0, 180), (x, y)))
    return cover(shapes)


def nested(*, third: bool = False) -> gpd.GeoDataFrame:
    """Return green inside a hole of blue, a bit of blue inside green's own hole, one green disc drowned in blue."""
    centre = shapely.Point(0, 0)
    blue = centre.buffer(70 * KM, quad_segs=20) - affinity.translate(centre, 4 * KM, -2 * KM).buffer(
        48 * KM, quad_segs=20
    )
    green = centre.buffer(34 * KM, quad_segs=20) - affinity.translate(centre, 3 * KM, 5 * KM).buffer(
        21 * KM, quad_segs=20
    )
    core = affinity.translate(centre, 1 * KM, 2 * KM).buffer(8 * KM, quad_segs=20)
    drowned = affinity.translate(centre, 60 * KM, 0).buffer(2 * KM, quad_segs=20)
    if third:
        return cover({"blue": blue, "green": [green, drowned], "red": core})
    return cover({"blue": [blue, core], "green": [green, drowned]})


def touching_edges(*, angle: float = 0) -> gpd.GeoDataFrame:
    """Return blocks that share an edge, then part: a corridor that starts at width 0."""
    table = cover(
        {
            "blue": shapely.Polygon(
                [(-40 * KM, 0), (-40 * KM, -20 * KM), (50 * KM, -20 * KM), (50 * KM, -8 * KM), (0, 0)]
            ),
            "green": shapely.Polygon(
                [(-40 * KM, 0), (0, 0), (50 * KM, 6 * KM), (50 * KM, 25 * KM), (-40 * KM, 20 * KM)]
            ),
        }
    )
    return turned(table, angle)


def post_of_both(radius: float = 1.5 * KM) -> gpd.GeoDataFrame:
    """Return strips 12 km apart with a post between them that both forces hold."""
    post = shapely.Point(3 * KM, 0).buffer(radius, quad_segs=32)
    return cover(
        {
            "blue": [shapely.box(-30 * KM, -18 * KM, 30 * KM, -6 * KM), post],
            "green": [shapely.box(-30 * KM, 6 * KM, 30 * KM, 18 * KM), post],
        }
    )


def overlapping() -> gpd.GeoDataFrame:
    """Return two long lines that cross: overlap in the middle, corridors in all four openings."""
    return cover(
        {
            "blue": _moved(shapely.box(-60 * KM, -5 * KM, 60 * KM, 5 * KM), 20, (0, 0)),
            "green": _moved(shapely.box(-60 * KM, -5 * KM, 60 * KM, 5 * KM), -15, (0, 0)),
        }
    )


def three_corners(side: float = 14 * KM) -> gpd.GeoDataFrame:
    """Return three discs of three forces round one empty middle."""
    shapes = {}
    for n, force in enumerate(("blue", "green", "red")):
        turn = np.radians(90 + 120 * n)
        spot = shapely.Point(side * np.cos(turn), side * np.sin(turn))
        shapes[force] = spot.buffer(8 * KM, quad_segs=16)
    return cover(shapes)


CLOSED_FORMS: tuple[Callable[[], ClosedForm], ...] = (
    lambda: strips(8 * KM, 50 * KM),
    lambda: strips(0.5 * KM, 30 * KM, angle=33),
    lambda: strips(20 * KM, 60 * KM),
    lambda: strips(20 * KM, 60 * KM, angle=90),
    lambda: strips(19.999 * KM, 60 * KM, angle=27, shift=(40 * KM, -70 * KM)),
    lambda: strips(12 * KM, 9 * KM, angle=71),
    lambda: strips(1.5 * KM, 20 * KM, max_width_m=2 * KM, angle=12),
    lambda: ring(30 * KM, 42 * KM),
    lambda: ring(40 * KM, 60 * KM),
    lambda: ring(6 * KM, 20 * KM, angle=0.3),
    lambda: two_discs(18 * KM, 6 * KM),
    lambda: two_discs(18 * KM, 6 * KM, angle=31),
    lambda: two_discs(30 * KM, 10 * KM, angle=45),
    lambda: two_discs(42 * KM, 15 * KM, angle=117, shift=(-60 * KM, 50 * KM)),
    lambda: two_discs(62 * KM, 30 * KM, angle=200),
    lambda: two_discs(25 * KM, 4 * KM, angle=-62),
    lambda: two_discs(40 * KM, 19.5 * KM, angle=78),
    lambda: wedge(5),
    lambda: wedge(20, angle=140),
    lambda: wedge(30, angle=-17),
    lambda: wedge(45, angle=45),
    lambda: wedge(65, angle=90),
    lambda: wedge(80, angle=3),
    lambda: corner_to_corner(9 * KM),
    lambda: corner_to_corner(5 * KM, angle=21),
    lambda: corner_to_corner(0.93 * W / np.sqrt(2), angle=45),
    lambda: block_before_wall(7 * KM, 40 * KM),
    lambda: block_before_wall(3 * KM, 25 * KM, angle=52),
)
