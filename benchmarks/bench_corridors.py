"""gapmap beside the recipes with buffers that people use today: the same cover, one run, in shapely and in PostGIS.

In: scenes by name and size. Out: ``benchmarks/RESULTS.md`` with time ratios, peak memory, the area each method found, and
how much of it is no corridor. Method: each method runs in a process of its own, which loads the cover, does the work once
and measures itself; the methods of a scene take turns. Only ratios mean anything: times are of this machine.

``python -m benchmarks.bench_corridors [--sizes 300 3000 20000] [--large] [--no-postgis]``
"""

from __future__ import annotations

import argparse
import os
import pickle
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import geopandas as gpd
import numpy as np
import psycopg
import pyproj
import pythoncdt
import shapely

import gapmap
from gapmap.cli import demo_scenario
from gapmap.corridors import find_corridors
from gapmap.noding import edges_of_union
from gapmap.tiling import connect
from gapmap.triangulation import GRID_M, sample
from tests.postgres import serve

if TYPE_CHECKING:
    from collections.abc import Callable

RESULTS = Path(__file__).with_name("RESULTS.md")
PLANE = pyproj.CRS.from_wkt('LOCAL_CS["plane",UNIT["metre",1]]')  # coordinates may lie anywhere
LIMIT_M = 20_000.0
ROUNDS = 3
QUICK = 20_000  # larger scenes are run once
POSTGIS_MAX = 20_000
LARGE = 100_000
POINTS = 1_000_000


# Scenes


def discs(k: int) -> gpd.GeoDataFrame:
    """Return k discs of 3 to 9 km radius, 300 on 300 x 300 km, forces in bands of 150 km with a sinuous seam."""
    random = np.random.default_rng(1)
    side = 300e3 * np.sqrt(k / 300)
    xy = random.uniform(0, side, (k, 2))
    shapes = shapely.buffer(shapely.points(xy), random.uniform(3e3, 9e3, k), quad_segs=16)
    return _cover(shapes, np.floor((xy[:, 1] + 20e3 * np.sin(xy[:, 0] / 60e3)) / 150e3) % 2)


def routes(k: int) -> gpd.GeoDataFrame:
    """Return k long thin routes, 30 to 90 km and 2 km to each side, of two forces in bands."""
    random = np.random.default_rng(2)
    side = 300e3 * np.sqrt(k / 100)
    xy = random.uniform(0, side, (k, 2))
    angle, length = random.uniform(-0.3, 0.3, k), random.uniform(30e3, 90e3, k)
    run = np.stack([np.cos(angle), np.sin(angle)], axis=1) * length[:, None]
    steps = np.linspace(0, 1, 6)[None, :, None]
    lines = xy[:, None] + steps * run[:, None] + random.normal(0, 1_500, (k, 6, 2))
    return _cover(shapely.buffer(shapely.linestrings(lines), 2_000, quad_segs=16), np.floor(xy[:, 1] / 60e3) % 2)


