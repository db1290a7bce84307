"""The demo business as rows: its team, catalog and customers, under fresh ids."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.hours import stored_hours, stored_lunch
from domain.ids import new_id
from domain.local_time import local_date
from models.base import Base
from models.customer import Customer, CustomerAddress, CustomPrice
from models.service import Service, ServiceCategory, ServiceOption
from models.technician import Technician, TechnicianPosition, TimeOff
from models.user import User
from resolvers.demo_calendar import time_off
from resolvers.demo_customers import DemoCustomer, technician_phone
from resolvers.demo_data.services import CATEGORIES, SERVICES
from resolvers.demo_data.team import OWNER, TECHNICIANS, TIME_ZONE, USERS
from resolvers.demo_pool import Visit

# How long ago the business began, and some customers said that they want no messages.
FOUNDED, OPTED_OUT = timedelta(days=1_200), timedelta(days=40)
CITY_KPH = 43.0

Row = dict[str, Any]
Table = tuple[type[Base], list[Row]]


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids of everything that other rows refer to, by its position; of locations by whether it is the northern one."""

    tenant: UUID
    locations: Mapping[bool, UUID]
    technicians: Sequence[UUID]
    services: Sequence[UUID]
    options: Sequence[Sequence[UUID]]
    customers: Sequence[UUID]
    addresses: Sequence[Sequence[UUID]]


def fresh_ids(tenant: UUID, locations: Mapping[bool, UUID], customers: Sequence[DemoCustomer]) -> Ids:
    """New ids for a demo business whose locations exist."""
    return Ids(
        tenant=tenant,
        locations=locations,
        technicians=[new_id() for _ in TECHNICIANS],
        services=[new_id() for _ in SERVICES],
        options=[[new_id() for _ in service.options] for service in SERVICES],
        customers=[new_id() for _ in customers],
        addresses=[[new_id() for _ in customer.addresses] for customer in customers],
    )


def business_tables(ids: Ids, customers: Sequence[DemoCustomer], password_hash: str, now: datetime) -> list[Table]:
    """All but locations, visits and the owner, in an order in which every key exists before it is referred to."""
    categories = {name: new_id() for name in CATEGORIES}
    tables: list[Table] = [
        (Technician, list(_technicians(ids, now))),
        (TimeOff, list(_time_off(ids, now))),
        (User, list(_users(ids, password_hash, now))),
        (
            ServiceCategory,
            [{"id": categories[name], "name": name, "position": at} for at, name in enumerate(CATEGORIES)],
        ),
        (Service, list(_services(ids, categories, now))),
        (ServiceOption, list(_options(ids))),
        (Customer, list(_customers(ids, customers, now))),
        (CustomerAddress, list(_addresses(ids, customers))),
        (CustomPrice, list(_prices(ids, customers))),
    ]
    return [(model, [{"tenant_id": ids.tenant} | row for row in rows]) for model, rows in tables]


def position_table(ids: Ids, customers: Sequence[DemoCustomer], visits: Sequence[Visit], now: datetime) -> Table:
    """Where the technicians are who are at a customer's or on the way to one: those have come half of the way."""
    rows = []
    for visit in visits:
        if visit.technician is None or visit.on_the_way_at is None or visit.completed_at or visit.cancelled_at:
            continue
        home, place = TECHNICIANS[visit.technician].home, customers[visit.customer].addresses[visit.address].point
        driving = visit.started_at is None
        share = 0.5 if driving else 1.0
        rows.append(
            {
                "tenant_id": ids.tenant,
                "technician_id": ids.technicians[visit.technician],
                "latitude": home.latitude + (place.latitude - home.latitude) * share,
                "longitude": home.longitude + (place.longitude - home.longitude) * share,
                "heading": None,
                "speed_kph": CITY_KPH if driving else 0.0,
                "recorded_at": now - timedelta(seconds=20),
            }
        )
    return TechnicianPosition, rows


def _technicians(ids: Ids, now: datetime) -> Iterator[Row]:
    for index, technician in enumerate(TECHNICIANS):
        yield {
            "id": ids.technicians[index],
            "name": technician.name,
            "email": technician.email,
            "phone": technician_phone(index),
            "color": technician.color,
            "skills": sorted(technician.skills),
            "active": True,
            "location_id": ids.locations[technician.north],
            "home_latitude": technician.home.latitude,
            "home_longitude": technician.home.longitude,
            "working_hours": stored_hours(technician.hours),
            "lunch": stored_lunch(technician.lunch),
            "created_at": now - FOUNDED,
            "updated_at": now - FOUNDED,
        }


def _time_off(ids: Ids, now: datetime) -> Iterator[Row]:
    for index, (starts_at, ends_at), reason in time_off(local_date(now, TIME_ZONE)):
        yield {
            "id": new_id(),
            "technician_id": ids.technicians[index],
            "starts_at": starts_at,
            "ends_at": ends_at,
            "reason": reason,
        }


def _users(ids: Ids, password_hash: str, now: datetime) -> Iterator[Row]:
    for user in USERS:
        if user is not OWNER:
            yield {
                "id": new_id(),
                "name": user.name,
                "email": user.email,
                "role": user.role,
                "password_hash": password_hash,
                "technician_id": ids.technicians[TECHNICIANS.index(user.technician)] if user.technician else None,
                "created_at": now - FOUNDED,
                "updated_at": now - FOUNDED,
            }


def _services(ids: Ids, categories: Mapping[str, UUID], now: datetime) -> Iterator[Row]:
    for index, service in enumerate(SERVICES):
        yield {
            "id": ids.services[index],
            "name": service.name,
            "description": service.description,
            "category_id": categories[service.category],
            "duration_minutes": service.minutes,
            "price": service.price,
            "required_skills": sorted(service.skills),
            "bookable_online": not service.emergency,
            "active": True,
            "created_at": now - FOUNDED,
            "updated_at": now - FOUNDED,
        }


def _options(ids: Ids) -> Iterator[Row]:
    for index, service in enumerate(SERVICES):
        for position, option in enumerate(service.options):
            yield {
                "id": ids.options[index][position],
                "service_id": ids.services[index],
                "name": option.name,
                "price": option.price,
                "duration_minutes": option.minutes,
                "position": position,
            }


def _customers(ids: Ids, customers: Sequence[DemoCustomer], now: datetime) -> Iterator[Row]:
    for index, customer in enumerate(customers):
        known_since = now - timedelta(days=customer.known_days)
        yield {
            "id": ids.customers[index],
            "name": customer.name,
            "phone": customer.phone,
            "email": customer.email,
            "notes": customer.notes,
            "sms_opted_out_at": now - OPTED_OUT if customer.sms_opted_out else None,
            "email_opted_out_at": now - OPTED_OUT if customer.email_opted_out else None,
            "search": customer.search,
            "created_at": known_since,
            "updated_at": known_since,
        }


def _addresses(ids: Ids, customers: Sequence[DemoCustomer]) -> Iterator[Row]:
    for index, customer in enumerate(customers):
        for number, place in enumerate(customer.addresses):
            yield {
                "id": ids.addresses[index][number],
                "customer_id": ids.customers[index],
                "label": place.label,
            } | place.address.columns()


def _prices(ids: Ids, customers: Sequence[DemoCustomer]) -> Iterator[Row]:
    for index, customer in enumerate(customers):
        for service, price in customer.prices.items():
            yield {"customer_id": ids.customers[index], "service_id": ids.services[service], "price": price}
