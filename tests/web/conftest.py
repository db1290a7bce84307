from collections.abc import AsyncIterator

import pytest

from tests.web.server import Edge, running


@pytest.fixture
async def edge() -> AsyncIterator[Edge]:
    async with running() as found:
        yield found
