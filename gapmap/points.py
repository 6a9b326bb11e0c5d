"""A point from text, as people write it.

In: latitude and longitude in decimal degrees or degrees-minutes-seconds, or an MGRS reference, in digits of any script. Out: a
shapely Point in EPSG:4326. Method: split the text into its two halves, read each by one pattern; MGRS through the package
``mgrs``.
"""

from __future__ import annotations

import math
import re
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import mgrs
import pyproj
from shapely import Point

from gapmap.errors import InputError
from gapmap.units import western

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        "\u02ba": '"',
        "\u201c": '"',
        "\u2018": "'",
    }
)
_SQUARE = r"[A-HJ-NP-Z][A-HJ-NP-V] ?(?P<digits>\d+|\d+ \d+)"
_MGRS = re.compile(rf"\d{{1,2}} ?[C-HJ-NP-X] ?{_SQUARE}")
_MGRS_WITHOUT_ZONE = re.compile(_SQUARE)
_BANDS = "CDEFGHJKLMNPQRSTUVWX"  # of MGRS: 8 degrees of latitude each, from 80 S
_BAND_DEGREES, _BANDS_FROM = 8, -80
_SQUARE_DEGREES = 1.0  # of latitude: a square of 100 km keeps its letters where the edge of a band crosses it
_ZONE = re.compile(r"(?:0?[1-9]|[1-5]\d|60)[C-HJ-NP-X]")
_COMMA_TWO_WAYS = re.compile(r"[+-]?\d+,\d+ [+-]?\d+(?:\.\d+)?|[+-]?\d+(?:\.\d+)? [+-]?\d+,\d+")
_ANGLE = re.compile(
    r"(?P<before>[NSEW])? ?(?P<sign>[+-]?)(?P<degrees>\d+(?:\.\d+)?)(?: ?° ?| |$|(?=[NSEW]))"
    r"(?:(?P<minutes>\d+(?:\.\d+)?)(?: ?' ?| |$|(?=[NSEW])))?"
    r"(?:(?P<seconds>\d+(?:\.\d+)?) ?\"? ?)?"
    r"(?P<after>[NSEW])?"
)


def parse_point(text: str, *, mgrs_zones: Sequence[str] = ()) -> Point:
    r"""Read a point from text.

    Parameters
    ----------
    text : str
        ``"36.34, 43.13"`` (latitude first), ``"36.34N 43.13E"`` (letters decide, in either order), degrees-minutes or
        degrees-minutes-seconds, or an MGRS reference of two to ten digits, with or without spaces. Digits of any script;
        a decimal comma where a semicolon or a blank parts the two: ``"36,34; 43,13"``.
    mgrs_zones : sequence of str, optional
        Grid zones such as ``"38S"`` for references without one (``"LE 716 599"``): the one of them that has the square.

    Returns
    -------
    shapely.Point
        ``(longitude, latitude)`` in EPSG:4326. For MGRS the centre of the square that the reference names (a reference
        names a square, not its corner).

    Raises
    ------
    InputError
        If the text is no point, or lies outside -90..90 and -180..180; if the square of an MGRS reference does not lie in
        its band; if one has no zone and not exactly one of `mgrs_zones` has its square.

    Examples
    --------
    >>> parse_point("36.34, 43.13").wkt
    'POINT (43.13 36.34)'
    >>> parse_point("36°20'24\"N 43°7'48\"E").wkt
    'POINT (43.13 36.34)'
    >>> parse_point("38S LE 71652 59923").wkt
    'POINT (43.580005 35.775004)'
    >>> parse_point("LE 71652 59923", mgrs_zones=["38S"]).wkt
    'POINT (43.580005 35.775004)'
    """
    clean = _clean(text)
    if not clean or len(clean) > _LONGEST:
        raise InputError(f"{_short(text)} is not a point; {_ACCEPTED}")
    if _MGRS.fullmatch(clean):
        return _from_mgrs(clean, text)
    if _MGRS_WITHOUT_ZONE.fullmatch(clean):
        return _with_zone(clean, text, mgrs_zones)
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


def parse_angle(text: str, axis: Literal["lat", "lon"]) -> float:
    r"""Read a latitude or a longitude from text.

    Parameters
    ----------
    text : str
        Decimal degrees with a point or comma, degrees-minutes or degrees-minutes-seconds, with or without a letter.
    axis : {"lat", "lon"}
        Which of the two it is to be.

    Returns
    -------
    float
        Degrees, negative for south and west. The range is not checked.

    Raises
    ------
    InputError
        If the text is no angle, or its letter says that it is the other of the two.

    Examples
    --------
    >>> parse_angle("36°20'24\"N", "lat"), parse_angle("43,13", "lon")
    (36.34, 43.13)
    """
    clean = _clean(text)
    try:
        angle, said = _angle(clean if len(clean) <= _LONGEST else "", text)
    except InputError as error:
        raise InputError(f"{_short(text)} is not a coordinate, such as 36.34 or 36°20'24\"N") from error
    if said not in ("", axis):
        words = {"lat": "latitude", "lon": "longitude"}
        raise InputError(f"{_short(text)} is a {words[said]}, not a {words[axis]} (are the columns swapped?)")
    return angle


