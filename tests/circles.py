"""An attack on what is published: circles of known reach fitted to it, to find posts.

The attacker knows the reach, how many posts there are, and the rule by which the figures were made. What he finds is held
against decoys: the middles between neighbouring posts, and any points of the gap. A guess that meets decoys as often as posts knows
where the cover is, which is what the figures are there to say, and nothing of the posts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from gapmap.corridors import find_corridors
from gapmap.editions import CELL_M

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

REACH_M = 5_000.0
FOUND_M = 5_000.0
_LENGTH_M = 120_000.0
_RASTER_M = 1_000.0
_STEPS = 5_000


@dataclass(frozen=True)
class Scene:
    """Two winding lines of posts, lone posts between them, and the ground, in a metric CRS."""

    line: Floats
    lone: Floats
    between: Floats  # decoys: halfway between neighbours of a line
    gap: Floats  # decoys: any points of the ground between the lines
    ground: gpd.GeoDataFrame
    cover: gpd.GeoDataFrame


@cache  # several attacks are made on the same scenes
def scene(seed: int, *, lone_posts: bool = True) -> Scene:
    random = np.random.default_rng(seed)
    # Somewhere else on the fixed grid each time.
    lon, lat = random.uniform(41, 45), random.uniform(34, 38)
    crs = pyproj.CRS.from_proj4(f"+proj=laea +lat_0={lat:.6f} +lon_0={lon:.6f} +datum=WGS84 +units=m +no_defs")
    lines, between = [], []
    for side in (1, -1):
        x = np.arange(-_LENGTH_M / 2, _LENGTH_M / 2, 7_500) + random.normal(0, 1_000, 16)
        y = side * (14_000 + 3_500 * np.sin(x / 18_000 + random.uniform(0, 6)) + random.normal(0, 1_200, len(x)))
        lines.append(np.column_stack([x, y]))
        between.append((lines[-1][1:] + lines[-1][:-1]) / 2)
    lone = np.column_stack([random.uniform(-45_000, 45_000, 3), random.uniform(-2_000, 2_000, 3)])
    held = [np.vstack([lines[0], lone[:2]]), np.vstack([lines[1], lone[2:]])] if lone_posts else lines
    discs = [shapely.union_all(shapely.buffer(shapely.points(posts), REACH_M, quad_segs=32)) for posts in held]
    cover = gpd.GeoDataFrame({"force": ["north", "south"]}, geometry=discs, crs=crs)
    found = find_corridors(cover, max_width_m=20_000)
    gap = np.column_stack([random.uniform(-45_000, 45_000, 400), random.uniform(-2_000, 2_000, 400)])
    return Scene(np.vstack(lines), lone, np.vstack(between), gap, found.ground, cover.set_index("force"))


def through_pairs(vertices: Floats, count: int) -> Floats:
    """Return the centres of the circles of that reach through two vertices that meet most other vertices."""
    vertices = np.unique(vertices.round(1), axis=0)
    i, j = np.triu_indices(len(vertices), 1)
    half = (vertices[j] - vertices[i]) / 2
    size = np.hypot(*half.T)
    kept = (size > 50) & (size < REACH_M * 0.99)
    i, half, size = i[kept], half[kept], size[kept]
    up = np.column_stack([-half[:, 1], half[:, 0]]) * (np.sqrt(REACH_M**2 - size**2) / size)[:, None]
    centres = np.vstack([vertices[i] + half + up, vertices[i] + half - up])
    cells, votes = np.unique((centres / 200).round().astype(int), axis=0, return_counts=True)
    return cells[np.argsort(-votes, kind="stable")[:count]] * 200.0


def fitted(
    number: NDArray[np.int64],
    origin: Sequence[float],
    published: Callable[[Floats], Floats],
    edges: Sequence[float],
    *,
    count: int,
    seed: int = 0,
) -> Floats:
    """Return posts whose cover explains the published classes best, found by annealing.

    ``number`` is the class of each cell, ``published`` makes the figure from the share of gap in each cell, and ``edges``
    are the lower edges of the classes above the first.
    """
    random = np.random.default_rng(seed)
    columns, rows = number.shape
    fine = int(CELL_M / _RASTER_M)
    x = origin[0] + _RASTER_M * (np.arange(columns * fine) + 0.5)
    y = origin[1] + _RASTER_M * (np.arange(rows * fine) + 0.5)
    low, high = np.array([-1.0, *edges])[number], np.array([*edges, 2.0])[number]
    padded = np.pad(number > 0, 1)
    near = sum(padded[i : i + columns, j : j + rows] for i in range(3) for j in range(3)) > 0
    chance = np.where(near, np.where(number == 0, 1.0, 0.3), 0.0).ravel()
    chance /= chance.sum()

    def draw() -> Floats:
        i, j = divmod(int(random.choice(len(chance), p=chance)), rows)
        return np.array(origin) + CELL_M * (np.array([i, j]) + random.random(2))

    def disc(at: Floats) -> tuple[slice, slice, NDArray[np.bool_]]:
        i, j = (slice(*np.searchsorted(axis, [v - REACH_M, v + REACH_M])) for axis, v in ((x, at[0]), (y, at[1])))
        return i, j, (x[i, None] - at[0]) ** 2 + (y[None, j] - at[1]) ** 2 <= REACH_M**2

    def misfit() -> float:
        share = 1 - (held > 0).reshape(columns, fine, rows, fine).mean(axis=(1, 3))
        figure = published(share)
        return float((np.maximum(low - figure, 0) + np.maximum(figure - high, 0))[near].sum())

    held = np.zeros((len(x), len(y)), dtype=int)
    posts = [draw() for _ in range(count)]
    for post in posts:
        i, j, inside = disc(post)
        held[i, j] += inside
    now = misfit()
    for step in range(_STEPS):
        heat = 1 - step / _STEPS
        k = int(random.integers(count))
        new = draw() if random.random() < 0.2 else posts[k] + random.normal(0, 3_000 * heat + 500, 2)
        (i, j, out), (m, n, into) = disc(posts[k]), disc(new)
        held[i, j] -= out
        held[m, n] += into
        then = misfit()
        if then <= now or random.random() < np.exp((now - then) / (0.3 * heat**2 + 1e-3)):
            posts[k], now = new, then
        else:
            held[m, n] -= into
            held[i, j] += out
    return np.array(posts)


def hits(guesses: Floats, sought: Floats) -> NDArray[np.bool_]:
    """Tell which of the sought points have a guess within 5 km."""
    return np.hypot(*(guesses[:, None] - sought[None]).transpose(2, 0, 1)).min(axis=0) <= FOUND_M
