"""Bad input gets a user error with a code and a path, and changes nothing."""

from typing import Any

import pytest

from domain.ids import Prefix, encode, new_id
from tests.service import Service
from tests.world import ADDRESS, OFFICE_HOURS, World, new_world

DAY = "2027-03-02"
NINE, TEN = f"{DAY}T09:00:00-06:00", f"{DAY}T10:00:00-06:00"
GOOD = {"start": NINE, "end": TEN}

# mutation, what differs from a good input, the code, the path.
CASES: list[tuple[str, dict[str, Any], str, list[str]]] = [
    ("appointmentSchedule", {"scheduled": {"start": f"{DAY}T09:00:00", "end": TEN}}, "INVALID_INPUT", ["scheduled", "start"]),
    ("appointmentSchedule", {"scheduled": {"start": "tomorrow", "end": TEN}}, "INVALID_INPUT", ["scheduled", "start"]),
    ("appointmentSchedule", {"scheduled": {"start": "2027-02-30T09:00:00Z", "end": TEN}}, "INVALID_INPUT", ["scheduled", "start"]),
    ("appointmentSchedule", {"scheduled": {"start": "0001-01-01T00:00:00+14:00", "end": TEN}}, "INVALID_INPUT", ["scheduled", "start"]),
    ("appointmentSchedule", {"scheduled": {"start": TEN, "end": NINE}}, "INVALID_INPUT", ["scheduled", "end"]),
    ("appointmentSchedule", {"scheduled": {"start": NINE, "end": NINE}}, "INVALID_INPUT", ["scheduled", "end"]),
    ("appointmentSchedule", {"scheduled": {"start": NINE, "end": "2027-03-04T09:00:00-06:00"}}, "INVALID_INPUT", ["scheduled", "end"]),
    ("appointmentSchedule", {"scheduled": {"start": "2027-03-14T02:30:00-06:00", "end": "2027-03-14T04:30:00-05:00"}}, "INVALID_INPUT", ["scheduled", "start"]),
    ("appointmentSchedule", {"scheduled": {"start": "2027-03-14T01:30:00-06:00", "end": "2027-03-14T02:30:00-05:00"}}, "INVALID_INPUT", ["scheduled", "end"]),
    ("appointmentSchedule", {"arrivalWindow": {"start": TEN, "end": NINE}}, "INVALID_INPUT", ["arrivalWindow", "end"]),
    ("appointmentSchedule", {"expectedVersion": 7}, "VERSION_CONFLICT", ["expectedVersion"]),
    ("appointmentSchedule", {"appointmentId": "appt_nonsense"}, "NOT_FOUND", ["appointmentId"]),
    ("appointmentSchedule", {"appointmentId": "<technician>"}, "NOT_FOUND", ["appointmentId"]),
    ("appointmentSchedule", {"appointmentId": "<random appointment>"}, "NOT_FOUND", ["appointmentId"]),
    ("appointmentSchedule", {"technicianId": "<random technician>"}, "NOT_FOUND", ["technicianId"]),
    ("appointmentSchedule", {"technicianId": "<foreign technician>"}, "NOT_FOUND", ["technicianId"]),
    ("appointmentSchedule", {"appointmentId": "<foreign appointment>"}, "NOT_FOUND", ["appointmentId"]),
    ("appointmentComplete", {}, "INVALID_TRANSITION", ["appointmentId"]),
    ("appointmentMarkOnTheWay", {}, "INVALID_TRANSITION", ["appointmentId"]),
    ("appointmentMarkOnTheWay", {"etaMinutes": -1}, "INVALID_INPUT", ["etaMinutes"]),
    ("appointmentUpdate", {"notes": "x" * 5001}, "INVALID_INPUT", ["notes"]),
    ("appointmentUpdate", {"notes": "nul\0"}, "INVALID_INPUT", ["notes"]),
    ("appointmentUpdate", {"lines": []}, "INVALID_INPUT", ["lines"]),
    ("appointmentUpdate", {"lines": [{"serviceId": "<random service>"}]}, "NOT_FOUND", ["lines", "0", "serviceId"]),
    ("appointmentUpdate", {"lines": [{"serviceId": "<service>", "quantity": 0}]}, "INVALID_INPUT", ["lines", "0", "quantity"]),
    ("appointmentUpdate", {"lines": [{"serviceId": "<service>", "optionId": "<random option>"}]}, "NOT_FOUND", ["lines", "0", "optionId"]),
    ("appointmentCreate", {"addressId": "<other customer's address>"}, "NOT_FOUND", ["addressId"]),
    ("appointmentCreate", {"customerId": "<foreign customer>"}, "NOT_FOUND", ["customerId"]),
    ("appointmentCreate", {"locationId": "<foreign location>"}, "NOT_FOUND", ["locationId"]),
    ("appointmentCreate", {"lines": [{"serviceId": "<foreign service>"}]}, "NOT_FOUND", ["lines", "0", "serviceId"]),
    ("serviceCreate", {"price": {"amount": "-1.00"}}, "INVALID_INPUT", ["price", "amount"]),
    ("serviceCreate", {"price": {"amount": "NaN"}}, "INVALID_INPUT", ["price", "amount"]),
    ("serviceCreate", {"price": {"amount": "Infinity"}}, "INVALID_INPUT", ["price", "amount"]),
    ("serviceCreate", {"price": {"amount": "1e5"}}, "INVALID_INPUT", ["price", "amount"]),
    ("serviceCreate", {"price": {"amount": "0.001"}}, "INVALID_INPUT", ["price", "amount"]),
    ("serviceCreate", {"price": {"amount": "99999999.00"}}, "INVALID_INPUT", ["price", "amount"]),
    ("serviceCreate", {"price": {"amount": "9.00", "currency": "EUR"}}, "INVALID_INPUT", ["price", "currency"]),
    ("serviceCreate", {"name": "   "}, "INVALID_INPUT", ["name"]),
    ("serviceCreate", {"name": "x" * 301}, "INVALID_INPUT", ["name"]),
    ("serviceCreate", {"durationMinutes": 0}, "INVALID_INPUT", ["durationMinutes"]),
    ("customerCreate", {"phone": "12"}, "INVALID_INPUT", ["phone"]),
    ("customerCreate", {"phone": "call me"}, "INVALID_INPUT", ["phone"]),
    ("customerCreate", {"email": "carla at example"}, "INVALID_INPUT", ["email"]),
    ("customerCreate", {"address": ADDRESS | {"postalCode": " "}}, "INVALID_INPUT", ["address", "postalCode"]),
    ("customerCreate", {"address": ADDRESS | {"country": "Texas"}}, "INVALID_INPUT", ["address", "country"]),
    ("customerCreate", {"address": ADDRESS | {"location": {"latitude": 91, "longitude": 0}}}, "INVALID_INPUT", ["address", "location", "latitude"]),
    ("customerCreate", {"idempotencyKey": ""}, "INVALID_INPUT", ["idempotencyKey"]),
    ("technicianCreate", {"workingHours": [{"weekday": "MONDAY", "opens": "25:00", "closes": "17:00"}]}, "INVALID_INPUT", ["workingHours", "0", "opens"]),
    ("technicianCreate", {"workingHours": [{"weekday": "MONDAY", "opens": "09:00", "closes": "09:00"}]}, "INVALID_INPUT", ["workingHours", "0"]),
    ("technicianCreate", {"workingHours": [*OFFICE_HOURS, {"weekday": "MONDAY", "opens": "16:00", "closes": "18:00"}]}, "INVALID_INPUT", ["workingHours", "5"]),
    ("technicianCreate", {"lunch": {"durationMinutes": 30, "earliest": "13:00", "latest": "12:00"}}, "INVALID_INPUT", ["lunch", "latest"]),
    ("technicianCreate", {"lunch": {"durationMinutes": 60, "earliest": "12:00", "latest": "12:59"}}, "INVALID_INPUT", ["lunch", "latest"]),
    ("technicianCreate", {"color": "red"}, "INVALID_INPUT", ["color"]),
    ("timeOffAdd", {"window": {"start": TEN, "end": NINE}}, "INVALID_INPUT", ["window", "end"]),
    ("timeOffAdd", {"technicianId": "<foreign technician>"}, "NOT_FOUND", ["technicianId"]),
    ("locationCreate", {"timeZone": "Mars/Olympus"}, "INVALID_INPUT", ["timeZone"]),
    ("locationCreate", {"timeZone": "../../etc/passwd"}, "INVALID_INPUT", ["timeZone"]),
    ("locationCreate", {"slug": "No Spaces"}, "INVALID_INPUT", ["slug"]),
    ("locationCreate", {"serviceArea": {"radiusKm": -5}}, "INVALID_INPUT", ["serviceArea", "radiusKm"]),
    ("locationCreate", {"serviceArea": {"polygon": [{"latitude": 1, "longitude": 1}]}}, "INVALID_INPUT", ["serviceArea", "polygon"]),
    ("locationCreate", {"serviceArea": {"postalCodes": ["78701", "*"]}}, "INVALID_INPUT", ["serviceArea", "postalCodes", "1"]),
    ("locationCreate", {"serviceArea": {"polygon": [{"latitude": 0, "longitude": 0}, {"latitude": 1, "longitude": 1}, {"latitude": 1, "longitude": 0}, {"latitude": 0, "longitude": 1}]}}, "INVALID_INPUT", ["serviceArea", "polygon"]),
    ("customPriceSet", {"price": {"amount": "-5.00"}}, "INVALID_INPUT", ["price", "amount"]),
    ("customPriceSet", {"serviceId": "<foreign service>"}, "NOT_FOUND", ["serviceId"]),
]  # fmt: skip


