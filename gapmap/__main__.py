"""The command line as ``python -m gapmap``, for where the folder of scripts is not on the path."""

from __future__ import annotations

import sys

from gapmap.cli import main

if __name__ == "__main__":
    sys.exit(main())
