from __future__ import annotations

import math

import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapmap.errors import InputError
from gapmap.points import parse_point

GWER = (43.13, 36.34)


@pytest.mark.parametrize(
    "text",
    [
        "36.34, 43.13",
        "36.34 43.13",
        " 36.34 ; 43.13 ",
        "36.34,43.13",
        "36.34N 43.13E",
        "N36.34 E43.13",
        "36.34° N, 43.13° E",
        "43.13E 36.34N",
        "36.34n43.13e",
        "36°20'24\"N 43°7'48\"E",
        "36°20′24″N, 43°7′48″E",  # noqa: RUF001 - primes, as typed on phones
        "36° 20' 24\" N 43° 7' 48\" E",
        "36°20'24''N 43°7'48''E",
        "36 20 24 N 43 7 48 E",
        "36 20.4 N, 43 7.8 E",
        "N36°20'24\" E43°7'48\"",
    ],
)
def test_one_place_as_people_write_it(text: str) -> None:
    point = parse_point(text)
    assert (point.x, point.y) == pytest.approx(GWER, abs=1e-9)


def test_south_and_west_are_negative() -> None:
    assert parse_point("36.5S 43.25W").coords[0] == (-43.25, -36.5)
    assert parse_point("-36.5, −43.25").coords[0] == (-43.25, -36.5)  # noqa: RUF001 - a minus sign


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("38SLE7165259923", 1),
        ("38S LE 71652 59923", 1),
        ("38sle 7165 5992", 10),
        ("38SLE716599", 100),
        ("38SLE7159", 1_000),
        ("38SLE75", 10_000),
    ],
)
def test_mgrs_is_the_centre_of_its_square(text: str, side: int) -> None:
    # Square LE of zone 38 has its corner at 300 km east, 3 900 km north: read by hand, turned to degrees by PROJ.
    easting = 300_000 + math.floor(71_652 / side) * side + side / 2
    northing = 3_900_000 + math.floor(59_923 / side) * side + side / 2
    if side == 10_000:
        northing = 3_955_000
    lon, lat = pyproj.Transformer.from_crs(32638, 4326, always_xy=True).transform(easting, northing)
    point = parse_point(text)
    assert (point.x, point.y) == pytest.approx((lon, lat), abs=1e-6)


def test_mgrs_of_a_published_pair() -> None:
    # The Jefferson Pier in Washington, the worked example of the US National Grid: 38°53'23.3"N 77°02'11.6"W.
    point = parse_point("18S UJ 23371 06519")
    assert (point.x, point.y) == pytest.approx((-(77 + 2 / 60 + 11.6 / 3600), 38 + 53 / 60 + 23.3 / 3600), abs=2e-5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a point"),
        ("somewhere", "not a point"),
        ("36,34,43,13", "not a point"),
        ("nan, inf", "not a point"),
        ("36N", "not a point"),
        ("1" * 200, "not a point"),
        ("43.13, 136.34 W 3", "not a point"),
        ("120.5, 36", "latitude comes first, are the two swapped"),
        ("91, 181", "latitude 91 is outside"),
        ("36, 181", "longitude 181 is outside"),
        ("36 70 N 43 1 E", "not an angle"),
        ("36.5 20 N 43 1 E", "not an angle"),
        ("36N -43E", "not an angle"),
        ("N36 S43", "one latitude and one longitude"),
        ("36N, 43", "one latitude and one longitude"),
        ("38SLE123", "as many digits east as north"),
        ("38SLE 123 45", "as many digits east as north"),
        ("38SLE 123456789012", "as many digits east as north"),
        ("38SAA1212", "no MGRS square"),
        ("61SLE1212", "no MGRS square"),
    ],
)
def test_what_is_no_point_says_why(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_point(text)


@given(lat=st.floats(-90, 90), lon=st.floats(-180, 180))
def test_decimal_degrees_come_back(lat: float, lon: float) -> None:
    point = parse_point(f"{lat:.9f}, {lon:.9f}")
    assert (point.x, point.y) == pytest.approx((lon, lat), abs=1e-8)


@given(
    lat=st.tuples(st.integers(0, 89), st.integers(0, 59), st.integers(0, 59)),
    lon=st.tuples(st.integers(0, 179), st.integers(0, 59), st.integers(0, 59)),
    south=st.booleans(),
    west=st.booleans(),
)
def test_degrees_minutes_seconds_come_back(
    lat: tuple[int, int, int], lon: tuple[int, int, int], south: bool, west: bool
) -> None:
    text = "{}°{}'{}\"{} {}°{}'{}\"{}".format(*lat, "S" if south else "N", *lon, "W" if west else "E")
    point = parse_point(text)
    for got, (degrees, minutes, seconds), negative in ((point.y, lat, south), (point.x, lon, west)):
        # In whole seconds, so that the check itself rounds nothing.
        expected = degrees * 3600 + minutes * 60 + seconds
        assert got * 3600 == pytest.approx(-expected if negative else expected, abs=1e-4)


@given(st.text(max_size=40))
def test_any_text_is_a_point_or_an_input_error(text: str) -> None:
    try:
        point = parse_point(text)
    except InputError:
        return
    assert abs(point.x) <= 180
    assert abs(point.y) <= 90
