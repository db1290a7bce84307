"""A business whose files lie in a folder, and one whose files lie in a bucket."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.files.bench import Bench, made_bench
from tests.standins.s3 import S3StandIn, s3_stand_in


@pytest.fixture
def bucket() -> Iterator[S3StandIn]:
    """S3 on loopback."""
    with s3_stand_in() as stand_in:
        yield stand_in


@pytest.fixture(params=["folder", "bucket"])
async def bench(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> AsyncIterator[Bench]:
    """Each test runs with both stores."""
    stand_in = request.getfixturevalue("bucket") if request.param == "bucket" else None
    async with made_bench(database_url, tmp_path, stand_in) as made:
        yield made


@pytest.fixture
async def folder(database_url: str, tmp_path: Path) -> AsyncIterator[Bench]:
    """A business whose files lie in a folder."""
    async with made_bench(database_url, tmp_path, None) as made:
        yield made
