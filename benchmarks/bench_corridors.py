"""gapmap beside the two recipes with buffers that people use today, on the demo's cover, in one run.

In: the shipped scenario. Out: time and ground of each method, and the ratios to gapmap's. Method: the three take turns, the
median of the rounds counts. Only ratios mean anything: times are of this machine.
"""

from __future__ import annotations

import itertools
import statistics
import time
from typing import TYPE_CHECKING, Any

import shapely

import gapmap
from gapmap.cli import demo_scenario

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 3
QUAD_SEGS = 32  # an arc of 20 km is then off by 6 m


def by_gapmap(cover: Any, limit_m: float) -> Any:  # noqa: ANN401 - geometries are Any to mypy
    """Return the corridor ground: with widths, middle lines and stretches made on the way."""
    return shapely.union_all(gapmap.find_corridors(cover, max_width_m=limit_m).corridors.geometry.to_numpy())


def by_closing(cover: Any, limit_m: float) -> Any:  # noqa: ANN401
    """Return what morphological closing adds to the cover: grown by half the limit, shrunk by the same."""
    union = cover.union_all()
    closed = union.buffer(limit_m / 2, quad_segs=QUAD_SEGS).buffer(-limit_m / 2, quad_segs=QUAD_SEGS)
    return closed.difference(union)


def by_buffers(cover: Any, limit_m: float) -> Any:  # noqa: ANN401
    """Return the uncovered ground within the limit of two forces."""
    grown = cover.buffer(limit_m, quad_segs=QUAD_SEGS)
    both = shapely.union_all([a.intersection(b) for a, b in itertools.combinations(grown, 2)])
    return both.difference(cover.union_all())


METHODS: dict[str, Callable[[Any, float], Any]] = {
    "gapmap": by_gapmap,
    "closing: (U+W/2)-W/2 less U": by_closing,
    "buffers: (A+W)&(B+W) less U": by_buffers,
}


def main() -> None:
    """Run the methods in turn and print what they found."""
    analysis = gapmap.run(demo_scenario())
    cover, limit_m = analysis.table("cover"), float(analysis.table("run")["max_width_m"].iloc[0])
    seconds: dict[str, list[float]] = {name: [] for name in METHODS}
    ground: dict[str, Any] = {}
    for _ in range(ROUNDS):
        for name, method in METHODS.items():
            start = time.perf_counter()
            ground[name] = method(cover, limit_m)
            seconds[name].append(time.perf_counter() - start)

    ours, base = ground["gapmap"], statistics.median(seconds["gapmap"])
    print(f"Demo cover, {len(cover)} forces, limit {limit_m / 1000:g} km; median of {ROUNDS} rounds")
    print(f"{'method':30}{'s':>7}{'x time':>8}{'km2':>9}{'x area':>8}{'finds':>8}{'not corridor':>14}")
    for name, shape in ground.items():
        spent = statistics.median(seconds[name])
        finds = shape.intersection(ours).area / ours.area
        wrong = shape.difference(ours).area / shape.area
        figures = f"{spent:7.2f}{spent / base:8.2f}{shape.area / 1e6:9.0f}{shape.area / ours.area:8.2f}"
        print(f"{name:30}{figures}{finds:8.0%}{wrong:14.0%}")
    print("finds: share of gapmap's corridor ground; not corridor: share of the method's own ground that is none,")
    print(
        "for it lies inside one force's line, past an open end, behind a third force or where the gap is over the limit"
    )


if __name__ == "__main__":
    main()
