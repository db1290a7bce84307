"""What a business has set up in a way that would fail silently."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.configuration_warning import (
    ConfigurationWarning,
    Facts,
    LocationFacts,
    ServiceFacts,
    TechnicianFacts,
    warnings_of,
)
from domain.local_time import hours_from_json
from integrations.time_zone import zone_fits
from models.configuration_warning import read_configuration
from models.location import Location
from models.notification import NotificationSettings
from models.service import Service
from models.technician import Technician
from resolvers.calendar import lunch_of, place_of, utc_now
from resolvers.caller import Caller
from resolvers.planning import Planning

Row = Location | Technician | Service


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning with the row that it is about."""

    warning: ConfigurationWarning
    row: Row | None


async def configuration_warnings(caller: Caller, planning: Planning) -> Sequence[Warned]:
    """All warnings, as things are now."""
    async with caller.database.snapshot(caller.tenant_id) as session:
        places, people, services, told = await read_configuration(session)
    settings = caller.settings
    switches = {row.location_id: row for row in told}
    facts = Facts(
        locations=[_location(place, switches.get(place.id)) for place in places],
        technicians=[_technician(person) for person in people],
        services=[_service(service) for service in services],
        sms_sender=bool(settings.twilio_account_sid and settings.twilio_from),
        mail_server=settings.smtp_url is not None,
        travel_trouble=planning.travel.trouble,
    )
    rows: dict[UUID, Row] = {row.id: row for several in (places, people, services) for row in several}
    return [Warned(each, rows[each.about[1]] if each.about else None) for each in warnings_of(facts)]


def _location(row: Location, told: NotificationSettings | None) -> LocationFacts:
    place = place_of(row)
    return LocationFacts(
        id=row.id,
        name=row.name,
        hours=place.rule.hours,
        window_minutes=row.arrival_window_minutes,
        point=place.point,
        precision=row.precision,
        postal_code=row.postal_code,
        area=place.area,
        zone_fits=None if place.point is None else zone_fits(place.zone, place.point, utc_now().year),
        sms=told is not None and told.sms_enabled,
        email=told is not None and told.email_enabled,
    )


def _technician(row: Technician) -> TechnicianFacts:
    return TechnicianFacts(
        id=row.id,
        name=row.name,
        location_id=row.location_id,
        skills=frozenset(row.skills),
        hours=hours_from_json(row.working_hours),
        lunch=lunch_of(row),
    )


def _service(row: Service) -> ServiceFacts:
    return ServiceFacts(row.id, row.name, frozenset(row.required_skills), row.duration_minutes, row.bookable_online)
