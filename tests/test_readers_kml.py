from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING

import pandas as pd
import pyogrio
import pytest

from gapmap.errors import InputError
from gapmap.readers import read_incidents, read_zones
from gapmap.readers.kml import documents, part, without_pictures, without_track_times

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

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
    assert [each.folders for each in part(data, layers)] == paths


@pytest.mark.parametrize("data", [f"{HEAD}{document('D', folder('A', P))}</kml>".encode(), b"<kml"])
def test_a_tree_that_is_another_gives_the_layers_own_names(data: bytes) -> None:
    assert part(data, ["Posts", "Posts (#2)", ""]) == [
        (("Posts",), True, data, 0),
        (("Posts",), True, data, 1),
        ((), True, data, 2),
    ]


def test_each_layer_is_read_from_its_own_part_as_from_the_whole() -> None:
    # GDAL reads a text once a layer, so that a hundred folders took a hundred times as long as one.
    schema = "<Schema name='s' id='s'><SimpleField type='int' name='n'/><SimpleField type='float' name='x'></SimpleField></Schema>"
    typed = (
        "<SchemaData schemaUrl='#s'><SimpleData name='n'>7</SimpleData><SimpleData name='x'>1</SimpleData></SchemaData>"
    )
    coded = "<Data name='reach_m'><value>5000</value></Data>"
    marks = [P.replace("<Point>", f"<ExtendedData>{each}</ExtendedData><Point>") for each in (typed, coded)]
    track = "<Placemark><name>t</name><gx:Track><gx:coord>43 36 0</gx:coord><gx:coord>43 37 0</gx:coord></gx:Track></Placemark>"
    body = "".join(
        [
            "<!-- <Folder><name>none</name></Folder> -->",
            folder("A", marks[0], "<Folder/>", folder("A", track, marks[1], "<Folder id='f'></Folder>"), P),
            folder("A (#2)", "<Document><name><![CDATA[</Folder>]]></name>", *marks, "</Document>"),
            folder("نقاط", "<name>later</name>", marks[1], folder("", *marks)),
            marks[0],
        ]
    )
    names = ' xmlns:gx="http://www.google.com/kml/ext/2.2"'
    data = f"{HEAD}<Document{names}><name>D</name>{schema}{body}</Document></kml>".encode()
    layers = [str(name) for name in pyogrio.list_layers(data)[:, 0]]
    parts = part(data, layers)
    assert [each.folders for each in parts] == [
        *[("D",), ("A",), ("A",), ("A", "A"), ("A", "A")],
        *[("A (#2)",), ("A (#2)", "</Folder>"), ("later",), ("later",)],
    ]
    assert sum(each.text.count(b"<Placemark>") for each in parts) == data.count(b"<Placemark>")
    for number, each in enumerate(parts):
        whole = pyogrio.read_dataframe(data, layer=number)
        alone = pyogrio.read_dataframe(each.text, layer=each.place)
        pd.testing.assert_frame_equal(pd.DataFrame(alone), pd.DataFrame(whole))
        assert each.filled == (len(whole) > 0)


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
        "no placemark in folders 'Force/Routes', 'Force/Linked'; 2 links to other files, not followed"
    ]
    posts = read_zones(path, force="a", layer="posts").attrs["input"]
    assert (posts["remarks"], posts["unread"]) == (["2 links to other files, not followed"], [])
    bare = tmp_path / "bare.kml"
    bare.write_text(f"{HEAD}{document('D', folder('A', P), folder('B'))}</kml>", encoding="utf-8")
    assert read_zones(bare, force="a").attrs["input"]["remarks"] == ["no placemark in folder 'B'"]
    text = path.read_text(encoding="utf-8").replace("<name>South</name>", f"<name>South</name>{P}")
    path.write_text(text, encoding="utf-8")
    assert read_zones(path, force="a", layer="posts").attrs["input"]["unread"] == ["Force/Routes/South"]


