"""A server with two businesses, one of which attacks the other, and the property that no attack may break."""

import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import StringIO
from typing import Any

import psycopg

from permissions.scopes import KEY_SCOPES
from tests.access.people import PASSWORD as STRONG
from tests.access.people import Mailbox
from tests.isolation.attacker import Attacker
from tests.isolation.operations import Maker, has_ids, root_fields
from tests.isolation.tenants import Tenant, checksums, furnished
from tests.service import Client, Service, running_service
from tests.world import new_world
from web.logging import configure_logging
from web.throttle import Rate, TokenBuckets

Connection = psycopg.Connection[Any]
CANARY = "canaryquokka"
SEED = int(os.environ.get("SPS_TEST_SEED", "20270302"))
PLENTY = Rate(10**9, 10**9)
EVENTS = "subscription { appointmentEvents { actor appointment { notes customer { name } } } }"
ENDS_SESSION = {"logOut", "signUp", "logIn", "invitationAccept", "passwordChange"}


@dataclass
class Scene:
    """A server with an attacking business and a victim."""

    service: Service
    mine: Tenant
    theirs: Tenant
    log: StringIO

    def attackers(self, rng: random.Random) -> list[Attacker]:
        owner = Attacker(self.mine, self.theirs, self.mine.world.api, rng, CANARY, self.mine.world.email)
        dispatcher = self.mine.dispatcher
        key: Client = self.service.client()
        key.http.headers["authorization"] = f"Bearer {self.mine.key}"
        return [
            owner,
            Attacker(self.mine, self.theirs, dispatcher.api, rng, CANARY, dispatcher.email),
            Attacker(self.mine, self.theirs, key, rng, CANARY),
        ]


def without_budget(service: Service) -> None:
    """Budgets would refuse thousands of operations in a row; they have tests of their own."""
    for route in service.app.routes[:2]:
        route.endpoint.operations.buckets = TokenBuckets(dict.fromkeys(("caller", "tenant", "address"), PLENTY))  # type: ignore[attr-defined]


@asynccontextmanager
async def open_scene(app_url: str, superuser_url: str) -> AsyncIterator[Scene]:
    """The scene.

    Args:
        app_url: the role that the server connects as.
        superuser_url: a role that row-level security does not bind.
    """
    async with running_service(app_url) as service, new_world(service) as mine, new_world(service) as theirs:
        without_budget(service)
        log, mailbox = StringIO(), Mailbox()
        with psycopg.connect(superuser_url, autocommit=True) as connection:
            a = await furnished(mine, mailbox, connection, "attacker")
            b = await furnished(theirs, mailbox, connection, CANARY)
            made = await mine.api.do(
                "apiKeyCreate",
                "key userErrors { code }",
                name="All",
                scopes=sorted(scope.value for scope in KEY_SCOPES),
            )
            a.key = made["key"]
        configure_logging(log)
        try:
            yield Scene(service, a, b, log)
        finally:
            configure_logging()


async def run(scene: Scene, as_superuser: Connection, cases: int) -> list[Attacker]:
    """The property, over so many cases."""
    rng = random.Random(SEED)
    attackers, fields = scene.attackers(rng), list(root_fields())
    with_ids = [each for each in fields if has_ids(each[2])]
    before = checksums(as_superuser, scene.theirs.id)
    async with scene.theirs.world.api.subscribe(EVENTS) as stream:
        for number in range(cases):
            attacker = attackers[number % len(attackers)]
            # Each field in turn, so that none is left to chance; most turns for those that take ids.
            pool = fields if number < len(fields) or number % 5 == 0 else with_ids
            kind, name, definition = pool[(number if number < len(fields) else rng.randrange(len(pool))) % len(pool)]
            operation = Maker(rng, every=rng.random() < 0.5).operation(kind, name, definition, rng.choice((1, 1, 2)))
            paths = [slot.path for slot in operation.slots]
            if paths:
                foreign = set(paths) if rng.random() < 0.3 else {rng.choice(paths)}
                difference = await attacker.compare(operation, foreign)
                assert difference is None, f"seed {SEED}, case {number}\n{difference}"
            else:
                variables = operation.filled(lambda slot: "", lambda: rng.choice([None, *scene.theirs.cursors]))
                await attacker.send(operation, variables)
                if name in ENDS_SESSION:
                    await attacker.stay() if attacker.email == scene.mine.world.email else await again(attacker)
            if number % 500 == 499:
                assert checksums(as_superuser, scene.theirs.id) == before, f"seed {SEED}, case {number}"
        assert checksums(as_superuser, scene.theirs.id) == before
        # Nothing has come to the victim's socket, and it is alive.
        await scene.theirs.world.book(notes="own news")
        event = (await stream.next())["appointmentEvents"]
        assert event["appointment"]["notes"] == "own news"
    return attackers


async def again(attacker: Attacker) -> None:
    """The dispatcher of the attacking business logs in again after an operation that ended the session."""
    if attacker.email is None:
        return
    attacker.client.http.cookies.clear()
    done = await attacker.client.do("logIn", email=attacker.email, password=STRONG)
    assert done["userErrors"] == [], done
