"""Install gapmap from the wheels beside this file, run its demo and open the map. Nothing is fetched.

In: the unpacked bundle. Out: the folders "installed" and "demo" in it. Method: a virtual environment without pip, so that
it needs nothing that some systems pack apart, filled by the pip in the bundle. Written for Python 3.6 on, so that an
old one hears what is wrong.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import venv
import webbrowser
from pathlib import Path
from typing import Any

FILES = Path(__file__).resolve().parent
ROOT = FILES.parent
WINDOWS = os.name == "nt"
LONGEST = 120  # characters of the folder's path on Windows: a whole path ends at 260, those in wheels take up to 110


def main() -> int:
    """Install, run the demo, show the map."""
    parser = argparse.ArgumentParser(description="Install gapmap and run its demo.")
    parser.add_argument("--no-browser", action="store_true", help="do not open the map")
    given = parser.parse_args()
    contents = json.loads((FILES / "contents.json").read_text(encoding="utf-8"))
    wrong = unfit(contents)
    if wrong:
        sys.stderr.write("gapmap cannot be installed here: " + wrong + "\n")
        return 2
    say("Installing gapmap " + contents["version"] + ". This takes a minute or two.")
    installed = ROOT / "installed"
    if installed.exists():
        try:
            shutil.rmtree(str(installed))
        except OSError:  # Windows deletes no program that runs
            sys.exit("\nAn earlier gapmap is still at work. Close its windows, then start the installation again.")
    venv.EnvBuilder(with_pip=False, symlinks=not WINDOWS).create(str(installed))
    programs = installed / ("Scripts" if WINDOWS else "bin")
    ending = ".exe" if WINDOWS else ""
    # Whatever the system says about package indexes does not count here.
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    clean["PIP_CONFIG_FILE"] = os.devnull
    [pip] = (FILES / "wheels").glob("pip-*.whl")
    options = ["--no-index", "--find-links", str(FILES / "wheels"), "--no-cache-dir", "--quiet"]
    call([str(programs / ("python" + ending)), str(pip / "pip"), "install", *options, contents["wanted"]], clean)
    say("Installed. Now the demo.")
    demo = ROOT / "demo"
    call([str(programs / ("gapmap" + ending)), "demo", "--out", str(demo)], {**clean, "PYTHONUTF8": "1"})
    say("Done. The map: " + str(demo / "map.html"))
    if not given.no_browser:
        webbrowser.open((demo / "map.html").as_uri())
    return 0


def unfit(contents: "dict[str, Any]") -> str:
    """Say why it cannot be installed with this Python on this machine; "" if it can."""
    system = platform.system().lower()
    pythons = contents["pythons"].get(system, [])
    if not pythons:
        return "this bundle is for " + " and ".join(sorted(contents["pythons"])) + "."
    if platform.machine().lower() not in ("x86_64", "amd64") or sys.maxsize < 2**32:
        return "it needs a 64-bit Python on a 64-bit Intel or AMD processor."
    if f"{sys.version_info[0]}.{sys.version_info[1]}" not in pythons:
        return "this is Python " + platform.python_version() + "; it needs Python " + " or ".join(pythons) + "."
    if WINDOWS and len(str(ROOT)) > LONGEST:
        return "the folder lies too deep for Windows. Move it to C:\\gapmap and start again from there."
    return ""


def say(text: str) -> None:
    """Print at once, before the next program prints."""
    encoding = sys.stdout.encoding or "ascii"  # a log may not hold the letters of a user's name
    sys.stdout.write("\n" + text.encode(encoding, "replace").decode(encoding) + "\n")
    sys.stdout.flush()


def call(words: "list[str]", environment: "dict[str, str]") -> None:
    """Run a program; stop where it fails."""
    if subprocess.call(words, env=environment):
        sys.exit("\nThat did not work. The last lines above say why; show them to whoever gave you this.")


if __name__ == "__main__":
    sys.exit(main())
