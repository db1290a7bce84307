"""The database as a role that row-level security does not bind: to look at what it hides."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest


@pytest.fixture(scope="session")
def superuser_url(owner_url: str) -> str:
    return owner_url.replace("sps_owner", "postgres")


@pytest.fixture
def as_superuser(superuser_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        yield connection
