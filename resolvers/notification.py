"""Notification settings: what a location tells its customers, how, and in which words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.errors import invalid, not_found
from domain.message_due import due_time
from domain.notification import NotificationEvent
from domain.notification_quiet import checked_quiet_hours, send_time
from domain.notification_template import checked_template
from models.database import Transaction
from models.location import Location
from models.message_retime import Reminder, queued_reminders, retime
from models.notification import NotificationRule, NotificationSettings, lock_settings, rules_of, settings_of
from resolvers.caller import Caller

TOGGLES = ("sms_enabled", "email_enabled", "reminders_enabled")
WITH_OFFSET = frozenset({NotificationEvent.REMINDER, NotificationEvent.FOLLOW_UP})
# A month.
LONGEST_OFFSET = 43_200


@dataclass(frozen=True, slots=True)
class LocationNotifications:
    """A location's settings with its rules, in the order of the events."""

    settings: NotificationSettings
    rules: Sequence[NotificationRule]


async def notifications_by_location(caller: Caller, ids: Sequence[UUID]) -> dict[UUID, LocationNotifications]:
    """The notification settings of these locations."""
    async with caller.reading() as session:
        settings = await settings_of(session, ids)
        rules = await rules_of(session, ids)
    order = list(NotificationEvent)
    return {
        each.location_id: LocationNotifications(
            each,
            sorted(
                (rule for rule in rules if rule.location_id == each.location_id),
                key=lambda rule: order.index(rule.event),
            ),
        )
        for each in settings
    }


async def update_notifications(
    caller: Caller, location_id: UUID, changes: Mapping[str, Any], rules: Sequence[Mapping[str, Any]]
) -> Location:
    """Change what is named: of the settings the toggles and quiet hours, and of each rule what stands beside its `event`.

    Messages that wait are checked against this when they are claimed. Reminders that wait are given the time that a new
    offset or new quiet hours mean, if that lies ahead.

    Raises:
        Refusal: NOT_FOUND; INVALID_INPUT, e.g. for a template with an unknown variable.
    """
    _checked_rules(rules)

    async def work(session: Transaction) -> Location:
        location = await session.get(Location, (caller.tenant_id, location_id))
        found = await lock_settings(session, caller.tenant_id, location_id)
        if location is None or found is None:
            raise not_found("location", "locationId")
        settings, existing = found
        for name in TOGGLES:
            if changes.get(name) is not None:
                setattr(settings, name, changes[name])
        for name in ("quiet_hours_start", "quiet_hours_end"):
            if name in changes:
                setattr(settings, name, changes[name])
        checked_quiet_hours(settings.quiet_hours_start, settings.quiet_hours_end)
        for rule in rules:
            for name, value in rule.items():
                if name != "event" and value is not None:
                    setattr(existing[rule["event"]], name, value)
        await session.flush()
        await _retime_reminders(session, location, settings, existing[NotificationEvent.REMINDER])
        return location

    return await caller.transact(work)


def _checked_rules(rules: Sequence[Mapping[str, Any]]) -> None:
    seen = set()
    for index, rule in enumerate(rules):
        path = ("rules", str(index))
        event = rule["event"]
        if event in seen:
            raise invalid("That event is named twice.", *path, "event")
        seen.add(event)
        offset = rule.get("offset_minutes")
        if offset is not None and event not in WITH_OFFSET:
            raise invalid("Only REMINDER and FOLLOW_UP have an offset.", *path, "offsetMinutes")
        least = 1 if event is NotificationEvent.REMINDER else 0
        if offset is not None and not least <= offset <= LONGEST_OFFSET:
            raise invalid(f"An offset is {least} to {LONGEST_OFFSET} minutes.", *path, "offsetMinutes")
        for name, field in (("sms_template", "smsTemplate"), ("email_template", "emailTemplate")):
            if rule.get(name) is not None:
                checked_template(rule[name], *path, field)
        if rule.get("email_subject") is not None:
            checked_template(rule["email_subject"], *path, "emailSubject", one_line=True)


async def _retime_reminders(
    session: Transaction, location: Location, settings: NotificationSettings, rule: NotificationRule
) -> None:
    now, waiting = await queued_reminders(session, location.id)
    moved = {}
    for reminder in waiting:
        moment = _reminder_time(reminder, now, location, settings, rule)
        if moment is not None and moment != reminder.send_at:
            moved[reminder.message_id] = moment
    await retime(session, moved)


def _reminder_time(
    reminder: Reminder, now: datetime, location: Location, settings: NotificationSettings, rule: NotificationRule
) -> datetime | None:
    due = due_time(NotificationEvent.REMINDER, now, reminder.visit_at, reminder.visit_at, rule.offset_minutes)
    if due is None or due > reminder.visit_at - timedelta(minutes=1):
        return None
    return send_time(
        NotificationEvent.REMINDER, due, settings.quiet_hours_start, settings.quiet_hours_end, location.time_zone
    )
