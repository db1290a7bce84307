"""Puts a message into words: the location's template, the facts of the appointment, the links of this installation."""

from dataclasses import dataclass

from auth.message_token import TRACKING_LASTS, tracking_token
from domain.message_segments import segments
from domain.notification import MessageChannel
from domain.notification_template import rendered, rendered_subject, rendered_text
from domain.notification_words import words_of
from models.message_facts import Facts
from settings import Settings


@dataclass(frozen=True, slots=True)
class Words:
    """What is sent; `segments` of a text alone."""

    subject: str | None
    body: str
    segments: int | None


def put_into_words(facts: Facts, channel: MessageChannel, settings: Settings) -> Words:
    """The message as it would be sent now.

    Raises:
        jinja2.TemplateError: the stored template was never checked.
    """
    words = words_of(facts.visit, tracking_url(facts, settings))
    if channel is MessageChannel.SMS:
        body = rendered_text(facts.sms_template, words)
        return Words(subject=None, body=body, segments=segments(body))
    return Words(
        subject=rendered_subject(facts.email_subject, words), body=rendered(facts.email_template, words), segments=None
    )


def tracking_url(facts: Facts, settings: Settings) -> str:
    """The link to the customer's tracking page, good until a day after the promised window."""
    expires_at = max(facts.now, facts.standing.ends_at or facts.now) + TRACKING_LASTS
    secret = settings.secret_key.get_secret_value()
    return f"{settings.origin}/track/{tracking_token(secret, facts.tenant_id, facts.appointment_id, expires_at)}"
