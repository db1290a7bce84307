"""Brings the database to the schema of this version, and the app's role to its rights."""

import time
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, create_engine, text

from models.database import sqlalchemy_url
from models.row_security import apply_grants

ROOT = Path(__file__).resolve().parent.parent
# One migrator at a time: two servers that start together must not both create the tables.
MIGRATION_LOCK = 7_203_944_100
LOOK_S = 0.1


def config(url: str) -> Config:
    """Alembic's configuration for a database."""
    made = Config(str(ROOT / "alembic.ini"))
    made.set_main_option("script_location", str(ROOT / "alembic"))
    made.attributes["url"] = sqlalchemy_url(url)
    return made


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a migration did: the revisions before it (None: there were no tables) and after it."""

    before: str | None
    after: str | None


def upgrade(migrator_url: str, app_role: str | None) -> Migrated:
    """Migrate to the newest revision and grant `app_role` its rights.

    Args:
        migrator_url: postgresql://… of the role that owns the tables.
        app_role: the role of servers and workers; None leaves the grants alone.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached or refuses.
    """
    engine = create_engine(sqlalchemy_url(migrator_url))
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as lock:
            # Held by the session, and asked for again and again: whoever waits in a statement, or sits in a transaction,
            # holds a snapshot, and an index that is built beside writers waits for every snapshot to end.
            while not lock.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": MIGRATION_LOCK}).scalar_one():
                time.sleep(LOOK_S)
            before = _revision(engine)
            command.upgrade(config(migrator_url), "head")
            if app_role:
                with engine.begin() as connection:
                    apply_grants(connection, app_role)
            return Migrated(before, _revision(engine))
    finally:
        # Closes the session of the lock, and so lets go of it.
        engine.dispose()


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()
