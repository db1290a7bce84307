"""The matrix of docs/permissions.md, tried: each role and key on each field, over the wire, with nobody's, a colleague's and
another business's ids. Operations come from the schema, so that a new field is tried the day it is added."""

import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from domain.ids import Prefix
from domain.tenant import Role
from permissions.scopes import ROLES, Scope
from schema.permission_matrix import INSIDE, NONE, OWN, OWN_WORK, Entry, entries
from tests.access.people import PASSWORD, Mailbox, Person, add_user, log_in
from tests.isolation.attacker import Attacker, listened, random_id
from tests.isolation.operations import Maker, Operation, root_fields
from tests.isolation.scene import without_budget
from tests.isolation.tenants import Tenant, ids_of
from tests.service import Client, Service, running_service
from tests.world import World, new_world

pytestmark = pytest.mark.asyncio(loop_scope="module")
Connection = psycopg.Connection[Any]
# A word in everything of the colleague's visits that a technician must not see.
CANARY = "colleaguewombat"
# What is a technician's own; the rest of the business's things everybody sees.
PERSONAL = {
    Prefix.APPOINTMENT, Prefix.CUSTOMER, Prefix.CUSTOMER_ADDRESS, Prefix.MESSAGE, Prefix.EQUIPMENT, Prefix.ATTACHMENT,
    Prefix.TIME_OFF,
}  # fmt: skip
ROOT = {"Query": "query", "Mutation": "mutation", "Subscription": "subscription"}
DENIED = {"FORBIDDEN", "UNAUTHENTICATED"}
DAY = "2027-03-02"


@dataclass
class Office:
    """A business with somebody of each role, two technicians, and a colleague's visit."""

    service: Service
    world: World
    people: dict[Role, Person]
    mine: Tenant
    colleagues: Tenant


@pytest.fixture(scope="module")
def superuser_url(owner_url: str) -> str:
    return owner_url.replace("sps_owner", "postgres")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(database_url: str, superuser_url: str) -> AsyncIterator[Office]:
    async with running_service(database_url) as service, new_world(service) as world:
        without_budget(service)
        mailbox, mark = Mailbox(), f"{CANARY} "
        people = {
            role: await add_user(
                world, mailbox, role.value, f"{role.title()} Person",
                **({"technicianId": world.technician} if role is Role.TECHNICIAN else {}),
            )
            for role in Role
        }  # fmt: skip
        with psycopg.connect(superuser_url, autocommit=True) as connection:
            tenant_id = connection.execute("SELECT tenant_id FROM users WHERE email = %s", (world.email,)).fetchone()[0]  # type: ignore[index]
            await world.book(f"{DAY}T09:00:00-06:00", f"{DAY}T10:00:00-06:00", technicianId=world.technician)
            before = ids_of(connection, tenant_id)
            await _colleagues_visit(world, mark)
            after = ids_of(connection, tenant_id)
        theirs = {prefix: [each for each in after[prefix] if each not in before[prefix]] for prefix in PERSONAL}
        assert [prefix for prefix in PERSONAL if not theirs[prefix]] == []
        mine = Tenant(world, tenant_id, {p: before[p] or [random_id(p)] for p in Prefix}, people[Role.DISPATCHER], "")
        colleagues = Tenant(world, tenant_id, theirs, people[Role.DISPATCHER], "", ["bm90IGEgY3Vyc29y"])
        yield Office(service, world, people, mine, colleagues)


async def _colleagues_visit(world: World, mark: str) -> None:
    """One of everything that is a technician's own, of the other technician."""
    other = await world.add_technician("Otto Other", homeBase={"latitude": 30.1, "longitude": -97.1})
    api = world.api
    await api.do("timeOffAdd", technicianId=other, reason=f"{mark}reason",
                 window={"start": "2027-05-02T09:00:00Z", "end": "2027-05-02T10:00:00Z"})  # fmt: skip
    made = await api.do(
        "customerCreate", "customer { id addresses { id } } userErrors { code message }", name=f"{mark}customer",
        phone="+15125550177", email=f"{CANARY}@example.com", notes=f"{mark}notes",
        address={"line1": f"1 {mark}Way", "city": "Austin", "region": "TX", "postalCode": "78701"},
    )  # fmt: skip
    customer, address = made["customer"]["id"], made["customer"]["addresses"][0]["id"]
    await api.do("equipmentAdd", addressId=address, kind=f"{mark}fridge")
    previous = world.customer, world.address
    world.customer, world.address = customer, address
    visit = await world.book(
        f"{DAY}T09:00:00-06:00", f"{DAY}T10:00:00-06:00", technicianId=other, notes=f"{mark}notes",
        internalNotes=f"{mark}internal",
    )  # fmt: skip
    world.customer, world.address = previous
    await api.do("uploadRequest", appointmentId=visit["id"], kind="PHOTO", fileName=f"{CANARY}.jpg",
                 contentType="image/jpeg", byteSize=1_000)  # fmt: skip


