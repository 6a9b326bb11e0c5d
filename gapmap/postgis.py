"""An edition in PostGIS: one schema for many runs.

In: an edition, and how to reach the database. Out: its tables, with keys, spatial indexes and comments, each row under the
run it belongs to. Method: everything in one transaction, rows by COPY; names only ever as quoted identifiers, values only
ever as values. Passwords come from pgpass or a service file, by way of libpq, and never pass through gapmap.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import closing
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pandas as pd
import shapely

from gapmap import formats, tables
from gapmap.editions import require_edition
from gapmap.errors import DatabaseError, InputError
from gapmap.export import exchange_tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import psycopg
    from psycopg import sql

    from gapmap.editions import Edition

# What a connection may say. No password among them, nor anything that loads code.
_ALLOWED = frozenset(
    [
        "service",
        "host",
        "hostaddr",
        "port",
        "dbname",
        "user",
        "passfile",
        "sslmode",
        "sslrootcert",
        "sslcert",
        "sslkey",
        "sslcrl",
        "channel_binding",
        "gssencmode",
        "krbsrvname",
        "target_session_attrs",
        "connect_timeout",
    ]
)
_HINT = 'give host, dbname and user, or "service=NAME"; the password belongs into pgpass or a service file'
_MARK = "gapmap: "  # how the comment of each table begins that gapmap made
_LONGEST_NAME = 63  # bytes of an identifier; PostgreSQL cuts longer ones
_LOCK = 7_227_001  # one export at a time makes tables
_COMMENTS: Mapping[str, str] = {
    "runs": "a run and the edition of it that is held here",
    "zones": "what a force holds: posts, routes, areas",
    "cover": "declared cover of each force",
    "corridors": "ground between two forces, swept by straight spans over uncovered ground",
    "stretches": "parts of about equal length of corridors",
    "transects": "measuring lines across corridors",
    "centrelines": "middle lines of corridors",
    "ground": "the area of interest parted into kinds of ground",
    "incidents": "what happened: dates, position and how precise it is",
    "places": "settlements, with the width of the corridor they lie in",
    "place_forces": "nearest zone of each force to each place, and distance of its cover",
    "set_aside": "input rows that were not used",
    "boundaries": "boundaries as published by their source, not a claim",
    "grid": "public grid: gap in the 30 by 30 km around each cell, in classes",
    "grid_incidents": "public grid: incidents by cell and year, 3 or more",
}
_UNITS = {"_m": "metres", "_km": "kilometres", "_km2": "square kilometres", "_deg": "degrees"}
_TYPES = {"str": "text", "float64": "double precision", "int64": "bigint", "bool": "boolean"}
# Which rows a row belongs to, where it names one.
_REFERENCES: Mapping[str, Mapping[str, str]] = {
    "stretches": {"corridor_id": "corridors"},
    "transects": {"corridor_id": "corridors", "stretch_id": "stretches"},
    "centrelines": {"corridor_id": "corridors"},
    "incidents": {"stretch_id": "stretches"},
    "places": {"stretch_id": "stretches"},
    "place_forces": {"place_id": "places"},
    "grid_incidents": {"cell_id": "grid"},
}


def write_postgis(made: Edition, connection: str, *, schema: str = "gapmap") -> str:
    """Write an edition to a PostGIS database.

    Parameters
    ----------
    made : Edition
        From `gapmap.editions.edition`.
    connection : str
        For libpq: ``"service=NAME"``, ``"host=... dbname=... user=..."`` or a ``postgresql://`` address, without a password;
        pgpass or a service file has it.
    schema : str
        Made if it is not there.

    Returns
    -------
    str
        The run's id, the same for the same edition of the same run. What is held under it is replaced; other runs stay.

    Raises
    ------
    InputError
        If it is no edition, if the connection holds a password or a setting that is not allowed, if the environment holds a password, if
        psycopg is not installed, if the schema's name cannot be one, or if it holds tables that gapmap did not make.
    DatabaseError
        If the database cannot be reached or written to, or lacks PostGIS. Nothing is left half written.

    Notes
    -----
    Geometry is in EPSG:4326. What places say of each force stands in ``place_forces``. Facets and relief stay behind.
    """
    require_edition(made)
    if find_spec("psycopg") is None:
        raise InputError("PostGIS needs psycopg", hint='pip install "gapmap[postgis]"')
    import psycopg

    settings = _settings(connection)
    if not schema or "\0" in schema or len(schema.encode()) > _LONGEST_NAME:
        raise InputError(f"{schema[:80]!r} cannot be the name of a schema", hint=f"1 to {_LONGEST_NAME} bytes")
    step = "cannot be reached"
    try:
        with closing(psycopg.connect(**settings)) as database, database:
            step = "could not be written to; nothing was changed"
            with database.cursor() as cursor:
                return _Writer(cursor, schema, made).write()
    except psycopg.Error as error:
        raise DatabaseError(f"the database {step}: {_said(error)}") from None


def _settings(connection: str) -> dict[str, Any]:
    """Read a connection; say nothing of what stands in one that is refused."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        settings = conninfo_to_dict(connection)
    except ProgrammingError:
        raise InputError("the connection cannot be understood", hint=_HINT) from None
    if "password" in settings or "PGPASSWORD" in os.environ:
        where = "in PGPASSWORD" if "password" not in settings else "on the command line, where others can read it"
        raise InputError(f"a password was given {where}: change it, and do not give it so", hint=_HINT)
    if refused := sorted(set(settings) - _ALLOWED):
        raise InputError(f"the connection holds settings that are not allowed: {', '.join(refused)}", hint=_HINT)
    if not settings:
        raise InputError("the connection names no database", hint=_HINT)
    return {"connect_timeout": 10, "application_name": "gapmap", **settings}


