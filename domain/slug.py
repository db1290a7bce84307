"""Slugs: names that go into public addresses."""

import re
import unicodedata

from domain.errors import invalid

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,58}[a-z0-9])", re.ASCII)


def slug_of(name: str) -> str:
    """A slug made of a name: "Ann's HVAC & Co." gives "anns-hvac-co"."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower().replace("'", "")
    made = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50].strip("-")
    return made if len(made) >= 3 else f"business-{made}".strip("-")


def checked_slug(slug: str, *path: str) -> str:
    """A slug that a caller chose.

    Raises:
        Refusal: INVALID_INPUT unless it is 3 to 60 lower-case letters, digits and inner hyphens.
    """
    if not SLUG.fullmatch(slug):
        raise invalid("A slug has 3 to 60 lower-case letters, digits and inner hyphens.", *path)
    return slug
