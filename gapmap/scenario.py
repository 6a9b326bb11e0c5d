"""A scenario: what is asked for, as frozen records.

In: a TOML file. Out: ``Scenario``, checked, with lengths in metres and paths resolved against the file's folder. Method:
every key is taken by name and the rest refused; all problems of the file are gathered into one error.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from gapmap.errors import InputError, MissingFileError, ScenarioError, no_file, unknown
from gapmap.points import is_mgrs_zone
from gapmap.tables import ZONE_KINDS, is_force_name
from gapmap.units import format_length, parse_length

MAX_WIDTH_M = 20_000.0
STRETCH_LENGTH_M = 10_000.0
# Radius of the circle an incident lies in, by its precision, where its row does not say.
RADIUS_M: Mapping[str, float | None] = {"exact": 1_000.0, "near": 5_000.0, "area": 15_000.0}
# The precisions of a plain table, and the codes of ACLED and UCDP GED.
PRECISIONS = (*RADIUS_M, "1", "2", "3", "4", "5", "6", "7")
_ASIDE = "set aside"
_DAY_FIRST = "day-first"
MAX_WIDTH_LIMITS_M = (100.0, 500_000.0)  # narrower, a corridor of some length has more transects than memory holds
REACH_LIMIT_M = 200_000.0
# Shorter, stretches are too many for memory, and for anybody to tell apart.
STRETCH_LENGTH_LIMITS_M = (500.0, 200_000.0)
_INTEGERS = range(-(2**63), 2**63)  # of TOML; Python reads longer ones, and cannot write them
_SLASHES = "in a path write / where Windows has \\"

_Namer = Callable[[Path], str]
_Dater = Callable[[dt.date], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerInput:
    """A file, and the layer in it where it has several."""

    file: Path
    layer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForceInput:
    """A force: its name in tables, its label on the map, its zone files and their writing, its reach in metres by kind.

    Of files that list several forces, ``only`` names the column that tells them apart and what it says of this one.
    """

    name: str
    label: str
    zones: tuple[Path, ...]
    reach_m: Mapping[str, float] = field(default_factory=dict)
    only: Mapping[str, str] = field(default_factory=dict)
    layer: str | None = None
    crs: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    day_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentsInput:
    """The incidents: file, days that count (both included), what may leave, columns by field, radius by precision.

    A radius of None sets the incidents of that precision aside.
    """

    file: Path
    layer: str | None = None
    since: dt.date | None = None
    until: dt.date | None = None
    share: Literal["points", "counts"] = "points"
    columns: Mapping[str, str] = field(default_factory=dict)
    radius_m: Mapping[str, float | None] = field(default_factory=lambda: dict(RADIUS_M))
    encoding: str | None = None
    day_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacesInput:
    """The settlements: file, layer, columns by field, encoding."""

    file: Path
    layer: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TerrainInput:
    """The elevation raster."""

    dem: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseInput:
    """The map's background: a file of boundaries and the layers of it to draw (none named: those known by name)."""

    boundaries: Path
    layers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything a run needs.

    Attributes
    ----------
    title : str
        Shown on the map.
    forces : tuple of ForceInput
        In alphabetical order, at least one.
    folder : Path
        The folder that paths in the file are relative to.
    date : datetime.date or None
        The day whose zones count; required where zones carry dates.
    max_width_m, stretch_length_m : float
        Metres.
    notice : str
        Shown across the map and written into every table; "" for none.
    crs : {"laea", "utm"}
        Kind of working CRS.
    mgrs_zones : tuple of str
        Grid zones such as "38S" for MGRS references without one.
    area_of_interest, incidents, places, excluded, terrain, base
        The optional inputs.
    """

    title: str
    forces: tuple[ForceInput, ...]
    folder: Path
    date: dt.date | None = None
    max_width_m: float = MAX_WIDTH_M
    stretch_length_m: float = STRETCH_LENGTH_M
    notice: str = ""
    crs: Literal["laea", "utm"] = "laea"
    mgrs_zones: tuple[str, ...] = ()
    area_of_interest: LayerInput | None = None
    incidents: IncidentsInput | None = None
    places: PlacesInput | None = None
    excluded: LayerInput | None = None
    terrain: TerrainInput | None = None
    base: BaseInput | None = None

    def to_toml(self, folder: str | Path | None = None) -> str:
        """Write the scenario as a file that :func:`read_scenario` reads back to the same.

        Parameters
        ----------
        folder : str or Path, optional
            Where the file will lie: paths are written relative to it. Without it, to the scenario's own folder.

        Returns
        -------
        str
            TOML, every key written out, the default ones too.
        """
        base = Path(folder) if folder is not None else self.folder
        return _write_toml(self._tree(lambda path: _relative(path, base), lambda day: day))

    def parameters(self) -> dict[str, object]:
        """Return the scenario as understood, ready for JSON: file names without their folders, lengths as text.

        Returns
        -------
        dict
            For the run table, which must not name folders.
        """
        return self._tree(lambda path: path.name, dt.date.isoformat)

    def _tree(self, name: _Namer, day: _Dater) -> dict[str, object]:
        """Return the file's keys and tables, None and empty ones left out."""
        forces = {
            force.name: {
                "label": force.label,
                "zones": name(force.zones[0]) if len(force.zones) == 1 else [name(path) for path in force.zones],
                "only": dict(force.only),
                "reach": _same_or_each(force.reach_m),
                "layer": force.layer,
                "crs": force.crs,
                "columns": dict(force.columns),
                "kinds": dict(force.kinds),
                "encoding": force.encoding,
                "dates": _DAY_FIRST if force.day_first else None,
            }
            for force in self.forces
        }
        tree: dict[str, object] = {
            "title": self.title,
            "notice": self.notice or None,
            "date": day(self.date) if self.date else None,
            "max_width": format_length(self.max_width_m),
            "stretch_length": format_length(self.stretch_length_m),
            "crs": self.crs,
            "mgrs_zone": list(self.mgrs_zones),
            "area_of_interest": _layer_tree(self.area_of_interest, name),
            "forces": forces,
            "excluded": _layer_tree(self.excluded, name),
        }
        if self.incidents is not None:
            tree["incidents"] = {
                "file": name(self.incidents.file),
                "layer": self.incidents.layer,
                "since": day(self.incidents.since) if self.incidents.since else None,
                "until": day(self.incidents.until) if self.incidents.until else None,
                "share": self.incidents.share,
                "columns": dict(self.incidents.columns),
                "radius": {
                    word: _ASIDE if radius is None else format_length(radius)
                    for word, radius in self.incidents.radius_m.items()
                },
                "encoding": self.incidents.encoding,
                "dates": _DAY_FIRST if self.incidents.day_first else None,
            }
        if self.places is not None:
            tree["places"] = {
                "file": name(self.places.file),
                "layer": self.places.layer,
                "columns": dict(self.places.columns),
                "encoding": self.places.encoding,
            }
        if self.terrain is not None:
            tree["terrain"] = {"dem": name(self.terrain.dem)}
        if self.base is not None:
            tree["base"] = {"boundaries": name(self.base.boundaries), "layers": list(self.base.layers)}
        return cast("dict[str, object]", _without_nothing(tree))


