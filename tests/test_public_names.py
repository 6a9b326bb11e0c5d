"""The public names are a list someone chose: it says what is there, and each says what it raises."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import gapmap

FUNCTIONS = [name for name in gapmap.__all__ if inspect.isfunction(getattr(gapmap, name))]


def test_the_list_is_the_one_of_the_design() -> None:
    assert gapmap.__all__ == [
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
    assert gapmap.__all__ == sorted(gapmap.__all__)
    assert set(gapmap.__all__) <= set(dir(gapmap))


def test_each_name_comes_from_where_it_lives() -> None:
    for name in gapmap.__all__:
        if name == "__version__":
            continue
        home = importlib.import_module(f"gapmap.{gapmap._HOME[name]}")
        assert getattr(gapmap, name) is getattr(home, name)


def test_a_name_that_is_not_there_says_so() -> None:
    with pytest.raises(AttributeError, match="no attribute 'predict'"):
        _ = gapmap.predict


def test_importing_gapmap_does_not_import_the_geo_stack() -> None:
    code = "import sys, gapmap; print(sorted({'geopandas', 'shapely', 'folium', 'typer'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_public_function_says_what_it_raises(name: str) -> None:
    text = inspect.getdoc(getattr(gapmap, name)) or ""
    assert "\nRaises\n------\n" in text
    assert "\nParameters\n----------\n" in text


@pytest.mark.parametrize("name", ["Analysis", "Changes", "Corridors", "WhatIf"])
def test_every_public_method_says_what_it_raises(name: str) -> None:
    for method, value in inspect.getmembers(getattr(gapmap, name), inspect.isfunction):
        if not method.startswith("_"):
            assert "\nRaises\n------\n" in (inspect.getdoc(value) or ""), f"{name}.{method}"


def test_every_module_has_a_head_and_its_tests() -> None:
    package, tests = Path(gapmap.__file__).parent, Path(__file__).parent
    for module in package.rglob("*.py"):
        source = module.read_text(encoding="utf-8")
        assert source.startswith('"""'), module
        if module.parent == package and module.stem not in {"__init__", "__main__"}:  # test_cli runs the latter
            assert (tests / f"test_{module.name}").exists(), f"{module.name} has no test file"
