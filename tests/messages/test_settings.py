"""A location's notification settings: switches, offsets, quiet hours and words, refused with a path when they are none."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.messages.steps import Bench, in_days

PREVIEW = """
query ($location: ID!, $sms: String, $subject: String, $email: String) {
  notificationPreview(locationId: $location, event: CONFIRMATION, smsTemplate: $sms, emailSubject: $subject,
                      emailTemplate: $email) { sms smsSegments emailSubject emailText emailHtml }
}
"""


async def test_what_is_named_changes_and_the_rest_stays(bench: Bench) -> None:
    before = (await bench.settings_update())["location"]["notificationSettings"]
    assert (before["smsEnabled"], before["emailEnabled"], before["remindersEnabled"]) == (True, True, True)
    assert [rule["event"] for rule in before["rules"]] == [
        "CONFIRMATION", "REMINDER", "RESCHEDULED", "CANCELLED", "ON_THE_WAY", "FOLLOW_UP",
    ]  # fmt: skip
    after = await bench.settings_update(
        emailEnabled=False,
        smsEnabled=None,
        quietHoursStart="21:00",
        quietHoursEnd="08:00",
        rules=[{"event": "REMINDER", "offsetMinutes": 120, "sms": None, "smsTemplate": "Soon: {{ date }}"}],
    )
    after = after["location"]["notificationSettings"]
    changed = {**before, "emailEnabled": False, "quietHoursStart": "21:00", "quietHoursEnd": "08:00"}
    changed["rules"] = [dict(rule) for rule in before["rules"]]
    changed["rules"][1] |= {"offsetMinutes": 120, "smsTemplate": "Soon: {{ date }}"}
    assert after == changed
    after = (await bench.settings_update(quietHoursStart=None, quietHoursEnd=None))["location"]["notificationSettings"]
    assert (after["quietHoursStart"], after["quietHoursEnd"]) == (None, None)


REFUSED = [
    ({"rules": [{"event": "CONFIRMATION", "smsTemplate": "{{ password }}"}]}, ["rules", "0", "smsTemplate"]),
    (
        {"rules": [{"event": "CONFIRMATION", "smsTemplate": "{% for x in y %}{% endfor %}"}]},
        ["rules", "0", "smsTemplate"],
    ),
    (
        {"rules": [{"event": "CONFIRMATION", "emailTemplate": "{{ customer_name.__class__ }}"}]},
        ["rules", "0", "emailTemplate"],
    ),
    ({"rules": [{"event": "CONFIRMATION", "emailSubject": "a\nBcc: b"}]}, ["rules", "0", "emailSubject"]),
    ({"rules": [{"event": "CONFIRMATION", "smsTemplate": "  "}]}, ["rules", "0", "smsTemplate"]),
    ({"rules": [{"event": "CONFIRMATION", "smsTemplate": "x" * 1_601}]}, ["rules", "0", "smsTemplate"]),
    ({"rules": [{"event": "CONFIRMATION", "offsetMinutes": 5}]}, ["rules", "0", "offsetMinutes"]),
    ({"rules": [{"event": "REMINDER", "offsetMinutes": 0}]}, ["rules", "0", "offsetMinutes"]),
    ({"rules": [{"event": "FOLLOW_UP", "offsetMinutes": -1}]}, ["rules", "0", "offsetMinutes"]),
    ({"rules": [{"event": "REMINDER"}, {"event": "REMINDER"}]}, ["rules", "1", "event"]),
    ({"quietHoursStart": "21:00"}, ["quietHoursEnd"]),
    ({"quietHoursStart": "21:00", "quietHoursEnd": "21:00"}, ["quietHoursEnd"]),
    ({"quietHoursStart": "9pm", "quietHoursEnd": "08:00"}, ["quietHoursStart"]),
    ({"quietHoursStart": "25:00", "quietHoursEnd": "08:00"}, ["quietHoursStart"]),
]


@pytest.mark.parametrize(("changes", "path"), REFUSED)
async def test_what_makes_no_sense_is_refused_and_changes_nothing(bench: Bench, changes: Any, path: list[str]) -> None:
    before = (await bench.settings_update())["location"]
    refused = await bench.settings_update(smsEnabled=False, **changes)
    assert refused["location"] is None
    assert [(error["code"], error["path"]) for error in refused["userErrors"]] == [("INVALID_INPUT", ["input", *path])]
    assert (await bench.settings_update())["location"] == before


async def test_no_other_kind_of_message_can_be_expressed(bench: Bench) -> None:
    """The schema has six events, and no mutation that sends."""
    schema = await bench.world.api.ask(
        '{ __type(name: "NotificationEvent") { enumValues { name } } __schema { mutationType { fields { name } } } }'
    )
    assert {each["name"] for each in schema["__type"]["enumValues"]} == {
        "CONFIRMATION", "REMINDER", "RESCHEDULED", "CANCELLED", "ON_THE_WAY", "FOLLOW_UP",
    }  # fmt: skip
    names = [each["name"].lower() for each in schema["__schema"]["mutationType"]["fields"]]
    assert [name for name in names if "send" in name or "message" in name or "campaign" in name] == []


async def test_another_business_cannot_change_them(bench: Bench) -> None:
    bench.world.location = "loc_01h455vb4pex5vsknk084sn02q"
    assert [error["code"] for error in (await bench.settings_update(smsEnabled=False))["userErrors"]] == ["NOT_FOUND"]


async def test_waiting_reminders_follow_a_new_offset(bench: Bench) -> None:
    """Those whose new time lies ahead; the others keep theirs."""
    far, near = await bench.book(days=5), await bench.book(days=2)
    await bench.settings_update(rules=[{"event": "REMINDER", "offsetMinutes": 3 * 24 * 60}])
    assert bench.one(far, "REMINDER")["send_at"] == datetime.fromisoformat(in_days(2))
    assert bench.one(far, "REMINDER")["relay_at"] == datetime.fromisoformat(in_days(2))
    assert bench.one(near, "REMINDER")["send_at"] == datetime.fromisoformat(in_days(1))


async def test_a_preview_says_what_would_be_sent(bench: Bench) -> None:
    shown = (await bench.world.api.ask(PREVIEW, location=bench.world.location))["notificationPreview"]
    assert shown["sms"].startswith(f"{bench.world.name}: your appointment #1042 is booked for ")
    assert shown["sms"].endswith("9:00 AM to 11:00 AM.")
    assert shown["smsSegments"] == 1
    tomorrow = datetime.now(ZoneInfo("America/Chicago")) + timedelta(days=1)
    assert f"{tomorrow:%A}" in shown["sms"]
    shown = (
        await bench.world.api.ask(
            PREVIEW, location=bench.world.location, sms="{{ tracking_url }} é😀" * 2, email="<b>{{ eta }}"
        )
    )["notificationPreview"]
    assert shown["smsSegments"] == 4
    assert "&lt;b&gt;at 9:35 AM" in shown["emailHtml"]
    answer = await bench.world.api.post(PREVIEW, location=bench.world.location, sms="{{ nope }}")
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