def read_scenario(path: str | Path) -> Scenario:
    r"""Read and check a scenario file.

    Parameters
    ----------
    path : str or Path
        TOML in UTF-8. The files that it names are not opened here.

    Returns
    -------
    Scenario
        With defaults filled in, forces in alphabetical order, and paths resolved against the file's folder.

    Raises
    ------
    MissingFileError
        If there is no such file.
    ScenarioError
        If it is no TOML or not UTF-8; and, all at once, for unknown keys (with the nearest right one), missing keys,
        values of a wrong type, lengths in other units or out of range, unreadable or reversed dates, a force's name
        that is not letters, digits, ``-`` and ``_``, no force at all.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "scenario.toml"
    >>> _ = path.write_text('max_width = "15 km"\n[forces.north]\nzones = "north.kml"\nreach = "5 km"')
    >>> scenario = read_scenario(path)
    >>> scenario.max_width_m, scenario.forces[0].reach_m["post"], scenario.forces[0].zones[0].name
    (15000.0, 5000.0, 'north.kml')
    """
    path = Path(path)
    if why := no_file(path, "scenario"):
        folder = "name the file in it, such as scenario.toml"
        raise MissingFileError(
            f"{path}: {why}", hint=folder if "folder" in why else "gapmap init DIR writes one to start from"
        )
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        tree = tomllib.loads(text)
    except OSError as error:
        raise ScenarioError(
            f"{path.name}: cannot be read: {error.strerror}", hint="close it in the other program"
        ) from error
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path.name}: not UTF-8 (byte {error.start})", hint="save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+)", str(error))
        backslash = at is not None and "\\" in text.split("\n")[int(at[1]) - 1]
        hint = _SLASHES if backslash else 'text goes in quotes: reach = "5 km"'
        raise ScenarioError(f"{path.name}: not TOML: {error}", hint=hint) from error
    except RecursionError as error:
        raise ScenarioError(f"{path.name}: brackets in brackets without end", hint="close each of them") from error
    except ValueError as error:  # Python's own limit on digits
        raise _too_long(path) from error
    if any(number not in _INTEGERS for number in _integers(tree)):
        raise _too_long(path)
    problems: list[str] = []
    scenario = _scenario(_Table(tree, "", path.parent.resolve(), problems), path.stem)
    if scenario is None or problems:
        many = f"{len(problems)} problems" if len(problems) > 1 else "1 problem"
        raise ScenarioError(f"{path.name}: {many}", problems=problems)
    return scenario


