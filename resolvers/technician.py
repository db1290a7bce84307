"""Technicians: making, changing and listing them, and their time off."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from domain import contact
from domain.address import checked_point
from domain.errors import invalid, not_found
from domain.hours import stored_hours, stored_lunch
from domain.ids import new_id
from models.database import Transaction
from models.location import Location
from models.page import Page
from models.technician import (
    Technician,
    TimeOff,
    delete_time_off,
    hold_technicians,
    lock_technician,
    page_of_technicians,
)
from resolvers.billing_standing import require_room_for_one
from resolvers.caller import Caller

COLORS = ("#2563eb", "#db2777", "#059669", "#d97706", "#7c3aed", "#0891b2", "#dc2626", "#4d7c0f")
_COLOR = re.compile(r"#[0-9a-f]{6}", re.ASCII)
_REQUIRED = {"name", "color", "skills", "active", "working_hours"}


async def list_technicians(
    caller: Caller,
    first: int | None,
    after: str | None,
    *,
    location_id: UUID | None,
    skill: str | None,
    active: bool | None,
) -> Page[Technician]:
    """A page of technicians, by name.

    Raises:
        Refusal: INVALID_INPUT for a page size or cursor that is none.
    """
    async with caller.reading() as session:
        return await page_of_technicians(session, first, after, location_id=location_id, skill=skill, active=active)


async def create_technician(caller: Caller, location_id: UUID, values: Mapping[str, Any]) -> Technician:
    """Make a technician of a location; `values` as in `update_technician`, with a name.

    Raises:
        Refusal: NOT_FOUND, INVALID_INPUT; PLAN_LIMIT when the plan has no room for one more active technician.
    """
    identity = new_id()
    columns = {"color": COLORS[identity.int % len(COLORS)], "skills": [], "working_hours": []} | _checked(values)

    async def work(session: Transaction) -> Technician:
        if await session.get(Location, (caller.tenant_id, location_id)) is None:
            raise not_found("location", "locationId")
        await require_room_for_one(session, caller)
        technician = Technician(
            tenant_id=caller.tenant_id, id=identity, location_id=location_id, active=True, **columns
        )
        session.add(technician)
        await session.flush()
        return technician

    return await caller.transact(work)


async def update_technician(caller: Caller, technician_id: UUID, changes: Mapping[str, Any]) -> Technician:
    """Change what `changes` names: name, email, phone, color, skills, active, home_base, working_hours, lunch.

    Raises:
        Refusal: NOT_FOUND, INVALID_INPUT; PLAN_LIMIT when the plan has no room for one more active technician.
    """
    columns = _checked(changes)

    async def work(session: Transaction) -> Technician:
        technician = await lock_technician(session, caller.tenant_id, technician_id)
        if technician is None:
            raise not_found("technician", "technicianId")
        if columns.get("active") and not technician.active:
            await require_room_for_one(session, caller, "active")
        for name, value in columns.items():
            setattr(technician, name, value)
        await session.flush()
        return technician

    return await caller.transact(work)


async def add_time_off(
    caller: Caller, technician_id: UUID, starts_at: datetime, ends_at: datetime, reason: str | None
) -> TimeOff:
    """Enter a time in which the technician does not work. Appointments in it stay where they are: the board shows them.

    Raises:
        Refusal: NOT_FOUND; INVALID_INPUT when the end is not after the start.
    """
    if starts_at >= ends_at:
        raise invalid("The end must be after the start.", "window", "end")

    async def work(session: Transaction) -> TimeOff:
        # The lock that scheduling takes: an appointment cannot slip in between its check and this row.
        if not await hold_technicians(session, [technician_id]):
            raise not_found("technician", "technicianId")
        row = TimeOff(
            tenant_id=caller.tenant_id,
            id=new_id(),
            technician_id=technician_id,
            starts_at=starts_at,
            ends_at=ends_at,
            reason=(reason or "").strip() or None,
        )
        session.add(row)
        await session.flush()
        return row

    return await caller.transact(work)


async def remove_time_off(caller: Caller, time_off_id: UUID) -> None:
    """Delete a time off.

    Raises:
        Refusal: NOT_FOUND.
    """

    async def work(session: Transaction) -> None:
        if not await delete_time_off(session, time_off_id):
            raise not_found("time off", "timeOffId")

    await caller.transact(work)


def checked_skills(skills: Sequence[str], *path: str) -> list[str]:
    """Skills as they are compared: trimmed, lower case, each once, in order.

    Raises:
        Refusal: INVALID_INPUT for an empty or over-long one, or more than 50.
    """
    if len(skills) > 50:
        raise invalid("At most 50 skills.", *path)
    return sorted({contact.required(skill, *path, str(i), most=60).lower() for i, skill in enumerate(skills)})


def _checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, value in changes.items():
        if value is None and name in _REQUIRED:
            # A null means the same as leaving it out, where there must be a value.
            continue
        match name:
            case "name":
                columns["name"] = contact.required(value, "name")
            case "email":
                columns["email"] = contact.email(value, "email")
            case "phone":
                columns["phone"] = contact.phone(value, "phone")
            case "color":
                if not _COLOR.fullmatch(value.lower()):
                    raise invalid("A colour is written #rrggbb.", "color")
                columns["color"] = value.lower()
            case "skills":
                columns["skills"] = checked_skills(value, "skills")
            case "active":
                columns["active"] = value
            case "home_base":
                point = checked_point(value, "homeBase")
                columns["home_latitude"] = point.latitude if point else None
                columns["home_longitude"] = point.longitude if point else None
            case "working_hours":
                columns["working_hours"] = stored_hours(value, "workingHours")
            case "lunch":
                columns["lunch"] = stored_lunch(value, "lunch")
    return columns
