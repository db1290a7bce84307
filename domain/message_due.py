"""When a planned message falls due."""

from datetime import datetime, timedelta

from domain.notification import NotificationEvent

_DEFAULT_REMINDER = timedelta(days=1)


def due_time(
    event: NotificationEvent, now: datetime, starts_at: datetime | None, ends_at: datetime | None, offset: int | None
) -> datetime | None:
    """When to send it, before quiet hours are looked at; None when its time has passed.

    Args:
        now: the database's clock.
        starts_at, ends_at: the promised window.
        offset: minutes before the visit (REMINDER) or after it (FOLLOW_UP).
    """
    match event:
        case NotificationEvent.REMINDER:
            if starts_at is None:
                return None
            due = starts_at - (timedelta(minutes=offset) if offset is not None else _DEFAULT_REMINDER)
            # Whoever books for this afternoon has just been told when: yesterday's reminder is not sent late.
            return due if due > now else None
        case NotificationEvent.FOLLOW_UP:
            return now + timedelta(minutes=offset or 0)
        case NotificationEvent.CONFIRMATION | NotificationEvent.RESCHEDULED:
            # A visit that is entered after it took place is not announced.
            return now if ends_at is not None and now < ends_at else None
        case _:
            return now