def check_max_width(metres: float) -> float:
    """Refuse a widest corridor that nobody means.

    Parameters
    ----------
    metres : float
        The width that is asked for.

    Returns
    -------
    float
        The same.

    Raises
    ------
    InputError
        If it is below 100 m or above 500 km.

    Examples
    --------
    >>> check_max_width(20_000.0)
    20000.0
    """
    return _check_length(metres, *MAX_WIDTH_LIMITS_M)


def check_reach(metres: float) -> float:
    """Refuse a reach that nobody means.

    Parameters
    ----------
    metres : float
        The reach that is asked for.

    Returns
    -------
    float
        The same.

    Raises
    ------
    InputError
        If it is below 0 or above 200 km.

    Examples
    --------
    >>> check_reach(5_000.0)
    5000.0
    """
    return _check_length(metres, 0.0, REACH_LIMIT_M)


def check_stretch_length(metres: float) -> float:
    """Refuse a length of stretches that nobody means.

    Parameters
    ----------
    metres : float
        The length that is asked for.

    Returns
    -------
    float
        The same.

    Raises
    ------
    InputError
        If it is below 500 m or above 200 km.

    Examples
    --------
    >>> check_stretch_length(10_000.0)
    10000.0
    """
    return _check_length(metres, *STRETCH_LENGTH_LIMITS_M)


def _check_length(metres: float, low: float, high: float) -> float:
    if not low <= metres <= high:
        raise InputError(f"{format_length(abs(metres))} is outside {format_length(low)} to {format_length(high)}")
    return metres


def _real(path: Path) -> str:
    """Return what two spellings of a path have in common, where links are followed and Windows tells no capitals."""
    try:
        return os.path.normcase(os.path.realpath(path))
    except ValueError:  # a NUL in it, which is a fault of its own
        return str(path)


def _too_long(path: Path) -> ScenarioError:
    return ScenarioError(
        f"{path.name}: not TOML: an integer of more than 64 bits",
        hint="a length is at most some hundred km",
    )


def _integers(tree: object) -> Iterator[int]:
    """Return the integers in a tree, wherever they are."""
    if isinstance(tree, int):
        yield tree
    for each in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _integers(each)


