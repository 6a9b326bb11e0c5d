"""The folders of a KML, and the KMLs of a KMZ.

In: a file, checked for entities and size before. Out: its KML texts, and the path of folders to each layer that GDAL makes of them.
Method: GDAL gives a layer a folder by its own name alone; the tree is read beside it, in the same order.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_CONTAINERS = ("Document", "Folder")
_LINK = re.compile(rb"<(\w+:)?NetworkLink\b")
# The begin or end of a track, or a time. Never a whole track: a file of begins alone would be searched to its end for each.
_TRACK_OR_WHEN = re.compile(rb"<(/?)(?:\w+:)?Track\b[^<>]*>|<when\b[^<]*(?:</when>)?")
_FEATURES = ("Placemark", "GroundOverlay", "ScreenOverlay", "PhotoOverlay", "NetworkLink")


def documents(path: Path) -> list[bytes]:
    """Return the KML texts of a file.

    Parameters
    ----------
    path : Path
        A KML, or a KMZ, which may hold several.

    Returns
    -------
    list of bytes
        ``doc.kml`` first, the others by name: GDAL would read one of them and pass over the rest.

    Raises
    ------
    zipfile.BadZipFile
        If a KMZ is none.
    """
    if path.suffix.lower() != ".kmz":
        return [path.read_bytes()]
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.lower().endswith(".kml")]
        return [archive.read(name) for name in sorted(names, key=lambda name: (name.lower() != "doc.kml", name))]


def without_track_times(data: bytes) -> bytes:
    """Return a KML without the times at which the points of its tracks were recorded.

    GDAL gives the first and the last as the begin and end of a time span; when somebody drove a route says nothing on when
    it counts.

    Parameters
    ----------
    data : bytes
        A KML text.

    Returns
    -------
    bytes
        The same without ``when`` in any ``gx:Track``.

    Examples
    --------
    >>> without_track_times(b"<when>2020</when><gx:Track><when>2021</when><gx:coord>43 36 0</gx:coord></gx:Track>")
    b'<when>2020</when><gx:Track><gx:coord>43 36 0</gx:coord></gx:Track>'
    """
    inside = False

    def keep(found: re.Match[bytes]) -> bytes:
        nonlocal inside
        if found[1] is None:
            return b"" if inside else found[0]
        inside = not found[1] and not found[0].endswith(b"/>")
        return found[0]

    return _TRACK_OR_WHEN.sub(keep, data)


def count_links(data: bytes) -> int:
    """Count the links by which a KML shows what lies in other files, often on a server.

    Parameters
    ----------
    data : bytes
        A KML text.

    Returns
    -------
    int
        0 or more.

    Examples
    --------
    >>> count_links(b"<Folder><NetworkLink><Link/></NetworkLink><NetworkLinkControl/></Folder>")
    1
    """
    return len(_LINK.findall(data))


def folder_paths(data: bytes, layers: Sequence[str]) -> list[tuple[tuple[str, ...], bool]]:
    """Return for each layer the names of the folders around its features, and whether it has any.

    Parameters
    ----------
    data : bytes
        A KML text without a DOCTYPE.
    layers : sequence of str
        The layers that GDAL makes of it, in its order.

    Returns
    -------
    list of tuple
        The names, the outermost first, without the Document around all, but for its own features; none for features in no
        folder. Where the tree is not the one that GDAL saw, each layer's own name. And whether there is a placemark: to ask
        GDAL is to have the whole file read again for each layer.
    """
    try:
        paths = list(_containers(data))
    except ET.ParseError:
        paths = []
    if not paths and len(layers) == 1:
        return [((), True)]
    if len(paths) != len(layers) or not all(
        _agree(path, layer) for (path, _), layer in zip(paths, layers, strict=True)
    ):
        return [((re.sub(r" \(#\d+\)$", "", layer),), True) for layer in layers]
    return [(tuple(name for name in path if name), filled) for path, filled in paths]


def _containers(data: bytes) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield every container that is a layer: all but an outermost one without features of its own."""
    open_: list[ET.Element] = []
    found: list[tuple[ET.Element, tuple[ET.Element, ...]]] = []
    for event, element in ET.iterparse(io.BytesIO(data), events=("start", "end")):  # noqa: S314 - no entities, see files
        if _tag(element) not in _CONTAINERS:
            if event == "end" and _tag(element) in _FEATURES:
                element.clear()
            continue
        if event == "start":
            open_.append(element)
            # A Document around all is the file, and its name that of the file.
            inner = open_[1:] if _tag(open_[0]) == "Document" else open_
            found.append((element, tuple(inner) or (element,)))
        else:
            open_.pop()
    for place, (element, path) in enumerate(found):
        inside = {_tag(child) for child in element}
        if place > 0 or inside.intersection(_FEATURES):
            yield tuple(_name(each) for each in path), "Placemark" in inside


def _tag(element: ET.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _name(element: ET.Element) -> str:
    return next(((child.text or "").strip() for child in element if _tag(child) == "name"), "")


def _agree(path: tuple[str, ...], layer: str) -> bool:
    """Whether a layer may be the container: one without a name gets one from GDAL."""
    return not path[-1] or re.sub(r" \(#\d+\)$", "", layer) == path[-1]