def boxes(k: int) -> gpd.GeoDataFrame:
    """Return k boxes of 6 km on a grid of 10 km: every four corners lie on one circle."""
    side = int(np.ceil(np.sqrt(k)))
    row, column = np.divmod(np.arange(k), side)
    shapes = shapely.box(column * 10e3, row * 10e3, column * 10e3 + 6e3, row * 10e3 + 6e3)
    return _cover(shapes, row // 8 % 2)


def demo(_: int) -> gpd.GeoDataFrame:
    """Return the cover of the shipped scenario."""
    return gapmap.run(demo_scenario()).table("cover").reset_index()[["force", "geometry"]]


def _cover(shapes: Any, force: Any) -> gpd.GeoDataFrame:  # noqa: ANN401 - arrays
    held = [shapely.union_all(shapes[force == number]) for number in (0, 1)]
    return gpd.GeoDataFrame({"force": ["blue", "red"]}, geometry=held, crs=PLANE)


SCENES: dict[str, Callable[[int], gpd.GeoDataFrame]] = {"discs": discs, "routes": routes, "boxes": boxes, "demo": demo}


# Methods: each returns the ground it found and figures of its own


def by_gapmap(cover: gpd.GeoDataFrame) -> tuple[Any, dict[str, float]]:
    """Corridors with widths, middle lines, stretches and facets."""
    found = find_corridors(cover, max_width_m=LIMIT_M)
    return found.corridors.geometry.to_numpy(), {"facets": len(found.facets)}


def on_one_core(cover: gpd.GeoDataFrame) -> tuple[Any, dict[str, float]]:
    """Return the same, as if the machine had one core."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return by_gapmap(cover)


def in_tiles(cover: gpd.GeoDataFrame) -> tuple[Any, dict[str, float]]:
    """Return the same in tiles, as many at once as there are cores."""
    found = find_corridors(cover, max_width_m=LIMIT_M, tiles=32 * LIMIT_M)
    return found.corridors.geometry.to_numpy(), {}


def two_workers(cover: gpd.GeoDataFrame) -> tuple[Any, dict[str, float]]:
    """Return the same from two Dask workers, without the time to start them."""
    with connect(workers=2) as client:
        start = time.perf_counter()
        found = find_corridors(cover, max_width_m=LIMIT_M, client=client)
        figures = {"seconds": time.perf_counter() - start, "worker_mb": max(cast("Any", client).run(_peak_mb).values())}
        return found.corridors.geometry.to_numpy(), figures


def closing(cover: gpd.GeoDataFrame) -> tuple[Any, dict[str, float]]:
    """Return what morphological closing adds: the cover grown by half the limit and shrunk by the same."""
    union = cover.union_all()
    return union.buffer(LIMIT_M / 2).buffer(-LIMIT_M / 2).difference(union), {}


def buffers(cover: gpd.GeoDataFrame) -> tuple[Any, dict[str, float]]:
    """Return the uncovered ground within the limit of two forces."""
    grown = cover.geometry.buffer(LIMIT_M).to_list()
    both = shapely.union_all([a.intersection(b) for k, a in enumerate(grown) for b in grown[k + 1 :]])
    return both.difference(cover.union_all()), {}


def floor(cover: gpd.GeoDataFrame) -> tuple[Any, dict[str, float]]:
    """Return nothing: the bare constrained triangulation of the vertices that gapmap triangulates, erasing included."""
    shapes = cover.sort_values("force").geometry.to_numpy()
    edges = sample(edges_of_union(shapes, grid_m=GRID_M), limit_m=LIMIT_M)
    start = time.perf_counter()
    mesh = pythoncdt.Triangulation(
        pythoncdt.VertexInsertionOrder.AUTO, pythoncdt.IntersectingConstraintEdges.NOT_ALLOWED, 0.0
    )
    mesh.insert_vertices(cast("Any", edges.xy + np.random.default_rng(0).uniform(-1e-6, 1e-6, edges.xy.shape)))
    mesh.insert_edges(cast("Any", edges.ends.astype(np.uint32)))
    mesh.erase_super_triangle()
    mesh.triangles_array()
    return shapely.Polygon(), {"seconds": time.perf_counter() - start, "vertices": len(edges.xy)}


def before_triangulation(cover: gpd.GeoDataFrame) -> tuple[Any, dict[str, float]]:
    """Return nothing: what gapmap does before it triangulates."""
    shapes = cover.sort_values("force").geometry.to_numpy()
    sample(edges_of_union(shapes, grid_m=GRID_M), limit_m=LIMIT_M)
    return shapely.Polygon(), {}


def widths_at(cover: gpd.GeoDataFrame) -> tuple[Any, dict[str, float]]:
    """Return nothing: the width at a million points that mostly hit, as a ratio to a bare query of a tree."""
    found = find_corridors(cover, max_width_m=LIMIT_M)
    facets = found.facets
    random = np.random.default_rng(3)
    inner = shapely.get_coordinates(facets.representative_point().to_numpy())
    xy = inner[random.integers(0, len(inner), POINTS)] + random.normal(0, 20, (POINTS, 2))
    points = gpd.GeoSeries.from_xy(*xy.T, crs=cover.crs)
    start = time.perf_counter()
    shapely.STRtree(facets.geometry.to_numpy()).query(points.to_numpy(), predicate="intersects")
    bare = time.perf_counter() - start
    start = time.perf_counter()
    hit = found.width_at(points).notna().mean()
    return shapely.Polygon(), {"seconds": time.perf_counter() - start, "bare": bare, "hit": float(hit)}


def _in_postgis(cover: gpd.GeoDataFrame, query: str) -> tuple[Any, dict[str, float]]:
    with psycopg.connect(os.environ["GAPMAP_BENCH_POSTGRES"], autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
        connection.execute("CREATE TEMP TABLE cover (force text, shape geometry)")
        for force, shape in zip(cover["force"], cover.geometry, strict=True):
            connection.execute(
                "INSERT INTO cover VALUES (%s, ST_GeomFromWKB(%s))", (force, shapely.to_wkb(shape)), binary=True
            )
        start = time.perf_counter()
        row = connection.execute(query, {"w": LIMIT_M}).fetchone()
        seconds = time.perf_counter() - start
    return shapely.from_wkb(row[0] if row else None), {"seconds": seconds}


def closing_in_postgis(cover: gpd.GeoDataFrame) -> tuple[Any, dict[str, float]]:
    """Return the same as :func:`closing`, from the server."""
    return _in_postgis(
        cover,
        "WITH u AS MATERIALIZED (SELECT ST_Union(shape) AS shape FROM cover)"
        " SELECT ST_AsBinary(ST_Difference(ST_Buffer(ST_Buffer(shape, %(w)s / 2, 16), -%(w)s / 2, 16), shape)) FROM u",
    )


def buffers_in_postgis(cover: gpd.GeoDataFrame) -> tuple[Any, dict[str, float]]:
    """Return the same as :func:`buffers`, from the server."""
    return _in_postgis(
        cover,
        "WITH grown AS MATERIALIZED (SELECT force, ST_Buffer(shape, %(w)s, 16) AS shape FROM cover),"
        " shared AS (SELECT ST_Union(ST_Intersection(a.shape, b.shape)) AS shape"
        " FROM grown a JOIN grown b ON a.force < b.force)"
        " SELECT ST_AsBinary(ST_Difference(shared.shape, (SELECT ST_Union(shape) FROM cover))) FROM shared",
    )


METHODS: dict[str, tuple[str, Callable[[gpd.GeoDataFrame], tuple[Any, dict[str, float]]]]] = {
    "gapmap": ("gapmap", by_gapmap),
    "one-core": ("gapmap on one core", on_one_core),
    "tiles": ("gapmap in tiles", in_tiles),
    "workers": ("gapmap, two workers", two_workers),
    "closing": ("(a) closing, shapely", closing),
    "buffers": ("(b) buffers, shapely", buffers),
    "closing-postgis": ("(a) closing, PostGIS", closing_in_postgis),
    "buffers-postgis": ("(b) buffers, PostGIS", buffers_in_postgis),
    "before": ("gapmap before triangulation", before_triangulation),
    "floor": ("bare triangulation", floor),
    "widths": ("width_at, a million points", widths_at),
}


# Running


def child(method: str, cover: Path, out: Path) -> None:
    """Do one method on a cover and write what it found and took."""
    with cover.open("rb") as file:
        table = pickle.load(file)  # noqa: S301 - written by the parent
    start = time.perf_counter()
    ground, figures = METHODS[method][1](table)
    took = {"seconds": time.perf_counter() - start, **figures}
    took["memory_mb"] = _peak_mb()
    parts = shapely.get_parts(ground)
    with out.open("wb") as file:
        pickle.dump((took, shapely.to_wkb(parts[shapely.area(parts) > 0])), file)


def _peak_mb() -> float:
    """Return the peak memory of this process; what ``getrusage`` gives a child starts at that of its parent."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure(method: str, cover: Path, folder: Path) -> tuple[dict[str, float], Any]:
    """Run a method in a process of its own."""
    out = folder / f"{method}.pickle"
    command = [sys.executable, "-m", "benchmarks.bench_corridors", "--child", method, str(cover), str(out)]
    subprocess.run(command, check=True)  # noqa: S603 - this file
    with out.open("rb") as file:
        took, parts = pickle.load(file)  # noqa: S301 - written by the child
    return took, shapely.from_wkb(parts)


def compare(scene: str, k: int, methods: list[str], folder: Path) -> list[dict[str, Any]]:
    """Run methods in turn on one scene; the median of the rounds counts."""
    cover = folder / "cover.pickle"
    table = SCENES[scene](k)
    with cover.open("wb") as file:
        pickle.dump(table, file)
    took: dict[str, list[dict[str, float]]] = {method: [] for method in methods}
    ground: dict[str, Any] = {}
    for _ in range(ROUNDS if k <= QUICK else 1):
        for method in methods:
            figures, ground[method] = measure(method, cover, folder)
            took[method].append(figures)
            print(f"{scene} {k}: {method} {figures['seconds']:.2f} s", file=sys.stderr, flush=True)
    ours = shapely.union_all(ground["gapmap"])
    rows = []
    for method in methods:
        row: dict[str, Any] = {"scene": scene, "k": k, "method": method}
        row |= {name: statistics.median(each[name] for each in took[method]) for name in took[method][0]}
        row["area_km2"] = float(shapely.area(ground[method]).sum()) / 1e6
        if method in {"closing", "buffers", "closing-postgis", "buffers-postgis"} and row["area_km2"]:
            found = shapely.union_all(shapely.make_valid(ground[method]))
            row["none"] = found.difference(ours).area / found.area
        rows.append(row)
    return rows


def page(rows: list[dict[str, Any]]) -> str:
    """Return what was measured as a page."""
    by = {(row["scene"], row["k"], row["method"]): row for row in rows}
    lines = [
        "# Corridors beside the recipes with buffers",
        "",
        "Made by `make bench`. Times are wall times of one machine, each method in a process of its own, the cover",
        "already in memory; what counts is the ratio. *Not corridor*: the share of what a recipe marks in which no",
        "measuring line within the limit runs, by gapmap's corridors: ground inside one force, past open ends, behind a",
        "third force, or too wide. The recipes give ground; gapmap gives widths, middle lines, stretches and facets too.",
        "gapmap works on all cores; the recipes, in shapely and in PostGIS, on one, as they are written. Medians of",
        f"{ROUNDS} rounds in turn; scenes of more than {QUICK} zones are run once.",
        "",
        f"{platform.machine()}, {os.cpu_count()} cores; Python {platform.python_version()}, gapmap {gapmap.__version__},",
        f"shapely {shapely.__version__} with GEOS {shapely.geos_version_string}, numpy {np.__version__}",
        "",
        "| scene | zones | method | s | gapmap / it | peak MB | km2 | not corridor |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for (scene, k, method), row in by.items():
        if method in {"before", "floor", "widths"}:
            continue
        ratio = by[scene, k, "gapmap"]["seconds"] / row["seconds"]
        memory = "-" if "postgis" in method else f"{row['memory_mb']:.0f}"
        none = f"{row['none']:.0%}" if "none" in row else "-"
        lines.append(
            f"| {scene} | {k or '-'} | {METHODS[method][0]} | {row['seconds']:.2f} | {ratio:.2f} | {memory}"
            f" | {row['area_km2']:.0f} | {none} |"
        )
    lines += ["", "## The engine by itself", "", "| measure | value |", "| --- | --- |"]
    for (scene, k, method), row in by.items():
        ours = by[scene, k, "gapmap"]
        if method == "floor":
            rest = ours["seconds"] - by[scene, k, "before"]["seconds"]
            lines.append(
                f"| {scene} {k}: triangulation and all after it, to the bare triangulation of the same"
                f" {row['vertices']:.0f} vertices | {rest / row['seconds']:.2f} |"
            )
        if method == "widths":
            lines.append(
                f"| {scene} {k}: width at a million points ({row['hit']:.0%} in a corridor), to a bare query of a tree"
                f" | {row['seconds'] / row['bare']:.2f} |"
            )
        if method == "workers":
            gain = [by[scene, k, "one-core"]["seconds"] / each["seconds"] for each in (row, ours)]
            lines += [
                f"| {scene} {k}: one core, to two workers and to two threads | {gain[0]:.2f}, {gain[1]:.2f} |",
                f"| {scene} {k}: the most memory that a worker took, MB | {row['worker_mb']:.0f} |",
            ]
        if method == "gapmap" and k > POSTGIS_MAX:
            for smaller in (k // 5, 3_000):
                if (scene, smaller, "gapmap") in by:
                    base = by[scene, smaller, "gapmap"]
                    growth = [ours[name] / base[name] for name in ("seconds", "memory_mb")]
                    lines.append(
                        f"| {scene}: from {smaller} to {k} zones, time and memory | {growth[0]:.1f}, {growth[1]:.1f} |"
                    )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run all scenes and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[300, 3_000, 20_000])
    parser.add_argument("--large", action="store_true", help=f"also {LARGE} discs, which takes a quarter of an hour")
    parser.add_argument("--no-postgis", action="store_true")
    parser.add_argument("--child", nargs=3, metavar=("METHOD", "COVER", "OUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child[0], Path(options.child[1]), Path(options.child[2]))
        return
    if options.no_postgis:
        run(options.sizes, large=options.large, postgis=False)
        return
    with serve() as server:
        os.environ["GAPMAP_BENCH_POSTGRES"] = server.connection()
        run(options.sizes, large=options.large, postgis=True)


def run(sizes: list[int], *, large: bool, postgis: bool) -> None:
    """Measure all scenes."""
    shapely_recipes = ["gapmap", "closing", "buffers"]
    recipes = [*shapely_recipes, *(["closing-postgis", "buffers-postgis"] if postgis else [])]
    plans = [("demo", 0, recipes)]
    for k in sizes:
        extra = ["before", "floor", "widths"] + (["one-core", "tiles", "workers"] if k >= POSTGIS_MAX else [])
        plans.append(("discs", k, [*recipes, *extra]))
    middle = min(3_000, max(sizes))
    plans += [("routes", middle, recipes), ("boxes", middle, recipes)]
    if large:
        plans.append(("discs", LARGE, [*shapely_recipes, "one-core", "tiles", "workers"]))
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for scene, k, methods in plans:
            rows += compare(scene, k, methods, Path(folder))
            RESULTS.write_text(page(rows), encoding="utf-8")
    print(RESULTS.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
