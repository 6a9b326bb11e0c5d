"""The folders of a KML, and the KMLs of a KMZ.

In: a file, checked for entities and size before. Out: its KML texts, and of each layer that GDAL makes of them the path of folders
and a text of its own. Method: GDAL gives a layer a folder by its own name alone; the tree is read beside it, in the same order.
"""

from __future__ import annotations

import codecs
import re
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from xml.parsers import expat

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_CONTAINERS = ("Document", "Folder")
_PICTURE = "GroundOverlay"
# The begin or end of a track, or a time. Never a whole track: a file of begins alone would be searched to its end for each.
_TRACK_OR_WHEN = re.compile(rb"<(/?)(?:\w+:)?Track\b[^<>]*>|<when\b[^<]*(?:</when>)?")
_TIME = re.compile(rb"<((?:\w+:)?(begin|end|when))>([^<]*)</")
_YEAR, _COARSE, _DAY = re.compile(r"\d{4}"), re.compile(r"\d{4}(?:-\d{1,2})?"), re.compile(r"\d{4}-\d{1,2}-\d{1,2}.*")
_EMPTY = re.compile(rb"<[^\s/>]+(?:\s[^>]*)?/>")
# How a text in UTF-16 begins: with a byte-order mark, or with its first "<" in two bytes.
_WIDE = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
_STATED = re.compile(rb"((?:\xef\xbb\xbf)?\s*<\?xml\b[^<>]*?)\s+encoding\s*=\s*[\"']([\w-]+)[\"']")
ROOT = re.compile(rb"(?:\xef\xbb\xbf)?(?>\s+|<\?.*?\?>|<!--.*?-->)*+<(?:(\w+):)?(?:kml|gpx)\b", re.DOTALL)
_FEATURES = ("Placemark", _PICTURE, "ScreenOverlay", "PhotoOverlay", "NetworkLink")


def documents(path: Path) -> list[bytes]:
    """Return the KML texts of a file.

    Parameters
    ----------
    path : Path
        A KML, or a KMZ, which may hold several.

    Returns
    -------
    list of bytes
        ``doc.kml`` first, the others by name: GDAL would read one of them and pass over the rest. As :func:`as_known` has them.

    Raises
    ------
    zipfile.BadZipFile
        If a KMZ is none.
    UnicodeError
        If a text is not in the encoding that it states.
    """
    if path.suffix.lower() != ".kmz":
        return [as_known(path.read_bytes())]
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.lower().endswith(".kml")]
        order = sorted(names, key=lambda name: (name.lower() != "doc.kml", name))
        return [as_known(archive.read(name)) for name in order]


def as_known(data: bytes) -> bytes:
    """Return an XML text in the form in which GDAL knows a KML or GPX: in UTF-8, and its own tags without a prefix.

    Tools on Windows write UTF-16, or only say that they do, or windows-1256: what is UTF-8 is that, whatever it says, and all
    else what it says. Python writes ns0:kml; of one that is called kml:kml GDAL reads no more than names and positions. What
    is to be refused is looked for in this form too.

    Parameters
    ----------
    data : bytes
        A KML or GPX text.

    Returns
    -------
    bytes
        The same text; `data` itself where there is nothing to do.

    Raises
    ------
    UnicodeError
        If it is not in the encoding that it states, or begins as UTF-16 and is none.

    Examples
    --------
    >>> as_known('<?xml version="1.0" encoding="utf-16"?><a:kml xmlns:a="b"><a:Folder/></a:kml>'.encode("utf-16"))
    b'<?xml version="1.0"?><kml xmlns="b"><Folder/></kml>'
    """
    codec = next((codec for start, codec in _WIDE.items() if data.startswith(start)), None)
    stated = _STATED.match(data)
    if stated and codec is None and not _is_utf8(data):
        codec = _charmap(stated[2].decode())
        if codec is None:  # GDAL says that it does not know it either
            return data
    text = data if codec is None else data.decode(codec).encode()
    stated = _STATED.match(text)
    if stated and stated[2].lower() != b"utf-8":
        text = text[: stated.end(1)] + text[stated.end() :]
    root = ROOT.match(text)
    if root and root[1]:
        text = re.sub(rb"(</?)%s:" % root[1], rb"\1", text).replace(b"xmlns:%s=" % root[1], b"xmlns=", 1)
    return text


def _charmap(name: str) -> str | None:
    """Return Python's name of an encoding of single bytes; others that Python has are none of texts, or slow."""
    try:
        codec = codecs.lookup(name).name
    except LookupError:
        return None
    return codec if codec.startswith(("ascii", "cp", "iso8859", "koi8", "mac", "utf-8")) else None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


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


