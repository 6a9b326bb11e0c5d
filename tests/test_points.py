from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import mgrs
import pyproj
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gapmap.errors import InputError
from gapmap.maps import build_map, save
from gapmap.points import is_mgrs_zone, mgrs_side_m, parse_angle, parse_point
from tests import browser
from tests.fake_analysis import FakeAnalysis, fake_analysis

if TYPE_CHECKING:
    from pathlib import Path

GWER = (43.13, 36.34)


ONE_PLACE = (
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
    "36,34; 43,13",
    "36,34 43,13",
    "36,34N 43,13E",
    "٣٦٫٣٤، ٤٣٫١٣",
    "۳۶٫۳۴ ؛ ۴۳٫۱۳",
    "\u200f36.34\u200f, 43.13\u200e",
    "36 20 24, 43 7 48",
)


@pytest.mark.parametrize("text", ONE_PLACE)
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


def test_mgrs_in_other_digits_and_with_blanks() -> None:
    expected = parse_point("38SLE716599")
    assert parse_point("٣٨SLE٧١٦٥٩٩").equals(expected)
    for text in (" 38 s le 716 599 ", "MGRS: 38SLE716599", "(38S LE 716 599)"):
        assert parse_point(text).equals(expected)


def test_mgrs_whose_band_and_square_contradict_each_other() -> None:
    # Bands by the scheme: R is 24 to 32 N, S 32 to 40 N; the square LE of zone 38 lies at 35.8 N alone.
    for wrong in ("38RLE716599", "38TLE716599", "38PLE7165259923"):
        with pytest.raises(InputError, match="one of the letters is wrong"):
            parse_point(wrong)
    with pytest.raises(InputError, match=r"lies at latitude 35\.8, and band R is 24 to 32"):
        parse_point("LE 716 599", mgrs_zones=["38R"])
    with pytest.raises(InputError, match=r"'3' is not a grid zone; they are a list such as \['38S'\]"):
        parse_point("LE 716 599", mgrs_zones="38S")
    # The edge of R and S crosses the square LA: people write either letter for all of it, and mean one place.
    assert parse_point("38RLA5050").equals(parse_point("38SLA5050"))
    # Iraq lies in four zones: what two bands of one zone both have is one square.
    iraq = ["37R", "37S", "38R", "38S"]
    assert parse_point("LA5050", mgrs_zones=iraq).equals(parse_point("38SLA5050"))
    assert parse_point("LE716599", mgrs_zones=iraq).equals(parse_point("38SLE716599"))
    assert parse_point("MV5020", mgrs_zones=iraq).equals(parse_point("38RMV5020"))


@given(st.floats(-79.99, 83.99), st.floats(-179.99, 179.99))
def test_every_reference_that_mgrs_writes_is_read(lat: float, lon: float) -> None:
    assume(abs(lat) > 1e-4)  # it writes the equator, from the south, as a square that it does not read itself
    point = parse_point(mgrs.MGRS().toMGRS(lat, lon))
    _, _, metres = pyproj.Geod(ellps="WGS84").inv(lon, lat, point.x, point.y)
    assert metres < 2


def test_mgrs_without_its_zone() -> None:
    assert parse_point("LE 716 599", mgrs_zones=["38S"]).equals(parse_point("38SLE716599"))
    # Columns A to H are zone 37's and J to R zone 38's, by the scheme: no letter is in both.
    both = ["37S", "38s"]
    assert parse_point("LE716599", mgrs_zones=both).equals(parse_point("38SLE716599"))
    assert parse_point("GV1234", mgrs_zones=both).equals(parse_point("37SGV1234"))
    with pytest.raises(InputError, match="say the zone in the scenario"):
        parse_point("LE716599")
    with pytest.raises(InputError, match="names no MGRS square"):
        parse_point("GV1234", mgrs_zones=["38S"])
    with pytest.raises(InputError, match="none of the zones 37S, 38s"):
        parse_point("TE1234", mgrs_zones=both)
    with pytest.raises(
        InputError, match="more than one of the zones 38S, 44S"
    ):  # the letters come again in every sixth zone
        parse_point("LE1234", mgrs_zones=["38S", "44S"])


