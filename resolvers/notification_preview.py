"""What a template would say: rendered with the location's own names and an invented visit of tomorrow."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.errors import not_found
from domain.local_time import at_local, local_date
from domain.message_segments import segments
from domain.notification import NotificationEvent
from domain.notification_template import checked_template, rendered, rendered_subject, rendered_text
from domain.notification_words import Visit, words_of
from integrations.email import Email
from integrations.email_mime import html
from models.location import Location
from models.notification import rules_of
from models.tenant import Tenant
from resolvers.caller import Caller

TOKEN_LENGTH = 71


@dataclass(frozen=True, slots=True)
class Preview:
    """A text with its segments, and an email with both of its parts."""

    text: str
    text_segments: int
    subject: str
    email_text: str
    email_html: str


async def preview(
    caller: Caller,
    location_id: UUID,
    event: NotificationEvent,
    sms_template: str | None,
    email_subject: str | None,
    email_template: str | None,
) -> Preview:
    """How an event is told; templates that are None are the stored ones.

    Raises:
        Refusal: NOT_FOUND, or INVALID_INPUT for a template that could not be saved.
    """
    async with caller.reading() as session:
        location = await session.get(Location, (caller.tenant_id, location_id))
        tenant = await session.get_one(Tenant, caller.tenant_id)
        rule = next((each for each in await rules_of(session, [location_id]) if each.event is event), None)
    if location is None or rule is None:
        raise not_found("location", "locationId")
    visit = _sample(tenant, location)
    # As long as a real one, so that the segments are counted right.
    words = words_of(visit, f"{caller.settings.origin}/track/{'x' * TOKEN_LENGTH}")
    text = rendered_text(checked_template(sms_template or rule.sms_template, "smsTemplate"), words)
    subject = checked_template(email_subject or rule.email_subject, "emailSubject", one_line=True)
    body = rendered(checked_template(email_template or rule.email_template, "emailTemplate"), words)
    email = Email(
        message_id="",
        event=event.value,
        to="",
        subject=rendered_subject(subject, words),
        body=body,
        from_name=tenant.name,
        reply_to=None,
        unsubscribe_url=f"{caller.settings.origin}/unsubscribe/{'x' * TOKEN_LENGTH}",
    )
    return Preview(text, segments(text), email.subject, body, html(email))


def _sample(tenant: Tenant, location: Location) -> Visit:
    tomorrow = local_date(datetime.now(UTC), location.time_zone) + timedelta(days=1)
    starts_at = at_local(tomorrow, 9 * 60, location.time_zone)
    visit = Visit(
        business_name=tenant.name,
        business_phone=tenant.phone,
        location_name=location.name,
        zone=location.time_zone,
        customer_name="Carla Cruz",
        number=1042,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=location.arrival_window_minutes),
        address="1100 Congress Ave, Austin",
        services="Dishwasher repair",
        technician_name="Tess Tran",
        eta=None,
    )
    return replace(visit, eta=starts_at + timedelta(minutes=35))
