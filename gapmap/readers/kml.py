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


def folder_paths(data: bytes, layers: Sequence[str]) -> list[tuple[str, ...]]:
    """Return for each layer the names of the folders around its features, the outermost first.

    Parameters
    ----------
    data : bytes
        A KML text without a DOCTYPE.
    layers : sequence of str
        The layers that GDAL makes of it, in its order.

    Returns
    -------
    list of tuple of str
        Without the Document around all, but for its own features; nothing for features in no folder. Where the tree is not the
        one that GDAL saw, each layer's own name.
    """
    try:
        paths = list(_containers(data))
    except ET.ParseError:
        paths = []
    if not paths and len(layers) == 1:
        return [()]
    if len(paths) != len(layers) or not all(map(_agree, paths, layers)):
        return [(re.sub(r" \(#\d+\)$", "", layer),) for layer in layers]
    return [tuple(name for name in path if name) for path in paths]


def _containers(data: bytes) -> Iterator[tuple[str, ...]]:
    """Yield the path of every container that is a layer: all but an outermost one without features of its own."""
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
        if place > 0 or any(_tag(child) in _FEATURES for child in element):
            yield tuple(_name(each) for each in path)


def _tag(element: ET.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _name(element: ET.Element) -> str:
    return next(((child.text or "").strip() for child in element if _tag(child) == "name"), "")


def _agree(path: tuple[str, ...], layer: str) -> bool:
    """Whether a layer may be the container: one without a name gets one from GDAL."""
    return not path[-1] or re.sub(r" \(#\d+\)$", "", layer) == path[-1]
