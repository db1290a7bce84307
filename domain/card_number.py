"""Telling a payment card's number in a text, so that none is ever stored: cards are given to Stripe, on Stripe's pages."""

import re

# Digits in one piece, or in groups as cards show them; not a part of a longer number.
_CANDIDATE = re.compile(r"(?<![\w-])\d(?:[ -]?\d){13,18}(?![\w-])", re.ASCII)
# Beginnings and lengths of the brands: https://docs.stripe.com/testing lists one of each.
_BRANDS = (
    (re.compile(r"4"), {16, 19}),
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), {16}),
    (re.compile(r"3[47]"), {15}),
    (re.compile(r"6011|64[4-9]|65"), {16, 19}),
    (re.compile(r"352[89]|35[3-8]"), {16}),
    (re.compile(r"36|38|39|30[0-5]"), {14, 16}),
    (re.compile(r"62"), {16, 17, 18, 19}),
)


def holds_card_number(text: str) -> bool:
    """Whether a text holds a number that begins, is as long and checks like that of a card.

    One in ten other numbers of such a length and beginning checks too: serial numbers are looked at elsewhere.
    """
    return any(_is_card(re.sub(r"\D", "", match[0])) for match in _CANDIDATE.finditer(text))


def _is_card(digits: str) -> bool:
    known = any(len(digits) in lengths and beginning.match(digits) for beginning, lengths in _BRANDS)
    return known and _luhn(digits) == 0


def _luhn(digits: str) -> int:
    """ISO/IEC 7812-1: every second digit from the right counts double, with its own digits added."""
    doubled = [int(digit) * 2 if place % 2 else int(digit) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10
