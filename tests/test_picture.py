from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from gapmap import cli
from gapmap.errors import AssetError, MissingFileError
from gapmap.maps import build_map, save
from gapmap.maps.picture import take_picture
from tests import browser
from tests.fake_analysis import fake_analysis

if TYPE_CHECKING:
    from pathlib import Path

    from gapmap.analysis import Analysis


def _call(*words: object) -> int:
    try:
        return cli.main([str(word) for word in words])
    except SystemExit as end:
        return int(end.code or 0)


def test_picture_is_the_map_drawn(tmp_path: Path) -> None:
    browser.require_chromium()
    page = save(build_map(fake_analysis()), tmp_path / "a map's name.html")
    picture = take_picture(page, tmp_path / "map.png", size=(900, 700)).read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert (int.from_bytes(picture[16:20], "big"), int.from_bytes(picture[20:24], "big")) == (900, 700)
    assert len(picture) > 60_000  # an empty map is a fifth of that
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a map's name.html", "map.png"]


def test_picture_without_a_browser_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(MissingFileError, match="needs Chromium"):
        take_picture(tmp_path / "map.html", tmp_path / "map.png")


def test_a_browser_that_says_bytes_of_no_encoding_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "chromium"
    fake.write_text("#!/bin/sh\nprintf 'no \\377 window' >&2\n", encoding="utf-8")
    fake.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _: str(fake))
    with pytest.raises(AssetError, match="drew nothing: no \ufffd window"):
        take_picture(tmp_path / "map.html", tmp_path / "map.png")


def test_command_draws_in_another_language_and_as_a_picture(computed_demo: Analysis, tmp_path: Path) -> None:
    browser.require_chromium()
    computed_demo.save(tmp_path / "gaps.gpkg")
    picture = tmp_path / "map.png"
    assert _call("map", tmp_path, "--language", "ckb", "--png", picture, "--quiet") == 0
    text = (tmp_path / "map.html").read_text(encoding="utf-8")
    assert '<html lang="ckb" dir="rtl">' in text
    assert 'id="gapmap-notes"' not in text
    assert picture.stat().st_size > 60_000
    assert _call("map", tmp_path, "--language", "xx", "--quiet") == 2
    assert _call("map", tmp_path, "--notes", "--quiet") == 0
    assert 'id="gapmap-notes"' in (tmp_path / "map.html").read_text(encoding="utf-8")


def test_analysis_shows_itself_as_a_map(computed_demo: Analysis) -> None:
    shown = computed_demo._repr_html_()
    assert "<iframe" in shown
    assert "gapmap-shapes" in shown
    assert "Content-Security-Policy" in shown
