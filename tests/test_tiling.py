"""Tiles: the same answer to the last bit, whatever their size and origin, on workers too, and when one of them dies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import dask
import numpy as np
import pytest
import shapely
from shapely import box

import gapmap
from gapmap import cli, corridors, threads, tiling
from gapmap import triangulation as tri
from gapmap.corridors import Corridors, find_corridors
from gapmap.errors import ClusterError, EngineError, InputError
from gapmap.inputs import read_inputs
from gapmap.noding import edges_of_union
from gapmap.reach import cover, resolve
from gapmap.scenario import read_scenario
from gapmap.starter import write_example
from tests import scenes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import geopandas as gpd
    from distributed import Client

KM = 1_000.0


def discs() -> gpd.GeoDataFrame:
    """Return 150 discs at the density of the benchmark, in two forces with a winding seam."""
    random = np.random.default_rng(5)
    x, y = random.uniform(0, 210 * KM, (2, 150))
    shapes = shapely.buffer(shapely.points(x, y), random.uniform(3 * KM, 9 * KM, 150), quad_segs=16)
    north = (y + 20 * KM * np.sin(x / (60 * KM))) % (150 * KM) > 75 * KM
    return scenes.cover({"blue": list(shapes[~north]), "green": list(shapes[north])})


def routes() -> gpd.GeoDataFrame:
    """Return long thin strips of three forces that cross the sides of tiles at every angle."""
    random = np.random.default_rng(11)
    shapes: dict[str, list[Any]] = {"blue": [], "green": [], "red": []}
    for n in range(24):
        start, turn = random.uniform(0, 160 * KM, 2), random.uniform(0, 2 * np.pi)
        end = start + random.uniform(20, 90) * KM * np.array([np.cos(turn), np.sin(turn)])
        shapes[list(shapes)[n % 3]].append(shapely.LineString([start, end]).buffer(300, quad_segs=2))
    return scenes.cover(shapes)


def boxes_on_a_grid() -> gpd.GeoDataFrame:
    """Return boxes whose every corner lies on one circle with three others, and on the sides of tiles."""
    shapes: dict[str, list[Any]] = {"blue": [], "green": [], "red": []}
    for x in range(12):
        for y in range(12):
            spot = box(x * KM, y * KM, x * KM + 500, y * KM + 500)
            shapes[list(shapes)[(x // 3 + y // 4) % 3]].append(spot)
    return scenes.cover(shapes)


def demo() -> gpd.GeoDataFrame:
    scenario = read_scenario(cli.demo_scenario())
    return cover(resolve(read_inputs(scenario).zones, on=scenario.date), on=scenario.date)


def assert_same(found: Corridors, whole: Corridors) -> None:
    """Every id, figure and vertex is the same: far more than 1e-9 of the area."""
    for name in ("corridors", "stretches", "transects", "centrelines", "facets"):
        one, other = getattr(found, name), getattr(whole, name)
        assert one.drop(columns="geometry").equals(other.drop(columns="geometry")), name
        assert one.geometry.geom_equals_exact(other.geometry, 0).all(), name


def edges_of(table: gpd.GeoDataFrame) -> tri.Edges:
    return edges_of_union(table.geometry.to_numpy(), grid_m=tri.GRID_M)


def in_order(triangles: tri.Triangles) -> list[Any]:
    """Return all columns, sorted by corners."""
    order = np.lexsort(triangles.corners.T)
    return [triangles.xy, *(column[order] for column in triangles[1:])]


SCENES = {
    "discs": (discs, 20 * KM, (20 * KM, 47_311.7, 640 * KM)),
    "demo": (demo, 20 * KM, (60 * KM, 250 * KM)),
    "routes": (routes, 20 * KM, (25 * KM, 110 * KM)),
    "grid": (boxes_on_a_grid, 1 * KM, (1 * KM, 1_500, 5_250, 1_000 * KM)),
    "wide grid": (boxes_on_a_grid, 7 * KM, (7 * KM,)),
    "nested": (lambda: scenes.nested(third=True), 20 * KM, (40 * KM,)),
    "touching": (scenes.touching_edges, 20 * KM, (20 * KM, 35 * KM)),
    "post of both": (scenes.post_of_both, 20 * KM, (20 * KM,)),
}


@pytest.mark.parametrize("name", SCENES)
def test_tiles_change_nothing(name: str) -> None:
    scene, limit, sides = SCENES[name]
    table = scene()
    whole = find_corridors(table, max_width_m=limit)
    assert len(whole.corridors) > 0
    for side in sides:
        assert_same(find_corridors(table, max_width_m=limit, tiles=side), whole)


@pytest.mark.parametrize("cores", [1, 3])
@pytest.mark.parametrize("name", ["wide grid", "nested", "touching", "post of both"])
def test_few_rows_at_a_time_change_nothing(name: str, cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    scene, limit, _ = SCENES[name]
    table = scene()
    whole = find_corridors(table, max_width_m=limit)
    monkeypatch.setattr(threads, "_ROWS", 200)
    monkeypatch.setattr(threads, "_ROWS_MIN", 1)
    monkeypatch.setattr(threads, "cores", lambda: cores)
    assert_same(find_corridors(table, max_width_m=limit), whole)


@pytest.mark.parametrize("turn", [0, 90])
@pytest.mark.parametrize("name", SCENES)
def test_a_strip_for_each_core_changes_nothing(name: str, turn: float, monkeypatch: pytest.MonkeyPatch) -> None:
    scene, limit, _ = SCENES[name]
    table = scene()
    table = table.set_geometry(table.rotate(turn, origin=(0, 0)))
    edges = edges_of(table)
    whole = in_order(tri.measured_triangles(tri.sample(edges, limit_m=limit), limit_m=limit))
    monkeypatch.setattr(tiling, "_STRIP_VERTICES", 1)
    monkeypatch.setattr(tiling, "_STRIP_MARGINS", 0.1)
    monkeypatch.setattr(threads, "cores", lambda: 5)
    sizes = []

    def measured(part: tri.Edges, **options: Any) -> tri.Triangles:  # noqa: ANN401
        sizes.append(len(part.xy))
        return tri.measured_triangles(part, **options)

    monkeypatch.setattr(tiling, "measured_triangles", measured)
    for one, other in zip(in_order(tiling.facing_triangles(edges, limit_m=limit)), whole, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(sizes) == 5


@pytest.mark.parametrize("cores", [4, 5, 8])
def test_strips_between_walls_change_nothing(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Most vertices lie on two lines, where several cuts would fall together.
    shapes = {
        "blue": [box(-500, 0, 0, 24 * KM), box(20_000, 0, 20_500, 2 * KM), box(89_500, 0, 90_000, 500)],
        "green": [box(16, 0, 500, 24 * KM), box(20_516, 0, 21_000, 2 * KM), box(90_016, 0, 90_500, 500)],
    }
    edges = edges_of(scenes.cover(shapes))
    whole = in_order(tri.measured_triangles(tri.sample(edges, limit_m=100), limit_m=100))
    monkeypatch.setattr(tiling, "_STRIP_VERTICES", 100)
    monkeypatch.setattr(threads, "cores", lambda: cores)
    for one, other in zip(in_order(tiling.facing_triangles(edges, limit_m=100)), whole, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", SCENES)
def test_what_is_drawn_at_once_changes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scene, limit, _ = SCENES[name]
    table = scene()
    area = scenes.cover({"any": shapely.box(*table.total_bounds).buffer(limit / 4)})
    for options in ({}, {"area_of_interest": area}):
        monkeypatch.setattr(corridors, "_PART_TRIANGLES", 1_000_000)
        whole = find_corridors(table, max_width_m=limit, **options)
        monkeypatch.setattr(corridors, "_PART_TRIANGLES", 1)
        assert_same(find_corridors(table, max_width_m=limit, **options), whole)


@pytest.mark.parametrize("origin", [(0, 0), (500, 250), (123, 4_567)])
@pytest.mark.parametrize("side", [3 * KM, 3_500])
def test_the_origin_of_the_tiles_changes_nothing(
    origin: tuple[int, int], side: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Centres of discs between boxes lie on the sides of the first tiles.
    edges = edges_of(boxes_on_a_grid())
    whole = in_order(tri.measured_triangles(tri.sample(edges, limit_m=2 * KM), limit_m=2 * KM))
    monkeypatch.setattr(tiling, "_ORIGIN_M", origin)
    tiled = in_order(tiling.facing_triangles(edges, limit_m=2 * KM, tiles=tiling.Tiles(side)))
    for one, other in zip(tiled, whole, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_tile_sees_no_more_than_its_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    def measured(part: tri.Edges, **options: Any) -> tri.Triangles:  # noqa: ANN401
        sizes.append(float(np.ptp(part.xy, axis=0).max()))
        return tri.measured_triangles(part, **options)

    monkeypatch.setattr(tiling, "measured_triangles", measured)
    table = discs()
    find_corridors(table, max_width_m=10 * KM, tiles=30 * KM)
    sides = 30 * KM + 2 * 1.36 * 10 * KM + 2 * tri.EDGE_MAX_M
    assert len(sizes) > 30
    assert max(sizes) <= sides < np.ptp(table.total_bounds.reshape(2, 2), axis=0).min() / 2


def test_the_wider_pass_of_the_ground_is_tiled_too() -> None:
    table, said = scenes.post_of_both(), []
    whole = find_corridors(table, max_width_m=8 * KM)
    found = find_corridors(table, max_width_m=8 * KM, tiles=16 * KM, progress=lambda *tiles: said.append(tiles))
    before = len(said)
    assert said[-1][0] == said[-1][1] >= before
    assert [done for done, _ in said] == list(range(1, before + 1))
    assert found.ground.drop(columns="geometry").equals(whole.ground.drop(columns="geometry"))
    assert len(said) > before


def test_nothing_to_tile() -> None:
    alone = scenes.cover({"blue": box(0, 0, 10 * KM, 10 * KM)})
    assert find_corridors(alone, tiles=50 * KM).corridors.empty
    nothing = scenes.cover({"blue": shapely.Polygon(), "green": shapely.Polygon()})
    assert find_corridors(nothing, tiles=50 * KM, area_of_interest=alone).facets.empty


@pytest.fixture(scope="module")
def workers() -> Iterator[Client]:
    with tiling.connect(workers=2) as client:
        assert client is not None
        yield client


def test_two_workers_change_nothing(workers: Client) -> None:
    table, said = discs(), []
    found = find_corridors(table, tiles=90 * KM, client=workers, progress=lambda *tiles: said.append(tiles))
    assert_same(found, find_corridors(table))
    assert said[-1] == (len(said), len(said))
    assert len(said) > 8


@pytest.mark.parametrize(("vertices", "strips"), [(1_000_000, 2), (100, 5)])
def test_workers_take_strips_unless_told(
    vertices: int, strips: int, workers: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, said = scenes.post_of_both(), []
    whole = find_corridors(table)
    find_corridors(table, client=workers, progress=lambda *tiles: said.append(tiles))
    assert said == [(1, 1)]  # too small to be parted
    monkeypatch.setattr(tiling, "_STRIP_VERTICES", 1)
    monkeypatch.setattr(tiling, "_STRIP_MARGINS", 0.1)
    monkeypatch.setattr(tiling, "_WORKER_VERTICES", vertices)
    assert_same(find_corridors(table, client=workers, progress=lambda *tiles: said.append(tiles)), whole)
    assert said[-1] == (strips, strips)


def die_once(mark: Path, part: tri.Edges, **options: Any) -> tri.Triangles:  # noqa: ANN401
    """Kill the worker that is first at work."""
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return tri.measured_triangles(part, **options)
    os._exit(1)


def fail_once(mark: Path, part: tri.Edges, **options: Any) -> tri.Triangles:  # noqa: ANN401
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return tri.measured_triangles(part, **options)
    raise MemoryError


def die(_part: tri.Edges, **_options: Any) -> tri.Triangles:  # noqa: ANN401
    os._exit(1)


@pytest.mark.parametrize("accident", [die_once, fail_once])
def test_a_lost_worker_changes_nothing(
    accident: Any,  # noqa: ANN401 - a task
    workers: Client,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = discs()
    whole = find_corridors(table)
    monkeypatch.setattr(tiling, "measured_triangles", partial(accident, tmp_path / "mark"))
    before = set(workers.scheduler_info(n_workers=-1)["workers"])
    assert_same(find_corridors(table, tiles=90 * KM, client=workers), whole)
    assert (tmp_path / "mark").exists()
    if accident is die_once:
        workers.wait_for_workers(2, timeout=20)
        assert set(workers.scheduler_info(n_workers=-1)["workers"]) != before


def test_workers_that_die_as_they_start_are_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiling, "import_module", die)
    with (
        dask.config.set({"distributed.nanny.pre-spawn-environ": None}),
        tiling.connect(workers=1) as client,
    ):
        assert client is not None
        table = scenes.post_of_both()
        assert_same(find_corridors(table, client=client), find_corridors(table))


def test_workers_that_die_each_time_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiling, "measured_triangles", die)
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        tiling.connect(workers=1) as client,
        pytest.raises(ClusterError, match="smaller tiles need less memory"),
    ):
        find_corridors(scenes.post_of_both(), tiles=200 * KM, client=client)


def test_a_cluster_left_without_workers_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiling, "_WORKERLESS_SECONDS", 0.5)
    with tiling.connect(workers=1) as client:
        assert client is not None
        client.cluster.scale(0)
        with pytest.raises(ClusterError, match=r"no worker for 0\.5 seconds"):
            find_corridors(scenes.post_of_both(), client=client)


def test_a_lost_scheduler_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiling, "_CONNECT_SECONDS", 5)  # the client looks for a lost scheduler as long
    file = tmp_path / "scheduler.json"
    at = ["--scheduler-file", str(file)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    dask_command = [sys.executable, "-m", "dask"]
    serve = [*dask_command, "scheduler", *at, "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    with subprocess.Popen(serve, **quiet) as scheduler:  # type: ignore[call-overload]
        try:
            until = time.monotonic() + 20
            while not file.exists() and time.monotonic() < until:
                time.sleep(0.1)
            with (
                subprocess.Popen([*dask_command, "worker", *at, "--nthreads", "1"], **quiet) as worker,  # type: ignore[call-overload]
                tiling.connect(scheduler=json.loads(file.read_text())["address"]) as client,
            ):
                try:
                    with pytest.raises(ClusterError, match="connection to the Dask scheduler was lost"):
                        find_corridors(discs(), tiles=60 * KM, client=client, progress=lambda *_: scheduler.kill())
                    with pytest.raises(ClusterError, match="connection to the Dask scheduler was lost"):
                        find_corridors(discs(), tiles=60 * KM, client=client)
                finally:
                    worker.kill()
        finally:
            scheduler.kill()


def test_errors_of_the_engine_come_back_from_workers(workers: Client) -> None:
    edges = edges_of(scenes.cover({"blue": box(0, 0, 9, 9), "green": box(20, 0, 29, 9)}))
    bow_tie = np.array([[0, 3], [3, 1], [1, 2], [2, 0]])
    crossing = replace(edges, ends=np.concatenate([bow_tie, edges.ends[edges.ends[:, 0] > 3]]))
    with pytest.raises(EngineError, match="failed"):
        tiling.facing_triangles(crossing, limit_m=100, tiles=tiling.Tiles(1_000, workers))


def test_a_closed_client_is_not_needed() -> None:
    with tiling.connect(workers=1) as client:
        found = find_corridors(scenes.post_of_both(), max_width_m=8 * KM, client=client)
    assert client is not None
    assert client.status == "closed"
    assert set(found.ground["kind"]) >= {"corridor", "beyond"}


@pytest.mark.parametrize(("tiles", "says"), [(10 * KM, "smaller than the maximum width"), (np.nan, "tiles is nan")])
def test_tiles_that_cannot_be_used(tiles: float, says: str) -> None:
    with pytest.raises(InputError, match=says):
        find_corridors(scenes.post_of_both(), tiles=tiles)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"workers": 0}, "0 workers cannot work"),
        ({"workers": 2, "scheduler": "tcp://127.0.0.1:1"}, "both asked for"),
        ({"scheduler": "tcp://127.0.0.1:1"}, "no Dask scheduler answers at tcp://127.0.0.1:1"),
        ({"scheduler": "nonsense://here"}, "no Dask scheduler answers at nonsense://here"),
    ],
)
def test_workers_that_cannot_be_had(options: dict[str, Any], says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiling, "_CONNECT_SECONDS", 0.5)
    with pytest.raises(InputError, match=says), tiling.connect(**options):
        pass


def test_without_dask_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install gapmap\[dask\]"), tiling.connect(workers=2):
        pass


def test_run_on_a_scheduler(workers: Client, tmp_path: Path) -> None:
    write_example(tmp_path)
    scenario = tmp_path / "scenario.toml"
    options = ["--scheduler", workers.scheduler.address, "--out", str(tmp_path / "out"), "--quiet"]
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", str(scenario), *options])
    assert ended.value.code == 0
    found, whole = gapmap.open(tmp_path / "out" / "gaps.gpkg"), gapmap.run(scenario)
    for name in ("corridors", "stretches", "facets", "ground"):
        assert found.table(name).equals(whole.table(name)), name


def test_run_without_a_scheduler_there(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_example(tmp_path / "in")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiling, "_CONNECT_SECONDS", 0.5)
        options = ["--scheduler", "tcp://127.0.0.1:1", "--out", str(tmp_path / "out")]
        assert cli.main(["run", str(tmp_path / "in" / "scenario.toml"), *options]) == 2
    assert "no Dask scheduler answers at tcp://127.0.0.1:1" in capfd.readouterr().err
    assert not (tmp_path / "out").exists()
