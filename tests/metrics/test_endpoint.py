"""/metrics answers our own machines alone, and names nobody."""

import re

import httpx
import psycopg
import pytest

from tests.databases import as_superuser
from tests.service import Service, running_service
from tests.world import World


async def get(service: Service, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient() as http:
        return await http.get(
            f"{service.origin}/metrics", headers={name.replace("_", "-"): value for name, value in headers.items()}
        )


def rows_outside(owner_url: str) -> dict[str, int]:
    """Of each partitioned table. Other tests' clocks leave rows in this database too, so that nobody knows it beforehand."""
    with psycopg.connect(as_superuser(owner_url)) as everything:
        return {
            table: len(everything.execute(f"SELECT FROM {table}_default LIMIT 1000").fetchall())
            for table in ("events", "messages")
        }


async def test_it_tells_this_machine_of_queues_and_names_nobody(world: World, owner_url: str) -> None:
    await world.book()
    answer = await get(world.service)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    for name in ("sps_process_resident_bytes", "sps_database_connections", "sps_subscriptions"):
        assert re.search(rf"^{name} \d+$", answer.text, re.MULTILINE), name
    assert 'sps_waiting{queue="messages"}' in answer.text
    for table, rows in rows_outside(owner_url).items():
        assert f'sps_rows_outside_partitions{{table="{table}"}} {rows}\n' in answer.text
    for word in (world.name, world.email, "Carla", "Tess"):
        assert word not in answer.text


async def test_nobody_else_gets_an_answer(service: Service) -> None:
    assert (await get(service)).status_code == 200
    for header in ("x_forwarded_for", "x_forwarded_proto", "forwarded", "via", "x_real_ip"):
        assert (await get(service, **{header: "127.0.0.1"})).status_code == 404, header


@pytest.mark.parametrize(("forwarded", "status"), [(None, 200), ("203.0.113.5", 404), ("10.0.0.9", 404)])
async def test_a_trusted_proxy_may_ask_for_itself_alone(database_url: str, forwarded: str | None, status: int) -> None:
    async with running_service(database_url, trusted_proxies="127.0.0.0/8") as service:
        headers = {"x_forwarded_for": forwarded, "x_forwarded_proto": "https"} if forwarded else {}
        assert (await get(service, **headers)).status_code == status
