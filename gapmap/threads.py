"""Work done part by part on all cores of this machine, in threads.

In: a task and its parts. Out: what it returns for each, in their order. Method: numpy, shapely and the triangulation let
go of the interpreter while they compute, so that threads share both the cores and the memory; nothing is copied.
"""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

Part = TypeVar("Part")
Result = TypeVar("Result")


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
