from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
import shapely

from gapmap.drawing import Picture


def numbers(picture: Picture, element: str, attribute: str) -> list[float]:
    texts = [each.get(attribute, "") for each in ET.fromstring(picture.svg).iter(element)]  # noqa: S314 - our own
    return [float(each) for text in texts for each in re.findall(r"-?\d+\.?\d*", text)]


@pytest.fixture
def picture() -> Picture:
    """100 by 50 mm, 10 m a millimetre."""
    return Picture("p", (0, 0, 1000, 500), width_mm=100, height_mm=50)


def test_what_must_be_seen_is_in_the_middle_whatever_its_shape() -> None:
    for bounds in ((0, 0, 1000, 10), (0, 0, 10, 1000), (5, 5, 5, 5)):
        picture = Picture("p", bounds, width_mm=100, height_mm=50)
        west, south, east, north = picture.bounds
        assert west <= bounds[0] + 1e-6
        assert north >= bounds[3] - 1e-6
        assert (west + east) / 2 == pytest.approx((bounds[0] + bounds[2]) / 2)
        assert (east - west) / (north - south) == pytest.approx(2)


def test_metres_become_millimetres_from_the_upper_left(picture: Picture) -> None:
    picture.draw([shapely.LineString([(0, 500), (250, 250), (1000, 0)])])
    assert numbers(picture, "path", "d") == [0, 0, 25, 25, 100, 50]


def test_areas_keep_their_holes(picture: Picture) -> None:
    outer, hole = shapely.box(100, 100, 400, 400), shapely.box(200, 200, 300, 300)
    picture.draw([outer - hole], fill="#ccc")
    path = ET.fromstring(picture.svg).find("path")  # noqa: S314
    assert path is not None
    assert path.get("d", "").count("Z") == 2
    assert path.get("fill-rule") == "evenodd"


def test_what_lies_outside_costs_nothing_and_its_cut_edges_are_not_seen(picture: Picture) -> None:
    far = shapely.Point(5000, 5000).buffer(100, quad_segs=500)
    picture.draw([far], fill="#ccc")
    assert "path" not in picture.svg
    picture.draw([shapely.box(-9e5, -9e5, 9e5, 9e5)], line="#000", thick=0.5)
    assert all(each < 0 or each > 50 for each in numbers(picture, "path", "d"))


def test_labels_do_not_cover_one_another_unless_they_must(picture: Picture) -> None:
    picture.name_point(shapely.Point(300, 250), "Gwer")
    picture.name_point(shapely.Point(310, 250), "left out")
    picture.name_point(shapely.Point(320, 250), "7", kind="number", always=True)
    picture.name_point(shapely.Point(-300, 250), "outside", always=True)
    assert [each.text for each in picture.labels] == ["Gwer", "7"]


def test_a_label_at_the_right_edge_grows_to_the_left(picture: Picture) -> None:
    picture.name_point(shapely.Point(950, 250), "Makhmour")
    assert picture.labels[0].side == "right"
    assert picture.rules() == "#p-0{right:5.00mm;top:25.00mm}"


@pytest.mark.parametrize(("metres", "length"), [(1_000, "0.2"), (7_000, "1"), (25_000, "5"), (400_000, "100")])
def test_the_scale_bar_is_as_long_as_it_says(metres: float, length: str) -> None:
    picture = Picture("p", (0, 0, metres, metres / 2), width_mm=100, height_mm=50)
    picture.scale_bar("{n} km")
    assert picture.labels[0].text == f"{length} km"
    left, _, _, right, _ = numbers(picture, "path", "d")
    assert (right - left) * metres / 100 == pytest.approx(float(length) * 1000, rel=1e-3)


def test_hatchings_of_different_forces_run_different_ways(picture: Picture) -> None:
    paints = {picture.hatching(number, (0, 0, 0)) for number in range(5)}
    turns = re.findall(r"rotate\(([^)]+)\)", picture.svg)
    assert len(paints) == len(set(turns)) == 5


def test_points_are_drawn_where_they_lie_and_once_where_they_lie_together(picture: Picture) -> None:
    picture.mark([shapely.Point(x, 250) for x in (100, 101, 300, -5, 2000)], "ring", size=0.6)
    assert numbers(picture, "circle", "cx") == [10, 30]
    assert numbers(picture, "circle", "cy") == [25, 25]
    picture.mark([], "square")
    assert "rect" not in picture.svg


def test_texts_are_not_in_the_svg(picture: Picture) -> None:
    picture.name_point(shapely.Point(300, 250), "<b>Gwer</b>")
    picture.note("Made for a test", "across", 0, 10)
    assert "Gwer" not in picture.svg
    assert "test" not in picture.svg
