"""The rules without a database: templates, segments, quiet hours, retries, tokens."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.message_token import read_tracking_token, read_unsubscribe_token, tracking_token
from auth.signed_token import sign, verify
from domain.errors import Refusal
from domain.message import earlier_states, reported_state
from domain.message_answer import Answer, answer_of
from domain.message_retry import LONGEST_RETRY_AFTER_S, retry_delay
from domain.message_segments import segments
from domain.notification import MessageState
from domain.notification_defaults import DEFAULT_RULES
from domain.notification_quiet import after_quiet_hours
from domain.notification_template import VARIABLES, checked_template, rendered, rendered_subject
from domain.notification_words import Visit, words_of

VISIT = Visit(
    business_name="Blue  Pipe\n& Co",
    business_phone=None,
    location_name="Main",
    zone="America/Chicago",
    customer_name="Carla Cruz",
    number=1042,
    starts_at=datetime(2026, 12, 1, 15, tzinfo=UTC),
    ends_at=datetime(2026, 12, 1, 18, 30, tzinfo=UTC),
    address="1100 Congress Ave, Austin",
    services="Leak search",
    technician_name="Tess Tran",
    eta=datetime(2026, 12, 1, 6, 5, tzinfo=UTC),
)


def test_every_variable_has_words_and_every_default_is_valid() -> None:
    words = words_of(VISIT, "https://x/track/y")
    assert set(words) == set(VARIABLES)
    for rule in DEFAULT_RULES:
        for template in (rule.sms_template, rule.email_subject, rule.email_template):
            rendered(checked_template(template), words)
    on_the_way = next(rule for rule in DEFAULT_RULES if rule.event == "ON_THE_WAY")
    assert "{{ tracking_url }}" in on_the_way.sms_template


def test_words_are_local_and_of_one_line() -> None:
    words = words_of(VISIT, "")
    assert words["business_name"] == "Blue Pipe & Co"
    assert (words["date"], words["window"]) == ("Tuesday, December 1", "9:00 AM to 12:30 PM")
    assert (words["eta"], words["technician_name"], words["customer_first_name"]) == ("at 12:05 AM", "Tess", "Carla")


@pytest.mark.parametrize(
    "source",
    [
        "{{ 7 * 7 }}", "{{ number + 1 }}", "{{ customer_name.x }}", "{{ customer_name['x'] }}", "{{ customer_name() }}",
        "{{ nobody }}", "{{ cycler }}", "{{ self }}", "{{ customer_name|attr('x') }}", "{{ customer_name|upper|lower }}",
        "{{ 'x' if number else 'y' }}", "{% if number %}{% endif %}", "{% set x = 1 %}", "{% include 'x' %}",
        "{{", "{{ }}", "", " \n", "{{ " + "(" * 3_000,
    ],
)  # fmt: skip
def test_a_template_is_text_with_known_variables_and_nothing_else(source: str) -> None:
    with pytest.raises(Refusal):
        checked_template(source, "smsTemplate")


@given(st.text(max_size=60))
def test_whatever_is_accepted_can_be_rendered(source: str) -> None:
    try:
        checked_template(source)
    except Refusal:
        return
    rendered(source, words_of(VISIT, ""))


def test_a_subject_stays_one_line() -> None:
    assert rendered_subject("{{ customer_name }} x", {"customer_name": "a\r\nBcc: b"}) == "a Bcc: b x"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 0), ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("€" * 80, 1), ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 20, 2), ("é" * 160, 1), ("ê" * 70, 1), ("ê" * 71, 2), ("😀" * 35, 1), ("😀" * 36, 2),
        ("ê" * 66 + "😀" + "ê" * 65, 2), ("ê" * 66 + "😀" + "ê" * 66, 3),
    ],
)  # fmt: skip
def test_segments(text: str, number: int) -> None:
    """Twilio's own calculator gives the same: no pair of units is parted."""
    assert segments(text) == number


@pytest.mark.parametrize(
    ("instant", "until"),
    [
        ("2026-12-01T20:59", None),
        ("2026-12-01T21:00", "2026-12-02T08:00"),
        ("2026-12-02T07:59", "2026-12-02T08:00"),
        ("2026-12-02T08:00", None),
        # Clocks go forward at 02:00 on 14 March 2027, and back on 7 November.
        ("2027-03-13T23:30", "2027-03-14T08:00"),
        ("2027-11-06T22:00", "2027-11-07T08:00"),
    ],
)
def test_quiet_hours_over_midnight(instant: str, until: str | None) -> None:
    from domain.local_time import to_utc

    moment = to_utc(datetime.fromisoformat(instant), "America/Chicago")
    wanted = to_utc(datetime.fromisoformat(until), "America/Chicago") if until else moment
    assert after_quiet_hours(moment, "21:00", "08:00", "America/Chicago") == wanted
    assert after_quiet_hours(moment, None, None, "America/Chicago") == moment


@given(st.integers(0, 2 * 366 * 24 * 60), st.integers(0, 95), st.integers(0, 95))
def test_after_quiet_hours_it_is_not_quiet(minutes: int, start: int, end: int) -> None:
    if start == end:
        return
    begins, ends = (f"{each // 4:02}:{each % 4 * 15:02}" for each in (start, end))
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    opens = after_quiet_hours(moment, begins, ends, "America/New_York")
    assert moment <= opens <= moment + timedelta(hours=25)
    assert after_quiet_hours(opens, begins, ends, "America/New_York") == opens


def test_delays_grow_spread_and_never_undercut_the_provider() -> None:
    delays = [[retry_delay(attempt, luck) for luck in (0.0, 0.999)] for attempt in range(1, 6)]
    assert all(low < high for low, high in delays)
    assert [low for low, _ in delays] == sorted(low for low, _ in delays)
    assert retry_delay(1, 0.0, 60) == 60
    assert retry_delay(1, 0.0, 10**9) == LONGEST_RETRY_AFTER_S


def test_reports_lead_on_and_never_back() -> None:
    assert reported_state("DELIVERED") is MessageState.DELIVERED
    assert reported_state("receiving") is None
    for target in (MessageState.SENT, MessageState.DELIVERED, MessageState.FAILED):
        assert target not in earlier_states(target)
        assert not earlier_states(target) & {MessageState.DELIVERED, MessageState.FAILED, MessageState.CANCELLED}


@pytest.mark.parametrize(
    ("body", "answer"),
    [("stop", Answer.STOP), (" Stop All ", None), ("STOPALL", Answer.STOP), ("Quit!", Answer.STOP), ("yes", Answer.START),
     ("info?", Answer.HELP), ("stop it", None), ("", None), ("cancel", Answer.STOP)],
)  # fmt: skip
def test_answers(body: str, answer: Answer | None) -> None:
    assert answer_of(body) is answer


def test_tokens_open_one_thing_for_a_while() -> None:
    now, tenant, other = datetime.now(UTC), uuid4(), uuid4()
    token = tracking_token("secret", tenant, other, now + timedelta(hours=1))
    assert read_tracking_token("secret", token) == (tenant, other)
    assert read_tracking_token("another", token) is None
    assert read_unsubscribe_token("secret", token) is None
    assert verify("secret", "tracking", token, now + timedelta(hours=2)) is None
    for position in range(len(token)):
        changed = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        assert read_tracking_token("secret", changed) is None
    for junk in ("", "x", "=" * 10, "é", token + "A", token[:-1], "-" * 71):
        assert read_tracking_token("secret", junk) is None
    assert verify("secret", "p", sign("secret", "p", b"", now + timedelta(hours=1))) == b""
