"""No secret, password, token, telephone number or email in any line, whichever way it got into the event."""

import json
import logging
from io import StringIO
from typing import Any

import pytest
import structlog

from tests.web.steps import counted
from web.redaction import redacted_text

CANARIES: dict[str, str] = {
    "email": "ada.lovelace+shop@mail.example.com",
    "email with an umlaut": "jürgen@example.de",
    "email in a URL": "ada%40example.com",
    "E.164": "+15125550123",
    "E.164, spaced": "+1 512 555 0123",
    "a US number": "(512) 555-0123",
    "a US number with dots": "512.555.0123",
    "a bare number": "5125550123",
    "our API key": "sps_live_Ab3dEf6hIj9kLm2n",
    "Stripe's key": "sk_live_51AbCdEfGh",
    "Stripe's webhook secret": "whsec_AbCdEf123456",
    "a session token": "mZ0u1Q9fT3xk7Vw5yB2nC8dE4gH6jL0pR1sA3tU5vX7",
    "a hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "a JSON web token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
}


def fail_with(text: str) -> None:
    try:
        int(f"no such row: {text}")
    except ValueError as error:
        raise RuntimeError("could not save") from error


@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES.keys())
def test_a_canary_is_in_no_line(logged: StringIO, canary: str) -> None:
    log = structlog.get_logger("test")
    log.info("plain", note=canary)
    event = f"in the event {canary}"
    log.info(event)
    log.info("nested", data={"rows": [{"value": canary}, (canary, [canary])]})
    log.info("as a key", data={canary: 1})
    log.info("in a sentence", note=f"sent to <{canary}>, then {canary}.")
    log.info("in a query", url=f"https://x.example/a?q={canary}&b=1")
    log.info("bytes", raw=canary.encode())
    try:
        fail_with(canary)
    except RuntimeError:
        log.exception("failed")
        logging.getLogger("library").exception("failed for %s", canary)
    logging.getLogger("library").warning("argument %s", canary)
    logging.getLogger("library").warning("extra", extra={"note": canary})
    assert len(logged.getvalue().splitlines()) == 11
    assert canary not in logged.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "newPassword",
        "token",
        "trackingToken",
        "apiKey",
        "api_key",
        "Authorization",
        "cookie",
        "secret",
        "totpCode",
        "recovery_codes",
        "email",
        "phone",
        "recipient",
        "variables",
        "csrf_header",
    ],
)
def test_a_field_of_a_secret_name_is_left_out_whatever_it_holds(logged: StringIO, name: str) -> None:
    structlog.get_logger("test").info("e", **{name: "short"})
    structlog.get_logger("test").info("e", data={name: {"inner": ["short"]}})
    assert "short" not in logged.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "password=hunter2",
        "Password: hunter2",
        '{"password": "hunter2"}',
        "Authorization: Bearer hunter2",
        "Cookie: sps_session=hunter2",
        "postgresql://sps:hunter2@db/sps",
        "redis://:hunter2@cache:6379",
        "GET /x?token=hunter2&a=1",
        "Basic hunter2",
        "X-CSRF-Token: hunter2",
    ],
)
def test_a_secret_that_is_named_in_a_text_is_left_out(text: str) -> None:
    assert "hunter2" not in redacted_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "appt_01h455vb4pex5vsknk084sn02q",
        "01890000-0000-7000-8000-000000000001",
        "2026-11-24T08:04:00.123456Z",
        "GET /graphql 200 in 12.5 ms",
        "tests/web/test_a_module_with_a_rather_long_name_indeed.py",
        "127.0.0.1",
        "2001:db8::8a2e:370:7334",
        "version 18.6.3 of 3 parts",
        "cost 10000 of 50000",
    ],
)
def test_what_a_log_is_read_for_stays(text: str) -> None:
    assert redacted_text(text) == text


def test_a_line_has_time_level_event_and_request_id(logged: StringIO) -> None:
    structlog.contextvars.bind_contextvars(requestId="r0123456789")
    try:
        structlog.get_logger("test").info("hello", answer=42, ratio=0.5, nothing=None, yes=True)
    finally:
        structlog.contextvars.clear_contextvars()
    line: dict[str, Any] = json.loads(logged.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "requestId": "r0123456789",
        "level": "info",
        "event": "hello",
        "answer": 42,
        "ratio": 0.5,
        "nothing": None,
        "yes": True,
    }


def test_libraries_that_log_bodies_and_addresses_are_quiet(logged: StringIO) -> None:
    for name in ("httpx", "twilio.http_client", "sqlalchemy.engine", "stripe"):
        logging.getLogger(name).info("POST /2010-04-01/Accounts/AC1/Messages.json")
    assert logged.getvalue() == ""


@pytest.mark.parametrize("text", ["a" * 200_000, "a." * 100_000, "1" * 200_000, "(5" * 100_000, "a-" * 100_000])
def test_long_texts_are_cut_before_they_are_searched(text: str) -> None:
    with counted() as steps:
        redacted = redacted_text(text)
    assert len(redacted) <= 16_001
    assert steps.total < 50_000


def test_a_secret_at_the_cut_is_not_left_in_halves() -> None:
    text = "x " * 7_990 + "ada.lovelace@mail.example.com and more"
    assert "ada" not in redacted_text(text)