class _Table:
    """A TOML table being taken apart: every take notes what is wrong and goes on."""

    def __init__(self, tree: Mapping[str, object], name: str, folder: Path, problems: list[str]) -> None:
        self.tree, self.name, self.folder, self.problems = tree, name, folder, problems
        self.taken: set[str] = set()

    def fault(self, key: str, what: str) -> None:
        where = ".".join(part for part in (self.name, key) if part)
        self.problems.append(f"{where}: {what}" if where else what)

    def take(self, key: str, *, required: bool = False) -> object:
        self.taken.add(key)
        if required and key not in self.tree:
            self.fault(key, "missing")
        return self.tree.get(key)

    def close(self) -> None:
        """Refuse the keys that nobody took."""
        for key in self.tree:
            if key not in self.taken:
                self.fault("", unknown("key", key, self.taken))

    def text(self, key: str, default: str | None = None, *, required: bool = False) -> str | None:
        value = self.take(key, required=required)
        if value is None:
            return default
        if not isinstance(value, str) or (required and not value):
            self.fault(key, f"{value!r} is not text in quotes")
            return default
        return value

    def choice(self, key: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self.text(key, default) or default
        if value not in allowed:
            self.fault(key, unknown("value", value, allowed))
        return value

    def checked(self, key: str, check: Callable[[float], float], default: float) -> float:
        metres = self.metres(key, self.take(key), math.inf)
        if metres is None:
            return default
        try:
            return check(metres)
        except InputError as error:
            self.fault(key, error.message)
            return default

    def metres(self, key: str, value: object, limit: float) -> float | None:
        if value is None:
            return None
        if not isinstance(value, str | int | float):
            self.fault(key, f'{value!r} is not a length such as "5 km"')
            return None
        try:
            metres = parse_length(value)
        except InputError as error:
            self.fault(key, error.message)
            return None
        if metres > limit:
            self.fault(key, f"{value!r} is outside 0 to {format_length(limit)}")
        return metres

    def lengths(self, key: str, words: tuple[str, ...], limit: float) -> dict[str, float]:
        value = self.take(key)
        if isinstance(value, Mapping):
            table = self.table(key)
            found = {word: table.metres(word, table.take(word), limit) for word in words} if table else {}
            if table:
                table.close()
            return {word: metres for word, metres in found.items() if metres is not None}
        metres = self.metres(key, value, limit)
        return {} if metres is None else dict.fromkeys(words, metres)

    def radii(self, key: str) -> dict[str, float | None]:
        """Take lengths by precision, of which each may be "set aside" too."""
        value = self.tree.get(key)
        table = self.table(key) if value is None or isinstance(value, Mapping) else None
        if table is None:
            if value is not None:
                self.take(key)
                self.fault(key, f"{value!r} is not a table of lengths ({', '.join(PRECISIONS)})")
            return {}
        aside = [word for word, value in table.tree.items() if value == _ASIDE]
        lengths = {
            word: table.metres(word, table.take(word), REACH_LIMIT_M) for word in PRECISIONS if word not in aside
        }
        table.taken |= set(aside) & set(PRECISIONS)
        table.close()
        return {word: metres for word, metres in lengths.items() if metres is not None} | dict.fromkeys(aside)

    def day(self, key: str) -> dt.date | None:
        value = self.take(key)
        if isinstance(value, str):
            try:
                return dt.date.fromisoformat(value)
            except ValueError:
                pass
        elif value is None or (isinstance(value, dt.date) and not isinstance(value, dt.datetime)):
            return value
        said = str(value) if isinstance(value, dt.datetime) else repr(value)
        self.fault(key, f"{said} is not an ISO date such as 2021-06-01")
        return None

    def file(self, key: str) -> Path | None:
        value = self.text(key, required=True)
        return None if value is None else self._resolve(key, value)

    def files(self, key: str) -> tuple[Path, ...]:
        value = self.take(key, required=True)
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
            if value is not None:
                self.fault(key, f"{value!r} is not a file name or a list of file names")
            return ()
        paths = tuple(self._resolve(key, name) for name in names)
        first: dict[str, str] = {}  # of each file the name that it has first
        for name, path in zip(names, paths, strict=True):
            real = _real(path)
            if real in first:
                again = "is given twice" if name == first[real] else f"is {first[real]!r} again"
                self.fault(key, f"{name!r} {again}: its zones would count double")
            first.setdefault(real, name)
        return paths

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.take(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.fault(key, f"{value!r} is not a list of texts")
            return ()
        return tuple(value)

    def words(self, key: str) -> dict[str, str]:
        value = self.take(key)
        if value is None:
            return {}
        if not isinstance(value, Mapping) or not all(isinstance(item, str) for item in value.values()):
            self.fault(key, 'not a table of column names such as { date = "when" }')
            return {}
        return dict(value)

    def table(self, key: str) -> _Table | None:
        value = self.take(key)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.fault(key, f"{value!r} is not a table")
            return None
        return _Table(value, f"{self.name}.{key}" if self.name else key, self.folder, self.problems)

    def _resolve(self, key: str, name: str) -> Path:
        if any(sign < " " for sign in name):
            # "data\north.kml" has a line break in it, as TOML reads a backslash.
            self.fault(key, f"{name!r} is no file name; {_SLASHES}")
        try:
            path = Path(name).expanduser()
        except RuntimeError:  # "~nobody/..."
            self.fault(key, f"{name!r} names a user that this computer does not know")
            path = Path(name)
        return Path(os.path.normpath(self.folder / path))


def _scenario(table: _Table, stem: str) -> Scenario | None:
    title = table.text("title", stem) or stem
    notice = table.text("notice", "") or ""
    date = table.day("date")
    max_width_m = table.checked("max_width", check_max_width, MAX_WIDTH_M)
    stretch_length_m = table.checked("stretch_length", check_stretch_length, STRETCH_LENGTH_M)
    crs = table.choice("crs", "laea", ("laea", "utm"))
    mgrs_zones = _mgrs_zones(table)
    area_of_interest = _layer(table.table("area_of_interest"))
    forces = _forces(table)
    incidents = _incidents(table.table("incidents"))
    places = _places(table.table("places"))
    excluded = _layer(table.table("excluded"))
    terrain = _terrain(table.table("terrain"))
    base = _base(table.table("base"))
    table.close()
    if table.problems:
        return None
    return Scenario(
        title=title,
        forces=forces,
        folder=table.folder,
        date=date,
        max_width_m=max_width_m,
        stretch_length_m=stretch_length_m,
        notice=notice,
        crs=cast('Literal["laea", "utm"]', crs),
        mgrs_zones=mgrs_zones,
        area_of_interest=area_of_interest,
        incidents=incidents,
        places=places,
        excluded=excluded,
        terrain=terrain,
        base=base,
    )


def _forces(table: _Table) -> tuple[ForceInput, ...]:
    forces = table.table("forces")
    if forces is None or not forces.tree:
        table.fault("forces", 'none is given; write [forces.north] with zones = "north.kml" and reach = "5 km"')
        return ()
    found = []
    for name in sorted(forces.tree):
        force = forces.table(name)
        if not is_force_name(name):
            forces.fault(name, "a force's name has letters, digits, - and _ only; a label can say more")
        if force is None:
            continue
        found.append(
            ForceInput(
                name=name,
                label=force.text("label", name) or name,
                zones=force.files("zones"),
                reach_m=force.lengths("reach", ZONE_KINDS, REACH_LIMIT_M),
                only=_only(force),
                layer=force.text("layer"),
                crs=force.text("crs"),
                columns=force.words("columns"),
                kinds=_kinds(force),
                encoding=force.text("encoding"),
                day_first=_day_first(force),
            )
        )
        force.close()
    # A GeoPackage does not tell distance_A_m from distance_a_m.
    folded = [unicodedata.normalize("NFC", name).casefold() for name in forces.tree]
    if len(set(folded)) < len(folded):
        table.fault("forces", "two names differ in capitals only")
    return tuple(found)


def _only(table: _Table) -> dict[str, str]:
    value = table.take("only")
    if value is None:
        return {}
    if (
        isinstance(value, Mapping)
        and len(value) == 1
        and all(isinstance(said, str) and said for said in value.values())
    ):
        return dict(value)
    table.fault("only", f'{value!r} is not a column and what it says of the force, such as {{ force = "North" }}')
    return {}


def _mgrs_zones(table: _Table) -> tuple[str, ...]:
    value = table.tree.get("mgrs_zone")
    zones = ((table.text("mgrs_zone") or ""),) if isinstance(value, str) else table.texts("mgrs_zone")
    for zone in zones:
        if not is_mgrs_zone(zone):
            table.fault("mgrs_zone", f'{zone!r} is not a grid zone such as "38S"')
    return tuple(zone.upper() for zone in zones)


def _kinds(table: _Table) -> dict[str, str]:
    kinds = table.words("kinds")
    for word, kind in kinds.items():
        if kind not in ZONE_KINDS:
            table.fault(f"kinds.{word}", unknown("kind", kind, ZONE_KINDS))
    return kinds


def _day_first(table: _Table) -> bool:
    return table.choice("dates", "iso", ("iso", _DAY_FIRST)) == _DAY_FIRST


def _layer(table: _Table | None) -> LayerInput | None:
    if table is None:
        return None
    file, layer = table.file("file"), table.text("layer")
    table.close()
    return LayerInput(file=file, layer=layer) if file else None


def _incidents(table: _Table | None) -> IncidentsInput | None:
    if table is None:
        return None
    file, layer, since, until = table.file("file"), table.text("layer"), table.day("since"), table.day("until")
    share = table.choice("share", "points", ("points", "counts"))
    columns = table.words("columns")
    radius_m = {**RADIUS_M, **table.radii("radius")}
    encoding, day_first = table.text("encoding"), _day_first(table)
    table.close()
    if since and until and since > until:
        table.fault("since", f"dates reversed: {since} is after until {until}")
    if file is None:
        return None
    return IncidentsInput(
        file=file,
        layer=layer,
        since=since,
        until=until,
        share=cast('Literal["points", "counts"]', share),
        columns=columns,
        radius_m=radius_m,
        encoding=encoding,
        day_first=day_first,
    )


def _places(table: _Table | None) -> PlacesInput | None:
    if table is None:
        return None
    file, layer, columns = table.file("file"), table.text("layer"), table.words("columns")
    encoding = table.text("encoding")
    table.close()
    return PlacesInput(file=file, layer=layer, columns=columns, encoding=encoding) if file else None


def _terrain(table: _Table | None) -> TerrainInput | None:
    if table is None:
        return None
    dem = table.file("dem")
    table.close()
    return TerrainInput(dem=dem) if dem else None


def _base(table: _Table | None) -> BaseInput | None:
    if table is None:
        return None
    boundaries, layers = table.file("boundaries"), table.texts("layers")
    table.close()
    return BaseInput(boundaries=boundaries, layers=layers) if boundaries else None


def _layer_tree(layer: LayerInput | None, name: _Namer) -> dict[str, object] | None:
    return None if layer is None else {"file": name(layer.file), "layer": layer.layer}


def _same_or_each(reach_m: Mapping[str, float]) -> object:
    texts = {kind: format_length(metres) for kind, metres in reach_m.items()}
    return texts[ZONE_KINDS[0]] if set(texts) == set(ZONE_KINDS) and len(set(texts.values())) == 1 else texts


def _without_nothing(tree: object) -> object:
    if not isinstance(tree, dict):
        return tree
    return {key: _without_nothing(value) for key, value in tree.items() if value not in (None, {}, [])}


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()


def _write_toml(tree: Mapping[str, object]) -> str:
    lines = [f"{key} = {_toml(value)}" for key, value in tree.items() if not isinstance(value, dict)]
    for key, section in tree.items():
        if isinstance(section, dict):
            tables = (
                {f"forces.{_key(name)}": force for name, force in section.items()}
                if key == "forces"
                else {key: section}
            )
            for header, table in tables.items():
                lines += ["", f"[{header}]", *(f"{_key(name)} = {_toml(value)}" for name, value in table.items())]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(name)} = {_toml(item)}" for name, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, dt.date):
        return value.isoformat()
    # A JSON string is a TOML string, but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _toml(name)
