from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapmap.errors import InputError
from gapmap.units import decimal_point, format_length, parse_length


@pytest.mark.parametrize(
    ("text", "metres"),
    [
        ("5 km", 5000),
        ("5km", 5000),
        ("0.5 KM", 500),
        ("500 m", 500),
        ("250", 250),
        (250, 250),
        (2.5, 2.5),
        ("0 km", 0),
        ("5,5 km", 5500),
        ("٥ كم", 5000),
        ("۲٫۵ کم", 2500),
        ("٥٠٠ م", 500),
        ("12 500 m", 12_500),
        ("0,500 km", 500),
    ],
)
def test_lengths(text: str | float, metres: float) -> None:
    assert parse_length(text) == metres


@pytest.mark.parametrize("text", ["3 mi", "5 miles", "2 nm", "1 h", "5 km/h", "10 min"])
def test_other_units_are_refused_by_name(text: str) -> None:
    with pytest.raises(InputError, match='accepted: "5 km", "500 m"'):
        parse_length(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "km",
        "five",
        "-1 km",
        "nan",
        "inf",
        float("nan"),
        float("inf"),
        "1e999 km",
        True,
        "5,5,5 km",
        "1,500 m",
        "5 km km",
    ],
)
def test_what_is_no_length_is_refused(text: str | float) -> None:
    with pytest.raises(InputError):
        parse_length(text)


@given(st.floats(0, 1e7))
def test_a_length_written_is_read_back_the_same(metres: float) -> None:
    assert parse_length(format_length(metres)) == metres


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("٣٦٫٣٤", "36.34"),
        ("۴۳٫۱۳", "43.13"),
        ("\u200f36.34\u200e", "36.34"),
        ("12,5", "12.5"),
        ("12,500", "12,500"),
        ("0,500", "0.500"),
        ("1,234,567", "1,234,567"),
        ("1.234,5", "1.234,5"),
        ("١٢٬٥٠٠", "12500"),
        ("12\u202f500", "12500"),
        ("x", "x"),
    ],
)
def test_numbers_as_they_are_written_elsewhere(text: str, plain: str) -> None:
    assert decimal_point(text) == plain


def test_a_coordinate_has_no_thousands() -> None:
    assert decimal_point("43,125", coordinate=True) == "43.125"