def with_days(data: bytes) -> bytes:
    """Return a KML in which a year says its first day: GDAL takes a year alone for no time.

    Parameters
    ----------
    data : bytes
        A KML text.

    Returns
    -------
    bytes
        The same but for these.

    Examples
    --------
    >>> with_days(b"<begin>2019</begin><end>2020-05-01</end>")
    b'<begin>2019-01-01</begin><end>2020-05-01</end>'
    """
    return _TIME.sub(
        lambda found: b"<%s>%s-01-01</" % (found[1], found[3].strip()) if _YEAR.fullmatch(_text(found)) else found[0],
        data,
    )


def times(data: bytes) -> tuple[list[str], list[str]]:
    """Return the times that name no day.

    Parameters
    ----------
    data : bytes
        A KML text.

    Returns
    -------
    list of str
        Those that name a year or month alone.
    list of str
        Begins and ends that are no time of KML: GDAL passes over them.

    Examples
    --------
    >>> times(b"<begin>2019-05</begin><end>3.4.2020</end><begin> </begin>")
    (['2019-05'], ['3.4.2020'])
    """
    texts = sorted({(_text(found), found[2] == b"when") for found in _TIME.finditer(data)})
    coarse = [text for text, _ in texts if _COARSE.fullmatch(text)]
    no_times = [text for text, is_stamp in texts if text and not is_stamp and not _COARSE.fullmatch(text)]
    return coarse, [text for text in no_times if not _DAY.fullmatch(text)]


def _text(time: re.Match[bytes]) -> str:
    return time[3].decode(errors="replace").strip()


def without_pictures(data: bytes) -> bytes:
    """Return a KML without the pictures that lie over its map: GDAL makes an area of the frame of each, a scanned sheet's too.

    Parameters
    ----------
    data : bytes
        A KML text without a DOCTYPE.

    Returns
    -------
    bytes
        The same without any ``GroundOverlay``.

    Examples
    --------
    >>> without_pictures(b"<Folder><GroundOverlay><Icon/></GroundOverlay><name>a</name></Folder>")
    b'<Folder><name>a</name></Folder>'
    """
    if not count(data, _PICTURE):
        return data
    try:
        pictures = _Tree(data).pictures
    except expat.ExpatError:
        return data
    ends = [0, *(end for _, end in pictures)]
    begins = [*(begin for begin, _ in pictures), len(data)]
    return b"".join(data[end:begin] for end, begin in zip(ends, begins, strict=True))


def count(data: bytes, tag: str) -> int:
    """Count the elements of a name, such as the links by which a KML shows what lies in other files, often on a server.

    Parameters
    ----------
    data : bytes
        A KML text.
    tag : str
        The name.

    Returns
    -------
    int
        0 or more.

    Examples
    --------
    >>> count(b"<Folder><NetworkLink><Link/></NetworkLink><NetworkLinkControl/></Folder>", "NetworkLink")
    1
    """
    return len(re.findall(rb"<(?:\w+:)?%s\b" % tag.encode(), data))


def in_folders(data: bytes) -> bool:
    """Tell whether every placemark lies in a folder, and no folder has a slash in its name, which parts one from the next.

    Parameters
    ----------
    data : bytes
        A KML text without a DOCTYPE.

    Returns
    -------
    bool
        False where the Document around all holds a placemark itself, and of a text that cannot be parsed.

    Examples
    --------
    >>> in_folders(b"<kml><Document><Folder><Placemark/></Folder></Document></kml>")
    True
    >>> in_folders(b"<kml><Document><Folder><Placemark/></Folder><Placemark/></Document></kml>")
    False
    """
    try:
        found = _Tree(data).found
    except expat.ExpatError:
        return False
    loose = any(not each.around and "Placemark" in each.children for each in found)
    return bool(found) and not loose and not any("/" in (each.name or "") for each in found if each.around)


class Layer(NamedTuple):
    """A layer that GDAL makes of a KML.

    Attributes
    ----------
    folders : tuple of str
        The names of the folders around its features, the outermost first, without the Document around all, but for its own
        features; none for features in no folder.
    filled : bool
        Whether there is a placemark: to ask GDAL is to have the whole text read.
    text : bytes
        A KML text that holds its features.
    place : int
        Which of the layers that GDAL makes of that text it is, from 0.
    """

    folders: tuple[str, ...]
    filled: bool
    text: bytes
    place: int


