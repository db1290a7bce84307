"""What each server of the board's benchmark is asked, load by load.

A load has a list of requests that go round. Those of a mutation do not: each moves another appointment, and when all have been moved the
load is over.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import orjson

from benchmarks.board_data import Business
from benchmarks.board_load import request
from domain.ids import Prefix, encode

OURS, CEILING, STOCK, POSTGRAPHILE = SERVERS = ("ours", "ceiling", "stock", "postgraphile")
READS, CHANGES = ("board", "list", "node"), ("schedule", "on_the_way")
LOADS = (*READS, *CHANGES)
# Reads differ by business: caches of one alone would flatter all of them.
BUSINESSES_ASKED = 16
ETA_MINUTES = 10

_VISIT = """id number version status arrivalWindow { start end } scheduled { start end } total { amount currency }
  technician { id name } customer { id name phone } lines { quantity service { id name } }"""
_CHANGED = "{ appointment { id number version status scheduled { start end } arrivalWindow { start end } } userErrors { code } }"
_QUERIES: Mapping[str, str] = {
    "board": f"""query Board($day: Date!) {{ dispatchBoard(day: $day) {{ day cursor
      lanes {{ technician {{ id name color }} appointments {{ {_VISIT} }} }} }} }}""",
    "list": f"query List {{ appointments(first: 50) {{ nodes {{ {_VISIT} }} pageInfo {{ hasNextPage endCursor }} }} }}",
    "node": f"query Node($id: ID!) {{ node(id: $id) {{ ... on Appointment {{ {_VISIT} }} }} }}",
    "schedule": f"mutation Schedule($input: AppointmentScheduleInput!) {{ appointmentSchedule(input: $input) {_CHANGED} }}",
    "on_the_way": f"mutation Leave($input: AppointmentMarkOnTheWayInput!) {{ appointmentMarkOnTheWay(input: $input) {_CHANGED} }}",
}

# PostGraphile's names for the same. `publicId` is the id in our form; as is the ceiling's, it is kept in the row.
_GRAPHILE_VISIT = """id: publicId number version status arrivalStartsAt arrivalEndsAt startsAt endsAt total
  technician: technicianByTenantIdAndTechnicianId { id: publicId name }
  customer: customerByTenantIdAndCustomerId { id: publicId name phone }
  lines: appointmentLinesByTenantIdAndAppointmentId(orderBy: POSITION_ASC) { nodes { quantity
    service: serviceByTenantIdAndServiceId { id: publicId name } } }"""
_GRAPHILE_CHANGED = (
    "{ appointment: result { id: publicId number version status startsAt endsAt arrivalStartsAt arrivalEndsAt } }"
)
_GRAPHILE: Mapping[str, str] = {
    "board": f"""query Board($day: Date!) {{ technicians: activeTechnicians {{ nodes {{ id: publicId name color
      visits(day: $day) {{ nodes {{ {_GRAPHILE_VISIT} }} }} }} }} }}""",
    "list": f"""query List {{ appointments: allAppointments(first: 50, orderBy: NUMBER_ASC) {{ nodes {{ {_GRAPHILE_VISIT} }}
      pageInfo {{ hasNextPage endCursor }} }} }}""",
    "node": f"""query Node($tenant: UUID!, $id: UUID!) {{
      node: appointmentByTenantIdAndRowId(tenantId: $tenant, rowId: $id) {{ {_GRAPHILE_VISIT} }} }}""",
    "schedule": f"""mutation Schedule($input: BenchScheduleInput!) {{ moved: benchSchedule(input: $input) {_GRAPHILE_CHANGED} }}""",
    "on_the_way": f"mutation Leave($input: BenchLeaveInput!) {{ moved: benchLeave(input: $input) {_GRAPHILE_CHANGED} }}",
}


def requests_of(server: str, load: str, businesses: Sequence[Business]) -> list[bytes]:
    """The requests of a load: one of each business for another day, or one for each of their appointments.

    Raises:
        ValueError: the server does not do that.
    """
    asked = businesses[:BUSINESSES_ASKED]
    if load in READS:
        return [_request(server, load, each, at) for at, each in enumerate(asked)]
    # Business after business: two that follow each other never wait for one counter or one technician.
    return [
        _request(server, load, each, number) for number in range(min(each.visits for each in asked)) for each in asked
    ]


def _request(server: str, load: str, business: Business, number: int) -> bytes:
    if server == CEILING:
        given = {"tenant": business.tenant_id} | _named(load, business, number)
        return request(f"/{load}", orjson.dumps(given), {})
    if server == POSTGRAPHILE:
        variables = _graphile_variables(load, business, number)
        body = orjson.dumps({"query": _GRAPHILE[load], "variables": variables})
        return request("/graphql", body, {"X-Tenant": str(business.tenant_id)})
    body = orjson.dumps({"query": _QUERIES[load], "variables": _variables(load, business, number)})
    if server == OURS:
        return request("/graphql", body, {"Authorization": f"Bearer {business.key}"})
    if load in CHANGES:
        raise ValueError(f"{server} does not do {load}")
    return request("/graphql", body, {"X-Tenant": str(business.tenant_id)})


def _named(load: str, business: Business, number: int) -> dict[str, Any]:
    match load:
        case "board":
            return {"day": business.day(number)}
        case "node":
            return {"id": business.visit(number)}
        case "schedule":
            # Its technician is free for the hour behind each visit.
            start = business.start(number) + timedelta(hours=1)
            return {"id": business.visit(number), "start": start, "end": start + timedelta(hours=1)}
        case "on_the_way":
            return {"id": business.visit(number), "minutes": ETA_MINUTES}
        case _:
            return {}


def _variables(load: str, business: Business, number: int) -> dict[str, Any]:
    named = _named(load, business, number)
    if "id" in named:
        named["id"] = encode(Prefix.APPOINTMENT, named["id"])
    match load:
        case "schedule":
            scheduled = {"start": named["start"], "end": named["end"]}
            return {"input": {"appointmentId": named["id"], "expectedVersion": 1, "scheduled": scheduled}}
        case "on_the_way":
            return {"input": {"appointmentId": named["id"], "expectedVersion": 1, "etaMinutes": ETA_MINUTES}}
        case _:
            return named


def _graphile_variables(load: str, business: Business, number: int) -> dict[str, Any]:
    named = _named(load, business, number)
    match load:
        case "node":
            return {"tenant": business.tenant_id, "id": named["id"]}
        case "schedule":
            times = {"startsAt": named["start"], "endsAt": named["end"]}
            return {"input": {"visit": named["id"], "expectedVersion": 1} | times}
        case "on_the_way":
            return {"input": {"visit": named["id"], "expectedVersion": 1, "etaMinutes": ETA_MINUTES}}
        case _:
            return named
