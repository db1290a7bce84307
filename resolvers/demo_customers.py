"""The demo's 300 customers: who they are, where they live and what was agreed with them; the same ones every time."""

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from domain.address import Address
from domain.geo_point import GeoPoint
from domain.pricing import CENT
from resolvers.demo_data.people import BUSINESSES, CUSTOMER_NOTES, LINE_2, NAMES
from resolvers.demo_data.places import AREAS, Area
from resolvers.demo_data.services import SERVICES
from resolvers.demo_data.team import TECHNICIANS

CUSTOMERS = 300
KM_OF_A_DEGREE = 111.2
# Numbers of the block 555-0100 to 555-0199, which is kept for fiction, so that nobody's phone can ever ring.
AREA_CODES = (("512", 100), ("737", 100), ("210", 30), ("254", 30), ("830", 30), ("214", 20), ("713", 20))
FICTION = "+1{}55501{:02d}"
MAIL_HOSTS = ("example.com", "example.net", "example.org")
HONOURED = (Decimal("0.80"), Decimal("0.85"), Decimal("0.90"))


@dataclass(frozen=True, slots=True)
class DemoAddress:
    """A place where a customer is visited; `north`: from Round Rock."""

    label: str | None
    address: Address
    point: GeoPoint
    north: bool


@dataclass(frozen=True, slots=True)
class DemoCustomer:
    """Somebody who is visited.

    Args:
        prices: agreed prices by the position of the service in the catalog, in US dollars.
        known_days: how many days ago they first called.
    """

    name: str
    phone: str | None
    email: str | None
    notes: str | None
    sms_opted_out: bool
    email_opted_out: bool
    addresses: tuple[DemoAddress, ...]
    prices: dict[int, Decimal]
    known_days: int

    @property
    def search(self) -> str:
        """What the search box looks through: as `models.customer.customer_search_text` makes it of the rows."""
        parts = [self.name, self.phone, self.email]
        for place in self.addresses:
            parts += [place.address.line1, place.address.city, place.address.postal_code]
        return " ".join(part for part in parts if part).lower()


def technician_phone(index: int) -> str:
    """A technician's number."""
    return FICTION.format("737", index + 1)


def demo_customers() -> list[DemoCustomer]:
    """All of them."""
    rng = Random("customers")  # noqa: S311 (made-up people, not secrets)
    phones, names, mails = _phones(rng), _names(rng), set[str]()
    found = []
    for index in range(CUSTOMERS):
        # Every 25th is a business.
        business = BUSINESSES[index // 25] if index % 25 == 7 else None
        name = business or next(names)
        found.append(
            DemoCustomer(
                name=name,
                phone=None if rng.random() < 0.03 else next(phones),
                email=None if rng.random() < 0.12 else _email(name, mails, rng),
                notes=rng.choice(CUSTOMER_NOTES) if rng.random() < 0.35 else None,
                sms_opted_out=rng.random() < 0.04,
                email_opted_out=rng.random() < 0.06,
                addresses=tuple(_addresses(rng, business=business is not None)),
                prices=_prices(rng) if business or rng.random() < 0.06 else {},
                known_days=rng.randint(45, 1_100),
            )
        )
    return found


def _phones(rng: Random) -> Iterator[str]:
    taken = {technician_phone(index) for index in range(len(TECHNICIANS))} | {FICTION.format("512", 0)}
    free = [FICTION.format(code, last) for code, count in AREA_CODES for last in range(count)]
    rng.shuffle(free)
    return (phone for phone in free if phone not in taken)


def _names(rng: Random) -> Iterator[str]:
    seen: set[str] = set()
    while True:
        given, family = rng.choices(NAMES, weights=(5, 6, 3, *(2 for _ in NAMES[3:])))[0]
        name = f"{rng.choice(given.split())} {rng.choice(family.split())}"
        if name not in seen:
            seen.add(name)
            yield name


def _email(name: str, taken: set[str], rng: Random) -> str:
    plain = unicodedata.normalize("NFKD", name.replace("ø", "o")).encode("ascii", "ignore").decode().lower()
    words = ["".join(letter for letter in word if letter.isalnum()) for word in plain.split()]
    box = ".".join(word for word in words if word)
    host = rng.choice(MAIL_HOSTS)
    address = f"{box}@{host}"
    while address in taken:
        address = f"{box}{rng.randint(2, 99)}@{host}"
    taken.add(address)
    return address


def _addresses(rng: Random, *, business: bool) -> Iterator[DemoAddress]:
    area = rng.choice(AREAS)
    if business:
        yield _address(rng, area, "Premises")
    elif rng.random() < 0.07:
        yield _address(rng, area, "Home")
        # The other place is on the same side of town, so that the same technicians go there.
        yield _address(rng, rng.choice([other for other in AREAS if other.north is area.north]), "Rental")
    else:
        yield _address(rng, area, None)


def _address(rng: Random, area: Area, label: str | None) -> DemoAddress:
    distance, direction = area.spread_km * math.sqrt(rng.random()), rng.random() * math.tau
    latitude = area.latitude + distance * math.sin(direction) / KM_OF_A_DEGREE
    longitude = area.longitude + distance * math.cos(direction) / (
        KM_OF_A_DEGREE * math.cos(math.radians(area.latitude))
    )
    point = GeoPoint(round(latitude, 5), round(longitude, 5))
    address = Address(
        line1=f"{rng.randint(*area.numbers)} {rng.choice(area.streets)}",
        line2=rng.choice(LINE_2) if rng.random() < 0.15 else None,
        city=area.city,
        region="TX",
        postal_code=area.postal_code,
        country="US",
        point=point,
    )
    return DemoAddress(label, address, point, area.north)


def _prices(rng: Random) -> dict[int, Decimal]:
    chosen: Sequence[int] = sorted(rng.sample(range(len(SERVICES)), rng.randint(1, 3)))
    return {index: (SERVICES[index].price * rng.choice(HONOURED)).quantize(CENT) for index in chosen}
