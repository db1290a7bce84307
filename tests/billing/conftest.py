"""The product with payments configured, against a stand-in for Stripe."""

from collections.abc import AsyncIterator, Iterator

import pytest

from integrations.payments import Payments, payments_for
from settings import Settings
from tests.billing.payer import Payer, payer_of
from tests.service import Service, running_service
from tests.standins.stripe import StripeStandIn
from tests.standins.stripe_http import stripe_stand_in
from tests.world import new_world


@pytest.fixture
def stripe() -> Iterator[StripeStandIn]:
    """A stand-in of the test's own."""
    with stripe_stand_in() as stand_in:
        yield stand_in


@pytest.fixture
async def billed(database_url: str, stripe: StripeStandIn) -> AsyncIterator[Service]:
    """The product, with Stripe."""
    async with running_service(database_url, **stripe.settings()) as running:
        yield running


@pytest.fixture
async def payer(billed: Service, stripe: StripeStandIn, owner_url: str) -> AsyncIterator[Payer]:
    """A business of the test's own, in its trial."""
    async with new_world(billed) as world:
        yield await payer_of(world, stripe, owner_url)


@pytest.fixture
async def payments(stripe: StripeStandIn) -> AsyncIterator[Payments]:
    """The real client, as a worker has it."""
    made = payments_for(Settings(**stripe.settings()))
    yield made
    await made.close()