@pytest.mark.parametrize("prefix", ["kml", "ns0"])  # Python calls it ns0 where nobody told it otherwise
def test_tags_with_a_prefix_are_read_in_full(tmp_path: Path, prefix: str) -> None:
    told = "<TimeSpan><begin>2019-03-04</begin></TimeSpan><ExtendedData><Data name='reach'><value>8 km</value></Data></ExtendedData>"
    plain = f"{HEAD}{document('D', folder('Posts', P.replace('<Point>', f'{told}<Point>')))}</kml>"
    prefixed = re.sub(r"<(/?)(?=[A-Za-z])", rf"<\1{prefix}:", plain).replace("xmlns=", f"xmlns:{prefix}=")
    for name, text in (("a.kml", plain), ("b.kml", prefixed)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    one, other = (read_zones(tmp_path / name, force="a") for name in ("a.kml", "b.kml"))
    assert (other["reach_m"].tolist(), other["valid_from"].tolist()) == ([8_000], [pd.Timestamp("2019-03-04")])
    assert one.drop(columns="source").equals(other.drop(columns="source"))
    hidden = prefixed.replace(f"<{prefix}:Document>", f"<{prefix}:Document><!-- <{prefix}:OGRVRTDataSource -->")
    (tmp_path / "b.kml").write_text(hidden, encoding="utf-8")
    with pytest.raises(InputError, match="virtual layer"):
        read_zones(tmp_path / "b.kml", force="a")


def test_times_that_name_no_day(tmp_path: Path) -> None:
    def zones(begin: str, end: str) -> gpd.GeoDataFrame:
        span = f"<TimeSpan><begin>{begin}</begin><end>{end}</end></TimeSpan>"
        path = tmp_path / "a.kml"
        path.write_text(f"{HEAD}{document('D', P.replace('<Point>', f'{span}<Point>'))}</kml>", encoding="utf-8")
        return read_zones(path, force="a")

    for begin, end in (("2019", "2020-05"), (" 2019\n", "2020-5")):
        found = zones(begin, end)
        days = found[["valid_from", "valid_to"]].iloc[0].tolist()
        assert days == [pd.Timestamp("2019-01-01"), pd.Timestamp("2020-05-01")]
        said = f"times of a year or month alone, taken for its first day: '2019', {end!r}"
        assert found.attrs["input"]["remarks"] == [said]
    assert zones("2019-03-04T10:00:00Z", " ").attrs["input"]["remarks"] == []
    stamp = "<TimeStamp><when>2019-05</when></TimeStamp><Point>"
    path = tmp_path / "log.kml"
    path.write_text(f"{HEAD}{document('D', P.replace('<Point>', stamp))}</kml>", encoding="utf-8")
    incidents = read_incidents(path, columns={"date": "timestamp"})
    assert "times of a year or month alone, taken for its first day: '2019-05'" in incidents.attrs["input"]["remarks"]
    with pytest.raises(InputError, match=r"begin or end of a time that cannot be read: '04/03/2019', 'now'"):
        zones("now", "04/03/2019")


def test_placemarks_that_are_hidden_are_read_and_said(tmp_path: Path) -> None:
    # Somebody has taken the tick off a post that is given up.
    marks = [P.replace("43,36", f"43.{place},36") for place in range(4)]
    for place, shown in ((1, 0), (2, 1), (3, 0)):
        marks[place] = marks[place].replace("<Point>", f"<visibility>{shown}</visibility><Point>")
    path = tmp_path / "a.kml"
    path.write_text(f"{HEAD}{document('D', folder('A', *marks[:2]), folder('B', *marks[2:]))}</kml>", encoding="utf-8")
    zones = read_zones(path, force="a")
    assert len(zones) == 4
    assert zones.attrs["input"]["remarks"] == ["hidden in the drawing, and read like the others: rows 2, 4"]


def test_a_picture_over_the_map_is_no_zone(tmp_path: Path) -> None:
    # Of its frame GDAL makes a polygon: a scanned sheet of 50 km would cover all posts under it.
    frame = "<LatLonBox><north>36.5</north><south>36</south><east>43.5</east><west>43</west></LatLonBox>"
    picture = (
        f"<GroundOverlay><name>p</name><description><![CDATA[</GroundOverlay>]]></description>{frame}</GroundOverlay>"
    )
    body = document(
        "D", picture, folder("A", P, picture.replace("Ground", "kml:Ground"), "<GroundOverlay/>", P.replace("43", "44"))
    )
    text = f"{HEAD}{body}</kml>".replace("<kml ", '<kml xmlns:kml="http://www.opengis.net/kml/2.2" ')
    path = tmp_path / "a.kml"
    path.write_text(text, encoding="utf-8")
    zones = read_zones(path, force="a")
    assert zones["kind"].tolist() == ["post", "post"]
    assert zones.attrs["input"]["remarks"] == ["3 pictures laid over the map, not read"]
    assert zones.attrs["input"]["read_as"] == "folders: A (2)"
    path.write_text(f"{HEAD}{document('D', picture)}</kml>", encoding="utf-8")
    with pytest.raises(InputError, match=r"^a\.kml: no "):
        read_zones(path, force="a")
    broken = text.encode().replace(b"</Folder>", b"")
    assert without_pictures(broken) == broken


def test_times_are_taken_from_tracks_alone() -> None:
    stamp, track = b"<when>1</when>", b'<gx:Track id="a"><when>1</when><gx:coord>4 3 0</gx:coord></gx:Track>'
    bare = track.replace(stamp, b"")
    text = b"<Tracks/>" + stamp + track + stamp + b"<gx:Track/>" + stamp + track
    assert without_track_times(text) == b"<Tracks/>" + stamp + bare + stamp + b"<gx:Track/>" + stamp + bare
