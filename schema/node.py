"""Objects with an id that can be fetched again by it."""

from uuid import UUID

import strawberry

from domain.errors import not_found
from domain.ids import Prefix, decode, encode


@strawberry.interface(description="Has an id by which `node` finds it again.")
class Node:
    """The Relay interface."""

    id: strawberry.ID


def node_id(prefix: Prefix, value: UUID) -> strawberry.ID:
    """The id as callers see it."""
    return strawberry.ID(encode(prefix, value))


def id_of(prefix: Prefix, text: str, noun: str, *path: str) -> UUID:
    """The UUID of an id in an input.

    Raises:
        Refusal: NOT_FOUND, as for an id of nothing.
    """
    value = decode(prefix, text)
    if value is None:
        raise not_found(noun, *path)
    return value


def known_ids(prefix: Prefix, texts: list[strawberry.ID] | None) -> list[UUID] | None:
    """The UUIDs of a filter's ids; those that are none match nothing, like those of nothing."""
    if texts is None:
        return None
    return [value for text in texts if (value := decode(prefix, text)) is not None]


def known_id(prefix: Prefix, text: strawberry.ID | None) -> UUID | None:
    """The UUID of a filter's id; one that is none becomes the id of nothing."""
    return None if text is None else decode(prefix, text) or UUID(int=0)
