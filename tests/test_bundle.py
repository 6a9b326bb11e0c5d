"""The bundle: what each system lacks is told by what holds there, and the scripts speak of what is there."""

from __future__ import annotations

import importlib.util
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

import gapmap

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parent.parent


def _script(name: str, folder: Path = ROOT / "scripts") -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


make_bundle = _script("make_bundle")


def _wheel(folder: Path, name: str, *requires: str) -> None:
    about = "\n".join(["Metadata-Version: 2.1", *(f"Requires-Dist: {each}" for each in requires), "", ""])
    stem = "-".join(name.split("-")[:2])
    with zipfile.ZipFile(folder / f"{name}.whl", "w") as content:
        content.writestr(f"{stem}.dist-info/METADATA", about)


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    _wheel(
        tmp_path,
        f"gapmap-{gapmap.__version__}-py3-none-any",
        "shapes>=2",
        'console>=1; platform_system == "Windows"',
        'old-times; python_version < "3.12"',
        'extra-thing; extra == "more"',
        'paper; extra == "report" and platform_system == "Linux"',
    )
    _wheel(tmp_path, "pip-1.0-py3-none-any")
    return tmp_path


def _lacks(folder: Path, system: str, python: str) -> list[str]:
    return [each.name for each in make_bundle.missing(make_bundle.Target(system, python), folder)]


def test_what_a_system_lacks_is_told_by_its_own_markers(wheels: Path) -> None:
    assert _lacks(wheels, "windows", "3.13") == ["console", "shapes"]
    assert _lacks(wheels, "linux", "3.13") == ["paper", "shapes"]
    assert _lacks(wheels, "linux", "3.11") == ["old-times", "paper", "shapes"]


def test_a_wheel_counts_where_it_runs_and_its_version_fits(wheels: Path) -> None:
    _wheel(wheels, "console-1.0-py3-none-any")
    _wheel(wheels, "paper-1.0-py3-none-any")
    _wheel(wheels, "shapes-1.9-py3-none-any")
    _wheel(wheels, "shapes-2.1-cp313-cp313-win_amd64", "deeper")
    assert _lacks(wheels, "windows", "3.13") == ["deeper"]
    assert _lacks(wheels, "windows", "3.12") == ["shapes"]
    assert _lacks(wheels, "linux", "3.13") == ["shapes"]
    _wheel(wheels, "shapes-2.1-cp311-abi3-manylinux_2_28_x86_64")
    assert _lacks(wheels, "linux", "3.13") == []


def test_the_parts_are_filled_in_and_the_guide_fetches_nothing(tmp_path: Path) -> None:
    make_bundle.write_parts(tmp_path)
    assert _script("check_bundle").check_parts(tmp_path) == []
    assert "://" not in (tmp_path / "START-HERE.html").read_text(encoding="utf-8")
    assert b"\r\n" in (tmp_path / "install.bat").read_bytes()


def test_a_python_without_wheels_is_told_so(tmp_path: Path) -> None:
    make_bundle.write_parts(tmp_path)
    contents = {"version": "1.0", "pythons": {"linux": ["2.7"], "windows": ["2.7"], "darwin": ["2.7"]}}
    (tmp_path / "files" / "contents.json").write_text(json.dumps(contents), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(tmp_path / "files" / "install.py")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "it needs Python 2.7" in done.stderr
    assert not (tmp_path / "installed").exists()


@pytest.fixture
def installer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The installer as Windows has it, in a folder that has blanks and letters of no Western alphabet."""
    folder = tmp_path / "My files گوێر"
    folder.mkdir()
    make_bundle.write_parts(folder)
    (folder / "files" / "wheels").mkdir()
    (folder / "files" / "wheels" / "pip-1.0-py3-none-any.whl").touch()
    script = _script("install", folder / "files")
    monkeypatch.setattr(script, "WINDOWS", True)
    monkeypatch.setattr(script, "unfit", lambda _: "")
    monkeypatch.setattr(script.venv, "EnvBuilder", lambda **_: SimpleNamespace(create=lambda _: None))
    monkeypatch.setattr(sys, "argv", ["install.py", "--no-browser"])
    return script


def test_windows_starts_programs_by_their_whole_names_and_a_log_takes_every_folder(
    installer: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(installer.subprocess, "call", lambda words, **_: started.append(words))
    log = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(log, encoding="cp1252"))
    assert installer.main() == 0
    assert [Path(words[0]).relative_to(installer.ROOT).as_posix() for words in started] == [
        "installed/Scripts/python.exe",
        "installed/Scripts/gapmap.exe",
    ]
    assert b"My files ????" in log.getvalue()


def test_an_installation_that_is_in_use_says_what_to_close(
    installer: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def held(_: str) -> None:
        raise PermissionError(13, "in use")

    (installer.ROOT / "installed").mkdir()
    monkeypatch.setattr(installer.shutil, "rmtree", held)
    with pytest.raises(SystemExit) as caught:
        installer.main()
    assert "Close its windows" in str(caught.value)
