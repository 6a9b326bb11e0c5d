"""A PostgreSQL server of the tests' own: on loopback, in a temporary folder, with a password, gone afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "Xq-secret-words-7"  # noqa: S105 - of the server in the temporary folder


@dataclass(frozen=True)
class Server:
    """A running server; its superuser is ``gapmap_test``."""

    port: int
    folder: Path

    def pgpass(self, password: str = PASSWORD) -> Path:
        """Write a file with the password, as people keep one."""
        path = self.folder / f"pgpass-{len(password)}"
        path.write_text(f"127.0.0.1:*:*:*:{password}\n", encoding="utf-8")
        path.chmod(0o600)
        return path

    def connection(self, port: int | None = None, **settings: str) -> str:
        given = {"host": "127.0.0.1", "port": str(port or self.port), "dbname": "postgres", "user": "gapmap_test"}
        given |= {"passfile": str(self.pgpass()), **settings}
        return " ".join(f"{key}='{value}'" for key, value in given.items())


@contextmanager
def serve() -> Iterator[Server]:
    """Start a server, or skip: conftest makes a skip a failure where all must run."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        pytest.skip("no PostgreSQL on this machine (Debian: postgresql, postgis)")
    if not list(Path("/usr/share/postgresql").glob("*/extension/postgis.control")):
        pytest.skip("no PostGIS on this machine (Debian: postgresql-NN-postgis-3)")
    binaries = programs[-1].parent
    # As root the server refuses to run: it runs as the user that Debian made for it.
    as_user: list[str | Path] = (
        ["runuser", "-u", "postgres", "--"] if sys.platform == "linux" and os.getuid() == 0 else []
    )
    folder = Path(tempfile.mkdtemp(prefix="gapmap-postgres-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    secret = folder / "secret"
    secret.write_text(PASSWORD, encoding="utf-8")
    if as_user:
        shutil.chown(folder, "postgres")
        shutil.chown(secret, "postgres")
    data = folder / "data"
    init: list[str | Path] = [
        binaries / "initdb",
        "-D",
        data,
        "-U",
        "gapmap_test",
        "-A",
        "scram-sha-256",
        f"--pwfile={secret}",
        "--no-sync",
    ]
    options = (
        f"-c listen_addresses=127.0.0.1 -p {port} -c unix_socket_directories='' -c fsync=off -c log_statement=none"
    )
    control: list[str | Path] = [binaries / "pg_ctl", "-D", data, "-w", "-t", "60"]
    try:
        subprocess.run([*as_user, *init], check=True, capture_output=True, cwd=folder)
        subprocess.run(
            [*as_user, *control, "-l", data / "log", "-o", options, "start"],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )
        yield Server(port, folder)
    finally:
        subprocess.run([*as_user, *control, "-m", "immediate", "stop"], check=False, capture_output=True, cwd=folder)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def cut_after(port: int, count: int) -> Iterator[int]:
    """Stand between a client and the server, and cut the line once the client has sent so many bytes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def carry(source: socket.socket, target: socket.socket, most: float) -> None:
        sent = 0
        with suppress(OSError):
            while data := source.recv(4_096):
                sent += len(data)
                if sent > most:
                    break
                target.sendall(data)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def serve_one() -> None:
        with suppress(OSError):
            client, _ = listener.accept()
            with client, socket.create_connection(("127.0.0.1", port)) as server:
                back = threading.Thread(target=carry, args=(server, client, float("inf")))
                back.start()
                carry(client, server, count)
                back.join()

    thread = threading.Thread(target=serve_one)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()
        thread.join(timeout=10)
