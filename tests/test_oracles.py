"""The second method must itself be right: closed forms, and one still plainer method on small scenes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely

from tests import scenes
from tests.oracles import Oracle, edge_points, is_span
from tests.scenes import KM, W

if TYPE_CHECKING:
    from collections.abc import Callable

    from geopandas import GeoDataFrame

    from tests.scenes import ClosedForm

PROOF: dict[str, Callable[[], ClosedForm]] = {
    "strips": lambda: scenes.strips(8 * KM, 40 * KM, angle=33),
    "strips just W apart": lambda: scenes.strips(W, 60 * KM),
    "ring": lambda: scenes.ring(6 * KM, 18 * KM, quad_segs=24),
    "ring W wide": lambda: scenes.ring(6 * KM, 26 * KM, quad_segs=24),
    "discs": lambda: scenes.two_discs(18 * KM, 6 * KM, angle=31, quad_segs=64),
    "discs, spans reach W": lambda: scenes.two_discs(62 * KM, 30 * KM, angle=200, quad_segs=96),
    "discs, radii reach W": lambda: scenes.two_discs(25 * KM, 4 * KM, angle=-62, quad_segs=64),
    "wedge": lambda: scenes.wedge(20, angle=140),
    "wide wedge": lambda: scenes.wedge(65, angle=90),
    "block before a wall": lambda: scenes.block_before_wall(7 * KM, 40 * KM, angle=52),
}


@pytest.mark.parametrize("name", PROOF)
def test_closed_forms(name: str) -> None:
    form = PROOF[name]()
    oracle = Oracle(form.cover, form.max_width_m)

    assert oracle.area(*form.forces) == pytest.approx(form.area_m2, rel=0.01)
    assert oracle.width_at(form.inside) == pytest.approx(form.width(form.inside), rel=0.01, abs=40)
    assert not oracle.in_corridor(form.outside).any()


def test_a_wall_between_blocks_the_view() -> None:
    oracle = Oracle(scenes.blocked(5 * KM, 2 * KM, 40 * KM, angle=20), W)
    assert oracle.areas() == pytest.approx({("blue", "red"): 200e6, ("green", "red"): 200e6}, rel=0.001)


def test_a_triangle_between_three_forces_is_split_in_three() -> None:
    # Posts so small that the three gap triangles' parts are all there is: corners 12 km from the middle.
    table = scenes.three_corners(12 * KM)
    table = table.set_geometry(table.centroid.buffer(1, quad_segs=4))
    third = 3 * np.sqrt(3) / 4 * (12 * KM) ** 2 / 3
    assert oracle_areas(table, 21 * KM) == pytest.approx(
        {("blue", "green"): third, ("blue", "red"): third, ("green", "red"): third}, rel=0.01
    )
    assert oracle_areas(table, 20 * KM) == {}


def test_a_post_of_both_has_ground_of_no_corridor_beside_it() -> None:
    table = scenes.post_of_both()
    oracle = Oracle(table, W)
    assert not oracle.in_corridor(np.array([[3 * KM, 4 * KM], [3 * KM, -4 * KM]])).any()
    assert oracle.in_corridor(np.array([[-20 * KM, 0.0], [25 * KM, 1 * KM]])).all()


def oracle_areas(table: GeoDataFrame, limit: float) -> dict[tuple[str, str], float]:
    return Oracle(table, limit).areas()


@pytest.mark.parametrize("seed", [1, 2])
def test_every_span_found_has_an_empty_disc_and_every_disc_found_its_ground(seed: int) -> None:
    table = scenes.random_discs(seed, forces=3, count=3, region=60 * KM, quad_segs=8)
    oracle = Oracle(table, W)
    points, held = edge_points(table, 100)
    assert oracle.shape

    # The oracle's spans against the pencil of circles.
    lengths = np.array([np.hypot(*(span[0][0] - span[0][1])) for span in oracle.span])
    for n in np.flatnonzero(lengths > 100)[::40]:
        a, b = oracle.span[n][0]
        assert is_span(a, b, points, W * 1.001, slack_m=1.0)

    # The pencil's spans against the oracle's ground.
    random = np.random.default_rng(seed)
    found = []
    for i, j in random.integers(0, len(points), (12_000, 2)):
        if not held[i] & held[j] and is_span(points[i], points[j], points, W * 0.99, slack_m=1e-3):
            found.append((points[i] + points[j]) / 2)
    ground = shapely.union_all([oracle.ground(*pair) for pair in oracle.areas()]).buffer(5)
    assert len(found) > 3
    assert shapely.contains_xy(ground, np.array(found)).all()


def test_half_lines_of_the_pencil() -> None:
    a, b = np.array([0.0, 0.0]), np.array([0.0, 2.0])
    free = np.array([[3.0, 1.0], [-3.0, 1.0]])
    closed = np.array([[0.5, 1.0], [-0.5, 1.0]])
    assert is_span(a, b, free, 5.0, slack_m=0.0)
    assert not is_span(a, b, free, 1.9, slack_m=0.0)
    assert not is_span(a, b, closed, 5.0, slack_m=0.0)
    # Only a disc that leans far to the left avoids the point: its radius is the limit.
    one = np.array([[0.5, 1.0]])
    radius = (0.75 / 0.5 / 2) ** 2 + 1
    assert is_span(a, b, one, np.sqrt(radius) + 1.0, slack_m=0.0)
