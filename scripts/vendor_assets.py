"""Rebuild the vendored scripts and styles of the map from their npm packages.

In: the packages and versions below, fetched by ``npm pack`` from the registry npm is set up for. Out: the files under
gapmap/maps/assets/vendor with their licence, and manifest.json with version, licence and SHA-256 of each.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

VENDOR = Path(__file__).parent.parent / "gapmap" / "maps" / "assets" / "vendor"
PACKAGE, VERSION, LICENCE = "leaflet", "1.9.4", "BSD-2-Clause"
FILES = {
    "leaflet.js": "dist/leaflet.js",
    "leaflet.css": "dist/leaflet.css",
    "leaflet.LICENSE": "LICENSE",
    "images/layers.png": "dist/images/layers.png",
    "images/layers-2x.png": "dist/images/layers-2x.png",
    "images/marker-icon.png": "dist/images/marker-icon.png",
    "images/marker-icon-2x.png": "dist/images/marker-icon-2x.png",
    "images/marker-shadow.png": "dist/images/marker-shadow.png",
}


def main() -> None:
    """Fetch the package, copy its files, write the manifest."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is not installed")
    manifest: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent"], cwd=folder, check=True, capture_output=True, text=True
        )
        with tarfile.open(Path(folder) / done.stdout.strip()) as archive:
            for name, member in FILES.items():
                stream = archive.extractfile(f"package/{member}")
                if stream is None:
                    raise SystemExit(f"{PACKAGE} {VERSION} has no {member}")
                data = stream.read()
                target = VENDOR / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
                manifest[name] = {
                    "package": PACKAGE,
                    "version": VERSION,
                    "licence": LICENCE,
                    "sha256": hashlib.sha256(data).hexdigest(),
                }
    (VENDOR / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    print(f"{len(manifest)} files of {PACKAGE} {VERSION} in {VENDOR}")


if __name__ == "__main__":
    main()
