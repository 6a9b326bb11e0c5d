"""The colours of the page, told apart by full sight and by three kinds of colour blindness."""

from __future__ import annotations

import re

import pytest

from gapmap.maps import page
from tests.colour import SIGHTS, ciede2000, closest

# No two colours of a palette look more alike than this to anybody; about 2 is just seen, 10 at a glance.
FLOOR = 12.0

# Pairs and differences of the table that Sharma, Wu and Dalal published for testing programs: hue across the seam of the
# circle, greys, small and large differences, the blue region with its turned ellipse.
SHARMA = [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
    ((50, -0.001, 2.49), (50, 0.001, -2.49), 4.8045),
    ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("one", "other", "difference"), SHARMA)
def test_the_difference_is_the_published_one(
    one: tuple[float, float, float], other: tuple[float, float, float], difference: float
) -> None:
    assert ciede2000(one, other) == pytest.approx(difference, abs=5e-5)
    assert ciede2000(other, one) == pytest.approx(difference, abs=5e-5)


def palette(name: str) -> list[list[int]]:
    """Return the colours of a constant of the page's script."""
    script = page.own_asset("gapmap.js")
    text = re.search(rf"const {name}=\[(.*?)\];", script, re.DOTALL)
    assert text is not None
    return [[int(found[i : i + 2], 16) for i in (0, 2, 4)] for found in re.findall(r'"#([0-9a-f]{6})"', text[1])]


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize(("name", "count"), [("FORCES", 5), ("WIDTHS", 5)])
def test_row_13_no_two_colours_look_alike(name: str, count: int, sight: str) -> None:
    colours = palette(name)
    assert len(colours) == count
    assert closest(colours, sight) >= FLOOR
