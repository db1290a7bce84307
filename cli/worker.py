"""Runs a worker process."""

from cli.child import end_on_signals, follow_parent
from cli.configuration import load
from cli.database import served


def work(*, parent_fd: int | None) -> None:
    """Work until SIGTERM or SIGINT. Raises Trouble when the database or a setting is not usable."""
    end_on_signals()
    follow_parent(parent_fd)
    with served(load()) as settings:
        from web.logging import configure_logging
        from workers.run import main

        configure_logging()
        main(settings)
