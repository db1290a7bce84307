"""Migrates and seeds a database, and remembers that it did: a second start is spared a second of imports."""

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg

from cli.database import Access
from cli.seed import LogIn, seed
from cli.trouble import say
from settings import Settings

ROOT = Path(__file__).resolve().parent.parent


def prepare(settings: Settings, access: Access, *, demo: bool) -> LogIn | None:
    """Bring the database to this version, and put the demo business into it if it is not there.

    Args:
        settings: where what was done is remembered.
        access: the database.
        demo: whether the demo business is wanted.

    Returns:
        How to log in to the demo business; None when it is not wanted.
    """
    note = _note(settings)
    done = note.read()
    state = _state(access)
    if state is None or done.get("state") != state:
        say("migrating the database")
        from models.migrate import upgrade

        upgrade(access.migrator_url, access.app_role)
        done = {"state": _state(access)}
        note.write(done)
    if not demo:
        return None
    if "demo" not in done:
        say("making the demo business")
        log_in = seed(access.app_url)
        done["demo"] = {"email": log_in.email, "password": log_in.password}
        note.write(done)
    return LogIn(**done["demo"], created=False)


def forget(settings: Settings) -> None:
    """Have the next start look again: the database holds something else now."""
    _note(settings).write({})


def _note(settings: Settings) -> "_Note":
    return _Note(settings.data_dir / "prepared.json")


def _state(access: Access) -> list[str] | None:
    """What a migrated database is known by: itself, its revisions, the app's role and our migrations; None: it is empty."""
    with psycopg.connect(access.migrator_url, autocommit=True, connect_timeout=5) as connection:
        try:
            row = connection.execute(
                "select system_identifier::text, oid::text, (select string_agg(version_num, ' ' order by 1) from alembic_version)"
                " from pg_control_system(), pg_database where datname = current_database()"
            ).fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
            return None
    return [*row, access.app_role, _sources()] if row and row[2] else None


def _sources() -> str:
    """A fingerprint of all that decides what a migration does: the migrations, and the models with their grants and policies."""
    digest = sha256()
    for path in sorted([*ROOT.glob("alembic/**/*.py"), *ROOT.glob("models/**/*.py")]):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


class _Note:
    """A small file of ours in the data folder; damaged or missing it costs a second, and no more."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, Any]:
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write(self, content: dict[str, Any]) -> None:
        fresh = self._path.with_suffix(f".{os.getpid()}")
        with open(fresh, "w", encoding="utf-8", opener=_private) as file:
            json.dump(content, file)
        fresh.replace(self._path)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
