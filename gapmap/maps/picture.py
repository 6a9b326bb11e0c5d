"""A picture of a map, for slides and chat.

In: an HTML map on disk. Out: a PNG file. Method: a Chromium of this machine without a window, its network cut off.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from gapmap.errors import AssetError, MissingFileError
from gapmap.storage import write_file

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_SIZE = (1600, 1000)
_TIMEOUT_S = 120


def take_picture(page: Path, target: Path, *, size: tuple[int, int] = _SIZE) -> Path:
    """Draw a map as it opens on the screen.

    Parameters
    ----------
    page : Path
        A map that gapmap saved.
    target : Path
        The PNG file; replaced where there is one.
    size : tuple of int
        Width and height in pixels.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    MissingFileError
        If this machine has no Chromium.
    AssetError
        If the browser draws nothing.
    InputError
        If the file is in use, or cannot be written.
    """
    browser = next((found for found in map(shutil.which, _NAMES) if found), None)
    if browser is None:
        raise MissingFileError(
            "a picture needs Chromium, Chrome or Edge, and none is on the path",
            hint='open the map and use "Save picture"',
        )
    # On Windows the browser may still hold its profile when the picture is there.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        drawn = Path(folder) / "map.png"
        command = [
            browser,
            "--headless=new",
            "--disable-gpu",
            "--hide-scrollbars",
            "--no-first-run",
            "--disable-sync",
            "--disable-background-networking",
            "--disable-component-update",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={Path(folder) / 'profile'}",
            f"--window-size={size[0]},{size[1]}",
            "--virtual-time-budget=8000",
            f"--screenshot={drawn}",
            page.resolve().as_uri(),
        ]
        if getattr(os, "geteuid", lambda: 1)() == 0:
            command.insert(1, "--no-sandbox")  # Chromium refuses to start for root without it
        try:
            # What it says is UTF-8 or worse, whatever the system's own encoding.
            done = subprocess.run(  # noqa: S603 -- a fixed program; the file's name is one argument
                command, check=False, capture_output=True, encoding="utf-8", errors="replace", timeout=_TIMEOUT_S
            )
        except subprocess.TimeoutExpired as error:
            raise AssetError(f"{browser} drew nothing in {_TIMEOUT_S} s") from error
        if not drawn.exists():
            raise AssetError(f"{browser} drew nothing: {done.stderr.strip()[-300:]}")
        write_file(target, drawn.read_bytes())
    return target
