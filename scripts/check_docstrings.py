"""Check the docstrings of the package against the numpydoc rules; exit code 1 if one breaks them.

In: the package as it imports. Out: a line for each fault. Method: numpydoc's own validation on the imported objects. Its command
line reads source text alone, and so takes the fields of dataclasses and the options of commands for faults. Public names
must have every section; any other docstring that has sections must have them right.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from typing import TYPE_CHECKING

from numpydoc.validate import validate

import gapmap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

IGNORED = {
    "ES01",  # a summary can say it all
    "EX01",  # an example where it is sensible
    "SA01",  # the rooms are few
}
# Sections that only public names must have; a class may name its fields under Attributes.
FOR_PUBLIC_NAMES = {"PR01", "RT01"}


def documented(module: ModuleType) -> Iterator[tuple[str, object]]:
    """Yield the functions, classes and methods without an underscore that a module defines."""
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(value) or inspect.isclass(value):
            yield f"{module.__name__}.{name}", value
        if inspect.isclass(value):
            for method, inner in vars(value).items():
                if not method.startswith("_") and (inspect.isfunction(inner) or isinstance(inner, property)):
                    yield f"{module.__name__}.{name}.{method}", inner


def faults() -> Iterator[str]:
    """Yield a line for each fault in the package."""
    public = {getattr(gapmap, name) for name in gapmap.__all__ if name != "__version__"}
    methods = {inner for value in public if inspect.isclass(value) for inner in vars(value).values() if callable(inner)}
    for found in pkgutil.walk_packages(gapmap.__path__, "gapmap."):
        for name, value in documented(importlib.import_module(found.name)):
            strict = not inspect.isclass(value) and (value in public or value in methods)
            for code, text in validate(name)["errors"]:
                if code not in IGNORED and (strict or code not in FOR_PUBLIC_NAMES):
                    yield f"{name}: {code} {text}"


if __name__ == "__main__":
    lines = list(faults())
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.exit(1 if lines else 0)
