"""A PostgreSQL that somebody else runs: the roles that are made in it, and every way that its URL can be wrong."""

import json
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from cli.database import app_role_name
from cli.postgres import connect, facts, with_role
from cli.trouble import Trouble
from integrations.embedded_postgres import PostgresServer, temporary_postgres
from tests.process import ROOT, environment, free_port

PASSWORD = "correct horse"
ROLES = {
    "boss": "superuser",
    "maker": "createrole createdb",
    "owner": "createdb",
    "weak": "",
    "bypass": "bypassrls",
}


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server with roles of other people's, which log in with a password."""
    with temporary_postgres() as made:
        access = made.data_dir / "pg_hba.conf"
        names = ",".join([*ROLES, '"/^sps_app_"'])
        access.write_text(f"local all {names} scram-sha-256\n{access.read_text()}")
        with psycopg.connect(made.url("postgres", made.superuser), autocommit=True) as connection:
            for role, options in ROLES.items():
                connection.execute(
                    sql.SQL("create role {} login password {} {}").format(
                        sql.Identifier(role), sql.Literal(PASSWORD), sql.SQL(options)
                    )
                )
            connection.execute("select pg_reload_conf()")
        yield made


@dataclass(frozen=True)
class Theirs:
    """A database of its own for a test."""

    server: PostgresServer
    name: str

    def url(self, role: str, password: str = PASSWORD) -> str:
        return with_role(self.server.url(self.name, role), self.name, role, password)


@pytest.fixture
def theirs(server: PostgresServer, request: pytest.FixtureRequest) -> Theirs:
    """A database that belongs to the role `maker`, or to the one that the test names."""
    name = f"db_{secrets.token_hex(4)}"
    owner = getattr(request, "param", "maker")
    with psycopg.connect(server.url("postgres", server.superuser), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} owner {}").format(sql.Identifier(name), sql.Identifier(owner)))
    return Theirs(server, name)


