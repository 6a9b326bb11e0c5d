"""PostGIS on a real server that the test starts."""

from __future__ import annotations

import json
import socket
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import shapely

from gapmap.cli import main
from gapmap.editions import Edition, edition
from gapmap.errors import DatabaseError, InputError
from gapmap.postgis import write_postgis
from tests.postgres import PASSWORD, Server, cut_after, serve
from tests.sentinels import NORTH, SOUTH, sentinel_result

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gapmap import Analysis

psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve() as started:
        ask(started, "CREATE EXTENSION postgis")
        yield started


def ask(server: Server, query: Any, *values: object) -> list[tuple[Any, ...]]:  # noqa: ANN401 - a query
    with closing(psycopg.connect(server.connection(), autocommit=True)) as database, database.cursor() as cursor:
        cursor.execute(query, values or None)
        return cursor.fetchall() if cursor.description else []


def everything(server: Server, schema: str) -> str:
    """Return all rows of all tables of a schema, as text."""
    names = ask(server, "SELECT table_name FROM information_schema.tables WHERE table_schema = %s ORDER BY 1", schema)
    text = ""
    for (name,) in names:
        query = psycopg.sql.SQL("SELECT row_to_json(t)::text FROM {} t ORDER BY 1").format(
            psycopg.sql.Identifier(schema, name)
        )
        text += name + "\n" + "\n".join(row for (row,) in ask(server, query)) + "\n"
    return text


def test_every_table_arrives_row_for_row(result: Analysis, server: Server) -> None:
    made = edition(result, "full")
    run_id = write_postgis(made, server.connection(), schema="whole")
    for name in (
        "zones",
        "cover",
        "corridors",
        "stretches",
        "transects",
        "centrelines",
        "ground",
        "incidents",
        "places",
    ):
        found = ask(server, f"SELECT * FROM whole.{name} WHERE run_id = %s", run_id)  # noqa: S608 - names of this test
        assert len(found) == len(made.table(name)) > 0, name
    key, wkb, area, wide = ask(
        server, "SELECT corridor_id, ST_AsBinary(geom), area_km2, ST_Area(geom::geography) / 1e6 FROM whole.corridors"
    )[0]
    corridor = made.table("corridors").loc[key]
    degrees = made.table("corridors").geometry.to_crs(4326)[key]
    assert shapely.hausdorff_distance(shapely.from_wkb(bytes(wkb)), degrees) < 1e-6
    assert area == pytest.approx(corridor["area_km2"])
    assert wide == pytest.approx(area, rel=1e-3)  # PostGIS's own area on the ellipsoid
    [(count,)] = ask(
        server,
        "SELECT count(*) FROM whole.incidents i JOIN whole.stretches s USING (run_id, stretch_id)"
        " WHERE ST_Intersects(i.geom, s.geom)",
    )
    assert count == (made.table("incidents")["stretch_id"] != "").sum()
    rows = ask(
        server, "SELECT nearest_zone, distance_m FROM whole.place_forces WHERE force = 'north' ORDER BY place_id"
    )
    places = made.table("places").sort_index()
    assert [zone for zone, _ in rows] == places["nearest_zone_north"].tolist()
    assert [far for _, far in rows] == pytest.approx(places["distance_north_m"].tolist())


def test_keys_indexes_comments_and_marks_are_there(result: Analysis, server: Server) -> None:
    write_postgis(edition(result, "partner", force="north"), server.connection(), schema="kept")
    indexes = dict(ask(server, "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'kept'"))
    assert "USING gist (geom)" in indexes["corridors_geom"]
    keys = {row[0] for row in ask(server, "SELECT conname FROM pg_constraint WHERE contype = 'f'")}
    assert {"stretches_corridor_id", "incidents_stretch_id", "place_forces_place_id"} <= keys
    [(comment,)] = ask(server, "SELECT obj_description('kept.stretches'::regclass)")
    assert comment == "gapmap: parts of about equal length of corridors"
    [(unit,)] = ask(server, "SELECT col_description('kept.stretches'::regclass, (SELECT attnum FROM pg_attribute"
                            " WHERE attrelid = 'kept.stretches'::regclass AND attname = 'width_max_m'))")  # fmt: skip
    assert unit == "metres"
    [(mark,)] = ask(server, "SELECT mark FROM kept.runs")
    assert mark.startswith("Partner edition for Northern force")
    assert ask(server, "SELECT DISTINCT edition, notice FROM kept.zones") == [("partner north", "Made for a test")]
    [(srid,)] = ask(server, "SELECT DISTINCT ST_SRID(geom) FROM kept.cover")
    assert srid == 4326


