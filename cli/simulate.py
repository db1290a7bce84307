"""`sps simulate`: plays a working day of the demo business on a running server, over the API like everybody else.

Technicians drive to their visits, work and go on; customers book. It changes the demo business alone, for good.
"""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx

from cli.trouble import Trouble, say

TICK_S = 1.0
DRIVE = timedelta(minutes=20)
BETWEEN_BOOKINGS = timedelta(minutes=25)
KPH = 45.0
NAMES = ("Ines Whitaker", "Omar Delgado", "Ruth Abernathy", "Kofi Mensah", "Lena Sorensen", "Hugo Baptiste")
VISIT = "id number status scheduled { start end } address { address { line1 city region postalCode location { latitude longitude } } }"
BOARD = f"""query ($day: Date!) {{ locations {{ slug timeZone }} dispatchBoard(day: $day) {{ lanes {{
  technician {{ id name }} position {{ point {{ latitude longitude }} }} appointments {{ {VISIT} }} }} }} }}"""
STEPS = {
    "appointmentMarkOnTheWay": "AppointmentMarkOnTheWayInput",
    "appointmentStart": "AppointmentTransitionInput",
    "appointmentComplete": "AppointmentTransitionInput",
}
LOG_IN = "mutation ($input: LogInInput!) { logIn(input: $input) { userErrors { message } viewer { tenant { name } } } }"
POSITION = "mutation ($input: TechnicianPositionReportInput!) { technicianPositionReport(input: $input) { userErrors { message } } }"
SERVICES = "query ($slug: String!) { bookingPortal(slug: $slug) { services { id name } } }"
WINDOWS = """query ($slug: String!, $input: BookableWindowsInput!) { bookingPortal(slug: $slug) { windows(input: $input) {
  windows { token } } } }"""
BOOK = "mutation ($input: BookingCreateInput!) { bookingCreate(input: $input) { userErrors { message } appointmentNumber } }"

Point = tuple[float, float]


@dataclass
class Api:
    """A client that is logged in."""

    http: httpx.AsyncClient

    async def ask(self, query: str, **variables: Any) -> Any:
        """The data of an answer.

        Raises:
            Trouble: the server cannot be reached, or refuses.
        """
        headers = {"X-CSRF-Token": token} if (token := self.http.cookies.get("sps_csrf")) else {}
        try:
            answer = await self.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
            body = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Trouble(f"there is no server at {self.http.base_url} (start one with `sps up`)") from error
        if body.get("errors"):
            raise Trouble(f"the server refuses: {body['errors'][0]['message']}")
        return body["data"]

    async def step(self, mutation: str, appointment_id: str) -> bool:
        """Take a visit a step on; False when a dispatcher has changed it so that this step is no longer possible."""
        query = f"mutation ($input: {STEPS[mutation]}!) {{ it: {mutation}(input: $input) {{ userErrors {{ code }} }} }}"
        return not (await self.ask(query, input={"appointmentId": appointment_id}))["it"]["userErrors"]


@dataclass
class Round:
    """One technician's day."""

    technician: str
    name: str
    at: Point | None
    visits: list[dict[str, Any]]
    leg: tuple[Point, Point] | None = None
    left_at: datetime | None = None
    free_at: datetime | None = None

    async def play(self, api: Api, now: datetime) -> str | None:
        """Do what is due at a moment of the simulated day; what happened, in words."""
        if not self.visits:
            return None
        visit = self.visits[0]
        start, end = (datetime.fromisoformat(visit["scheduled"][edge]) for edge in ("start", "end"))
        if visit["status"] == "SCHEDULED":
            if now < start - DRIVE:
                return None
            return await self._go(api, visit, "ON_THE_WAY", "appointmentMarkOnTheWay", now)
        if visit["status"] == "ON_THE_WAY":
            await self._drive(api, now)
            if self.left_at is not None and now < self.left_at + DRIVE:
                return None
            self.free_at = now + (end - start)
            return await self._go(api, visit, "IN_PROGRESS", "appointmentStart", now)
        if self.free_at is not None and now < self.free_at:
            return None
        return await self._go(api, visit, "COMPLETED", "appointmentComplete", now)

    async def _go(self, api: Api, visit: dict[str, Any], status: str, mutation: str, now: datetime) -> str | None:
        if not await api.step(mutation, visit["id"]):
            self.visits.pop(0)
            return f"{self.name} leaves #{visit['number']}, which somebody else has changed"
        visit["status"] = status
        place = visit["address"]["address"]["location"]
        there = (place["latitude"], place["longitude"]) if place else self.at
        if status == "ON_THE_WAY":
            self.left_at = now
            if there is not None:
                self.leg = (self.at or (there[0] + 0.05, there[1] - 0.04), there)
            return f"{self.name} drives to #{visit['number']}"
        if status == "IN_PROGRESS":
            self.at = there
            return f"{self.name} has arrived at #{visit['number']}"
        self.visits.pop(0)
        return f"{self.name} has done #{visit['number']}"

    async def _drive(self, api: Api, now: datetime) -> None:
        if self.leg is None or self.left_at is None:
            return
        (north, east), (to_north, to_east) = self.leg
        share = min(1.0, max(0.0, (now - self.left_at) / DRIVE))
        self.at = (north + (to_north - north) * share, east + (to_east - east) * share)
        point = {"latitude": self.at[0], "longitude": self.at[1]}
        await api.ask(POSITION, input={"technicianId": self.technician, "point": point, "speedKph": KPH})