def sps(*arguments: str, **settings: str) -> tuple[int, str]:
    """Run a command; its exit code and what it says on stderr."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "cli", *arguments],
        cwd=ROOT,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr


def assert_one_sentence(said: tuple[int, str], *words: str) -> None:
    code, text = said
    assert code == 1
    assert "Traceback" not in text
    assert text.count("\n") == 1
    assert PASSWORD not in text
    for word in words:
        assert word in text


def password_of(data_dir: Path) -> str:
    kept = json.loads((data_dir / "secrets.json").read_text())
    return str(next(value for name, value in kept.items() if name.startswith("app_password")))


def test_the_app_gets_a_role_that_owns_nothing_and_a_lost_data_folder_a_new_password(
    theirs: Theirs, tmp_path: Path
) -> None:
    role = app_role_name(theirs.name)
    for folder in (tmp_path / "a", tmp_path / "b"):
        code, said = sps("migrate", DATABASE_URL=theirs.url("maker"), SPS_DATA_DIR=str(folder))
        assert (code, said) == (0, f"sps: the database is current; the app's role is {role}\n")
        assert (folder / "secrets.json").stat().st_mode & 0o777 == 0o600
        with connect(theirs.url(role, password_of(folder)), "DATABASE_URL") as connection:
            assert facts(connection).unfit_for_app is None
            assert connection.execute("select count(*) from tenants").fetchone() == (0,)
    with pytest.raises(Trouble, match="password"):
        connect(theirs.url(role, password_of(tmp_path / "a")), "DATABASE_URL")


def test_two_roles_that_are_named_are_used_as_they_are(theirs: Theirs, tmp_path: Path) -> None:
    settings = {"DATABASE_URL": theirs.url("weak"), "DATABASE_MIGRATOR_URL": theirs.url("maker")}
    code, said = sps("migrate", SPS_DATA_DIR=str(tmp_path), **settings)
    assert (code, said) == (0, "sps: the database is current; the app's role is weak\n")


@pytest.mark.parametrize("theirs", ["owner"], indirect=True)
def test_an_owner_that_may_not_make_roles_is_told(theirs: Theirs, tmp_path: Path) -> None:
    said = sps("migrate", DATABASE_URL=theirs.url("owner"), SPS_DATA_DIR=str(tmp_path))
    assert_one_sentence(said, "may not create the role", "DATABASE_MIGRATOR_URL")


def test_a_role_that_cannot_migrate_is_told(theirs: Theirs, tmp_path: Path) -> None:
    said = sps("migrate", DATABASE_URL=theirs.url("weak"), SPS_DATA_DIR=str(tmp_path))
    assert_one_sentence(said, "may not create tables", theirs.name)


def test_a_role_that_owns_only_some_tables_cannot_migrate(theirs: Theirs, tmp_path: Path) -> None:
    with psycopg.connect(theirs.url("boss"), autocommit=True) as connection:
        connection.execute("create table somebody_elses ()")
    said = sps("migrate", DATABASE_URL=theirs.url("maker"), SPS_DATA_DIR=str(tmp_path))
    assert_one_sentence(said, "owns not all tables")


def test_nothing_runs_as_a_role_that_row_security_does_not_bind(theirs: Theirs, tmp_path: Path) -> None:
    with psycopg.connect(theirs.url("boss"), autocommit=True) as connection:
        connection.execute("create table theirs ()")
        connection.execute("alter table theirs owner to owner")
    unfit = {"boss": "is a superuser", "bypass": "has BYPASSRLS", "owner": "owns tables", "maker": "may create roles"}
    for role, why in unfit.items():
        with connect(theirs.url(role), "DATABASE_URL") as connection:
            assert facts(connection).unfit_for_app == why
    for command, role in (("serve", "owner"), ("worker", "boss")):
        settings = {"SPS_DATA_DIR": str(tmp_path), "SPS_PORT": str(free_port())}
        assert_one_sentence(sps(command, DATABASE_URL=theirs.url(role), **settings), unfit[role])


def test_a_url_that_leads_nowhere_is_told(theirs: Theirs, tmp_path: Path) -> None:
    for url, words in {
        theirs.url("maker", "wrong"): ["password authentication failed"],
        theirs.url("nobody"): ["nobody"],
        with_role(theirs.url("maker"), "absent", "maker", PASSWORD): ['"absent" does not exist'],
        f"postgresql://u:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{free_port()}/d": ["127.0.0.1", "refused"],
        "postgresql://u@no-such-host.invalid/d": ["no-such-host.invalid"],
        "mysql://u@127.0.0.1/d": ["is not a URL of PostgreSQL"],
        "postgresql://u@127.0.0.1:many/d": ["many"],
    }.items():
        with pytest.raises(Trouble) as told:
            connect(url, "DATABASE_URL")
        for word in ("DATABASE_URL", *words):
            assert word in told.value.message
        assert "\n" not in told.value.message
        assert PASSWORD not in told.value.message
    assert_one_sentence(sps("migrate", DATABASE_URL="mysql://u@h/d", SPS_DATA_DIR=str(tmp_path)), "DATABASE_URL")


def test_a_server_that_is_no_postgresql_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(100)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(Trouble, match="no way into a PostgreSQL"):
            connect(f"postgresql://u@127.0.0.1:{listener.getsockname()[1]}/d", "DATABASE_URL")
        thread.join()


def test_an_older_server_is_told(tmp_path: Path) -> None:
    """A server that greets as version 14 does: the first messages of the protocol, and no more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_greet_as_14, args=(listener,))
        thread.start()
        with pytest.raises(Trouble, match="is PostgreSQL 14; 15 or later"):
            connect(f"postgresql://u@127.0.0.1:{listener.getsockname()[1]}/d?sslmode=disable", "DATABASE_URL")
        thread.join()


def _greet_as_14(listener: socket.socket) -> None:
    def message(kind: bytes, body: bytes) -> bytes:
        return kind + (len(body) + 4).to_bytes(4) + body

    connection, _ = listener.accept()
    with connection:
        connection.recv(1000)
        connection.sendall(
            message(b"R", bytes(4))
            + message(b"S", b"server_version\x0014.9\x00")
            + message(b"S", b"client_encoding\x00UTF8\x00")
            + message(b"Z", b"I")
        )
        connection.recv(1000)


def test_a_role_name_fits_postgresql() -> None:
    assert app_role_name("d" * 60) != app_role_name("d" * 61)
    assert len(app_role_name("ü" * 63).encode()) <= 63