def _said(error: psycopg.Error) -> str:
    """Return the first line of what the database said; it names host and user, never a password."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


class _Writer:
    """One edition on its way into one schema, within one transaction."""

    def __init__(self, cursor: psycopg.Cursor[Any], schema: str, made: Edition) -> None:
        self._cursor = cursor
        self._schema = schema
        self._made = made

    def write(self) -> str:
        """Write everything, and return the run's id."""
        self._run("SELECT pg_advisory_xact_lock({lock})", lock=_literal(_LOCK))
        found = self._one(
            "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'postgis'"
        )
        if found is None:
            raise DatabaseError("the database has no PostGIS; its owner can add it: CREATE EXTENSION postgis")
        self._geometry_type = found
        content = dict(_content(self._made))
        self._require_own(["runs", *_COMMENTS])
        self._run("CREATE SCHEMA IF NOT EXISTS {schema}")
        runs = content.pop("runs")
        self._make("runs", runs)
        run_id = str(runs.index[0])
        self._run("DELETE FROM {runs} WHERE run_id = {id}", runs=self._name("runs"), id=_literal(run_id))
        self._copy("runs", runs, ())
        for name, table in content.items():
            self._make(name, table)
            self._copy(name, table, (run_id,))
        return run_id

    def _make(self, name: str, table: pd.DataFrame) -> None:
        """Make a table where there is none, and the columns that it lacks."""
        key = str(table.index.name)
        columns = {
            key: "text NOT NULL",
            **{str(each): _type(table[each]) for each in table.columns.drop("geometry", errors="ignore")},
        }
        if name == "runs":
            self._run("CREATE TABLE IF NOT EXISTS {table} (run_id text PRIMARY KEY)", table=self._name(name))
        else:
            self._run(
                "CREATE TABLE IF NOT EXISTS {table} (run_id text NOT NULL REFERENCES {runs} ON DELETE CASCADE,"
                " {key} text NOT NULL, PRIMARY KEY (run_id, {key}))",
                table=self._name(name),
                runs=self._name("runs"),
                key=_identifier(key),
            )
        for column, kind in columns.items():
            if column != key:
                self._run(
                    f"ALTER TABLE {{table}} ADD COLUMN IF NOT EXISTS {{column}} {kind}",
                    table=self._name(name),
                    column=_identifier(column),
                )
            unit = next((words for end, words in _UNITS.items() if column.endswith(end)), None)
            if unit:
                self._run(
                    "COMMENT ON COLUMN {table}.{column} IS {text}",
                    table=self._name(name),
                    column=_identifier(column),
                    text=_literal(unit),
                )
        if "geometry" in table:
            self._run(
                "ALTER TABLE {table} ADD COLUMN IF NOT EXISTS geom {place}.geometry(Geometry, 4326)",
                table=self._name(name),
                place=_identifier(self._geometry_type),
            )
            self._run(
                "CREATE INDEX IF NOT EXISTS {index} ON {table} USING gist (geom)",
                index=_identifier(f"{name}_geom"),
                table=self._name(name),
            )
        for column, other in _REFERENCES.get(name, {}).items():
            self._refer(name, column, other)
        self._run("COMMENT ON TABLE {table} IS {text}", table=self._name(name), text=_literal(_MARK + _COMMENTS[name]))

    def _refer(self, name: str, column: str, other: str) -> None:
        constraint = f"{name}_{column}"
        known = self._one(
            "SELECT 1 FROM pg_constraint WHERE conname = {name} AND conrelid = to_regclass({table})",
            name=_literal(constraint),
            table=_literal(self._name(name).as_string(self._cursor)),
        )
        if known is None:
            self._run(
                "ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY (run_id, {column}) REFERENCES {other}"
                " ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED",
                table=self._name(name),
                name=_identifier(constraint),
                column=_identifier(column),
                other=self._name(other),
            )

    def _copy(self, name: str, table: pd.DataFrame, before: Sequence[str]) -> None:
        from psycopg import sql

        columns = [*(["run_id"] if before else []), str(table.index.name)]
        columns += [str(each) for each in table.columns.drop("geometry", errors="ignore")]
        shapes = table.geometry.to_numpy() if "geometry" in table else None
        columns += [] if shapes is None else ["geom"]
        names = sql.SQL(", ").join(map(_identifier, columns))
        references = set(_REFERENCES.get(name, {}))
        query = sql.SQL("COPY {} ({}) FROM STDIN").format(self._name(name), names)
        records = formats.to_records(table)
        with self._cursor.copy(query) as copy:
            for number, record in enumerate(records):
                row = [None if key in references and value == "" else value for key, value in record.items()]
                geometry = [] if shapes is None else [shapely.to_wkb(shapes[number], hex=True, include_srid=True)]
                copy.write_row([*before, *row, *geometry])

    def _require_own(self, names: Sequence[str]) -> None:
        """Refuse a schema where tables of these names are somebody else's."""
        self._cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s"
            " AND c.relname = ANY(%s) AND coalesce(obj_description(c.oid, 'pg_class'), '') NOT LIKE %s ORDER BY 1",
            (self._schema, list(names), f"{_MARK}%"),
        )
        foreign = [str(row[0]) for row in self._cursor.fetchall()]
        if foreign:
            raise InputError(
                f"schema {self._schema!r} holds tables that gapmap did not make", problems=foreign, hint="name another"
            )

    def _name(self, table: str) -> sql.Identifier:
        return _identifier(self._schema, table)

    def _run(self, text: str, /, **parts: Any) -> None:  # noqa: ANN401 - parts of a statement
        from psycopg import sql

        query: Any = text  # a literal of this file: names and values are parts, quoted by psycopg
        self._cursor.execute(sql.SQL(query).format(schema=_identifier(self._schema), **parts))

    def _one(self, text: str, /, **parts: Any) -> str | None:  # noqa: ANN401 - parts of a statement
        self._run(text, **parts)
        row = self._cursor.fetchone()
        return None if row is None else str(row[0])


