"""gapmap: the ground that lies uncovered between forces, found, measured and mapped.

The names below are the public interface. They are imported when first asked for, so that ``import gapmap`` and
``gapmap --help`` do not wait for the geo stack.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gapmap.analysis import Analysis, open, run  # noqa: A004 - always called as gapmap.open
    from gapmap.compare import Changes, find_changes
    from gapmap.corridors import Corridors, find_corridors
    from gapmap.errors import GapmapError, InputError
    from gapmap.maps import build_map
    from gapmap.reach import cover
    from gapmap.readers import read_incidents, read_places, read_zones
    from gapmap.whatif import WhatIf, what_if

__version__ = "0.1.0"

__all__ = [
    "Analysis",
    "Changes",
    "Corridors",
    "GapmapError",
    "InputError",
    "WhatIf",
    "__version__",
    "build_map",
    "cover",
    "find_changes",
    "find_corridors",
    "open",
    "read_incidents",
    "read_places",
    "read_zones",
    "run",
    "what_if",
]

_HOME = {
    "Analysis": "analysis",
    "Changes": "compare",
    "Corridors": "corridors",
    "GapmapError": "errors",
    "InputError": "errors",
    "WhatIf": "whatif",
    "build_map": "maps",
    "cover": "reach",
    "find_changes": "compare",
    "find_corridors": "corridors",
    "open": "analysis",
    "read_incidents": "readers",
    "read_places": "readers",
    "read_zones": "readers",
    "run": "analysis",
    "what_if": "whatif",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'gapmap' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"gapmap.{_HOME[name]}"), name)
    globals()[name] = value  # found without this function the next time
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
