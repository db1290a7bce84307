import logging
from collections.abc import AsyncIterator, Iterator
from io import StringIO

import pytest
import structlog

from tests.web.server import Edge, running
from web.logging import configure_logging


@pytest.fixture
async def edge() -> AsyncIterator[Edge]:
    async with running() as found:
        yield found


@pytest.fixture(autouse=True)
def logged() -> Iterator[StringIO]:
    """The lines of the test."""
    root = logging.getLogger()
    before = (root.handlers, root.level)
    stream = StringIO()
    configure_logging(stream)
    yield stream
    structlog.reset_defaults()
    root.handlers, root.level = before
