"""What the fields of rows are, in SQL: as the types of `schema` make them of the same columns.

A field that is not here is read as a row and answered by its resolver, as are all fields of whoever sees a part of them alone.
"""

from collections.abc import Mapping
from itertools import product
from typing import Any

from sqlalchemy import ColumnElement, and_, case, literal_column, or_

from domain.appointment import AppointmentStatus, allowed_transitions
from domain.ids import Prefix
from domain.pricing import CURRENCY
from models.appointment import AppointmentLine
from models.customer import Customer, CustomerAddress
from models.location import Location
from models.ready import Inside, Leaf, Many, One, Shape
from models.ready_text import (
    Parts,
    boolean,
    maybe_moment,
    maybe_quoted,
    maybe_text,
    moment,
    number,
    plain,
    public_id,
    quoted,
    text,
    text_unless_empty,
)
from models.service import Service, ServiceOption
from models.technician import Technician

MONEY: Shape = {"amount": Leaf(quoted), "currency": Leaf(lambda _: (f'"{CURRENCY}"',))}
TIME_WINDOW: Shape = {"start": Leaf(lambda ends: moment(ends[0])), "end": Leaf(lambda ends: moment(ends[1]))}
GEO_POINT: Shape = {"latitude": Leaf(lambda c: number(c.latitude)), "longitude": Leaf(lambda c: number(c.longitude))}


def _id(prefix: Prefix) -> Leaf:
    return Leaf(lambda c: public_id(prefix, c.id))


def _of(write: Any, name: str) -> Leaf:
    return Leaf(lambda c: write(c[name]))


def _money(name: str) -> Inside:
    return Inside(MONEY, lambda c: c[name])


def _window(start: str, end: str) -> Inside:
    return Inside(TIME_WINDOW, lambda c: (c[start], c[end]), lambda c: or_(c[start].is_(None), c[end].is_(None)))


ADDRESS: Shape = {
    "line1": _of(text, "line1"),
    "line2": _of(maybe_text, "line2"),
    "city": _of(text, "city"),
    "region": _of(text, "region"),
    "postal_code": _of(text, "postal_code"),
    "country": _of(text, "country"),
    "location": Inside(GEO_POINT, lambda c: c, lambda c: or_(c.latitude.is_(None), c.longitude.is_(None))),
    "location_precision": _of(maybe_quoted, "precision"),
}

LOCATION: Shape = {
    "id": _id(Prefix.LOCATION),
    "name": _of(text, "name"),
    "slug": _of(text, "slug"),
    "time_zone": _of(text, "time_zone"),
    "address": Inside(ADDRESS, lambda c: c),
    "arrival_window_minutes": _of(plain, "arrival_window_minutes"),
    "minimum_notice_minutes": _of(plain, "minimum_notice_minutes"),
    "allowed_origins": _of(text, "allowed_origins"),
}

TECHNICIAN: Shape = {
    "id": _id(Prefix.TECHNICIAN),
    "name": _of(text, "name"),
    "email": _of(text_unless_empty, "email"),
    "phone": _of(text_unless_empty, "phone"),
    "color": _of(text, "color"),
    "skills": _of(text, "skills"),
    "active": _of(boolean, "active"),
    "location": One(Location, LOCATION, "location_id"),
}

CUSTOMER: Shape = {
    "id": _id(Prefix.CUSTOMER),
    "name": _of(text, "name"),
    "email": _of(text_unless_empty, "email"),
    "phone": _of(text_unless_empty, "phone"),
    "notes": _of(maybe_text, "notes"),
    "sms_opted_out": Leaf(lambda c: boolean(c.sms_opted_out_at.is_not(None))),
    "email_opted_out": Leaf(lambda c: boolean(c.email_opted_out_at.is_not(None))),
    "created_at": _of(moment, "created_at"),
}

CUSTOMER_ADDRESS: Shape = {
    "id": _id(Prefix.CUSTOMER_ADDRESS),
    "label": _of(maybe_text, "label"),
    "address": Inside(ADDRESS, lambda c: c),
}

SERVICE: Shape = {
    "id": _id(Prefix.SERVICE),
    "name": _of(text, "name"),
    "description": _of(maybe_text, "description"),
    "duration_minutes": _of(plain, "duration_minutes"),
    "price": _money("price"),
    "required_skills": _of(text, "required_skills"),
    "bookable_online": _of(boolean, "bookable_online"),
    "active": _of(boolean, "active"),
}

SERVICE_OPTION: Shape = {
    "id": _id(Prefix.SERVICE_OPTION),
    "name": _of(text, "name"),
    "price": _money("price"),
    "duration_minutes": _of(plain, "duration_minutes"),
}

APPOINTMENT_LINE: Shape = {
    "quantity": _of(plain, "quantity"),
    "unit_price": _money("unit_price"),
    "service": One(Service, SERVICE, "service_id"),
    "option": One(ServiceOption, SERVICE_OPTION, "option_id"),
}


def _transitions(c: Any) -> Parts:
    """A table of the rule's answers: the rule itself stays where it is."""

    def answer(status: AppointmentStatus, *, scheduled: bool, assigned: bool) -> ColumnElement[str]:
        found = allowed_transitions(status, scheduled=scheduled, assigned=assigned)
        return literal_column("'[" + ",".join(f'"{each.name}"' for each in found) + "]'")

    whens: Mapping[tuple[AppointmentStatus, bool, bool], ColumnElement[bool]] = {
        (status, scheduled, assigned): and_(
            c.status == status,
            c.starts_at.is_not(None) if scheduled else c.starts_at.is_(None),
            c.technician_id.is_not(None) if assigned else c.technician_id.is_(None),
        )
        for status, scheduled, assigned in product(AppointmentStatus, (True, False), (True, False))
    }
    return (
        case(
            *(
                (condition, answer(status, scheduled=scheduled, assigned=assigned))
                for (status, scheduled, assigned), condition in whens.items()
            )
        ),
    )


APPOINTMENT: Shape = {
    "id": _id(Prefix.APPOINTMENT),
    "number": _of(plain, "number"),
    "version": _of(plain, "version"),
    "status": _of(quoted, "status"),
    "allowed_transitions": Leaf(_transitions),
    "total": _money("total"),
    "duration_minutes": _of(plain, "duration_minutes"),
    "arrival_window": _window("arrival_starts_at", "arrival_ends_at"),
    "scheduled": _window("starts_at", "ends_at"),
    "eta": _of(maybe_moment, "eta"),
    "notes": _of(maybe_text, "notes"),
    "internal_notes": _of(maybe_text, "internal_notes"),
    "source": _of(quoted, "source"),
    "on_the_way_at": _of(maybe_moment, "on_the_way_at"),
    "started_at": _of(maybe_moment, "started_at"),
    "completed_at": _of(maybe_moment, "completed_at"),
    "cancelled_at": _of(maybe_moment, "cancelled_at"),
    "created_at": _of(moment, "created_at"),
    "updated_at": _of(moment, "updated_at"),
    "location": One(Location, LOCATION, "location_id"),
    "customer": One(Customer, CUSTOMER, "customer_id"),
    "address": One(CustomerAddress, CUSTOMER_ADDRESS, "address_id"),
    "technician": One(Technician, TECHNICIAN, "technician_id"),
    "lines": Many(AppointmentLine, APPOINTMENT_LINE, "appointment_id", "position"),
}
