"""A business that can be booked online."""

from collections.abc import AsyncIterator

import pytest

from tests.availability.bookable import Bookable, bookable_business
from tests.service import Service


@pytest.fixture
async def shop(service: Service) -> AsyncIterator[Bookable]:
    """One technician, open every day of the week."""
    async with bookable_business(service) as made:
        yield made