def _content(made: Edition) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the tables as they stand in the database: runs first, then each after those it refers to."""
    run = made.table("run").drop(columns=["parameters", "inputs", "versions"])
    whole = {key: formats.to_records(made.table("run"))[0][key] for key in ("parameters", "inputs", "versions")}
    row = run.assign(**whole, mark=made.mark, recipe=made.recipe)
    # The edition's own content: an id that says nothing which the edition does not.
    digest = hashlib.sha256("\n".join(map(str, formats.to_records(row)[0].values())).encode()).hexdigest()
    yield "runs", row.set_axis(pd.Index([digest[:16]], name="run_id"))
    found = {name: table for name, table in exchange_tables(made) if name != "run"}
    if "places" in found:
        found["places"], found["place_forces"] = _places(found["places"])
    for name in _COMMENTS:
        if name in found:
            table = found[name]
            yield (
                name,
                table.set_geometry(shapely.set_srid(table.geometry.to_numpy(), 4326)) if "geometry" in table else table,
            )


def _places(places: Any) -> tuple[Any, pd.DataFrame]:  # noqa: ANN401 - a GeoDataFrame
    """Part places from what they say of each force: forces differ from run to run, and columns should not."""
    forces = sorted(
        column.removeprefix("distance_").removesuffix("_m")
        for column in places.columns
        if column.startswith("distance_") and column not in tables.COLUMNS["places"]
    )
    rows = [
        {
            "place_id": place,
            "force": force,
            "nearest_zone": row.get(f"nearest_zone_{force}", ""),
            "distance_m": row[f"distance_{force}_m"],
        }
        for place, row in places.iterrows()
        for force in forces
    ]
    own = [f"{kind}_{force}{end}" for force in forces for kind, end in (("distance", "_m"), ("nearest_zone", ""))]
    ids = pd.Index([f"{row['place_id']}/{row['force']}" for row in rows], dtype=tables.TEXT, name="place_force_id")
    columns = ["place_id", "force", "nearest_zone", "distance_m"]
    return places.drop(columns=own, errors="ignore"), pd.DataFrame(rows, index=ids, columns=columns)


def _type(values: pd.Series) -> str:
    kind = str(values.dtype)
    return "date" if kind.startswith("datetime64") else _TYPES.get(kind, "text")


def _identifier(*names: str) -> sql.Identifier:
    from psycopg import sql

    return sql.Identifier(*names)


def _literal(value: object) -> sql.Literal:
    from psycopg import sql

    return sql.Literal(value)
