"""The triangles between forces, found tile by tile: in threads of this process, on its workers, or on any Dask cluster.

In: the noded edge of all cover. Out: what :func:`gapmap.triangulation.measured_triangles` returns for the whole, bit for
bit. Method: edges are sampled as a whole, which is cheap; the triangulation, which is not, is done in tiles that own the
triangles with their circumcentre inside. Where nobody says how large, a large region is cut into strips, one for each
core or worker, or more where they would hold much.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from gapmap import threads
from gapmap.errors import ClusterError, InputError
from gapmap.triangulation import (
    REACH,
    Edges,
    Triangles,
    measured_triangles,
    sample,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from distributed import Client
    from numpy.typing import NDArray

    from gapmap.triangulation import Box

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Job = tuple[Box, Ints, Edges]
    Plan = dict[Box, Ints]  # the edges of each tile
    Progress = Callable[[int, int], None]  # tiles done, tiles in all

_STRIP_VERTICES = 50_000  # with fewer, another strip is not worth the work done twice beside its sides
_STRIP_MARGINS = 8  # likewise, if it is narrower
_WORKER_VERTICES = 300_000  # about the most in a strip for a worker, if it can be parted: some hundred MB
_ORIGIN_M = (0, 0)
_RETRIES = 2  # of a tile that failed; dask itself moves the tiles of a worker that died
_CONNECT_SECONDS = 10
_WORKERLESS_SECONDS = 300  # a cluster may start its workers late, and start dead ones again
_POLL_SECONDS = 0.005


@dataclass(frozen=True)
class Tiles:
    """How to part the plane, and who works on the parts.

    Parameters
    ----------
    side_m : float, optional
        Tiles are squares of this size on a fixed grid. Without it they are strips, with as many vertices in each.
    client : distributed.Client, optional
        Sends tiles to its workers. Without it, or once it is closed, the threads of this process do them.
    progress : callable, optional
        Called with the number of tiles done and the number in all.
    """

    side_m: float | None
    client: Client | None = None
    progress: Progress | None = None


def facing_triangles(edges: Edges, *, limit_m: float, tiles: Tiles | None = None) -> Triangles:
    """Find the triangles across which spans of at most ``limit_m`` may run between edges of different forces.

    Parameters
    ----------
    edges : Edges
        The whole edge of the covered ground; finite coordinates in metres, no crossings.
    limit_m : float
        The maximum width W, which also bounds the radius of the empty discs.
    tiles : Tiles, optional
        Their size, and who works on them. Without, the threads of this process do all at once.

    Returns
    -------
    Triangles
        In no particular order, with radii up to a little more than the limit. The same with tiles and without.

    Raises
    ------
    EngineError
        If a triangulation fails, as it does where edges cross.
    ClusterError
        If workers keep dying, or the scheduler is lost.

    Notes
    -----
    Why the answer is the same: the triangulation sees the same vertices with or without tiles, since edges are sampled
    before they are handed out. A triangle belongs to the constrained Delaunay triangulation if its corners see each
    other and no vertex that can be seen from it lies in the disc through them: edges and vertices outside that disc
    have no say. Only triangles whose disc has a radius of at most ``SELECT`` times the limit are wanted, and a tile
    owns those whose disc has its centre in the tile. So every edge that meets the disc passes within that distance of
    the tile; and the tile is given all edges whose bounding boxes come as near, never clipped, among them all edges
    that end at a corner, which say on which side the cover lies, and where a disc touches. Ties are broken by
    coordinates alone. Each triangle has one centre, the same to the last bit in every tile, and each centre lies in
    one tile.
    """
    edges = sample(edges, limit_m=limit_m)
    if tiles is not None and tiles.side_m is not None:
        boxes = _squares(edges, limit_m, tiles.side_m)
    else:
        boxes = _strips(edges, limit_m, None if tiles is None else _at_work(tiles.client))
    if len(boxes) == 0 or (tiles is None and len(boxes) == 1):
        return measured_triangles(edges, limit_m=limit_m)
    found = _each(measured_triangles, edges, _plan(edges, limit_m, boxes), limit_m, tiles)
    columns = zip(*(part._replace(corners=rows[part.corners])[1:] for rows, part in found), strict=True)
    return Triangles(edges.xy, *threads.each(np.concatenate, columns))


@contextmanager
def connect(*, workers: int | None = None, scheduler: str | None = None) -> Iterator[Client | None]:
    """Start workers on this machine, or connect to a Dask scheduler, and let go of them at the end.

    Parameters
    ----------
    workers : int, optional
        How many processes to start, each with one thread.
    scheduler : str, optional
        The address of a running scheduler, ``tcp://host:port``.

    Yields
    ------
    distributed.Client or None
        None where neither was asked for.

    Raises
    ------
    InputError
        If both are given, dask is not installed, or the scheduler does not answer.
    """
    if workers is None and scheduler is None:
        yield None
        return
    if workers is not None and scheduler is not None:
        raise InputError("workers and a scheduler were both asked for", hint="a scheduler has its own workers")
    if workers is not None and workers < 1:
        raise InputError(f"{workers} workers cannot work", hint="ask for 1 or more")
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise InputError("working on several processes needs dask", hint="pip install gapmap[dask]") from error
    if scheduler is None:
        # Nothing listens beyond this machine, and no port is taken that another run may want.
        local = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
        # Dask would have workers give memory back at once: to have it cleared again and again takes a quarter of their time.
        environ = "distributed.nanny.pre-spawn-environ"
        theirs = dask.config.get(environ, None) or {}
        kept = {name: value for name, value in theirs.items() if not name.startswith("MALLOC")}
        # To look at their own stacks and clocks 50 to 100 times a second, for a page nobody sees, takes a tenth of a core.
        unwatched = {"distributed.worker.profile.enabled": False, "distributed.admin.tick.interval": "1s"}
        with (
            dask.config.set({environ: kept, **unwatched}),  # to the end: a worker that dies is started again
            LocalCluster(n_workers=workers, threads_per_worker=1, **local) as cluster,
            Client(cluster, direct_to_workers=True) as client,
        ):
            with suppress(OSError):  # of a worker that died: the one in its place imports it with its first tile
                client.run(import_module, measured_triangles.__module__, on_error="ignore")
            yield client
        return
    try:
        client = Client(scheduler, timeout=_CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise InputError(
            f"no Dask scheduler answers at {scheduler}",
            hint="start one (dask scheduler), and write its address as tcp://host:port",
        ) from error
    with client:
        yield client


def _each(
    task: Callable[..., Any], edges: Edges, plan: Plan, limit_m: float, tiles: Tiles | None
) -> list[tuple[Ints, Any]]:
    """Do a task on each tile; return the rows of its vertices in the whole and the result, in the order of the plan."""
    client = None if tiles is None else _at_work(tiles.client)
    if client is None:
        results = _here(task, edges, plan, limit_m)
    else:
        results = _there(task, ((box, *edges.part(some)) for box, some in plan.items()), limit_m, client)
    found = {}
    for box, rows, result in results:
        found[box] = rows, result
        if tiles is not None and tiles.progress is not None:
            tiles.progress(len(found), len(plan))
    return [found[box] for box in plan]


def _at_work(client: Client | None) -> Client | None:
    return None if client is None or client.status == "closed" else client


def _here(task: Callable[..., Any], edges: Edges, plan: Plan, limit_m: float) -> Iterator[tuple[Box, Ints, Any]]:
    def done(box: Box) -> tuple[Box, Ints, Any]:
        rows, part = edges.part(plan[box])
        return box, rows, task(part, limit_m=limit_m, within=box)

    yield from threads.each(done, plan)


def _there(
    task: Callable[..., Any], jobs: Iterator[Job], limit_m: float, client: Client
) -> Iterator[tuple[Box, Ints, Any]]:
    """Send tiles to workers, a few more than are at work, and yield what comes back in the order in which it does."""
    import dask
    from distributed import as_completed

    ahead = 2 * _threads_of(client) + 2
    at_work: dict[str, tuple[Box, Ints]] = {}
    queue = as_completed(loop=client.loop)

    @_losses_told(client)
    def next_result() -> tuple[Box, Ints, Any]:
        if client.status != "running":
            raise OSError
        patience = time.monotonic() + _WORKERLESS_SECONDS
        while not queue.has_ready():
            time.sleep(_POLL_SECONDS)
            if client.nthreads():
                patience = time.monotonic() + _WORKERLESS_SECONDS
            elif time.monotonic() > patience:
                raise ClusterError(f"the Dask cluster has had no worker for {_WORKERLESS_SECONDS} seconds")
        future = next(queue)
        box, rows = at_work.pop(future.key)
        return box, rows, future.result()

    # The edges of a tile travel with its task: what is scattered dies with the worker that holds it.
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GiB"}):
        for box, rows, part in jobs:
            future = client.submit(task, part, limit_m=limit_m, within=box, pure=False, retries=_RETRIES)
            at_work[future.key] = box, rows
            queue.add(future)
            del future  # its result is let go of once it has been read
            if len(at_work) >= ahead:
                yield next_result()
    while at_work:
        yield next_result()


def _threads_of(client: Client) -> int:
    with _losses_told(client):
        return max(sum(client.nthreads().values()), 1)


@contextmanager
def _losses_told(client: Client) -> Iterator[None]:
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError
    from distributed.comm import CommClosedError

    try:
        yield
    except (KilledWorker, FutureCancelledError, OSError, RuntimeError) as error:
        # A call may find the connection broken before the client itself has; or its pool closed (a RuntimeError) after.
        until = time.monotonic() + _CONNECT_SECONDS
        while isinstance(error, CommClosedError) and client.status == "running" and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)
        if client.status != "running":
            raise ClusterError("the connection to the Dask scheduler was lost; run again") from error
        if isinstance(error, OSError | RuntimeError):
            raise
        raise ClusterError(
            f"workers were lost while at work on a tile; smaller tiles need less memory ({error})"
        ) from error


def _strips(edges: Edges, limit_m: float, client: Client | None) -> Floats:
    """Return boxes that part the plane across its longer side, with as many vertices in each; one where that is best."""
    if len(edges.xy) == 0:
        return np.empty((0, 4))
    extent = [np.ptp(axis) for axis in edges.xy.T]
    across = int(np.argmax(extent))
    most = min(len(edges.xy) / _STRIP_VERTICES, extent[across] / (_STRIP_MARGINS * REACH * limit_m))
    wanted = threads.cores() if client is None else max(_threads_of(client), -(-len(edges.xy) // _WORKER_VERTICES))
    number = max(min(wanted, int(most)), 1)
    # Many vertices in one line across may make cuts alike.
    cuts = np.unique(np.quantile(edges.xy[:, across], np.linspace(0, 1, number + 1)[1:-1]))
    boxes = np.tile([-np.inf, -np.inf, np.inf, np.inf], (len(cuts) + 1, 1))
    boxes[1:, across] = boxes[:-1, across + 2] = cuts
    return boxes


def _squares(edges: Edges, limit_m: float, side_m: float) -> Floats:
    """Return the tiles in which there may be something to find: those with a vertex, and those around them."""
    if len(edges.xy) == 0:
        return np.empty((0, 4))
    held = _distinct(np.floor((edges.xy - _ORIGIN_M) / side_m).astype(np.int64))
    spread = int(np.ceil(REACH * limit_m / side_m))
    around = np.stack(np.meshgrid(*[np.arange(-spread, spread + 1)] * 2), axis=-1).reshape(-1, 2)
    cells = _distinct((held[:, None] + around).reshape(-1, 2))
    # Neighbours compute their common side by the same product, so that every centre lies in exactly one of them.
    return np.concatenate([cells * side_m + _ORIGIN_M, (cells + 1) * side_m + _ORIGIN_M], axis=1)


def _plan(edges: Edges, limit_m: float, boxes: Floats) -> Plan:
    """Return for each tile the edges that come near it: all whose bounding box meets the tile grown by the margin.

    Tiles without a vertex are left out where edges of one label alone come near: there is nothing to find. With one they
    stay: edges that cross shall be found whatever the tiles.
    """
    margin = REACH * limit_m
    x, y = ([axis.take(end) for end in edges.ends.T] for axis in np.ascontiguousarray(edges.xy.T))
    low_x, high_x, low_y, high_y = (pick(*axis) for axis in (x, y) for pick in (np.minimum, np.maximum))

    def near(column: Floats) -> Plan:
        plan: Plan = {}
        west, east = column[0, 0] - margin, column[0, 2] + margin
        within = np.flatnonzero((high_x >= west) & (low_x <= east))
        for box in column:
            south, north = box[1] - margin, box[3] + margin
            rows = within[(high_y.take(within) >= south) & (low_y.take(within) <= north)]
            own = np.ones(len(rows), bool)
            for (start, _), low, high in zip((x, y), box[:2], box[2:], strict=True):
                own &= (start.take(rows) >= low) & (start.take(rows) < high)
            if own.any() or (edges.label[rows] != edges.label[rows[:1]]).any():
                plan[*box.tolist()] = rows
        return plan

    sides, column = np.unique(boxes[:, [0, 2]], axis=0, return_inverse=True)
    columns = (boxes[column.ravel() == number] for number in range(len(sides)))
    return {box: rows for plan in threads.each(near, columns) for box, rows in plan.items()}


def _distinct(cells: Ints) -> Ints:
    """Return the distinct rows, sorted."""
    low, span = cells.min(axis=0), np.ptp(cells[:, 1]) + 1
    keys = np.unique((cells - low) @ np.array([span, 1]))
    return np.stack(np.divmod(keys, span), axis=1) + low
