"""Money: exact decimals of two places in US dollars (docs/decisions/0007)."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from domain.errors import invalid

CURRENCY = "USD"
LARGEST = Decimal("9999999.99")
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount as a caller gives it."""

    amount: Decimal
    currency: str | None = None


def price(money: Money, *path: str) -> Decimal:
    """A price that can be stored.

    Raises:
        Refusal: INVALID_INPUT for another currency, NaN or infinity, a negative, a fraction of a cent or too much.
    """
    amount = money.amount
    if (money.currency or CURRENCY) != CURRENCY:
        raise invalid(f"Prices are in {CURRENCY}.", *path, "currency")
    if not amount.is_finite():
        raise invalid("A price is a finite number.", *path, "amount")
    if amount < 0:
        raise invalid("A price cannot be negative.", *path, "amount")
    if amount > LARGEST:
        raise invalid(f"A price is at most {LARGEST}.", *path, "amount")
    if amount != amount.quantize(CENT):
        raise invalid("A price has at most two decimal places.", *path, "amount")
    return amount.quantize(CENT)


def total(lines: Iterable[tuple[int, Decimal]]) -> Decimal:
    """The sum over lines of (quantity, unit price)."""
    return sum((quantity * unit for quantity, unit in lines), Decimal("0.00"))
