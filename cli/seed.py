"""Fills the database with the demo business, once."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from cli.configuration import load
from cli.database import administered
from cli.progress import progress
from settings import get_settings


@dataclass(frozen=True)
class LogIn:
    """How to log in to the demo business."""

    email: str
    password: str
    created: bool


def seed(app_url: str, on_progress: Callable[[int, int], None] | None = None) -> LogIn:
    """Seed the demo business if it is not there; seeding twice changes nothing.

    Args:
        app_url: the database, as the app's role.
        on_progress: called with the rows written so far, and with all that will be.
    """
    from models.database import Database
    from resolvers import demo

    async def run() -> LogIn:
        database = Database(app_url, pool_size=2, prepared_statements=get_settings().prepared_statements)
        try:
            seeded = await demo.seed(database, on_progress=on_progress)
            return LogIn(seeded.email, seeded.password, seeded.created)
        finally:
            await database.close()

    return asyncio.run(run())


def seed_configured() -> LogIn:
    """`sps seed`: migrate, then seed."""
    with administered(load()) as access:
        from models.migrate import upgrade

        upgrade(access.migrator_url, access.app_role)
        with progress("seeding") as report:
            return seed(access.app_url, report)
