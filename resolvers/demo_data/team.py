"""The demo business itself: its two locations, who works there and when, and who logs in."""

from dataclasses import dataclass

from domain.address import Address
from domain.geo_point import GeoPoint
from domain.hours import HoursInput, LunchInput
from domain.tenant import Role

TIME_ZONE = "America/Chicago"
BUSINESS = "Bluebonnet Home Services"
BUSINESS_PHONE = "+15125550100"
DOMAIN = "demo.example"


@dataclass(frozen=True, slots=True)
class DemoLocation:
    """A location; the service area is a radius around it."""

    name: str
    slug: str
    address: Address
    radius_km: float
    arrival_window_minutes: int
    minimum_notice_minutes: int


@dataclass(frozen=True, slots=True)
class DemoTechnician:
    """Somebody who visits customers.

    Args:
        north: works from Round Rock, not from Austin.
        away: time off, as (first day, last day, from, to, reason); days count from today, times are local.
    """

    name: str
    color: str
    north: bool
    home: GeoPoint
    skills: frozenset[str]
    hours: tuple[HoursInput, ...]
    lunch: LunchInput | None
    away: tuple[tuple[int, int, str, str, str], ...] = ()

    @property
    def email(self) -> str:
        """first.last@ the demo's domain."""
        return f"{self.name.lower().replace(' ', '.')}@{DOMAIN}"


def _week(text: str) -> tuple[HoursInput, ...]:
    """Hours written as "Mon 06:30-12:30 17:00-08:30, Tue 10:30-19:00"; closing before opening is on the next morning."""
    spans = []
    for day in text.split(", "):
        name, *times = day.split(" ")
        for opens, closes in (span.split("-") for span in times):
            spans.append(HoursInput(DAYS.index(name), opens, closes))
    return tuple(spans)


DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

LOCATIONS = (
    DemoLocation(
        "Bluebonnet Austin",
        "bluebonnet-austin",
        Address("2110 S Lamar Blvd", "Suite C", "Austin", "TX", "78704", "US", GeoPoint(30.2478, -97.7712)),
        28.0,
        120,
        120,
    ),
    DemoLocation(
        "Bluebonnet Round Rock",
        "bluebonnet-round-rock",
        Address("1401 S Interstate 35", None, "Round Rock", "TX", "78664", "US", GeoPoint(30.4996, -97.6855)),
        32.0,
        120,
        180,
    ),
)
OPEN = _week(
    "Mon 06:30-19:30, Tue 06:30-19:30, Wed 06:30-19:30, Thu 06:30-19:30, Fri 06:30-19:30, Sat 06:30-19:00, Sun 06:30-19:00"
)

# Two are on call around the clock, one for water and one for heat, so that at every moment of the week at least two work.
# Whoever is on call in a night starts late on the next day. Two do nothing but the nights of the weekend.
TECHNICIANS = (
    DemoTechnician(
        "Marisol Vega",
        "#2563eb",
        False,
        GeoPoint(30.2295, -97.7853),
        frozenset({"plumbing", "gas", "camera"}),
        _week(
            "Mon 06:30-12:30 17:00-08:30, Tue 10:30-19:00, Wed 08:00-17:00, Thu 06:30-12:30 17:00-08:30, Fri 10:30-19:00"
        ),
        LunchInput(30, "11:00", "13:30"),
        ((4, 4, "13:00", "19:00", "Dentist"),),
    ),
    DemoTechnician(
        "James Whitfield",
        "#db2777",
        False,
        GeoPoint(30.2871, -97.6952),
        frozenset({"hvac", "epa-608", "gas", "duct"}),
        _week("Mon 10:30-19:00, Tue 08:00-17:00, Wed 06:30-12:30 17:00-08:30, Thu 10:30-19:00, Sun 06:30-18:30"),
        LunchInput(45, "11:00", "14:00"),
    ),
    DemoTechnician(
        "Priya Raman",
        "#059669",
        False,
        GeoPoint(30.3302, -97.7385),
        frozenset({"appliance", "hvac"}),
        _week("Tue 06:30-12:30 17:00-08:30, Wed 10:30-19:00, Thu 08:00-17:00, Fri 06:30-15:30, Sat 06:30-18:30"),
        LunchInput(30, "11:30", "14:00"),
        ((-5, -5, "00:00", "24:00", "Training: heat pumps"),),
    ),
    DemoTechnician(
        "Deshawn Carter",
        "#d97706",
        True,
        GeoPoint(30.4482, -97.6693),
        frozenset({"hvac", "epa-608", "gas"}),
        _week(
            "Mon 07:00-13:00 17:15-08:30, Tue 10:30-19:30, Wed 08:30-17:30, Thu 07:00-13:00 17:15-08:30, Fri 11:00-19:15"
        ),
        LunchInput(30, "11:30", "13:30"),
    ),
    DemoTechnician(
        "Linh Tran",
        "#7c3aed",
        True,
        GeoPoint(30.4166, -97.7033),
        frozenset({"plumbing", "gas", "hvac"}),
        _week("Mon 10:00-18:45, Tue 07:30-16:30, Wed 07:00-13:00 17:15-08:30, Thu 10:00-18:45, Sun 07:00-19:00"),
        LunchInput(45, "11:00", "13:30"),
        ((5, 7, "00:00", "24:00", "Vacation"),),
    ),
    DemoTechnician(
        "Tomasz Nowak",
        "#0891b2",
        True,
        GeoPoint(30.5122, -97.6941),
        frozenset({"appliance", "plumbing"}),
        _week("Tue 07:00-13:00 17:15-08:30, Wed 10:00-18:45, Thu 07:00-16:00, Fri 07:00-16:00, Sat 07:00-19:00"),
        LunchInput(30, "11:00", "13:00"),
        ((-3, -3, "07:00", "12:00", "Truck at the shop"),),
    ),
    DemoTechnician(
        "Aaliyah Brooks",
        "#dc2626",
        False,
        GeoPoint(30.2076, -97.7702),
        frozenset({"plumbing", "camera"}),
        _week("Fri 17:00-08:30, Sat 17:00-08:30, Sun 17:00-08:30"),
        None,
    ),
    DemoTechnician(
        "Samuel Okafor",
        "#4d7c0f",
        True,
        GeoPoint(30.4653, -97.7512),
        frozenset({"hvac", "epa-608"}),
        _week("Fri 17:15-08:30, Sat 17:15-08:30, Sun 17:15-08:30"),
        None,
    ),
)
TECHNICIAN_LOG_IN = TECHNICIANS[0]


@dataclass(frozen=True, slots=True)
class DemoUser:
    """Somebody who logs in."""

    name: str
    email: str
    role: Role
    technician: DemoTechnician | None = None


OWNER = DemoUser("Rosa Castellanos", f"owner@{DOMAIN}", Role.OWNER)
DISPATCHER = DemoUser("Danielle Price", f"dispatcher@{DOMAIN}", Role.DISPATCHER)
NIGHT_DESK = DemoUser("After-hours desk", f"nights@{DOMAIN}", Role.DISPATCHER)
USERS = (
    OWNER,
    DemoUser("Neil Ostrander", f"admin@{DOMAIN}", Role.ADMIN),
    DISPATCHER,
    NIGHT_DESK,
    DemoUser(TECHNICIAN_LOG_IN.name, f"technician@{DOMAIN}", Role.TECHNICIAN, TECHNICIAN_LOG_IN),
    DemoUser("Keiko Yamada", f"viewer@{DOMAIN}", Role.VIEWER),
)