def operations() -> dict[str, list[Operation]]:
    """Two operations of each root field: with all that it takes, and with what it must have."""
    return {
        f"{kind.title()}.{name}": [
            Maker(random.Random(1), every=every).operation(kind, name, definition, 1) for every in (True, False)
        ]
        for kind, name, definition in root_fields()
    }


async def code(client: Client, operation: Operation, hoped: str | None) -> str | None:
    """The code with which a field is denied, asked with ids of nothing; None: it was not.

    Args:
        hoped: what should come; a subscription is given time for it.
    """
    variables = operation.filled(lambda slot: random_id(slot.prefix or Prefix.TENANT), lambda: None)
    if operation.kind == "subscription":
        # Over HTTP no subscription runs, so it is tried where it does.
        for patience in (0.05, 3.0):
            text = await listened(client, operation, variables, patience)
            found = next((each for each in DENIED if each in text), None)
            if found == hoped:
                break
        return found
    body = (await client.post(operation.document, **variables)).json()
    codes = {each["extensions"]["code"] for each in body.get("errors", ()) if each.get("path") == ["it"]}
    return next(iter(codes & DENIED), None)


def expected(entry: Entry, role: Role) -> str | None:
    """What the matrix says, with what the field's own code asks for."""
    inside = INSIDE.get(str(entry))
    denied = entry.seen_by(role) == NONE or (
        inside is not None and inside[0] is not None and inside[0] not in ROLES[role]
    )
    return "FORBIDDEN" if denied else None


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_on_each_root_field(office: Office, role: Role) -> None:
    person, made = office.people[role], operations()
    wrong = []
    for entry in entries():
        if entry.type not in ROOT:
            continue
        denied = await code(person.api, made[str(entry)][1], expected(entry, role))
        # A user's own log-in may have been ended by this very field.
        if (await person.api.ask("{ viewer { user { id } } }"))["viewer"] != {"user": {"id": person.id}}:
            person.api.http.cookies.clear()
            assert (await log_in(person.api, person.email, PASSWORD))["userErrors"] == []
        if denied != expected(entry, role):
            wrong.append((str(entry), denied))
    assert wrong == []


async def test_nobody_on_each_root_field(office: Office) -> None:
    nobody, made = office.service.client(), operations()
    for entry in entries():
        if entry.type in ROOT:
            open_ = entry.asks == "public" and INSIDE.get(str(entry), (None, ""))[0] is None
            hoped = None if open_ else "UNAUTHENTICATED"
            assert await code(nobody, made[str(entry)][1], hoped) == hoped, str(entry)
            nobody.http.cookies.clear()


@pytest.mark.parametrize("given", ["tenant:read", "*"])
async def test_a_key_on_each_root_field(office: Office, given: str) -> None:
    """With one scope, and with all that keys can have."""
    scopes = [given] if given != "*" else [str(e.scope) for e in entries() if e.by_key == "with the scope"]
    made = await office.world.api.do("apiKeyCreate", "key userErrors { code }", name="K", scopes=sorted(set(scopes)))
    client, tried = office.service.client(), operations()
    client.http.headers["authorization"] = f"Bearer {made['key']}"
    for entry in entries():
        # The socket of the helper above goes by cookie, keys on sockets are in test_api_keys; presence is for people.
        if (
            entry.type not in ROOT
            or entry.type == "Subscription"
            or "of a person" in INSIDE.get(str(entry), ("", ""))[1]
        ):
            continue
        denied = await code(client, tried[str(entry)][1], None)
        inside = INSIDE.get(str(entry))
        allowed = entry.by_key != NONE and (entry.scope is None or entry.scope.value in scopes)
        allowed = allowed and (inside is None or inside[0] is None or inside[0].value in scopes)
        assert (denied is None) is allowed, (str(entry), denied)


