"""Try the bundle as its receiver does: unpacked in an empty place, without a network.

In: the zip in dist. Out: what is wrong, and exit code 1. Method: on this system it is installed and its demo run, in a
namespace without a network where the system lets us, else with every way out closed by settings; for other systems and
Pythons the wheels are resolved, by pip and by what holds there. Run by ``make test-bundle``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from make_bundle import PARTS, ROOT, TARGETS, WANTED, missing

import gapmap

NAME = f"gapmap-{gapmap.__version__}"
# Nobody listens on port 9; pip would fail there, and so would anything else.
CLOSED = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")


def main() -> int:
    """Check the bundle.

    Returns
    -------
    int
        0 if all is well, else 1.
    """
    bundle = ROOT / "dist" / f"{NAME}-offline.zip"
    with tempfile.TemporaryDirectory() as work:
        unpacked = Path(work) / "a folder, مجلد"  # people have such
        with zipfile.ZipFile(bundle) as content:
            content.extractall(unpacked)
        folder = unpacked / NAME
        problems = [*check_parts(folder), *check_wheels(folder), *check_guide(folder, Path(work))]
        problems += check_install(folder, Path(work))
    for line in problems:
        print(line, file=sys.stderr)
    print("The bundle is not well" if problems else "The bundle is well")
    return 1 if problems else 0


def check_parts(folder: Path) -> list[str]:
    """Return what is wrong with the scripts: parts that are not there, line ends, letters a Windows console cannot show."""
    problems = []
    for script in sorted([*folder.glob("*.bat"), *folder.glob("*.sh")]):
        text = script.read_bytes()
        ends = b"\r\n" if script.suffix == ".bat" else b"\n"
        if text.count(b"\n") != text.count(ends) or (ends == b"\n" and b"\r" in text):
            problems.append(f"{script.name}: line ends of another system")
        if not text.isascii() or b"@WINDOWS" in text or b"@LINUX" in text:
            problems.append(f"{script.name}: not ASCII, or a word was not filled in")
        labels = set(re.findall(rb"(?m)^:(\w+)", text))
        problems += [
            f"{script.name}: no label {label.decode()}"
            for label in re.findall(rb"(?:goto |call :)(\w+)", text)
            if label not in labels
        ]
    parts = {"install.bat", "install.sh", "gapmap-window.bat", "gapmap-window.sh", "START-HERE.html", "LICENSE.txt"}
    problems += [f"{name} is not in the bundle" for name in sorted(parts) if not (folder / name).is_file()]
    return problems


def check_wheels(folder: Path) -> list[str]:
    """Return which targets lack wheels, by two rules: what wheels require there, and what pip finds."""
    wheels = folder / "files" / "wheels"
    problems = []
    for target in TARGETS:
        where = f"{target.system}, Python {target.python}"
        problems += [f"{where}: no wheel for {each}" for each in missing(target, wheels)]
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--no-index"]
        command += ["--find-links", str(wheels), "--target", str(folder / "nowhere"), *target.pip_options]
        clean = {**os.environ, "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "", "PIP_CONSTRAINT": ""}
        done = subprocess.run([*command, WANTED], env=clean, capture_output=True, text=True, check=False)
        if done.returncode:
            problems.append(f"{where}: {done.stderr.strip()}")
        else:
            print(f"{where}: resolved from the bundle alone")
    return problems


def check_guide(folder: Path, work: Path) -> list[str]:
    """Return what is wrong with the guide: it has two printed pages, and fetches nothing."""
    guide = folder / "START-HERE.html"
    text = guide.read_text(encoding="utf-8")
    problems = [f"the guide names {link}" for link in re.findall(r"(?:src|href)=[\"'](?!data:|#)([^\"']+)", text)]
    problems += [f"the guide has {word}" for word in re.findall(r"@[A-Z_]+@", text)]
    problems += [
        f"the guide speaks of {name}, which is not there"
        for name in re.findall(r"<code class=\"file\">([^<]+)</code>", text)
        if not (folder / name).exists()
    ]
    chromium = shutil.which("chromium")
    if chromium is None:
        print("No Chromium here: the guide's pages are not counted")
        return problems
    printed = work / "guide.pdf"
    options = ["--headless", "--no-sandbox", "--no-pdf-header-footer", f"--print-to-pdf={printed}"]
    subprocess.run([chromium, *options, guide.as_uri()], check=True, capture_output=True)
    pages = len(re.findall(rb"/Type\s*/Page\b", printed.read_bytes()))
    if pages != 2:  # noqa: PLR2004 - two sides of a sheet
        problems.append(f"the guide has {pages} printed pages, not 2")
    return problems


def check_install(folder: Path, work: Path) -> list[str]:
    """Install the bundle and run its demo without a network; return what is wrong."""
    home = work / "home"
    home.mkdir()
    alone = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        print("No namespaces here: the network is closed by settings alone")
        alone = []
    # Nothing of this checkout, its environment or its settings.
    path = os.pathsep.join([str(Path(sys.base_prefix) / "bin"), "/usr/bin", "/bin"])
    clean = {"HOME": str(home), "PATH": path, "LANG": "C.UTF-8", **CLOSED}
    started = [*alone, "sh", str(folder / "install.sh"), "--no-browser"]
    done = subprocess.run(started, env=clean, cwd=work, capture_output=True, text=True, check=False)
    print(done.stdout)
    if done.returncode:
        return [f"install.sh: exit code {done.returncode}: {done.stderr.strip()}"]
    wanted = ("demo/map.html", "demo/gaps.gpkg", "demo/scenario.toml")
    problems = [f"the demo made no {name}" for name in wanted if not (folder / name).is_file()]
    for words, expected in (
        (["query", str(folder / "demo"), "place", "Makhmur"], "Nearest zone of"),
        (["report", str(folder / "demo"), "--edition", "public", "--out", str(home / "briefing.pdf")], "briefing.pdf"),
    ):
        command = [*alone, str(folder / "installed" / "bin" / "gapmap"), *words]
        said = subprocess.run(command, env=clean, cwd=home, capture_output=True, text=True, check=False)
        if said.returncode or expected not in said.stdout:
            problems.append(f"gapmap {words[0]}: {said.stderr.strip() or said.stdout}")
    where = folder / "installed" / "lib"
    [package] = where.glob("python*/site-packages/gapmap")
    if not (package / "data" / "nineveh").is_dir() or PARTS.parent.parent in package.parents:
        problems.append("the demo's data are not those of the bundle")
    # Once more over what is there: the first thing people do when in doubt.
    again = subprocess.run(started, env=clean, cwd=work, capture_output=True, text=True, check=False)
    if again.returncode:
        problems.append(f"install.sh, once more: {again.stderr.strip()}")
    return problems


if __name__ == "__main__":
    sys.exit(main())
