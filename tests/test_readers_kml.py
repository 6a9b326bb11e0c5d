from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pyogrio
import pytest

from gapmap.errors import InputError
from gapmap.readers import read_zones
from gapmap.readers.kml import documents, folder_paths, without_track_times

if TYPE_CHECKING:
    from pathlib import Path

HEAD = '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2">'
P = "<Placemark><name>p</name><Point><coordinates>43,36</coordinates></Point></Placemark>"


def folder(name: str, *content: str, tag: str = "Folder") -> str:
    return f"<{tag}>{f'<name>{name}</name>' if name else ''}{''.join(content)}</{tag}>"


def document(name: str, *content: str) -> str:
    return folder(name, *content, tag="Document")


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        (P, [()]),
        (document("D", P), [("D",)]),
        (document("", P, folder("B", P)), [(), ("B",)]),
        (document("D", folder("A", P)), [("A",)]),
        (document("D", folder("A", folder("B", P)), P), [("D",), ("A",), ("A", "B")]),
        (folder("A", P, folder("A", P)), [("A",), ("A", "A")]),
        (folder("F", document("D", P)), [("F", "D")]),
        (document("D", folder("", P), folder("", P)), [(), ()]),
        (document("D", folder(" North ", folder("Posts", P)), folder("South", folder("Posts", P))), None),
        (document("D", folder("A", "<GroundOverlay/>"), P), [("D",), ("A",)]),
        (document("D", folder("Empty"), P), [("D",), ("Empty",)]),
    ],
)
def test_the_tree_is_that_of_the_layers(body: str, paths: list[tuple[str, ...]] | None) -> None:
    data = f"{HEAD}{body}</kml>".encode()
    layers = [str(name) for name in pyogrio.list_layers(data)[:, 0]]
    if paths is None:
        paths = [("North",), ("North", "Posts"), ("South",), ("South", "Posts")]
    assert [path for path, _ in folder_paths(data, layers)] == paths


def test_a_tree_that_is_another_gives_the_layers_own_names() -> None:
    data = f"{HEAD}{document('D', folder('A', P))}</kml>".encode()
    assert folder_paths(data, ["Posts", "Posts (#2)"]) == [(("Posts",), True), (("Posts",), True)]
    assert folder_paths(b"<kml", ["A", "B"]) == [(("A",), True), (("B",), True)]


def test_all_kmls_of_a_kmz(tmp_path: Path) -> None:
    path = tmp_path / "a.kmz"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("z.kml", "files/b.KML", "doc.kml", "photo.jpg"):
            archive.writestr(name, name)
    assert documents(path) == [b"doc.kml", b"files/b.KML", b"z.kml"]


def test_a_link_to_another_file_is_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "a.kml"
    link = "<NetworkLink><Link><href>http://127.0.0.1:9/secret.kml</href></Link></NetworkLink>"
    path.write_text(f'<kml xmlns="http://www.opengis.net/kml/2.2">{link}</kml>', encoding="utf-8")
    with pytest.raises(InputError, match=r"^a\.kml: no placemarks in it; a link to another file is not followed"):
        read_zones(path, force="north")


def test_folders_without_a_placemark_are_remarked_on(tmp_path: Path) -> None:
    link = "<NetworkLink><name>n</name><Link><href>other.kml</href></Link></NetworkLink>"
    folders = (folder("Posts", P), folder("Routes", folder("North", link), folder("South")), folder("Linked", link))
    path = tmp_path / "a.kml"
    path.write_text(f"{HEAD}{document('D', folder('Force', *folders))}</kml>", encoding="utf-8")
    zones = read_zones(path, force="a")
    assert zones.attrs["input"]["remarks"] == [
        "no placemark in folders 'Force/Routes', 'Force/Linked'; a link to another file is not followed"
    ]
    posts = read_zones(path, force="a", layer="posts").attrs["input"]
    assert (posts["remarks"], posts["unread"]) == ([], [])
    text = path.read_text(encoding="utf-8").replace("<name>South</name>", f"<name>South</name>{P}")
    path.write_text(text, encoding="utf-8")
    assert read_zones(path, force="a", layer="posts").attrs["input"]["unread"] == ["Force/Routes/South"]


def test_times_are_taken_from_tracks_alone() -> None:
    stamp, track = b"<when>1</when>", b'<gx:Track id="a"><when>1</when><gx:coord>4 3 0</gx:coord></gx:Track>'
    bare = track.replace(stamp, b"")
    text = b"<Tracks/>" + stamp + track + stamp + b"<gx:Track/>" + stamp + track
    assert without_track_times(text) == b"<Tracks/>" + stamp + bare + stamp + b"<gx:Track/>" + stamp + bare
