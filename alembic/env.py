"""Runs migrations on the URL that models.migrate gives, each in a transaction of its own."""

from alembic import context
from sqlalchemy import create_engine, pool

from models.all import metadata
from models.partition import partition_names

engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
with engine.connect() as connection:
    # Partitions are made by the database's functions and are no models; their parents are compared.
    held_out = partition_names(connection)
    # Alembic begins transactions of its own only where none has begun.
    connection.rollback()
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_type=True,
        # One that has to commit in between, to build an index beside writers, commits nothing but itself.
        transaction_per_migration=True,
        include_name=lambda name, kind, _: kind != "table" or name not in held_out,
    )
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