@pytest.mark.parametrize(
    ("text", "side"),
    [("38SLE7165259923", 1), ("LE 716 599", 100), ("38SLE75", 10_000), ("38SLE123", None), ("36.3, 43.1", None)],
)
def test_the_digits_say_how_large_the_square_is(text: str, side: float | None) -> None:
    assert mgrs_side_m(text) == pytest.approx(math.nan if side is None else side, nan_ok=True)


def test_zones_of_the_grid() -> None:
    assert [text for text in ("38S", "1C", "60x", "0S", "61S", "38", "38I", "S38", "38SLE") if is_mgrs_zone(text)] == [
        "38S",
        "1C",
        "60x",
    ]


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("36°20'24\"N", 36.34),
        ("N36 20 24", 36.34),
        ("36,34", 36.34),
        ("٣٦°٢٠'٢٤\"", 36.34),
        ("36.34°", 36.34),
        ("36.34 s", -36.34),
    ],
)
def test_one_angle(text: str, degrees: float) -> None:
    assert parse_angle(text, "lat") == pytest.approx(degrees, abs=1e-9)


def test_an_angle_of_the_other_axis() -> None:
    with pytest.raises(InputError, match=r"a longitude, not a latitude \(are the columns swapped\?\)"):
        parse_angle("43E", "lat")
    for text in ("", "north", "36 123", "1" * 100):
        with pytest.raises(InputError, match="is not a coordinate"):
            parse_angle(text, "lat")


def test_mgrs_of_a_published_pair() -> None:
    # The Jefferson Pier in Washington, the worked example of the US National Grid: 38°53'23.3"N 77°02'11.6"W.
    point = parse_point("18S UJ 23371 06519")
    assert (point.x, point.y) == pytest.approx((-(77 + 2 / 60 + 11.6 / 3600), 38 + 53 / 60 + 23.3 / 3600), abs=2e-5)


NO_POINT = (
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
    ("36,34 43.13", "its comma may be a decimal mark"),
    ("36 43,13", "its comma may be a decimal mark"),
    ("N36 S43", "one latitude and one longitude"),
    ("36N, 43", "one latitude and one longitude"),
    ("38SLE123", "as many digits east as north"),
    ("38SLE 123 45", "as many digits east as north"),
    ("38SLE 123456789012", "as many digits east as north"),
    ("38SAA1212", "no MGRS square"),
    ("61SLE1212", "no MGRS square"),
)


@pytest.mark.parametrize(("text", "words"), NO_POINT)
def test_what_is_no_point_says_why(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_point(text)


def test_the_page_reads_the_same_points(tmp_path: Path) -> None:
    """What is one point here is the same point in the page's field, what is none is none."""
    texts = [
        *ONE_PLACE,
        *(text for text, _ in NO_POINT),
        *(
            "36,2 43,3",
            "36,2; 43,3",
            "36,21 43,35",
            "36.5S 43.25W",
            "-36.5, \u221243.25",
            "MGRS: 38SLE716599",
            "(38S LE 716 599)",
        ),
        *(
            "38sle 7165 5992",
            "38SLE75",
            "38SLE",
            "LE 716 599",
            "36 12 43 18",
            "36.2N 43.3",
            "lat 36.2 lon 43.3",
            "12 12",
            "43.3 36.2",
        ),
    ]
    expected: list[Any] = []
    for text in texts:
        try:
            point = parse_point(text)
        except InputError:
            expected.append(None)
        else:
            expected.append(pytest.approx([point.y, point.x], abs=1e-6))
    path = save(build_map(FakeAnalysis({"run": fake_analysis().table("run")})), tmp_path / "map.html")
    with browser.chromium(tmp_path / "profile") as chrome:
        browser.open_page(chrome, path)
        found = chrome.execute_script("return arguments[0].map(text => gapmap.parsePoint(text))", texts)
    assert dict(zip(texts, found, strict=True)) == dict(zip(texts, expected, strict=True))


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