async def book(api: Api, slug: str, places: list[dict[str, Any]]) -> str | None:
    """Somebody books online, at the address of a visit that there was; None when no window is left."""
    services = (await api.ask(SERVICES, slug=slug))["bookingPortal"]["services"]
    service, place = random.choice(services), random.choice(places)  # noqa: S311
    address = {name: place[name] for name in ("line1", "city", "region", "postalCode")}
    wanted = {"serviceIds": [service["id"]], "address": address, "days": 3}
    offered = (await api.ask(WINDOWS, slug=slug, input=wanted))["bookingPortal"]["windows"]["windows"]
    if not offered:
        return None
    name = random.choice(NAMES)  # noqa: S311
    given = {"token": offered[0]["token"], "name": name, "email": f"visitor-{secrets.token_hex(4)}@demo.example"}
    made = (await api.ask(BOOK, input=given))["bookingCreate"]
    return None if made["userErrors"] else f"{name} books {service['name']}: #{made['appointmentNumber']}"


@asynccontextmanager
async def logged_in(url: str, email: str, password: str) -> AsyncIterator[Api]:
    """A client on the server, as the demo's owner."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        api = Api(http)
        found = (await api.ask(LOG_IN, input={"email": email, "password": password}))["logIn"]
        if found["userErrors"]:
            raise Trouble("the demo business is not on that server, or its password was changed")
        yield api


async def simulate(url: str, email: str, password: str, *, speed: float, day: date | None, quiet: bool) -> int:
    """Play a day until every visit is done; the number of visits.

    Args:
        speed: simulated seconds in a second.
        day: which, on the demo's calendar; None: today.
        quiet: show no progress bar.
    """
    async with logged_in(url, email, password) as api:
        asked = day or (datetime.now(UTC) - timedelta(hours=6)).date()
        data = await api.ask(BOARD, day=asked.isoformat())
        rounds = [_round(lane) for lane in data["dispatchBoard"]["lanes"]]
        visits = [visit for each in rounds for visit in each.visits]
        if not visits:
            raise Trouble(f"no visits are left to play on {asked}; choose another day with --day")
        total = len(visits)
        places = [visit["address"]["address"] for visit in visits]
        now = min(datetime.fromisoformat(visit["scheduled"]["start"]) for visit in visits) - DRIVE
        next_booking = now + BETWEEN_BOOKINGS
        say(f"playing {asked}: {total} visits, {speed:g} times as fast as life; Ctrl-C stops")
        with Bar(total, quiet=quiet) as show:
            while any(each.visits for each in rounds):
                heard = [await each.play(api, now) for each in rounds]
                if now >= next_booking:
                    next_booking += BETWEEN_BOOKINGS
                    heard.append(await book(api, random.choice(data["locations"])["slug"], places))  # noqa: S311
                left = sum(len(each.visits) for each in rounds)
                show(total - left, f"{now:%H:%M} UTC", [text for text in heard if text])
                await asyncio.sleep(TICK_S)
                now += timedelta(seconds=TICK_S * speed)
        return total


def _round(lane: dict[str, Any]) -> Round:
    position = lane["position"]
    at = (position["point"]["latitude"], position["point"]["longitude"]) if position else None
    open_ = ("SCHEDULED", "ON_THE_WAY", "IN_PROGRESS")
    visits = [each for each in lane["appointments"] if each["status"] in open_ and each["scheduled"]]
    return Round(lane["technician"]["id"], lane["technician"]["name"], at, visits)


class Bar:
    """A progress bar on a terminal, with a line for each thing that happens; lines alone elsewhere."""

    def __init__(self, total: int, *, quiet: bool) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self.console = Console(stderr=True)
        self.progress = Progress(console=self.console, disable=quiet or not self.console.is_terminal)
        self.task = self.progress.add_task("", total=total)

    def __enter__(self) -> "Bar":
        self.progress.start()
        return self

    def __call__(self, done: int, clock: str, heard: list[str]) -> None:
        """Show how far it is."""
        for text in heard:
            self.progress.console.print(text, highlight=False)
        self.progress.update(self.task, completed=done, description=clock)

    def __exit__(self, *_: object) -> None:
        self.progress.stop()
