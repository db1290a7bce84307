"""`sps up`, from an empty folder to Ctrl-C, through every kill, and with everything wrong that a user can get wrong."""

import os
import signal
import socket
from pathlib import Path

import psycopg
import pytest

from cli.program import Program
from cli.supervisor import Supervisor
from cli.trouble import Trouble
from integrations.embedded_postgres import embedded_postgres
from tests.cli.running import Up
from tests.cli.test_postgres import assert_one_sentence, sps
from tests.process import free_port

SIGN_UP = "mutation ($input: SignUpInput!) { signUp(input: $input) { viewer { tenant { name } } userErrors { code } } }"
LOG_IN = "mutation ($input: LogInInput!) { logIn(input: $input) { viewer { tenant { name } } userErrors { code } } }"
ACCOUNT = {"email": "owner@kept.example", "password": "a long enough sentence"}


def sign_up(up: Up) -> None:
    business = {"businessName": "Kept", "name": "Olive"}
    assert '"userErrors": []' in up.ask(SIGN_UP, input=ACCOUNT | business)


def assert_kept(up: Up) -> None:
    assert '"name": "Kept"' in up.ask(LOG_IN, input=ACCOUNT)


def test_from_an_empty_folder_to_ctrl_c_and_on_again_beside_another(folder: Path) -> None:
    port = free_port()
    with Up(folder / "data", port) as up:
        line = up.until("Log in")
        _, _, email, _, password = line.split()
        up.until("Ctrl-C stops everything")
        told = "".join(up.output)
        assert f"http://127.0.0.1:{port}/graphql" in told
        assert f"http://127.0.0.1:{port}/board" in told
        assert "curl -s" in told
        assert "\x1b" not in told
        assert '"userErrors": []' in up.ask(LOG_IN, input={"email": email, "password": password})
        sign_up(up)
        assert "sps_owner" not in Path(f"/proc/{up.child('serve')}/environ").read_text()
        up.interrupt()
        assert up.ended() == 0
        # The database has stopped before the command has ended.
        assert not (folder / "data/postgres/data/postmaster.pid").exists()
    with Up(folder / "data", port) as up, Up(folder / "other", free_port(), "--no-demo") as other:
        assert up.until("Log in") == line
        assert_kept(up)
        other.until("is ready")
        assert "INVALID_CREDENTIALS" in other.ask(LOG_IN, input=ACCOUNT)
        os.kill(up.pid, signal.SIGTERM)
        assert up.ended() == 0


def test_nothing_is_lost_whatever_is_killed(folder: Path) -> None:
    port = free_port()
    with Up(folder / "data", port, "--no-demo") as up:
        up.until("is ready")
        sign_up(up)
        for command, name in (("serve", "server"), ("worker", "worker")):
            os.kill(up.child(command), signal.SIGKILL)
            up.until(f"the {name} was killed by SIGKILL; starting it again")
        os.kill(up.postmaster, signal.SIGKILL)
        up.until("the database had ended; it runs again")
        assert_kept(up)
        # The supervisor alone: its children notice, and the last of them stops the database.
        os.kill(up.pid, signal.SIGKILL)
        up.ended()
        up.wait_until_database_stopped()
    with Up(folder / "data", port, "--no-demo") as up:
        up.until("is ready")
        assert_kept(up)
        os.kill(up.postmaster, signal.SIGKILL)
        up.kill_group()
        up.ended()
    with (
        embedded_postgres(folder / "data") as server,
        psycopg.connect(server.url("sps", server.superuser)) as connection,
    ):
        assert connection.execute("select name from tenants").fetchall() == [("Kept",)]


def test_a_port_in_use_is_told_before_anything_is_made(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = sps("up", "--port", str(port), SPS_DATA_DIR=str(folder / "data"))
    assert_one_sentence(said, f"Port {port}", "--port")
    assert not (folder / "data/postgres").exists()


def test_a_damaged_data_folder_is_told(folder: Path) -> None:
    port = str(free_port())
    (folder / "postgres/data").mkdir(parents=True)
    assert_one_sentence(sps("up", "--port", port, SPS_DATA_DIR=str(folder)), "damaged", str(folder))
    (folder / "secrets.json").write_text("{")
    assert_one_sentence(sps("up", "--port", port, SPS_DATA_DIR=str(folder)), "secrets.json is damaged")
    assert_one_sentence(sps("up", "--port", port, SPS_DATA_DIR=str(folder / "secrets.json")), "not a folder")


def test_settings_that_are_not_valid_are_told(folder: Path) -> None:
    settings = {"SPS_DATA_DIR": str(folder)}
    assert_one_sentence(sps("up", SPS_PORT="many", **settings), "SPS_PORT")
    assert_one_sentence(sps("up", SPS_HOST="no-such-host.invalid", SPS_PORT=str(free_port()), **settings), "SPS_HOST")
    assert_one_sentence(sps("up", SPS_PG_BINDIR=str(folder), SPS_PORT=str(free_port()), **settings), "no PostgreSQL")


def test_a_program_that_does_not_start_is_given_up_with_a_sentence() -> None:
    program = Program("parrot", ["no-such-command"], first_pause=0.01)
    with (
        Supervisor([program]) as supervisor,
        pytest.raises(Trouble, match="The parrot ended with code 2, 5 times in a row at its start"),
    ):
        supervisor.run({})
