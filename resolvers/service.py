"""The service catalog: categories, services and their options."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain import contact
from domain.errors import invalid, not_found
from domain.ids import new_id
from domain.pricing import Money, price
from models.database import Transaction
from models.page import Page
from models.service import Service, ServiceCategory, ServiceOption, categories, page_of_services
from resolvers.caller import Caller
from resolvers.technician import checked_skills

MOST_OPTIONS = 50


@dataclass(frozen=True, slots=True)
class NewOption:
    """An extra: what it adds to price and duration (minutes)."""

    name: str
    price: Money
    duration_minutes: int


async def list_categories(caller: Caller) -> Sequence[ServiceCategory]:
    """All categories, in the order of their positions."""
    async with caller.reading() as session:
        return await categories(session)


async def list_services(
    caller: Caller,
    first: int | None,
    after: str | None,
    *,
    search: str | None,
    active: bool | None,
    bookable_online: bool | None,
) -> Page[Service]:
    """A page of services, by name.

    Raises:
        Refusal: INVALID_INPUT for a page size or cursor that is none.
    """
    async with caller.reading() as session:
        return await page_of_services(
            session, first, after, search=search, active=active, bookable_online=bookable_online
        )


async def create_category(caller: Caller, name: str, position: int | None) -> ServiceCategory:
    """Make a category; without a position it comes last.

    Raises:
        Refusal: INVALID_INPUT.
    """
    name = contact.required(name, "name")
    if position is not None and not 0 <= position <= 10_000:
        raise invalid("A position is 0 to 10000.", "position")

    async def work(session: Transaction) -> ServiceCategory:
        last = max((category.position for category in await categories(session)), default=-1)
        category = ServiceCategory(
            tenant_id=caller.tenant_id, id=new_id(), name=name, position=last + 1 if position is None else position
        )
        session.add(category)
        await session.flush()
        return category

    return await caller.transact(work)


async def create_service(caller: Caller, values: Mapping[str, Any], options: Sequence[NewOption]) -> Service:
    """Make a service with its options; `values` as in `update_service`, with name, duration and price.

    Raises:
        Refusal: NOT_FOUND, INVALID_INPUT.
    """
    columns: dict[str, Any] = {"required_skills": [], "bookable_online": True} | _checked(values)
    if len(options) > MOST_OPTIONS:
        raise invalid(f"At most {MOST_OPTIONS} options.", "options")
    extras = [_option(option, index) for index, option in enumerate(options)]

    async def work(session: Transaction) -> Service:
        await _require_category(session, caller.tenant_id, columns.get("category_id"))
        service = Service(tenant_id=caller.tenant_id, id=new_id(), active=True, **columns)
        session.add(service)
        await session.flush()
        for position, (name, amount, minutes) in enumerate(extras):
            session.add(
                ServiceOption(
                    tenant_id=caller.tenant_id,
                    id=new_id(),
                    service_id=service.id,
                    name=name,
                    price=amount,
                    duration_minutes=minutes,
                    position=position,
                )
            )
        await session.flush()
        return service

    return await caller.transact(work)


async def update_service(caller: Caller, service_id: UUID, changes: Mapping[str, Any]) -> Service:
    """Change what `changes` names: name, description, category_id, duration_minutes, price, required_skills,
    bookable_online, active. Lines of appointments keep the price they were added at.

    Raises:
        Refusal: NOT_FOUND, INVALID_INPUT.
    """
    columns = _checked(changes)

    async def work(session: Transaction) -> Service:
        service = await session.get(Service, (caller.tenant_id, service_id), with_for_update=True)
        if service is None:
            raise not_found("service", "serviceId")
        await _require_category(session, caller.tenant_id, columns.get("category_id"))
        for name, value in columns.items():
            setattr(service, name, value)
        await session.flush()
        return service

    return await caller.transact(work)


async def _require_category(session: Transaction, tenant_id: UUID, category_id: UUID | None) -> None:
    if category_id is not None and await session.get(ServiceCategory, (tenant_id, category_id)) is None:
        raise not_found("category", "categoryId")


def _option(option: NewOption, index: int) -> tuple[str, Decimal, int]:
    path = ("options", str(index))
    if not 0 <= option.duration_minutes <= 1_440:
        raise invalid("An option takes 0 to 1440 minutes.", *path, "durationMinutes")
    return (
        contact.required(option.name, *path, "name"),
        price(option.price, *path, "price"),
        option.duration_minutes,
    )


def _checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, value in changes.items():
        if value is None and name not in {"description", "category_id"}:
            # A null means the same as leaving it out, where there must be a value.
            continue
        match name:
            case "name":
                columns["name"] = contact.required(value, "name")
            case "description":
                columns["description"] = (value or "").strip() or None
            case "category_id" | "bookable_online" | "active":
                columns[name] = value
            case "duration_minutes":
                if not 5 <= value <= 1_440:
                    raise invalid("A service takes 5 to 1440 minutes.", "durationMinutes")
                columns["duration_minutes"] = value
            case "price":
                columns["price"] = price(value, "price")
            case "required_skills":
                columns["required_skills"] = checked_skills(value, "requiredSkills")
    return columns