def test_runs_stand_side_by_side_and_a_run_replaces_itself(result: Analysis, server: Server, tmp_path: Path) -> None:
    other = sentinel_result(tmp_path, date="2021-07-01")
    ids = [
        write_postgis(edition(each, name, force=force), server.connection(), schema="many")
        for each, name, force in [
            (result, "full", None),
            (other, "full", None),
            (result, "public", None),
            (result, "partner", "north"),
            (result, "full", None),
        ]
    ]
    assert ids[0] == ids[4]
    assert len(set(ids)) == 4
    counts = dict(ask(server, "SELECT run_id, count(*) FROM many.zones GROUP BY 1"))
    assert counts == {ids[0]: 18, ids[1]: 18, ids[3]: 9}
    before = everything(server, "many")
    ask(server, "DELETE FROM many.runs WHERE run_id = %s", ids[1])
    after = everything(server, "many")
    assert ids[1] in before
    assert ids[1] not in after
    assert ids[0] in after


@pytest.mark.parametrize(("name", "force"), [("partner", "north"), ("public", None)])
def test_withheld_words_are_in_no_row(result: Analysis, server: Server, name: str, force: str | None) -> None:
    write_postgis(edition(result, name, force=force), server.connection(), schema=f"words_{name}")
    text = everything(server, f"words_{name}").casefold()
    assert "made for a test" in text
    for word in (*SOUTH, *([] if force else NORTH)):
        assert word.casefold() not in text


@pytest.mark.parametrize(
    "schema",
    ["x; DROP TABLE kept.runs; --", '"; DROP SCHEMA kept CASCADE; --', "a'b", "with blank", "نینوى", "{schema}", "%s"],
)
def test_names_are_names_and_never_commands(result: Analysis, server: Server, schema: str) -> None:
    made = edition(result, "public")
    write_postgis(made, server.connection(), schema=schema)
    query = psycopg.sql.SQL("SELECT count(*) FROM {}").format(psycopg.sql.Identifier(schema, "grid"))
    assert ask(server, query) == [(len(made.table("grid")),)]


def test_texts_are_values_and_never_commands(result: Analysis, server: Server) -> None:
    attack = "'); DROP SCHEMA whole CASCADE; -- {runs} %s \\. \t\n$$"
    made = edition(result, "full")
    zones = made.table("zones").assign(name=attack)
    run = made.table("run").assign(title=attack)
    write_postgis(
        replace(made, tables={**made.tables, "zones": zones, "run": run}), server.connection(), schema="texts"
    )
    assert ask(server, "SELECT DISTINCT name FROM texts.zones") == [(attack,)]
    assert ask(server, "SELECT title FROM texts.runs") == [(attack,)]


def test_a_force_may_be_called_after_a_command(server: Server, tmp_path: Path) -> None:
    """As long as names can be, in letters of two bytes: no column is named after a force."""
    long = "ن" * 60
    found = sentinel_result(tmp_path)
    places = found.table("places")
    renamed = places.rename(
        columns={"distance_north_m": f"distance_{long}_m", "nearest_zone_north": f"nearest_zone_{long}"}
    )
    made = edition(found, "full")
    write_postgis(replace(made, tables={**made.tables, "places": renamed}), server.connection(), schema="forces")
    assert ask(server, "SELECT DISTINCT force FROM forces.place_forces ORDER BY 1") == [("south",), (long,)]


@pytest.mark.parametrize("schema", ["", "x" * 64, "a\0b", "ن" * 32])
def test_a_name_that_cannot_be_is_refused(result: Analysis, schema: str) -> None:
    with pytest.raises(InputError, match="cannot be the name of a schema"):
        write_postgis(edition(result, "public"), "service=nowhere", schema=schema)


def test_tables_of_others_are_left_alone(result: Analysis, server: Server) -> None:
    ask(server, "CREATE SCHEMA others; CREATE TABLE others.places (id int); INSERT INTO others.places VALUES (7)")
    with pytest.raises(InputError, match="did not make") as error:
        write_postgis(edition(result, "full"), server.connection(), schema="others")
    assert error.value.problems == ("places",)
    assert everything(server, "others") == 'places\n{"id":7}\n'


# ---- Passwords


