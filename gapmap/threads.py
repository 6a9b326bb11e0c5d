"""Work done part by part on all cores of this machine, in threads.

In: a task and its parts. Out: what it returns for each, in their order. Method: numpy, shapely and the triangulation let
go of the interpreter while they compute, so that threads share both the cores and the memory; nothing is copied.
"""

from __future__ import annotations

import gc
import os
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

    from numpy.typing import NDArray

Part = TypeVar("Part")
Result = TypeVar("Result")

_ROWS = 32_768  # at a time: what is computed on the way then stays in a core's own memory
_ROWS_MIN = 8_192  # threads cost more than they bring for fewer
_SWITCH = threading.Lock()  # what is asked and what is then done must not be parted by another thread


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def each(task: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
    """Do a task on each part, as many at once as there are cores.

    Parameters
    ----------
    task : callable
        What it does to one part must leave no trace in another.
    parts : iterable
        Asked for the next only when one is done: one more than there are cores are held at once.

    Yields
    ------
    object
        What the task returned, in the order of the parts.
    """
    ahead: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(cores())
    try:
        for part in parts:
            ahead.append(pool.submit(task, part))
            if len(ahead) > cores():
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        # After Ctrl+C, an error, or where nobody asks for the rest, only the parts at work are waited for.
        pool.shutdown(cancel_futures=True)


@contextmanager
def uncollected() -> Iterator[None]:
    """Make many objects without Python's search for cycles among them, which halts all threads each time.

    Geometries hold no others, so that there are none to be found: a twentieth of the time is saved,
    and a third where a million points are read.

    Yields
    ------
    None
        At the end it is on again if it was on at the beginning.
    """
    with _SWITCH:
        collecting = gc.isenabled()
        gc.disable()
    try:
        yield
    finally:
        if collecting:
            with _SWITCH:
                gc.enable()


def by_rows(task: Callable[[slice], NDArray[Any]], count: int) -> NDArray[Any]:
    """Do a task on some rows at a time, and put its results together along their last axis.

    Parameters
    ----------
    task : callable
        What it returns for one row must not depend on the others.
    count : int
        How many rows there are.
    """
    number = cores() * max(-(-count // (cores() * _ROWS)), 1)
    if number == 1 or count < number * _ROWS_MIN:
        return task(slice(0, count))
    cuts = np.linspace(0, count, number + 1).astype(np.int64).tolist()
    return np.concatenate([*each(task, map(slice, cuts, cuts[1:]))], axis=-1)
