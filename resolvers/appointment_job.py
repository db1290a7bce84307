"""An appointment as a job to be placed: where, how long, with which skills."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from domain.errors import ErrorCode, Refusal
from domain.local_time import Interval
from domain.slots import Job
from models.appointment import Appointment, lines_of
from models.customer import CustomerAddress
from models.database import Transaction
from models.location import Location
from models.query import by_ids
from models.service import Service
from resolvers.calendar import point_of


@dataclass(frozen=True, slots=True)
class ToPlace:
    """An appointment to be placed; `promised` is the arrival window that its customer was told."""

    appointment: Appointment
    location: Location
    job: Job
    promised: Interval | None


async def read_job(session: Transaction, appointment_id: UUID, *path: str) -> ToPlace:
    """The appointment as a job.

    Raises:
        Refusal: NOT_FOUND at `path`.
    """
    appointment = (await by_ids(session, Appointment, [appointment_id])).get(appointment_id)
    if appointment is None:
        raise Refusal(ErrorCode.NOT_FOUND, "There is no such appointment.", path)
    location = (await by_ids(session, Location, [appointment.location_id]))[appointment.location_id]
    address = (await by_ids(session, CustomerAddress, [appointment.address_id]))[appointment.address_id]
    skills = (await skills_of(session, [appointment_id])).get(appointment_id, frozenset())
    length = timedelta(minutes=appointment.duration_minutes)
    if appointment.starts_at is not None and appointment.ends_at is not None:
        length = appointment.ends_at - appointment.starts_at
    promised = None
    if appointment.arrival_starts_at is not None and appointment.arrival_ends_at is not None:
        promised = (appointment.arrival_starts_at, appointment.arrival_ends_at)
    point = point_of(address.latitude, address.longitude)
    return ToPlace(appointment, location, Job(point, length, skills, address.postal_code), promised)


async def skills_of(session: Transaction, appointment_ids: Sequence[UUID]) -> dict[UUID, frozenset[str]]:
    """The skills that these appointments need."""
    lines = await lines_of(session, appointment_ids)
    services = await by_ids(session, Service, list({line.service_id for line in lines}))
    needed: dict[UUID, frozenset[str]] = {}
    for line in lines:
        skills = frozenset(services[line.service_id].required_skills)
        needed[line.appointment_id] = needed.get(line.appointment_id, frozenset()) | skills
    return needed
