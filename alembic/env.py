"""Runs migrations on the URL that models.migrate gives, each in one transaction."""

from alembic import context
from sqlalchemy import create_engine, pool

from models.all import metadata

engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