def mgrs_side_m(text: str) -> float:
    """Return the side of the square that an MGRS reference names.

    Parameters
    ----------
    text : str
        As :func:`parse_point` takes it.

    Returns
    -------
    float
        Metres: 10 000 for two digits, 1 for ten; NaN for text that is no such reference.

    Examples
    --------
    >>> mgrs_side_m("38S LE 716 599"), mgrs_side_m("36.3, 43.1")
    (100.0, nan)
    """
    clean = _clean(text)
    match = _MGRS.fullmatch(clean) or _MGRS_WITHOUT_ZONE.fullmatch(clean)
    half = _half(match["digits"]) if match else 0
    return 10.0 ** (_METRE_DIGITS - half) if half else math.nan


def is_mgrs_zone(text: str) -> bool:
    """Tell whether a text names an MGRS grid zone.

    Parameters
    ----------
    text : str
        Number and band, such as "38S".

    Returns
    -------
    bool
        True for 1C to 60X, without I and O.

    Examples
    --------
    >>> is_mgrs_zone("38S"), is_mgrs_zone("38"), is_mgrs_zone("61S")
    (True, False, False)
    """
    return _ZONE.fullmatch(text.upper()) is not None


def _clean(text: str) -> str:
    clean = " ".join(western(text).translate(_LOOKALIKES).replace("''", '"').upper().split())
    return clean.removeprefix("MGRS").strip(" :()")


def _halves(clean: str, text: str) -> tuple[str, str]:
    """Split at the one comma or semicolon, else by the letters, else at the one blank."""
    if clean.count(";") == 1:
        return tuple(clean.split(";"))  # type: ignore[return-value]
    if _COMMA_TWO_WAYS.fullmatch(clean):
        raise InputError(
            f"{_short(text)}: its comma may be a decimal mark or part latitude from longitude; {_ACCEPTED}"
        )
    if clean.count(",") == 1:
        return tuple(clean.split(","))  # type: ignore[return-value]
    letters = [place for place, letter in enumerate(clean) if letter in "NSEW"]
    if len(letters) == 2:  # noqa: PLR2004
        cut = letters[1] if letters[0] == 0 else letters[0] + 1
        return clean[:cut], clean[cut:]
    if not letters and clean.count(" ") == 1:
        return tuple(clean.split(" "))  # type: ignore[return-value]
    raise InputError(f"{_short(text)} is not a point; {_ACCEPTED}")


def _angle(half: str, text: str) -> tuple[float, str]:
    match = _ANGLE.fullmatch(re.sub(r"(?<=\d),(?=\d)", ".", half))
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


def _half(digits: str) -> int:
    """Return how many digits an MGRS reference has each way, 0 where it has not as many east as north."""
    blocks = digits.split()
    half, odd = divmod(len("".join(blocks)), 2)
    even = not odd and half <= _METRE_DIGITS and {len(block) for block in blocks} in ({half}, {2 * half})
    return half if even else 0


def _with_zone(clean: str, text: str, zones: Sequence[str]) -> Point:
    """Read a reference without a zone: columns of squares have other letters in the zones beside it."""
    if not zones:
        raise InputError(
            f'{_short(text)}: an MGRS reference without its zone; say the zone in the scenario: mgrs_zone = "38S"'
        )
    if other := [zone for zone in zones if not is_mgrs_zone(zone)]:
        raise InputError(f"{other[0]!r} is not a grid zone; they are a list such as ['38S']")
    found, error = set(), None
    for zone in zones:
        try:
            # Two bands of a zone share the squares on their edge, and mean the same by them: one point.
            found.add(_from_mgrs(f"{zone.upper()}{clean}", text))
        except InputError as said:
            error = said
    if len(found) == 1:
        return found.pop()
    if error and len(zones) == 1:
        raise error
    has = "more than one" if found else "none"
    raise InputError(f"{_short(text)}: {has} of the zones {', '.join(zones)} has that square")


def _from_mgrs(clean: str, text: str) -> Point:
    match = _MGRS.fullmatch(clean)
    half = _half(match["digits"]) if match else 0
    if not half:
        raise InputError(f"{_short(text)}: an MGRS reference has as many digits east as north, 2 to 10 in all")
    reference = clean.replace(" ", "")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of a square that reaches over the edge of its band
            zone, hemisphere, easting, northing = mgrs.MGRS().MGRSToUTM(reference)
    except mgrs.core.MGRSError as error:
        raise InputError(f"{_short(text)} names no MGRS square; {_ACCEPTED}") from error
    # Some releases of mgrs answer with the corner of the square, some with its centre: both give the same square.
    side = 10.0 ** (_METRE_DIGITS - half)
    centre = [(math.floor((value + 1e-3) / side) + 0.5) * side for value in (easting, northing)]
    lon, lat = _utm_to_lonlat(int(zone), str(hemisphere)).transform(*centre)
    # mgrs takes a band for a hint: 38R LE comes out in 38S. One of the letters is a slip, and nothing says which.
    south = _BANDS_FROM + _BAND_DEGREES * _BANDS.index(band := reference[len(reference.rstrip("0123456789")) - 3])
    north = south + _BAND_DEGREES + (4 if band == _BANDS[-1] else 0)
    if not south - _SQUARE_DEGREES <= lat <= north + _SQUARE_DEGREES:
        raise InputError(
            f"{_short(text)}: its square lies at latitude {lat:.1f}, and band {band} is {south} to {north}: "
            "one of the letters is wrong"
        )
    return Point(round(lon, 6), round(lat, 6))


@lru_cache(maxsize=128)
def _utm_to_lonlat(zone: int, hemisphere: str) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs((32600 if hemisphere == "N" else 32700) + zone, 4326, always_xy=True)


def _short(text: str) -> str:
    return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...")
