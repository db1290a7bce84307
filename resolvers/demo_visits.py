"""The demo's visits as rows: appointments with their lines and messages, and the events that led to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from domain.appointment_change import field_changes
from domain.ids import new_id
from domain.notification_words import Visit as Words
from domain.pricing import total
from models.appointment import Appointment, AppointmentLine
from models.message import Message
from resolvers.demo_customers import DemoCustomer
from resolvers.demo_data.services import SERVICES
from resolvers.demo_data.team import BUSINESS, BUSINESS_PHONE, LOCATIONS, TECHNICIANS, TIME_ZONE
from resolvers.demo_history import History, history
from resolvers.demo_messages import messages
from resolvers.demo_pool import Visit
from resolvers.demo_rows import Ids, Row, Table

NOTED = 0.8


@dataclass(frozen=True, slots=True)
class VisitRows:
    """`events` are in the order in which they happened, over all visits."""

    tables: Sequence[Table]
    events: Sequence[Row]


def visit_rows(
    ids: Ids, customers: Sequence[DemoCustomer], visits: Sequence[Visit], last_number: int, now: datetime
) -> VisitRows:
    """All rows of these visits, numbered up to `last_number` in the order in which they were booked."""
    rng = Random("histories")  # noqa: S311 (made-up histories, not secrets)
    told = [(visit, _told(rng, ids, customers[visit.customer], visit, now)) for visit in visits]
    told.sort(key=lambda pair: pair[1].steps[0].at)
    appointments, lines, ledger, events = list[Row](), list[Row](), list[Row](), list[Row]()
    for number, (visit, past) in enumerate(told, start=last_number - len(told) + 1):
        customer = customers[visit.customer]
        row = _appointment(ids, visit, past, number)
        appointments.append(row)
        lines += _lines(ids, customer, visit, row["id"])
        events += _events(past, row["id"])
        about = {"tenant_id": ids.tenant, "appointment_id": row["id"], "customer_id": row["customer_id"]}
        ledger += [
            about | {"id": new_id()} | message
            for message in messages(rng, customer, _words(customer, visit, number), past.steps, now)
        ]
    events.sort(key=lambda event: event["occurred_at"])
    return VisitRows([(Appointment, appointments), (AppointmentLine, lines), (Message, ledger)], events)


def _told(rng: Random, ids: Ids, customer: DemoCustomer, visit: Visit, now: datetime) -> History:
    said = SERVICES[visit.lines[0][0]].said
    columns = {
        "duration_minutes": visit.minutes,
        "total": total((1, price) for price in _prices(customer, visit)),
        "notes": rng.choice(said) if rng.random() < NOTED else None,
    }
    technician = None if visit.technician is None else ids.technicians[visit.technician]
    return history(rng, visit, columns, technician, now)


def _appointment(ids: Ids, visit: Visit, past: History, number: int) -> Row:
    last = past.steps[-1]
    return last.after | {
        "tenant_id": ids.tenant,
        "id": new_id(),
        "number": number,
        "version": len(past.steps),
        "location_id": ids.locations[visit.north],
        "customer_id": ids.customers[visit.customer],
        "address_id": ids.addresses[visit.customer][visit.address],
        "source": past.source,
        "on_the_way_at": visit.on_the_way_at,
        "started_at": visit.started_at,
        "completed_at": visit.completed_at,
        "cancelled_at": visit.cancelled_at,
        "created_at": past.steps[0].at,
        "updated_at": last.at,
    }


def _lines(ids: Ids, customer: DemoCustomer, visit: Visit, appointment_id: UUID) -> list[Row]:
    return [
        {
            "tenant_id": ids.tenant,
            "id": new_id(),
            "appointment_id": appointment_id,
            "position": position,
            "service_id": ids.services[service],
            "option_id": None if option is None else ids.options[service][option],
            "quantity": 1,
            "unit_price": price,
        }
        for position, ((service, option), price) in enumerate(zip(visit.lines, _prices(customer, visit), strict=True))
    ]


def _prices(customer: DemoCustomer, visit: Visit) -> list[Decimal]:
    """Of each line, as booking fixes it: what was agreed with the customer or the catalog's, and the option's."""
    return [
        customer.prices.get(service, SERVICES[service].price)
        + (Decimal(0) if option is None else SERVICES[service].options[option].price)
        for service, option in visit.lines
    ]


def _events(past: History, appointment_id: UUID) -> list[Row]:
    events: list[Row] = []
    before: dict[str, Any] | None = None
    for step in past.steps:
        changes = field_changes(before, step.after)
        if step.reason:
            changes.append({"field": "reason", "before": None, "after": step.reason})
        events.append(
            {
                "type": step.type,
                "appointment_id": appointment_id,
                "actor": step.actor,
                "changes": changes,
                "occurred_at": step.at,
            }
        )
        before = step.after
    return events


def _words(customer: DemoCustomer, visit: Visit, number: int) -> Words:
    address = customer.addresses[visit.address].address
    return Words(
        business_name=BUSINESS,
        business_phone=BUSINESS_PHONE,
        location_name=LOCATIONS[visit.north].name,
        zone=TIME_ZONE,
        customer_name=customer.name,
        number=number,
        starts_at=None,
        ends_at=None,
        address=f"{address.line1}, {address.city}",
        services=", ".join(SERVICES[service].name for service, _ in visit.lines),
        technician_name=None if visit.technician is None else TECHNICIANS[visit.technician].name,
        eta=None,
    )