async def test_what_leads_on_from_objects_is_denied_by_scope(office: Office) -> None:
    """A key that may read the root and not what is behind it gets no answer there."""
    everything = sorted({str(entry.scope) for entry in entries() if entry.by_key == "with the scope"})
    for root, relation, missing in (
        ("appointments { nodes { customer { name } } }", "customer", Scope.CUSTOMERS_READ),
        ("appointments { nodes { address { id } } }", "address", Scope.CUSTOMERS_READ),
        ("appointments { nodes { technician { name } } }", "technician", Scope.TECHNICIANS_READ),
        ("appointments { nodes { location { name } } }", "location", Scope.LOCATIONS_READ),
        ("appointments { nodes { messages { to } } }", "messages", Scope.MESSAGES_READ),
        ("appointments { nodes { attachments { id } } }", "attachments", Scope.ATTACHMENTS_READ),
        ("appointments { nodes { lines { service { name } } } }", "service", Scope.SERVICES_READ),
        ("customers { nodes { appointments { nodes { id } } } }", "appointments", Scope.APPOINTMENTS_READ),
        (f'dispatchBoard(day: "{DAY}") {{ lanes {{ technician {{ phone }} }} }}', "technician", Scope.TECHNICIANS_READ),
    ):
        made = await office.world.api.do(
            "apiKeyCreate", "key userErrors { code }", name="K", scopes=[each for each in everything if each != missing]
        )
        client = office.service.client()
        client.http.headers["authorization"] = f"Bearer {made['key']}"
        body = (await client.post(f"{{ it: {root} }}")).json()
        assert {error["extensions"]["code"] for error in body["errors"]} == {"FORBIDDEN"}, (relation, body)
        assert body["errors"][0]["extensions"]["scope"] == missing
        assert not set(_values(body["data"])) - {None}, body


def _values(value: Any) -> Iterator[Any]:
    """All that is no list and no object."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _values(each)
    else:
        yield value


async def test_a_colleagues_ids_are_ids_of_nothing_on_every_field(office: Office) -> None:
    """The column `own`: a technician who asks with what is a colleague's is told what is told of nothing."""
    rng = random.Random(7)
    person = office.people[Role.TECHNICIAN]
    attacker = Attacker(office.mine, office.colleagues, person.api, rng, CANARY, person.email)
    tried: set[str] = set()
    for kind, name, definition in root_fields():
        for seed in range(4):
            operation = Maker(random.Random(seed), every=seed % 2 == 0).operation(kind, name, definition, 1 + seed % 2)
            personal = {slot.path for slot in operation.slots if slot.prefix in PERSONAL}
            if personal:
                tried.add(f"{kind.title()}.{name}")
                difference = await attacker.compare(operation, personal)
                assert difference is None, difference
            elif not operation.slots and name not in {"logOut", "signUp"}:
                # Whatever it answers, nothing of the colleague's is in it.
                await attacker.send(operation, operation.filled(lambda slot: "", lambda: None))
    assert {each for each in tried if each in OWN_WORK} >= {
        f"Mutation.appointment{each}" for each in ("MarkOnTheWay", "Start", "Complete", "MarkNoShow", "Reopen")
    }
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    for prefix in PERSONAL:
        theirs = office.colleagues.ids[prefix]
        assert (await person.api.ask(query, ids=theirs))["nodes"] == [None] * len(theirs), prefix


async def test_others_see_the_colleagues_visit(office: Office) -> None:
    """So that the test above is not about something that nobody sees."""
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    for role in (Role.OWNER, Role.ADMIN, Role.DISPATCHER, Role.VIEWER):
        for prefix in PERSONAL - {Prefix.ATTACHMENT}:
            theirs = office.colleagues.ids[prefix]
            found = (await office.people[role].api.ask(query, ids=theirs))["nodes"]
            assert found == [{"id": each} for each in theirs], (role, prefix)


async def test_what_is_said_to_be_own_is_a_field_that_technicians_have() -> None:
    by_name = {str(entry): entry for entry in entries()}
    for name in OWN_WORK & set(by_name):
        assert by_name[name].seen_by(Role.TECHNICIAN) == OWN, name


async def test_a_field_without_a_guard_is_nobodys() -> None:
    entry = next(entries())
    bare = type(entry)(entry.type, entry.field, None)
    assert [bare.seen_by(role) for role in Role] == [NONE] * len(Role)
