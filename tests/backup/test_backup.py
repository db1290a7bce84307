"""Backups: encrypted, whole or refused, and equal row by row after a restore."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from pyrage import x25519

from integrations.age_file import identity_recipient
from integrations.embedded_postgres import embedded_postgres, temporary_postgres
from integrations.embedded_postgres_cluster import APP, DATABASE, OWNER, SUPERUSER
from models.migrate import upgrade
from resolvers.demo import DEMO_EMAIL, DEMO_PASSWORD
from tests.process import ROOT, environment

CANARY = "Bluebonnet"


@dataclass
class Backup:
    """A seeded database's backup, and what was in it."""

    folder: Path
    file: Path
    identity: Path
    checksums: dict[str, tuple[int, str]]


def sps(*arguments: str | Path, **settings: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", *map(str, arguments)],
        cwd=ROOT,
        env=environment(**{name: str(value) for name, value in settings.items()}),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def checksums(folder: Path) -> dict[str, tuple[int, str]]:
    """Number and checksum of the rows of every table of ours, read by a role that sees all."""
    found = {}
    with (
        embedded_postgres(folder) as server,
        psycopg.connect(server.url(DATABASE, SUPERUSER)) as connection,
    ):
        connection.execute("SET timezone = 'UTC'")
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (name,) in names:
            statement = sql.SQL(
                "SELECT count(*), md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '')) FROM {} t"
            )
            row = connection.execute(statement.format(sql.Identifier(name))).fetchone()
            assert row is not None
            found[name] = (int(row[0]), str(row[1]))
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Backup:
    folder = tmp_path_factory.mktemp("source")
    seeded = sps("seed", "--json", SPS_DATA_DIR=folder)
    assert (seeded.returncode, seeded.stderr) == (0, "")
    log_in = json.loads(seeded.stdout)
    assert log_in == {"email": DEMO_EMAIL, "password": DEMO_PASSWORD, "created": True}
    file = folder / "db.age"
    answer = sps("backup", file, SPS_DATA_DIR=folder)
    assert answer.returncode == 0, answer.stderr
    made_key, wrote = answer.stderr.splitlines()
    assert "keep a copy of it elsewhere" in made_key
    assert f"wrote {file}" in wrote
    assert answer.stdout == ""
    return Backup(folder, file, folder / "backup-identity.txt", checksums(folder))


def test_the_file_is_unreadable_without_the_key(made: Backup) -> None:
    content = made.file.read_bytes()
    assert content.startswith(b"age-encryption.org/v1\n")
    assert b"PGDMP" not in content
    assert CANARY.encode() not in content
    assert made.file.stat().st_mode & 0o777 == 0o600
    assert made.identity.stat().st_mode & 0o777 == 0o600


def test_a_restore_gives_every_row_back(made: Backup, tmp_path: Path) -> None:
    answer = sps("restore", made.file, SPS_DATA_DIR=tmp_path, SPS_BACKUP_IDENTITY_FILE=made.identity)
    assert (answer.returncode, answer.stderr) == (0, f"sps: restored {made.file}\n")
    assert checksums(tmp_path) == made.checksums
    assert sum(number for number, _ in made.checksums.values()) > 500
    # The app's role has its rights again, and is bound by row-level security.
    with embedded_postgres(tmp_path) as server, psycopg.connect(server.url(DATABASE, APP)) as connection:
        row = connection.execute("SELECT count(*) FROM customers").fetchone()
        assert row == (0,)
    again = sps("restore", made.file, SPS_DATA_DIR=tmp_path, SPS_BACKUP_IDENTITY_FILE=made.identity)
    assert again.returncode == 1
    assert "not empty" in again.stderr
    damaged = tmp_path / "damaged.age"
    for content in (made.file.read_bytes()[:-1], made.file.read_bytes()[:-70_000], flipped(made.file.read_bytes())):
        damaged.write_bytes(content)
        refused = sps("restore", "--replace", damaged, SPS_DATA_DIR=tmp_path, SPS_BACKUP_IDENTITY_FILE=made.identity)
        assert refused.returncode == 1
        assert "Nothing has changed" in refused.stderr
        assert "Traceback" not in refused.stderr
    other = tmp_path / "other.txt"
    other.write_text(str(x25519.Identity.generate()))
    for key in (other, tmp_path / "missing.txt", made.file):
        refused = sps("restore", "--replace", made.file, SPS_DATA_DIR=tmp_path, SPS_BACKUP_IDENTITY_FILE=key)
        assert refused.returncode == 1
        assert "Traceback" not in refused.stderr
    assert checksums(tmp_path) == made.checksums
    replaced = sps("restore", "--replace", made.file, SPS_DATA_DIR=tmp_path, SPS_BACKUP_IDENTITY_FILE=made.identity)
    assert replaced.returncode == 0, replaced.stderr
    assert checksums(tmp_path) == made.checksums


def flipped(content: bytes) -> bytes:
    """The last third of the file, one bit changed."""
    place = len(content) * 2 // 3
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def test_programs_are_told_what_was_done(made: Backup, tmp_path: Path) -> None:
    again = sps("seed", "--json", SPS_DATA_DIR=made.folder)
    assert (json.loads(again.stdout)["created"], again.stderr) == (False, "")
    migrated = sps("migrate", "--json", SPS_DATA_DIR=made.folder)
    told = json.loads(migrated.stdout)
    assert told["from"] == told["to"]
    assert (told["appRole"], migrated.stderr) == (APP, "")
    file = tmp_path / "json.age"
    answer = sps("backup", "--json", file, SPS_DATA_DIR=made.folder)
    assert (answer.returncode, answer.stderr) == (0, "")
    told = json.loads(answer.stdout)
    assert told.pop("seconds") > 0
    assert told == {
        "file": str(file),
        "bytes": file.stat().st_size,
        "tables": len(made.checksums),
        "recipient": identity_recipient(made.identity),
    }
    refused = sps("backup", "--json", file, SPS_DATA_DIR=made.folder)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "exists already" in refused.stderr


def test_a_backup_never_overwrites_another(made: Backup) -> None:
    before = made.file.read_bytes()
    answer = sps("backup", made.file, SPS_DATA_DIR=made.folder)
    assert answer.returncode == 1
    assert "exists already" in answer.stderr
    assert made.file.read_bytes() == before


def test_a_recipient_alone_suffices_to_back_up(made: Backup, tmp_path: Path) -> None:
    identity = x25519.Identity.generate()
    answer = sps("backup", tmp_path / "x.age", SPS_DATA_DIR=made.folder, SPS_BACKUP_RECIPIENT=str(identity.to_public()))
    assert answer.returncode == 0, answer.stderr
    wrong = sps("backup", tmp_path / "y.age", SPS_DATA_DIR=made.folder, SPS_BACKUP_RECIPIENT="age1nonsense")
    assert wrong.returncode == 1
    assert not (tmp_path / "y.age").exists()


def test_a_role_that_sees_not_all_rows_makes_no_backup(tmp_path: Path) -> None:
    with temporary_postgres() as server:
        with psycopg.connect(server.url("postgres", OWNER), autocommit=True) as connection:
            connection.execute("CREATE DATABASE elsewhere")
        upgrade(server.url("elsewhere", OWNER), APP)
        file = tmp_path / "x.age"
        for role in (OWNER, APP):
            answer = sps("backup", file, SPS_DATA_DIR=tmp_path, DATABASE_URL=server.url("elsewhere", role))
            assert answer.returncode == 1
            assert "row-level security would hide all rows" in answer.stderr
            assert list(tmp_path.glob("x.age*")) == []
        answer = sps("backup", file, SPS_DATA_DIR=tmp_path, DATABASE_URL=server.url("elsewhere", SUPERUSER))
        assert answer.returncode == 0, answer.stderr