@pytest.mark.parametrize(
    "connection",
    [
        f"host=127.0.0.1 user=gapmap_test password={PASSWORD}",
        f"postgresql://gapmap_test:{PASSWORD}@127.0.0.1/postgres",
        f"host=127.0.0.1 {PASSWORD}",
        f"host=127.0.0.1 sslpassword={PASSWORD}",
        f"host=127.0.0.1 options='-c search_path={PASSWORD}'",
    ],
)
def test_a_password_on_the_command_line_is_refused_and_not_repeated(
    result: Analysis, connection: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = result.save(tmp_path / "gaps.gpkg")
    code = main(["export", str(path), "--edition", "public", "--format", "postgis", "--to", connection])
    said = capfd.readouterr()
    assert code == 2
    assert PASSWORD not in said.out + said.err
    assert "pgpass" in said.err


def test_a_password_in_the_environment_is_refused(result: Analysis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    with pytest.raises(InputError, match="PGPASSWORD") as error:
        write_postgis(edition(result, "public"), "host=127.0.0.1 dbname=postgres")
    assert PASSWORD not in str(error.value)


def test_a_service_file_does(result: Analysis, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = tmp_path / "service.conf"
    service.write_text(
        f"[cell]\nhost=127.0.0.1\nport={server.port}\ndbname=postgres\nuser=gapmap_test\npassword={PASSWORD}\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PGSERVICEFILE", str(service))
    path = result.save(tmp_path / "gaps.gpkg")
    words = [
        "export",
        str(path),
        "--edition",
        "public",
        "--format",
        "postgis",
        "--to",
        "service=cell",
        "--schema",
        "by_service",
    ]
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 0
    assert ask(server, "SELECT edition FROM by_service.runs") == [("public",)]


# ---- What goes wrong


def failed(made: Edition, connection: str, schema: str, code: str) -> str:
    with pytest.raises(DatabaseError, match=code) as error:
        write_postgis(made, connection, schema=schema)
    assert PASSWORD not in str(error.value)
    assert error.value.__cause__ is None
    return str(error.value)


def test_a_wrong_password_says_so_and_is_not_printed(result: Analysis, server: Server) -> None:
    wrong = "Xq-wrong-words"
    said = failed(
        edition(result, "public"), server.connection(passfile=str(server.pgpass(wrong))), "w", "password authentication"
    )
    assert wrong not in said


def test_no_server_says_so(result: Analysis) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    failed(edition(result, "public"), f"host=127.0.0.1 port={port} dbname=x user=y", "w", "cannot be reached")


def test_a_database_without_postgis_says_so(result: Analysis, server: Server) -> None:
    ask(server, "CREATE DATABASE bare")
    failed(edition(result, "public"), server.connection(dbname="bare"), "w", "CREATE EXTENSION postgis")


def test_who_may_only_read_writes_nothing(result: Analysis, server: Server) -> None:
    ask(
        server,
        f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'; ALTER ROLE reader SET default_transaction_read_only = on",
    )
    failed(edition(result, "public"), server.connection(user="reader"), "never", "read-only|permission denied")
    assert ask(server, "SELECT 1 FROM pg_namespace WHERE nspname = 'never'") == []
    ask(server, f"CREATE ROLE guest LOGIN PASSWORD '{PASSWORD}'")
    failed(edition(result, "public"), server.connection(user="guest"), "never", "permission denied")


@pytest.mark.parametrize("count", [3_000, 20_000, 60_000])
def test_a_line_that_is_cut_leaves_all_as_it_was(result: Analysis, server: Server, count: int) -> None:
    made = edition(result, "full")
    schema = f"cut_{count}"
    write_postgis(edition(result, "public"), server.connection(), schema=schema)
    before = everything(server, schema)
    with cut_after(server.port, count) as port:
        said = failed(
            made, server.connection(port, sslmode="disable", gssencmode="disable"), schema, "nothing was changed"
        )
    assert "lost" in said or "closed" in said or "connection" in said
    assert everything(server, schema) == before
    # And once more, when the line holds.
    write_postgis(made, server.connection(), schema=schema)
    assert len(everything(server, schema)) > len(before)


def test_a_row_that_the_database_refuses_leaves_nothing(result: Analysis, server: Server) -> None:
    made = edition(result, "full")
    places = made.table("places").assign(stretch_id="no such stretch")
    failed(
        replace(made, tables={**made.tables, "places": places}), server.connection(), "refused", "nothing was changed"
    )
    assert ask(server, "SELECT 1 FROM pg_namespace WHERE nspname = 'refused'") == []


def test_the_command_says_what_it_wrote(
    result: Analysis, server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = result.save(tmp_path / "gaps.gpkg")
    words = ["export", str(path), "--edition", "partner", "--force", "south", "--format", "postgis"]
    with pytest.raises(SystemExit) as left:
        main([*words, "--to", server.connection(), "--schema", "said", "--json"])
    assert left.value.code == 0
    said = json.loads(capsys.readouterr().out)
    [(run_id,)] = ask(server, "SELECT run_id FROM said.runs")
    assert said["run_id"] == run_id
    assert said["edition"].startswith("Partner edition for Southern force")
