"""Whole commands beside a bare import of geopandas: help, a run, and what another post would change.

In: the shipped scenario. Out: wall time of each command as a ratio to ``python -c "import geopandas"``. Method: each round
runs the import and all commands in turn; the least of the rounds counts. ``bench_query`` does the same for questions.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time

from gapmap.cli import demo_scenario

ROUNDS = 5
CODE = "import sys; from gapmap.cli import main; sys.exit(main(sys.argv[1:]))"


def _seconds(*words: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", *words], check=True, capture_output=True)  # noqa: S603 - this file's words
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    scenario, change = str(demo_scenario()), ("--add", "post federal 38SLE7503256784 5km", "--quiet")
    with tempfile.TemporaryDirectory() as folder:
        commands = {
            "--help": ("--help",),
            "run": ("run", scenario, "--out", folder, "--quiet"),
            "whatif, from the scenario": ("whatif", scenario, *change),
            "whatif, from a saved result": ("whatif", folder, *change),
        }
        base: list[float] = []
        took: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            base.append(_seconds("import geopandas"))
            for name, words in commands.items():
                took[name].append(_seconds(CODE, *words))
    print(f"import geopandas: {min(base):.2f} s")
    for name, each in took.items():
        print(f"{name:30}{min(each):6.2f} s{min(each) / min(base):8.2f} times the import")


if __name__ == "__main__":
    main()
