"""The demo's catalog: what a service is made of, and all 25 of them under five headings."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class DemoOption:
    """An extra: US dollars and minutes that it adds."""

    name: str
    price: Decimal
    minutes: int


@dataclass(frozen=True, slots=True)
class DemoService:
    """A service: minutes, US dollars, the skills it needs, and what customers say who ask for it.

    Args:
        emergency: done around the clock by whoever is on call, and not booked ahead.
    """

    category: str
    name: str
    description: str
    minutes: int
    price: Decimal
    skills: frozenset[str]
    said: tuple[str, ...]
    options: tuple[DemoOption, ...] = ()
    emergency: bool = False


def option(name: str, dollars: str, minutes: int = 0) -> DemoOption:
    """An extra of a service."""
    return DemoOption(name, Decimal(dollars), minutes)


def service(
    category: str,
    name: str,
    description: str,
    minutes: int,
    dollars: str,
    skills: str,
    said: tuple[str, ...],
    *options: DemoOption,
    emergency: bool = False,
) -> DemoService:
    """A service; `skills` are separated by spaces."""
    return DemoService(
        category, name, description, minutes, Decimal(dollars), frozenset(skills.split()), said, options, emergency
    )
