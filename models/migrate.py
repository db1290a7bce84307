"""Brings the database to the schema of this version, and the app's role to its rights."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from models.database import sqlalchemy_url
from models.row_security import apply_grants

ROOT = Path(__file__).resolve().parent.parent
# One migrator at a time: two servers that start together must not both create the tables.
MIGRATION_LOCK = 7_203_944_100


def config(url: str) -> Config:
    """Alembic's configuration for a database."""
    made = Config(str(ROOT / "alembic.ini"))
    made.set_main_option("script_location", str(ROOT / "alembic"))
    made.attributes["url"] = sqlalchemy_url(url)
    return made


def upgrade(migrator_url: str, app_role: str | None) -> None:
    """Migrate to the newest revision and grant `app_role` its rights.

    Args:
        migrator_url: postgresql://… of the role that owns the tables.
        app_role: the role of servers and workers; None leaves the grants alone.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached or refuses.
    """
    engine = create_engine(sqlalchemy_url(migrator_url))
    try:
        with engine.connect() as lock, lock.begin():
            lock.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            command.upgrade(config(migrator_url), "head")
            if app_role:
                with engine.begin() as connection:
                    apply_grants(connection, app_role)
    finally:
        engine.dispose()
