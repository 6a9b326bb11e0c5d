"""The exception tree.

Every error that a user can cause is an :class:`InputError`: the command line prints it and ends with exit code 2.
Anything else under :class:`GapmapError` is a failure of the work itself: exit code 1.
"""

from __future__ import annotations

import difflib
import errno
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


class GapmapError(Exception):
    """Base of all errors that gapmap raises on purpose."""


class InputError(GapmapError, ValueError):
    """Input that cannot be used: says what, where and what to do.

    Parameters
    ----------
    message : str
        One line: the file or argument, and what is wrong with it.
    problems : sequence of str, optional
        The single faults, one a line, each with its row or field. They are gathered before raising once.
    hint : str, optional
        What to do.
    """

    def __init__(self, message: str, *, problems: Sequence[str] = (), hint: str = "") -> None:
        self.message = message
        self.problems = tuple(problems)
        self.hint = hint
        lines = [message, *(f"  {problem}" for problem in self.problems)]
        if hint:
            lines.append(f"  -> {hint}")
        super().__init__("\n".join(lines))


class LayerError(InputError):
    """A file of several layers, sheets or folders, of which none can be chosen.

    Parameters
    ----------
    message : str
        The file, and why none can be chosen.
    layers : sequence of str
        Those of the file.
    otherwise : str, optional
        What else to do than to name one of them.
    """

    def __init__(self, message: str, *, layers: Sequence[str], otherwise: str = "") -> None:
        self.layers = tuple(layers)
        super().__init__(message, hint=f"{otherwise}name one as layer: {', '.join(layers) or 'none'}")


class MissingFileError(InputError, FileNotFoundError):
    """A file that was named does not exist."""

    # FileNotFoundError would print its errno form.
    __str__ = Exception.__str__


class CrsError(InputError):
    """A coordinate reference system that is missing, differs, or is not true to metres where the data lie."""


class ScenarioError(InputError):
    """A scenario file that cannot be understood."""


class ResultError(InputError):
    """A file that is not a result saved by gapmap, or not the result that is asked for."""


class EditionError(InputError):
    """An edition that would hold what must not leave the room."""


class DatabaseError(GapmapError, RuntimeError):
    """A database that cannot be reached or written to."""


class EngineError(GapmapError, RuntimeError):
    """The geometry engine could not finish; a fault of gapmap, worth reporting with the input."""


class ClusterError(GapmapError, RuntimeError):
    """The workers of a cluster, or its scheduler, were lost while at work."""


class AssetError(GapmapError, RuntimeError):
    """The page asks for a script, style or structure that gapmap does not ship or did not emit."""


def bad_name(path: Path) -> str:
    """Say why no file can have a name.

    Parameters
    ----------
    path : Path
        As given.

    Returns
    -------
    str
        For after the name and a colon; "" where a file of that name can be, whether or not one is there.

    Examples
    --------
    >>> from pathlib import Path
    >>> bad_name(Path("a" * 300)), bad_name(Path("none.gpkg"))
    ('the name is too long', '')
    """
    # Of a folder that is not there yet, the whole path says nothing about its end.
    for name in (str(path), *path.parts):
        try:
            os.stat(name)  # noqa: PTH116 - parts are texts
        except ValueError:  # a NUL in it
            return "no name of a file"
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return "the name is too long"
    return ""


def no_file(path: Path, what: str = "file") -> str:
    """Say why nothing can be read where a file is to be.

    Parameters
    ----------
    path : Path
        As given.
    what : str, optional
        What the file was to be.

    Returns
    -------
    str
        For after the name and a colon; "" where a file is.

    Examples
    --------
    >>> from pathlib import Path
    >>> no_file(Path("none.csv")), no_file(Path()), no_file(Path(__file__))
    ('no such file', 'a folder, not a file', '')
    """
    if why := bad_name(path):
        return why
    try:
        mode = path.stat().st_mode
    except PermissionError as error:
        return f"cannot be read: {error.strerror}"
    except OSError:
        return "no such file"
    if stat.S_ISDIR(mode):
        return f"a folder, not a {what}"
    return "" if stat.S_ISREG(mode) else f"a device or pipe, not a {what}"


def unknown(what: str, word: str, allowed: Iterable[str]) -> str:
    """Say that a word is not known, which one was probably meant, and which there are.

    Parameters
    ----------
    what : str
        What the word was to name, such as "key".
    word : str
        As found.
    allowed : iterable of str
        The words that would do.

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> unknown("key", "max_witdh", ["date", "max_width"])
    "unknown key 'max_witdh'; did you mean 'max_width'? (allowed: date, max_width)"
    """
    words = sorted(allowed)
    small = {each.lower(): each for each in words}
    near = difflib.get_close_matches(word.lower(), small, n=1)
    guess = f"; did you mean {small[near[0]]!r}?" if near else ""
    return f"unknown {what} {word!r}{guess} (allowed: {', '.join(words)})"
