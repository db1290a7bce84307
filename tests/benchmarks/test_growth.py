"""The requests that memory is measured with differ in their documents, and are all answered."""

import os
from itertools import islice

import orjson

from benchmarks.board_data import Business
from benchmarks.board_load import load
from benchmarks.growth import DOCUMENTS, mixed, resident_mb
from tests.benchmarks.conftest import SECRET
from tests.service import running_service


async def test_many_documents_are_asked(filled: tuple[str, str, list[Business]]) -> None:
    url, _, businesses = filled
    asked = list(islice(mixed(businesses), 3 * DOCUMENTS + 3))
    bodies = [each.partition(b"\r\n\r\n")[2] for each in asked]
    assert len({orjson.loads(body)["query"] for body in bodies}) == 3 * DOCUMENTS
    assert all(f"Content-Length: {len(body)}\r\n".encode() in each for each, body in zip(asked, bodies, strict=True))
    async with running_service(url, secret_key=SECRET, budget_factor=1_000_000) as ours:
        _, took = await load(ours.port, asked[:12], connections=2, seconds=60)
    assert len(took) == 12


def test_memory_is_read_in_megabytes() -> None:
    assert 10 < resident_mb(os.getpid()) < 10_000
