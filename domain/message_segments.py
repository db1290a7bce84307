"""How many segments a text is billed as: GSM 03.38 holds 160 characters alone and 153 in a chain, UCS-2 70 and 67."""

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Sent as an escape and a character, which no segment border may part.
_EXTENDED = frozenset("\f^{}\\[~]|€")


def segments(text: str) -> int:
    """The number of segments; an empty text is none."""
    if not text:
        return 0
    used = set(text)
    if used <= _BASIC:
        # What nearly every text is: each character takes one place.
        return 1 if len(text) <= 160 else -(-len(text) // 153)
    if used <= _BASIC | _EXTENDED:
        return _chained([2 if character in _EXTENDED else 1 for character in text], alone=160, each=153)
    # One character beyond GSM 03.38 and the whole text is UTF-16, where some characters take two units.
    return _chained([2 if ord(character) > 0xFFFF else 1 for character in text], alone=70, each=67)


def _chained(widths: list[int], *, alone: int, each: int) -> int:
    if sum(widths) <= alone:
        return 1
    count, filled = 1, 0
    for width in widths:
        if filled + width > each:
            count, filled = count + 1, 0
        filled += width
    return count