def part(data: bytes, names: Sequence[str]) -> list[Layer]:
    """Part a KML by the layers that GDAL makes of it, which reads a whole text again for each layer it is asked for.

    Parameters
    ----------
    data : bytes
        A KML text without a DOCTYPE.
    names : sequence of str
        Of the layers, in GDAL's order; "" for one without.

    Returns
    -------
    list of Layer
        One for each. Where the tree is not the one that GDAL saw, each with the whole text, and its name for a folder.
    """
    try:
        found = _containers(data)
    except expat.ExpatError:
        found = []
    if not found and len(names) == 1:
        return [Layer((), True, data, 0)]
    if len(found) != len(names) or not all(map(_agree, found, names)):
        return [Layer((_unnumbered(name),) if name else (), True, data, place) for place, name in enumerate(names)]
    # The outermost container around a layer is none, without features of its own; the next ones are, empty now.
    return [
        Layer(each.path, "Placemark" in each.children, each.alone(data), max(len(each.around) - 1, 0)) for each in found
    ]


@dataclass
class _Container:
    """A Document or Folder, and where it stands in the text; those around it, the outermost first."""

    tag: str
    around: tuple[_Container, ...]
    start: int
    first: int = 0  # where the first element in it begins
    end: int = 0
    name: str | None = None
    children: set[str] = field(default_factory=set)
    containers: list[_Container] = field(default_factory=list)
    schemas: list[tuple[int, int]] = field(default_factory=list)

    @property
    def path(self) -> tuple[str, ...]:
        chain = (*self.around, self)
        # A Document around all is the file, and its name that of the file.
        inner = chain[1:] if _local(chain[0].tag) == "Document" else chain
        return tuple(each.name for each in inner or chain if each.name)

    def alone(self, data: bytes) -> bytes:
        """Return a text with this container alone: none that is in it, and of those around it the schemas and no more."""
        outermost = (*self.around, self)[0]
        pieces = [data[: outermost.start]]
        for each in self.around:
            pieces += [data[each.start : each.first], *(data[start:end] for start, end in each.schemas)]
        begin = self.start
        for each in self.containers:
            pieces.append(data[begin : each.start])
            begin = each.end
        pieces.append(data[begin : self.end])
        pieces += [f"</{each.tag}>".encode() for each in reversed(self.around)]
        return b"".join([*pieces, data[outermost.end :]])


def _containers(data: bytes) -> list[_Container]:
    """Return every container that is a layer: all but an outermost one without features of its own."""
    found = _Tree(data).found
    return [each for place, each in enumerate(found) if place > 0 or each.children.intersection(_FEATURES)]


class _Tree:
    """The containers of a text, in its order."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.found: list[_Container] = []
        self.pictures: list[tuple[int, int]] = []
        # Of each element that is open: where it begins, and what it is if that counts.
        self.open: list[tuple[int, _Container | None]] = []
        self.name: list[str] | None = None
        self.parser = expat.ParserCreate()  # no entities, see files
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.text
        self.parser.Parse(data, True)

    def start(self, tag: str, _: Mapping[str, str]) -> None:
        at, local = self.parser.CurrentByteIndex, _local(tag)
        parent = self.open[-1][1] if self.open else None
        if parent is not None:
            parent.first = parent.first or at
            parent.children.add(local)
            if local == "name":
                self.name = []
        container = None
        if local in _CONTAINERS:
            container = _Container(tag, tuple(each for _, each in self.open if each is not None), at)
            self.found.append(container)
            for above in container.around[-1:]:
                above.containers.append(container)
        self.open.append((at, container))

    def end(self, tag: str) -> None:
        at = self.parser.CurrentByteIndex
        begin, container = self.open.pop()
        # Of <Folder/> the end is told behind it, of all others where the end tag begins.
        after = at if _EMPTY.fullmatch(self.data, begin, at) else self.data.index(b">", at) + 1
        parent = self.open[-1][1] if self.open else None
        if _local(tag) == _PICTURE:
            self.pictures.append((begin, after))
        if container is not None:
            container.end = after
        elif parent is not None and _local(tag) == "Schema":
            parent.schemas.append((begin, after))
        elif parent is not None and self.name is not None:
            parent.name, self.name = "".join(self.name).strip(), None

    def text(self, piece: str) -> None:
        if self.name is not None:
            self.name.append(piece)


def _local(tag: str) -> str:
    return tag.rpartition(":")[2]


def _unnumbered(layer: str) -> str:
    return re.sub(r" \(#\d+\)$", "", layer)


def _agree(found: _Container, layer: str) -> bool:
    """Whether a layer may be the container: one without a name gets one from GDAL."""
    return not found.name or found.name in (layer, _unnumbered(layer))