class Inputs:
    """Good inputs of each mutation, and what the words in angle brackets stand for."""

    def __init__(self, world: World, other: World, appointment: str, foreign_appointment: str, stray: str) -> None:
        self.good: dict[str, dict[str, Any]] = {
            "appointmentSchedule": {"appointmentId": appointment, "scheduled": GOOD, "technicianId": world.technician},
            "appointmentUpdate": {"appointmentId": appointment, "notes": "Ring twice"},
            "appointmentComplete": {"appointmentId": appointment},
            "appointmentMarkOnTheWay": {"appointmentId": appointment},
            "appointmentCreate": {
                "locationId": world.location,
                "customerId": world.customer,
                "addressId": world.address,
                "lines": [{"serviceId": world.offer}],
            },
            "serviceCreate": {"name": "Fridge repair", "durationMinutes": 60, "price": {"amount": "10.00"}},
            "customerCreate": {"name": "Dora Diaz", "address": ADDRESS},
            "technicianCreate": {"name": "Tom Thumb", "locationId": world.location},
            "timeOffAdd": {"technicianId": world.technician, "window": GOOD},
            "locationCreate": {
                "name": "North",
                "timeZone": "America/Chicago",
                "address": ADDRESS,
                "openingHours": OFFICE_HOURS,
                "serviceArea": {"radiusKm": 30},
            },
            "customPriceSet": {"customerId": world.customer, "serviceId": world.offer, "price": {"amount": "9.00"}},
        }
        self.words = {
            "<technician>": world.technician,
            "<service>": world.offer,
            "<random appointment>": encode(Prefix.APPOINTMENT, new_id()),
            "<random technician>": encode(Prefix.TECHNICIAN, new_id()),
            "<random service>": encode(Prefix.SERVICE, new_id()),
            "<random option>": encode(Prefix.SERVICE_OPTION, new_id()),
            "<foreign technician>": other.technician,
            "<foreign appointment>": foreign_appointment,
            "<foreign customer>": other.customer,
            "<foreign location>": other.location,
            "<foreign service>": other.offer,
            "<other customer's address>": stray,
        }

    def fill(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self.fill(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.fill(each) for each in value]
        return self.words.get(value, value) if isinstance(value, str) else value


EVERYTHING = """{
  tenant { name } locations { id name } technicians { nodes { id name color workingHours { opens } timeOff { id } } }
  services { nodes { id name price { amount } } } customers { nodes { id name phone customPrices { price { amount } } } }
  appointments { nodes { id version status notes scheduled { start } lines { quantity } history { type } } }
}"""


async def test_every_case_is_refused_and_changes_nothing(service: Service, world: World) -> None:
    made = await world.book()
    _, stray = await world.add_customer("Ed Else")
    async with new_world(service) as other:
        inputs = Inputs(world, other, made["id"], (await other.book())["id"], stray)
        before = [await world.api.ask(EVERYTHING), await other.api.ask(EVERYTHING)]
        for mutation, changed, code, path in CASES:
            given = inputs.good[mutation] | inputs.fill(changed)
            answer = await world.api.do(mutation, **given)
            expected = [{"code": code, "path": ["input", *path]}]
            assert answer["userErrors"] == expected, (mutation, changed, answer)
        assert [await world.api.ask(EVERYTHING), await other.api.ask(EVERYTHING)] == before
        for mutation, good in inputs.good.items():
            if mutation not in {"appointmentComplete", "appointmentMarkOnTheWay"}:
                assert (await world.api.do(mutation, **good))["userErrors"] == [], mutation


async def test_a_stale_version_brings_the_current_object(world: World) -> None:
    made = await world.book()
    await world.api.do("appointmentUpdate", appointmentId=made["id"], notes="Ring twice")
    answer = await world.api.do(
        "appointmentUpdate", "appointment { id version notes } userErrors { code }",
        appointmentId=made["id"], expectedVersion=1, notes="Knock",
    )  # fmt: skip
    assert answer == {
        "appointment": {"id": made["id"], "version": 2, "notes": "Ring twice"},
        "userErrors": [{"code": "VERSION_CONFLICT"}],
    }


async def test_a_foreign_and_a_random_id_answer_alike(service: Service, world: World) -> None:
    async with new_world(service) as other:
        foreign = (await other.book())["id"]
        query = "query ($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } }"
        answers = [
            (await world.api.post(query, id=each)).json()["data"]
            for each in (foreign, encode(Prefix.APPOINTMENT, new_id()), "appt_", "", "tech_" + foreign[5:], "x" * 299)
        ]
        assert answers == [{"node": None, "nodes": [None]}] * len(answers)


@pytest.mark.parametrize(
    "query",
    [
        '{ appointments(filter: {scheduledFrom: "2027-03-02T09:00:00"}) { totalCount } }',
        '{ appointments(after: "nonsense") { totalCount } }',
        '{ appointments(after: "WyJhcHBvaW50bWVudC1OVU1CRVItYXNjIiwieCIsIjAxOTMzNTMyLTU2YWMtNzAwMC04MDAwLTAwMDAwMDAwMDAwMCJd") { totalCount } }',
        "{ appointments(first: 0) { totalCount } }",
        "{ appointments(first: 101) { totalCount } }",
        '{ customers(after: "W10") { totalCount } }',
        '{ dispatchBoard(day: "2027-02-30") { cursor } }',
        '{ dispatchBoard(day: "2027-02-03", locationId: "loc_nothing") { cursor } }',
        '{ technicians { nodes { timeOff(from: "yesterday") { id } } } }',
    ],
)
async def test_bad_arguments_of_queries_are_errors_with_a_code(world: World, query: str) -> None:
    body = (await world.api.post(query)).json()
    assert [each["extensions"]["code"] for each in body["errors"]] == ["BAD_USER_INPUT"], body
