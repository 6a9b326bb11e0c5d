from __future__ import annotations

import pytest

from gapmap import errors


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.InputError, ValueError),
        (errors.MissingFileError, FileNotFoundError),
        (errors.CrsError, ValueError),
        (errors.LayerError, ValueError),
        (errors.ScenarioError, ValueError),
        (errors.ResultError, ValueError),
        (errors.EngineError, RuntimeError),
        (errors.AssetError, RuntimeError),
    ],
)
def test_every_error_is_also_a_builtin(error: type[Exception], builtin: type[Exception]) -> None:
    assert issubclass(error, errors.GapmapError)
    assert issubclass(error, builtin)


@pytest.mark.parametrize("kind", [errors.InputError, errors.MissingFileError, errors.CrsError])
def test_an_input_error_says_what_where_and_what_to_do(kind: type[errors.InputError]) -> None:
    error = kind(
        "a.kml: 2 of 3 zones cannot be used", problems=["row 1: no geometry", "row 3: no kind"], hint="mend it"
    )
    assert str(error).splitlines() == [
        "a.kml: 2 of 3 zones cannot be used",
        "  row 1: no geometry",
        "  row 3: no kind",
        "  -> mend it",
    ]


def test_a_layer_that_cannot_be_chosen_comes_with_those_there_are() -> None:
    error = errors.LayerError("a.gpkg: no layer 'x'", layers=["near as layer: far", "b"])
    assert error.layers == ("near as layer: far", "b")
    assert error.hint == "name one as layer: near as layer: far, b"


def test_an_unknown_word_names_the_nearest() -> None:
    assert (
        errors.unknown("kind", "Rout", ["post", "route"])
        == "unknown kind 'Rout'; did you mean 'route'? (allowed: post, route)"
    )
    assert "did you mean 'SOUTH'" in errors.unknown("value", "Suoth", ["NORTH", "SOUTH"])
    assert "did you mean" not in errors.unknown("kind", "zzz", ["post", "route"])
