"""What a new location sends until the business changes it: texts and emails for the whole list, follow-ups off."""

from dataclasses import dataclass

from domain.notification import NotificationEvent


@dataclass(frozen=True, slots=True)
class Rule:
    """One event's switches and words; `offset_minutes` before the visit (REMINDER) or after it (FOLLOW_UP)."""

    event: NotificationEvent
    sms: bool
    email: bool
    offset_minutes: int | None
    sms_template: str
    email_subject: str
    email_template: str


def _rule(event: NotificationEvent, text: str, subject: str, *, on: bool = True, offset: int | None = None) -> Rule:
    return Rule(
        event=event,
        sms=on,
        email=on,
        offset_minutes=offset,
        sms_template=text,
        email_subject=subject,
        email_template=f"Hello {{{{ customer_name }}}},\n\n{text}\n\n{{{{ business_name }}}}",
    )


DEFAULT_RULES = (
    _rule(
        NotificationEvent.CONFIRMATION,
        "{{ business_name }}: your appointment #{{ number }} is booked for {{ date }}, {{ window }}.",
        "Your appointment with {{ business_name }}",
    ),
    _rule(
        NotificationEvent.REMINDER,
        "{{ business_name }}: a reminder of your appointment #{{ number }} on {{ date }}, {{ window }}.",
        "Reminder: {{ business_name }} on {{ date }}",
        offset=24 * 60,
    ),
    _rule(
        NotificationEvent.RESCHEDULED,
        "{{ business_name }}: your appointment #{{ number }} is now on {{ date }}, {{ window }}.",
        "Your appointment has moved to {{ date }}",
    ),
    _rule(
        NotificationEvent.CANCELLED,
        "{{ business_name }}: your appointment #{{ number }} on {{ date }} is cancelled.",
        "Your appointment is cancelled",
    ),
    _rule(
        NotificationEvent.ON_THE_WAY,
        "{{ business_name }}: {{ technician_name }} is on the way for appointment #{{ number }}, expected {{ eta }}."
        " Follow along: {{ tracking_url }}",
        "{{ technician_name }} is on the way",
    ),
    _rule(
        NotificationEvent.FOLLOW_UP,
        "{{ business_name }}: thank you for your visit #{{ number }}. Anything not right? Just answer or call.",
        "How did we do?",
        on=False,
        offset=24 * 60,
    ),
)
