"""What the account tests share."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.access.people import Mailbox


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def superuser_url(owner_url: str) -> str:
    """The database as a role that row-level security does not bind."""
    return owner_url.replace("sps_owner", "postgres")


@pytest.fixture
def as_superuser(superuser_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection for what no caller can bring about, such as time that passes."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        yield connection
