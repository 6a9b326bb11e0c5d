"""Work in threads: order, what is held at once, and errors."""

from __future__ import annotations

import gc
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gapmap import threads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


@pytest.mark.parametrize("cores", [1, 2, 5])
def test_results_come_in_the_order_of_the_parts(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "cores", lambda: cores)

    def late(part: int) -> int:
        time.sleep(0.01 * (part % 3 == 0))
        return part * part

    assert list(threads.each(late, range(12))) == [part * part for part in range(12)]
    assert list(threads.each(late, [])) == []


def test_parts_are_done_at_once_and_asked_for_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "cores", lambda: 3)
    together = threading.Barrier(3, timeout=30)  # breaks unless three are at work at once
    done = 0

    def parts() -> Iterator[int]:
        for part in range(9):
            assert part - done <= 3
            yield part

    for _ in threads.each(lambda _: together.wait(), parts()):
        done += 1
    assert done == 9


def test_what_goes_wrong_with_a_part_is_raised() -> None:
    def wrong(part: int) -> float:
        return 1 / part

    with pytest.raises(ZeroDivisionError):
        list(threads.each(wrong, [2, 1, 0, 1, 2]))


def test_after_an_interrupt_no_part_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    begun = []

    def task(part: int) -> None:
        begun.append(part)
        assert over.wait(timeout=30)

    def interrupted(_: Future[None]) -> None:
        threading.Timer(0.5, over.set).start()
        raise KeyboardInterrupt

    monkeypatch.setattr(threads, "cores", lambda: 1)
    monkeypatch.setattr(Future, "result", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(threads.each(task, range(9)))
    assert begun == [0]  # the second was waiting for it to end


def test_cores() -> None:
    assert threads.cores() >= 1


@pytest.mark.parametrize("cores", [1, 3])
@pytest.mark.parametrize("count", [0, 1, 30_000, 100_001])
def test_rows_come_together_again_in_their_order(count: int, cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "cores", lambda: cores)
    values, seen = np.arange(count), []

    def task(rows: slice) -> NDArray[np.int64]:
        seen.append(rows)
        return np.stack([values[rows], -values[rows]])

    found = threads.by_rows(task, count)
    assert found.tolist() == [values.tolist(), (-values).tolist()]
    assert (len(seen) > 1) == (count > 30_000 or (count == 30_000 and cores == 3))
    assert sum(rows.stop - rows.start for rows in seen) == count


@pytest.mark.parametrize("collecting", [True, False])
def test_cycles_are_collected_afterwards_as_before(collecting: bool) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if collecting else gc.disable)()
        with threads.uncollected():
            assert not gc.isenabled()
        assert gc.isenabled() == collecting
        with pytest.raises(ValueError, match="whatever"), threads.uncollected():
            raise ValueError("whatever goes wrong")
        assert gc.isenabled() == collecting
    finally:
        (gc.enable if before else gc.disable)()


def test_cycles_are_collected_again_if_one_begins_while_another_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second finds the search off, as the first left it; were it to switch it off after the first had gone, it stayed so."""
    before, asked = gc.isenabled, threading.Event()
    first, ended = threads.uncollected(), threading.Event()

    def end() -> None:
        asked.wait()
        first.__exit__(None, None, None)
        ended.set()

    def slowly_asked() -> bool:
        found = before()
        asked.set()
        ended.wait(0.2)  # long enough for the first to end, if it can
        return found

    was = gc.isenabled()
    try:
        gc.enable()
        first.__enter__()
        ending = threading.Thread(target=end)
        ending.start()
        monkeypatch.setattr(gc, "isenabled", slowly_asked)
        with threads.uncollected():
            pass
        ending.join()
        assert before()
    finally:
        (gc.enable if was else gc.disable)()
