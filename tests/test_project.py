"""The project around the package: what is built, what is tested, what is promised in files."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps", "--no-index"]
    subprocess.run([*command, "--wheel-dir", str(folder), str(ROOT)], check=True)
    return zipfile.ZipFile(next(folder.glob("gapmap-*.whl")))


def test_the_wheel_holds_the_data_the_page_and_the_templates(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    for folder, into in {
        "data/boundaries": "gapmap/data/boundaries",
        "data/nineveh": "gapmap/data/nineveh",
        "gapmap": "gapmap",
    }.items():
        for file in (ROOT / folder).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                assert f"{into}/{file.relative_to(ROOT / folder).as_posix()}" in names
    assert "gapmap/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_installed_demo_finds_its_data_in_the_wheel(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path)
    code = "import gapmap.cli; print(gapmap.cli.demo_scenario())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert Path(done.stdout.strip()) == tmp_path / "gapmap" / "data" / "nineveh" / "scenario.toml"


def test_every_dependency_has_a_floor_and_a_tested_version() -> None:
    tested = {
        re.split("==", line)[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    }
    wanted = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["test"]]
    for requirement in wanted:
        assert ">=" in requirement
        assert requirement.split(">=")[0].lower() in tested


def test_the_change_log_has_the_version_or_an_unreleased_part() -> None:
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_contributing_names_only_files_that_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8") + (ROOT / "README.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"`((?:gapmap|tests|scripts|benchmarks|notebooks|data)/[\w/.]*)`", text))
    paths |= set(re.findall(r"\]\(([\w/.]+)\)", text))
    assert len(paths) > 10
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_nothing_in_the_package_is_posix_only() -> None:
    banned = re.compile(r"\bimport (fcntl|pwd|grp|resource|termios)\b|os\.(fork|geteuid|getuid|mkfifo)|[\"']/tmp")
    for module in (ROOT / "gapmap").rglob("*.py"):
        assert not banned.search(module.read_text(encoding="utf-8")), module


@pytest.mark.parametrize(("require_all", "code", "said"), [("", 0, "NOT EVERYTHING WAS TESTED"), ("1", 1, "1 failed")])
def test_a_skipped_test_is_said_loudly_or_fails(require_all: str, code: int, said: str, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_bytes((ROOT / "tests" / "conftest.py").read_bytes())
    skipping = "import pytest\n\n\ndef test_page():\n    pytest.skip('no browser')\n"
    (tmp_path / "test_page.py").write_text(skipping, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "GAPMAP_REQUIRE_ALL": require_all},
    )
    assert done.returncode == code
    assert said in done.stdout
    assert "no browser" in done.stdout
