"""Technicians see and move their own appointments, and of customers only whom they visit: on every path that leads there."""

import asyncio
import json
from typing import Any

import pytest

from tests.access.people import Mailbox, Person, add_user
from tests.world import World

DAY = "2027-03-02"
VISIT = "id number notes internalNotes customer { name phone email notes addresses { address { line1 } } } address { address { line1 } } messages { to } lines { quantity } history { type } technician { id }"
NODE = f"query ($id: ID!) {{ node(id: $id) {{ __typename id ... on Appointment {{ {VISIT} }} ... on Customer {{ name phone }} ... on TimeOff {{ reason }} }} }}"
EVENTS = f"subscription ($after: String, $technicianIds: [ID!]) {{ appointmentEvents(after: $after, technicianIds: $technicianIds) {{ type actor changes {{ field before after }} appointment {{ {VISIT} total {{ amount }} scheduled {{ start }} }} }} }}"
SECRET = ("Sekret Sam", "+15125550188", "sekret@example.com", "1 Sekret Way", "sekret note")


class Shop:
    """A business with two technicians who each have a log-in and a visit; the other's customer is the secret one."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def open(self, mailbox: Mailbox) -> "Shop":
        world = self.world
        self.mine = await add_user(world, mailbox, "TECHNICIAN", "Tess Tran", technicianId=world.technician)
        self.others_id = await world.add_technician("Otto Ode")
        self.other = await add_user(world, mailbox, "TECHNICIAN", "Otto Ode", technicianId=self.others_id)
        self.my_visit = await world.book(
            f"{DAY}T09:00:00-06:00", f"{DAY}T10:00:00-06:00", technicianId=world.technician
        )
        self.my_customer = world.customer
        made = await world.api.do(
            "customerCreate", "customer { id addresses { id } } userErrors { code message }",
            name=SECRET[0], phone=SECRET[1], email=SECRET[2], notes=SECRET[4],
            address={"line1": SECRET[3], "city": "Austin", "region": "TX", "postalCode": "78701"},
        )  # fmt: skip
        self.secret_customer = made["customer"]["id"]
        self.secret_address = made["customer"]["addresses"][0]["id"]
        world.customer, world.address = self.secret_customer, self.secret_address
        self.their_visit = await world.book(
            f"{DAY}T09:00:00-06:00", f"{DAY}T10:00:00-06:00", technicianId=self.others_id, notes=SECRET[4],
            internalNotes=SECRET[4],
        )  # fmt: skip
        self.nobodys_visit = await world.book(notes=SECRET[4])
        return self

    async def assign(self, visit: Any, technician: str | None) -> None:
        done = await self.world.api.do("appointmentAssign", appointmentId=visit["id"], technicianId=technician)
        assert done["userErrors"] == [], done


@pytest.fixture
async def shop(world: World, mailbox: Mailbox) -> Shop:
    return await Shop(world).open(mailbox)


def unseen(answer: Any) -> None:
    text = json.dumps(answer)
    assert not [word for word in SECRET if word in text], text


async def test_lists_hold_the_own_only(shop: Shop) -> None:
    answer = await shop.mine.api.ask(
        f"""query ($other: ID!, $customer: ID!) {{
          appointments(first: 10) {{ nodes {{ {VISIT} }} totalCount }}
          byTechnician: appointments(filter: {{technicianIds: [$other]}}) {{ totalCount }}
          byCustomer: appointments(filter: {{customerId: $customer}}) {{ totalCount }}
          unassigned: appointments(filter: {{unassigned: true}}) {{ totalCount }}
          customers(first: 5) {{ nodes {{ name phone appointments {{ nodes {{ number }} }} }} totalCount }}
          found: customers(filter: {{search: "sekret"}}) {{ totalCount }}
          messages {{ nodes {{ to body }} totalCount }}
        }}""",
        other=shop.others_id,
        customer=shop.secret_customer,
    )
    answer |= await shop.mine.api.ask(
        f"""{{ dispatchBoard(day: "{DAY}") {{
          lanes {{ technician {{ name }} appointments {{ {VISIT} }} }} unassigned {{ {VISIT} }}
        }} }}"""
    )
    unseen(answer)
    assert [each["id"] for each in answer["appointments"]["nodes"]] == [shop.my_visit["id"]]
    assert [answer[key]["totalCount"] for key in ("byTechnician", "byCustomer", "unassigned", "found")] == [0] * 4
    assert answer["customers"]["totalCount"] == 1
    assert [lane["technician"]["name"] for lane in answer["dispatchBoard"]["lanes"]] == ["Tess Tran"]
    assert answer["dispatchBoard"]["unassigned"] == []
    assert answer["messages"]["totalCount"] == len(answer["messages"]["nodes"]) > 0


async def test_nodes_of_others_are_nothing(shop: Shop) -> None:
    off = await shop.world.api.do(
        "timeOffAdd", "timeOff { id } userErrors { code }",
        technicianId=shop.others_id, reason=SECRET[4],
        window={"start": "2027-04-02T09:00:00Z", "end": "2027-04-02T10:00:00Z"},
    )  # fmt: skip
    theirs = [
        shop.their_visit["id"], shop.nobodys_visit["id"], shop.secret_customer, shop.secret_address, off["timeOff"]["id"]
    ]  # fmt: skip
    for id_ in theirs:
        assert (await shop.mine.api.ask(NODE, id=id_))["node"] is None, id_
        assert (await shop.world.api.ask(NODE, id=id_))["node"] is not None, id_
    answer = await shop.mine.api.ask(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[*theirs, shop.my_customer]
    )
    assert answer["nodes"] == [None] * 5 + [{"id": shop.my_customer}]


async def test_colleagues_homes_and_whereabouts_are_not_told(shop: Shop) -> None:
    await shop.world.api.do(
        "technicianUpdate", technicianId=shop.others_id, homeBase={"latitude": 30.1, "longitude": -97.1}
    )
    await shop.world.api.do(
        "technicianUpdate", technicianId=shop.world.technician, homeBase={"latitude": 30.2, "longitude": -97.2}
    )
    query = "{ technicians { nodes { name homeBase { latitude } position { recordedAt } timeOff { reason } } } }"
    seen = {each["name"]: each for each in (await shop.mine.api.ask(query))["technicians"]["nodes"]}
    assert seen["Otto Ode"] == {"name": "Otto Ode", "homeBase": None, "position": None, "timeOff": []}
    assert seen["Tess Tran"]["homeBase"] == {"latitude": 30.2}


@pytest.mark.parametrize("mutation", ["MarkOnTheWay", "Start", "Complete", "MarkNoShow", "Reopen"])
async def test_others_visits_cannot_be_moved(shop: Shop, mutation: str) -> None:
    for visit in (shop.their_visit, shop.nobodys_visit, {"id": "appt_01h455vb4pex5vsknk084sn02q"}):
        done = await shop.mine.api.do(
            f"appointment{mutation}", "appointment { id } userErrors { code path }", appointmentId=visit["id"],
            expectedVersion=99,
        )  # fmt: skip
        assert done == {
            "appointment": None,
            "userErrors": [{"code": "NOT_FOUND", "path": ["input", "appointmentId"]}],
        }
    after = await shop.world.api.ask(
        "query ($id: ID!) { node(id: $id) { ... on Appointment { version } } }", id=shop.their_visit["id"]
    )
    assert after["node"] == {"version": 1}


async def test_the_own_visit_moves(shop: Shop) -> None:
    for mutation in ("MarkOnTheWay", "Start", "Complete"):
        done = await shop.mine.api.do(f"appointment{mutation}", appointmentId=shop.my_visit["id"])
        assert done["userErrors"] == []


async def told(person: Person, number: int, **variables: Any) -> list[Any]:
    """The first events that a subscription from the beginning tells."""
    async with person.api.subscribe(EVENTS, **variables) as stream:
        return [(await stream.next())["appointmentEvents"] for _ in range(number)]


async def test_the_stream_tells_the_own_only(shop: Shop) -> None:
    start = (await shop.world.api.ask(f'{{ dispatchBoard(day: "{DAY}") {{ cursor }} }}'))["dispatchBoard"]["cursor"]
    async with shop.mine.api.subscribe(EVENTS, after=start) as stream:
        await shop.other.api.do("appointmentMarkOnTheWay", appointmentId=shop.their_visit["id"])
        await shop.mine.api.do("appointmentMarkOnTheWay", appointmentId=shop.my_visit["id"])
        event = (await stream.next())["appointmentEvents"]
    assert event["appointment"]["id"] == shop.my_visit["id"]
    # Asking for a colleague's is asking for nothing.
    async with shop.mine.api.subscribe(EVENTS, after=start, technicianIds=[shop.others_id]) as stream:
        with pytest.raises(TimeoutError):
            await stream.next(0.3)


async def test_who_loses_a_visit_is_told_so_and_no_more(shop: Shop, world: World) -> None:
    await shop.assign(shop.nobodys_visit, world.technician)
    start = (await world.api.ask(f'{{ dispatchBoard(day: "{DAY}") {{ cursor }} }}'))["dispatchBoard"]["cursor"]
    async with shop.mine.api.subscribe(EVENTS, after=start) as stream:
        await shop.assign(shop.nobodys_visit, shop.others_id)
        await world.api.do("appointmentUpdate", appointmentId=shop.nobodys_visit["id"], notes="sekret note again")
        await shop.mine.api.do("appointmentMarkOnTheWay", appointmentId=shop.my_visit["id"])
        lost, mine = (await stream.next())["appointmentEvents"], (await stream.next())["appointmentEvents"]
    unseen(lost)
    assert lost["type"] == "ASSIGNED"
    assert lost["changes"] == [{"field": "technicianId", "before": world.technician, "after": shop.others_id}]
    assert lost["appointment"] == {
        "id": shop.nobodys_visit["id"], "number": shop.nobodys_visit["number"], "notes": None, "internalNotes": None,
        "customer": {"name": "(withheld)", "phone": None, "email": None, "notes": None, "addresses": []},
        "address": {"address": {"line1": "(withheld)"}}, "messages": [], "lines": [], "history": [],
        "technician": {"id": shop.others_id}, "total": {"amount": "0.00"}, "scheduled": None,
    }  # fmt: skip
    assert mine["appointment"]["id"] == shop.my_visit["id"]
    # Replayed from the beginning it is the same: what happened while it was theirs is not told of what is lost.
    replay = await told(shop.mine, 3, after=None if start is None else _beginning(start))
    assert [each["type"] for each in replay] == ["CREATED", "ASSIGNED", "ON_THE_WAY"]
    unseen(replay)


async def test_who_gets_a_visit_sees_it_whole(shop: Shop, world: World) -> None:
    start = (await world.api.ask(f'{{ dispatchBoard(day: "{DAY}") {{ cursor }} }}'))["dispatchBoard"]["cursor"]
    await shop.assign(shop.nobodys_visit, world.technician)
    (got,) = await told(shop.mine, 1, after=start)
    assert got["appointment"]["customer"]["name"] == SECRET[0]
    assert got["appointment"]["notes"] == SECRET[4]
    assert (await shop.mine.api.ask(NODE, id=shop.secret_customer))["node"]["phone"] == SECRET[1]


async def test_a_log_in_of_no_technician_sees_nothing(shop: Shop, world: World, mailbox: Mailbox) -> None:
    nobody = await add_user(world, mailbox, "TECHNICIAN", "Nobody Yet")
    answer = await nobody.api.ask(
        f'{{ appointments {{ totalCount }} customers {{ totalCount }} messages {{ totalCount }} dispatchBoard(day: "{DAY}") {{ lanes {{ technician {{ id }} }} unassigned {{ id }} }} }}'
    )
    assert answer == {
        "appointments": {"totalCount": 0},
        "customers": {"totalCount": 0},
        "messages": {"totalCount": 0},
        "dispatchBoard": {"lanes": [], "unassigned": []},
    }
    start = (await world.api.ask(f'{{ dispatchBoard(day: "{DAY}") {{ cursor }} }}'))["dispatchBoard"]["cursor"]
    async with nobody.api.subscribe(EVENTS, after=_beginning(start)) as stream:
        with pytest.raises((TimeoutError, asyncio.TimeoutError)):
            await stream.next(0.3)


def _beginning(cursor: str) -> str:
    """The cursor before the first event of the same stream."""
    import base64

    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    return base64.urlsafe_b64encode(raw[:17] + bytes(8)).decode().rstrip("=")
