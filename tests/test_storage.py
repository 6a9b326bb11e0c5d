"""Tables as they go into a file and come back; whole results are saved and opened in test_analysis."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from types import SimpleNamespace

import geopandas as gpd
import pyogrio.errors
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal

from gapmap import storage, tables
from gapmap.errors import InputError, MissingFileError, ResultError

CRS = "+proj=laea +lat_0=36 +lon_0=43 +datum=WGS84"


def places(shapes: list[shapely.Geometry]) -> gpd.GeoDataFrame:
    index = [f"P{number}" for number in range(len(shapes))]
    return gpd.GeoDataFrame({"name": index}, index=index, geometry=shapes, crs=CRS)


def test_a_layer_has_one_kind_of_geometry() -> None:
    mixed = places([shapely.box(0, 0, 1, 1), shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(2, 2, 3, 3)])])
    settled = storage.settle(mixed, "ground")
    assert settled.geom_type.tolist() == ["MultiPolygon", "MultiPolygon"]
    assert settled.area.tolist() == [1, 2]
    assert mixed.geom_type.tolist() == ["Polygon", "MultiPolygon"]


def test_what_is_settled_stays_as_it_is() -> None:
    once = storage.settle(places([shapely.Point(0, 0), shapely.Point(1, 1)]), "places")
    again = storage.settle(once, "places")
    assert_geodataframe_equal(once, again)
    assert once.index.name == tables.INDEX["places"]
    assert once.geom_type.tolist() == ["Point", "Point"]


def test_a_result_has_the_name_of_a_geopackage(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a result is a GeoPackage"):
        storage.write({}, tmp_path / "gaps.shp")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_result_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="gapmap run"):
        storage.ResultFile(tmp_path / "gaps.gpkg")


def test_a_result_that_another_program_holds_is_not_called_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = partial(sqlite3.connect, timeout=0)  # sqlite waits some seconds for the other one
    monkeypatch.setattr("gapmap.storage.sqlite3.connect", connect)
    path = tmp_path / "gaps.gpkg"
    with closing(connect(path)) as other:
        other.execute("CREATE TABLE gpkg_contents (table_name TEXT)")
        other.commit()
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ResultError, match=r"gaps\.gpkg is in use by another program"):
            storage.ResultFile(path)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (PureWindowsPath(r"C:\My maps\gaps#1.gpkg"), "file:///C%3A/My%20maps/gaps%231.gpkg?mode=ro"),
        # SQLite refuses a server where a URI has it: that of a share belongs into the path.
        (PureWindowsPath(r"\\server\share\gaps.gpkg"), "file:////server/share/gaps.gpkg?mode=ro"),
        (PurePosixPath("/srv/gaps?.gpkg"), "file:///srv/gaps%3F.gpkg?mode=ro"),
    ],
)
def test_sqlite_is_told_of_a_file_wherever_it_lies(path: PurePath, told: str) -> None:
    assert storage._read_only(path) == told


def test_a_result_is_found_by_a_path_of_two_slashes_as_that_of_a_share_is(tmp_path: Path) -> None:
    path = tmp_path / "گوێر #1?.gpkg"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE gpkg_contents (table_name TEXT)")
    shared = PurePosixPath(f"/{path}")
    assert str(shared).startswith("//")
    with closing(sqlite3.connect(storage._read_only(shared), uri=True)) as database:
        assert database.execute("SELECT count(*) FROM gpkg_contents").fetchone() == (0,)


def test_all_files_are_replaced_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drafts = {}
    for name in ("old", "new", "busy"):
        draft = tmp_path / "drafts" / name
        draft.parent.mkdir(exist_ok=True)
        draft.write_text("next", encoding="utf-8")
        drafts[draft] = tmp_path / name
    (tmp_path / "old").write_text("before", encoding="utf-8")
    replace = os.replace

    def refuse(source: Path, target: Path) -> None:
        if target.name == "busy":
            raise PermissionError(13, "in use")
        replace(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(InputError, match="busy is in use"):
        storage.replace_all(drafts)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["drafts", "old"]
    assert (tmp_path / "old").read_text(encoding="utf-8") == "before"


@pytest.mark.parametrize(
    ("error", "free", "full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 10**12, True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), 10**12, True),
        (sqlite3.OperationalError("database or disk is full"), 10**12, True),
        (pyogrio.errors.FeatureError("failed to execute insert : database or disk is full"), 10**12, True),
        # What GDAL says of a layer whose last pages found no room, and of the next one.
        (pyogrio.errors.DataSourceError("Failed to commit transaction"), 50_000, True),
        (pyogrio.errors.FeatureError("no such table: gpkg_contents"), 0, True),
        (pyogrio.errors.DataSourceError("Failed to commit transaction"), 10**12, False),
        (OSError(errno.EIO, "Input/output error"), 0, False),
    ],
)
def test_a_full_disk_is_said_with_the_file_and_what_to_do(
    error: Exception, free: int, full: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def usage(_: Path) -> SimpleNamespace:
        return SimpleNamespace(free=free)

    monkeypatch.setattr("gapmap.storage.shutil.disk_usage", usage)
    path = tmp_path / "gaps.gpkg"
    path.write_bytes(b"before")

    def fill() -> None:
        with storage.drafts_beside(tmp_path, target=path) as outer, storage.drafts_beside(outer) as folder:
            (folder / "gaps.gpkg").write_bytes(b"half")
            raise error

    with pytest.raises(InputError if full else type(error)) as caught:
        fill()
    if full:
        said = (
            f"{path} cannot be written: the disk is full\n  -> free some space on it, or name a place on another disk"
        )
        assert str(caught.value) == said
    assert [each.name for each in tmp_path.iterdir()] == ["gaps.gpkg"]
    assert path.read_bytes() == b"before"


@pytest.mark.parametrize(
    ("code", "said"), [(errno.EROFS, "Read-only file system"), (errno.ENOSPC, "the disk is full\n.*free some space")]
)
def test_a_folder_that_cannot_be_made_is_said(
    code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deny(*_: object, **__: object) -> None:
        raise OSError(code, "Read-only file system")

    monkeypatch.setattr("gapmap.storage.Path.mkdir", deny)
    with pytest.raises(InputError, match=rf"new cannot be written: {said}"), storage.drafts_beside(tmp_path / "new"):
        pass


def test_one_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:1])
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "map.html"
    storage.write_file(path, b"before")
    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(InputError, match=r"map\.html cannot be written: the disk is full"):
        storage.write_file(path, b"after")
    assert [each.name for each in tmp_path.iterdir()] == ["map.html"]
    assert path.read_bytes() == b"before"
