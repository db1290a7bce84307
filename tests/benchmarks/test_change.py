"""The mutations written by hand, which ours are measured beside, write the rows that ours write."""

import re
from typing import Any

import psycopg
from psycopg.rows import dict_row

from benchmarks import board_ceiling
from benchmarks.board_change import changed, restore
from benchmarks.board_check import check
from benchmarks.board_data import Business
from benchmarks.board_load import load, one
from benchmarks.board_queries import CEILING, CHANGES, OURS, requests_of
from tests.benchmarks.conftest import SECRET, running
from tests.service import running_service

_LINK = re.compile(r"http://\S+/track/\S+")


def _written(superuser_url: str, business: Business) -> list[list[dict[str, Any]]]:
    """What a mutation left, without moments of the clock, drawn ids and the signature of the link."""
    appointment, others = business.visit(0), ("events", "messages")
    with psycopg.connect(superuser_url, row_factory=dict_row) as connection:
        found = [connection.execute("SELECT * FROM appointments WHERE id = %s", (appointment,)).fetchall()]
        for table in others:
            statement = f"SELECT * FROM {table} WHERE appointment_id = %s"  # noqa: S608
            found.append(connection.execute(statement, (appointment,)).fetchall())
    written = [[_plain(row) for row in rows] for rows in found]
    return [sorted(rows, key=lambda row: (row.get("event", ""), row.get("channel", ""))) for rows in written]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    for name in ("updated_at", "created_at", "occurred_at"):
        row.pop(name, None)
    if "seq" in row:
        del row["seq"]
        for change in row["changes"]:
            if change["field"] == "eta":
                change["after"] = len(change["after"])
    if "channel" in row:
        del row["id"]
        row["body"] = re.sub(r"at \d+:\d+ [AP]M", "at …", _LINK.sub("…", row["body"]))
        if row["event"] != "REMINDER":
            del row["send_at"], row["next_attempt_at"], row["relay_at"]
        if row["event"] == "ON_THE_WAY":
            del row["occasion_at"]
    for name in ("eta", "on_the_way_at"):
        if row.get(name) is not None:
            row[name] = row[name].tzinfo is not None
    return row


async def test_ours_and_the_functions_leave_equal_rows(filled: tuple[str, str, list[Business]]) -> None:
    url, superuser_url, businesses = filled
    async with (
        running_service(url, secret_key=SECRET, budget_factor=1_000_000) as ours,
        running(board_ceiling.create_app(url)) as ceiling,
    ):
        ports = {OURS: ours.port, CEILING: ceiling}
        assert set(await check(ports, businesses, superuser_url, CHANGES)) == set(CHANGES)
        for name in CHANGES:
            left = {}
            for server, port in ports.items():
                await one(port, requests_of(server, name, businesses)[0])
                left[server] = _written(superuser_url, businesses[0])
                restore(superuser_url, businesses)
            assert left[OURS] == left[CEILING]
            appointment, event, messages = left[OURS]
            assert appointment[0]["version"] == 2
            assert len(event) == 1
            assert [row["event"] for row in messages] == (
                ["REMINDER", "REMINDER", "RESCHEDULED", "RESCHEDULED"]
                if name == "schedule"
                else ["ON_THE_WAY", "ON_THE_WAY"]
            )


async def test_each_request_changes_another_appointment(filled: tuple[str, str, list[Business]]) -> None:
    url, superuser_url, businesses = filled
    async with running(board_ceiling.create_app(url)) as ceiling:
        asked = requests_of(CEILING, "schedule", businesses)
        assert len(asked) == sum(each.visits for each in businesses)
        # The load ends with its requests.
        _, took = await load(ceiling, asked[:20], connections=2, seconds=60)
        assert len(took) == changed(superuser_url, businesses) == 20
        restore(superuser_url, businesses)
        assert changed(superuser_url, businesses) == 0
        with psycopg.connect(superuser_url) as connection:
            start = connection.execute(
                "SELECT starts_at FROM appointments WHERE id = %s", (businesses[1].visit(0),)
            ).fetchone()
        assert start == (businesses[1].start(0),)
