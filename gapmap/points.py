"""A point from text, as people write it.

In: latitude and longitude in decimal degrees or degrees-minutes-seconds, or an MGRS reference. Out: a shapely Point in
EPSG:4326. Method: split the text into its two halves, read each by one pattern; MGRS through the package ``mgrs``.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

import mgrs
import pyproj
from shapely import Point

from gapmap.errors import InputError

_LONGEST = 80  # characters; nobody writes a point in more
_LAT_MAX, _LON_MAX = 90.0, 180.0
_SIXTY = 60.0
_METRE_DIGITS = 5  # digits of an MGRS easting at a metre
_ACCEPTED = (
    'accepted: "36.34, 43.13" (latitude first), "36.34N 43.13E", "36°20\'24\\"N 43°7\'48\\"E", "38SLE7165259923"'
)
_LOOKALIKES = str.maketrans(
    {
        "\u2032": "'",
        "\u2019": "'",
        "\u02b9": "'",
        "\u2033": '"',
        "\u201d": '"',
        "\u00ba": "°",
        "\u2212": "-",
        "\u00a0": " ",
    }
)
_MGRS = re.compile(r"\d{1,2}[C-HJ-NP-X] ?[A-HJ-NP-Z][A-HJ-NP-V] ?(?:\d+|\d+ \d+)")
_ANGLE = re.compile(
    r"(?P<before>[NSEW])? ?(?P<sign>[+-]?)(?P<degrees>\d+(?:\.\d+)?)(?: ?° ?| |$|(?=[NSEW]))"
    r"(?:(?P<minutes>\d+(?:\.\d+)?)(?: ?' ?| |$|(?=[NSEW])))?"
    r"(?:(?P<seconds>\d+(?:\.\d+)?) ?\"? ?)?"
    r"(?P<after>[NSEW])?"
)


def parse_point(text: str) -> Point:
    r"""Read a point from text.

    Parameters
    ----------
    text : str
        ``"36.34, 43.13"`` (latitude first), ``"36.34N 43.13E"`` (letters decide, in either order), degrees-minutes or
        degrees-minutes-seconds, or an MGRS reference of two to ten digits, with or without spaces.

    Returns
    -------
    shapely.Point
        ``(longitude, latitude)`` in EPSG:4326. For MGRS the centre of the square that the reference names (a reference
        names a square, not its corner).

    Raises
    ------
    InputError
        If the text is no point, or lies outside -90..90 and -180..180.

    Examples
    --------
    >>> parse_point("36.34, 43.13").wkt
    'POINT (43.13 36.34)'
    >>> parse_point("36°20'24\"N 43°7'48\"E").wkt
    'POINT (43.13 36.34)'
    >>> parse_point("38S LE 71652 59923").wkt
    'POINT (43.580005 35.775004)'
    """
    clean = " ".join(text.translate(_LOOKALIKES).replace("''", '"').upper().split())
    if not clean or len(clean) > _LONGEST:
        raise InputError(f"{_short(text)} is not a point; {_ACCEPTED}")
    if _MGRS.fullmatch(clean):
        return _from_mgrs(clean, text)
    halves = [_angle(half.strip(), text) for half in _halves(clean, text)]
    (first, first_axis), (second, second_axis) = halves
    if {first_axis, second_axis} == {"lon", "lat"}:
        lat, lon = (first, second) if first_axis == "lat" else (second, first)
    elif first_axis == second_axis == "":
        lat, lon = first, second
    else:
        raise InputError(f"{_short(text)} does not name one latitude and one longitude; {_ACCEPTED}")
    if abs(lat) > _LAT_MAX:
        hint = "; latitude comes first, are the two swapped?" if abs(lon) <= _LAT_MAX else ""
        raise InputError(f"{_short(text)}: latitude {lat:g} is outside -90..90{hint}")
    if abs(lon) > _LON_MAX:
        raise InputError(f"{_short(text)}: longitude {lon:g} is outside -180..180")
    return Point(lon, lat)


def _halves(clean: str, text: str) -> tuple[str, str]:
    """Split at the one comma or semicolon, else by the letters, else at the one blank."""
    for mark in ",;":
        if clean.count(mark) == 1:
            return tuple(clean.split(mark))  # type: ignore[return-value]
    letters = [place for place, letter in enumerate(clean) if letter in "NSEW"]
    if len(letters) == 2:  # noqa: PLR2004
        cut = letters[1] if letters[0] == 0 else letters[0] + 1
        return clean[:cut], clean[cut:]
    if not letters and clean.count(" ") == 1:
        return tuple(clean.split(" "))  # type: ignore[return-value]
    raise InputError(f"{_short(text)} is not a point; {_ACCEPTED}")


def _angle(half: str, text: str) -> tuple[float, str]:
    match = _ANGLE.fullmatch(half)
    if match is None:
        raise InputError(f"{_short(text)} is not a point; {_ACCEPTED}")
    letter = match["before"] or match["after"] or ""
    degrees, minutes, seconds = (match[part] or "" for part in ("degrees", "minutes", "seconds"))
    wrong = (
        (match["before"] and match["after"])
        or (letter and match["sign"])
        or (minutes and "." in degrees)
        or (seconds and "." in minutes)
        or (seconds and not minutes)
        or float(minutes or 0) >= _SIXTY
        or float(seconds or 0) >= _SIXTY
    )
    if wrong:
        raise InputError(f"{_short(text)}: {half!r} is not an angle; {_ACCEPTED}")
    # Rounded to a tenth of a millimetre, so that 36°20'24" is 36.34 and not 36.34000000000001.
    size = round(float(degrees) + float(minutes or 0) / 60 + float(seconds or 0) / 3600, 9)
    axis = "" if not letter else "lat" if letter in "NS" else "lon"
    return (-size if letter in ("S", "W") or match["sign"] == "-" else size), axis


def _from_mgrs(clean: str, text: str) -> Point:
    digits = re.search(r"(?<=[A-Z])[\d ]+$", clean)
    blocks = digits.group().split() if digits else []
    number = "".join(blocks)
    half = len(number) // 2
    if (
        len(number) % 2
        or not 1 <= half <= _METRE_DIGITS
        or {len(block) for block in blocks} not in ({half}, {2 * half})
    ):
        raise InputError(f"{_short(text)}: an MGRS reference has as many digits east as north, 2 to 10 in all")
    reference = clean.replace(" ", "")
    try:
        zone, hemisphere, easting, northing = mgrs.MGRS().MGRSToUTM(reference)
    except mgrs.core.MGRSError as error:
        raise InputError(f"{_short(text)} names no MGRS square; {_ACCEPTED}") from error
    # Some releases of mgrs answer with the corner of the square, some with its centre: both give the same square.
    side = 10.0 ** (_METRE_DIGITS - half)
    centre = [(math.floor((value + 1e-3) / side) + 0.5) * side for value in (easting, northing)]
    lon, lat = _utm_to_lonlat(int(zone), str(hemisphere)).transform(*centre)
    return Point(round(lon, 6), round(lat, 6))


@lru_cache(maxsize=128)
def _utm_to_lonlat(zone: int, hemisphere: str) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs((32600 if hemisphere == "N" else 32700) + zone, 4326, always_xy=True)


def _short(text: str) -> str:
    return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...")
