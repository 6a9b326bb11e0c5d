"""The styles stored in a result: sound XML, every kind of ground, classes that follow the limit."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from gapmap import tables
from gapmap.styles import FORCE_COLOURS, WIDTH_CLASSES, qml

LAYERS = qml(["alpha", "bravo"], max_width_m=20_000)


@pytest.mark.parametrize("layer", sorted(LAYERS))
def test_every_style_is_sound_xml_for_a_table(layer: str) -> None:
    assert layer in tables.COLUMNS
    document = ET.fromstring(LAYERS[layer])  # noqa: S314 - our own text
    assert document.tag == "qgis"
    assert document.find("renderer-v2") is not None


def test_every_kind_of_ground_has_its_colour() -> None:
    document = ET.fromstring(LAYERS["ground"])  # noqa: S314
    assert {each.get("value") for each in document.iter("category")} == set(tables.GROUND_KINDS)


@pytest.mark.parametrize("limit_m", [5_000, 20_000])
def test_classes_of_width_follow_the_limit(limit_m: float) -> None:
    document = ET.fromstring(qml(["alpha"], max_width_m=limit_m)["facets"])  # noqa: S314
    ranges = list(document.iter("range"))
    assert [float(each.get("lower", "")) for each in ranges] == pytest.approx([s * limit_m for s in WIDTH_CLASSES[:-1]])
    assert len({each.get("symbol") for each in ranges}) == len(ranges)


def test_a_zone_is_drawn_by_its_shape_in_any_qgis() -> None:
    document = ET.fromstring(LAYERS["zones"])  # noqa: S314
    filters = [each.get("filter", "") for each in document.iter("rule")]
    assert len(filters) == 2 * 3
    assert not [text for text in filters if "@" in text]  # QGIS before 3.28 has no @geometry: it would draw nothing


@pytest.mark.parametrize("layer", ["places", "stretches"])
def test_what_has_a_name_is_labelled(layer: str) -> None:
    document = ET.fromstring(LAYERS[layer])  # noqa: S314
    assert document.get("labelsEnabled") == "1"
    assert "Labeling" in document.get("styleCategories", "")
    assert [each.get("fieldName") for each in document.iter("text-style")] == ["name"]


def test_each_force_takes_the_next_colour() -> None:
    assert len(set(FORCE_COLOURS)) == len(FORCE_COLOURS)
    document = ET.fromstring(qml(list("abcdefg"), max_width_m=1)["cover"])  # noqa: S314
    assert [each.get("value") for each in document.iter("category")] == list("abcdefg")
