"""Make a zip that installs gapmap without a network, on Windows and Linux.

In: this checkout, and the package index that pip knows. Out: dist/gapmap-VERSION-offline.zip. Method: for each system and
Python, follow the requirements of wheels as they hold there; pip alone would follow those that hold here, and leave out what
only Windows needs. Versions are those of constraints.txt.
"""

from __future__ import annotations

import base64
import email
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging import tags
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

import gapmap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).parent.parent
PARTS = Path(__file__).parent / "bundle"
# On Windows somebody is told which Python to install; a Linux brings its own: Debian 12, Ubuntu 24.04, Debian 13.
PYTHONS: Mapping[str, Sequence[str]] = {"windows": ("3.13", "3.12"), "linux": ("3.13", "3.12", "3.11")}
# glibc 2.28 is that of 2018.
PLATFORMS: Mapping[str, Sequence[str]] = {
    "windows": ("win_amd64",),
    "linux": (*(f"manylinux_2_{minor}_x86_64" for minor in range(28, 16, -1)), "manylinux2014_x86_64"),
}
# What the markers of requirements ask about.
MARKERS: Mapping[str, Mapping[str, str]] = {
    "windows": {"os_name": "nt", "sys_platform": "win32", "platform_system": "Windows", "platform_machine": "AMD64"},
    "linux": {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"},
}
# With what a briefing as PDF needs, but for Pango: a Linux with a desktop has it, Windows has not, and there are no wheels of it.
WANTED = f"gapmap[report]=={gapmap.__version__}"
DAY = (2020, 1, 1, 0, 0, 0)  # of every file in the zip, so that the same input gives the same bytes


@dataclass(frozen=True)
class Target:
    """A system, and a Python on it."""

    system: str
    python: str

    @property
    def pip_options(self) -> list[str]:
        """What makes pip choose for the target instead of for here."""
        platforms = [word for name in PLATFORMS[self.system] for word in ("--platform", name)]
        return [*platforms, "--python-version", self.python, "--implementation", "cp", "--only-binary=:all:"]

    @property
    def tags(self) -> frozenset[tags.Tag]:
        """The tags of wheels that run there."""
        major, minor = (int(part) for part in self.python.split("."))
        version, platforms = (major, minor), PLATFORMS[self.system]
        some = tags.cpython_tags(version, platforms=platforms)
        return frozenset([*some, *tags.compatible_tags(version, f"cp{major}{minor}", platforms)])

    def wants(self, requirement: Requirement, extras: Sequence[str]) -> bool:
        """Whether a requirement of a wheel holds there, given the extras asked of that wheel."""
        if requirement.marker is None:
            return True
        known = {
            **MARKERS[self.system],
            "python_version": self.python,
            "python_full_version": f"{self.python}.0",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
        }
        return any(requirement.marker.evaluate({**known, "extra": extra}) for extra in ("", *extras))


TARGETS = [Target(system, python) for system, pythons in PYTHONS.items() for python in pythons]


def missing(target: Target, wheels: Path) -> list[Requirement]:
    """Return what gapmap and all that it requires lack on a target: no wheel of a version that fits is in the folder."""
    held: dict[str, list[Path]] = {}
    for path in sorted(wheels.glob("*.whl")):
        name, _, _, fits = parse_wheel_filename(path.name)
        if fits & target.tags:
            held.setdefault(name, []).append(path)
    lacking = {}
    pending, seen = [Requirement(WANTED), Requirement("pip")], set()
    while pending:
        wanted = pending.pop()
        if str(wanted) in seen:
            continue
        seen.add(str(wanted))
        found = [
            path
            for path in held.get(canonicalize_name(wanted.name), [])
            if wanted.specifier.contains(parse_wheel_filename(path.name)[1], prereleases=True)
        ]
        if not found:
            lacking[str(wanted)] = wanted
            continue
        pending += [each for each in requirements(found[-1]) if target.wants(each, sorted(wanted.extras))]
    return [lacking[text] for text in sorted(lacking)]


def requirements(wheel: Path) -> Iterator[Requirement]:
    """Yield what a wheel says it requires."""
    with zipfile.ZipFile(wheel) as content:
        [name] = [each for each in content.namelist() if each.count("/") == 1 and each.endswith(".dist-info/METADATA")]
        about = email.message_from_bytes(content.read(name))
    for line in about.get_all("Requires-Dist", []):
        yield Requirement(line)


def gather(wheels: Path) -> None:
    """Put gapmap's wheel, and every wheel that it needs on any target, into a folder."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(ROOT)]
    subprocess.run([*pip, *build], check=True)
    for target in TARGETS:
        before: list[Requirement] = []
        while lacking := missing(target, wheels):
            if lacking == before:
                raise SystemExit(
                    f"no wheel for {target.system}, Python {target.python}: {', '.join(map(str, lacking))}"
                )
            names = [f"{each.name}{each.specifier}" for each in lacking]
            fetch = ["download", "--no-deps", "-c", str(ROOT / "constraints.txt"), "--dest", str(wheels)]
            subprocess.run([*pip, *fetch, *target.pip_options, *names], check=True)
            before = lacking
        print(f"{target.system}, Python {target.python}: complete")


def write_parts(folder: Path) -> None:
    """Write everything but the wheels: the guide, the scripts, the licence."""
    (folder / "files").mkdir()
    words = {f"@{system.upper()}@": " ".join(pythons) for system, pythons in PYTHONS.items()}
    words["@VERSION@"] = gapmap.__version__
    words |= {f"@{system.upper()}_OR@": " or ".join(pythons) for system, pythons in PYTHONS.items()}
    picture = base64.b64encode((ROOT / "docs" / "map.png").read_bytes()).decode()
    words["@MAP@"] = f"data:image/png;base64,{picture}"
    for part in sorted(PARTS.iterdir()):
        if part.suffix not in (".bat", ".sh", ".py", ".html"):
            continue
        text = part.read_text(encoding="utf-8")
        for word, meaning in words.items():
            text = text.replace(word, meaning)
        target = folder / "files" / part.name if part.suffix == ".py" else folder / part.name
        target.write_text(text, encoding="utf-8", newline="\r\n" if part.suffix == ".bat" else "\n")
    contents = {"version": gapmap.__version__, "wanted": WANTED, "pythons": PYTHONS}
    (folder / "files" / "contents.json").write_text(json.dumps(contents, indent=2) + "\n", encoding="utf-8")
    shutil.copy(ROOT / "LICENSE", folder / "LICENSE.txt")


def pack(folder: Path, target: Path) -> None:
    """Pack a folder into a zip, scripts marked as programs; wheels are packed already."""
    with zipfile.ZipFile(target, "w") as bundle:
        for path in sorted(folder.rglob("*")):
            if path.is_dir():
                continue
            info = zipfile.ZipInfo(path.relative_to(folder.parent).as_posix(), DAY)
            info.external_attr = (0o100755 if path.suffix == ".sh" else 0o100644) << 16
            info.create_system = 3  # Unix, whose marks these are
            info.compress_type = zipfile.ZIP_STORED if path.suffix == ".whl" else zipfile.ZIP_DEFLATED
            bundle.writestr(info, path.read_bytes())


def main() -> None:
    """Make the bundle."""
    target = ROOT / "dist" / f"gapmap-{gapmap.__version__}-offline.zip"
    target.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / f"gapmap-{gapmap.__version__}"
        folder.mkdir()
        write_parts(folder)
        (folder / "files" / "wheels").mkdir()
        gather(folder / "files" / "wheels")
        pack(folder, target)
    print(f"Wrote {target.relative_to(ROOT)} ({target.stat().st_size / 1e6:.0f} MB)")


if __name__ == "__main__":
    main()
