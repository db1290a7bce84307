"""The board's server dies under it: the board says so, comes back by itself and shows what happened meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.browser.chromium import Browser
from tests.browser.conftest import at, board, tomorrow
from tests.process import free_port, kill, process, wait_until_ready
from tests.service import Service, running_service
from tests.world import World

pytestmark = pytest.mark.services
SECRET = "a secret that both servers know, and nobody else does"


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Service]:
    """The product in this process, which lives on; the board hangs on another, which knows the same sessions and cursors."""
    async with running_service(database_url, secret_key=SecretStr(SECRET)) as running:
        yield running


async def test_a_board_outlives_its_server(browser: Browser, world: World, database_url: str, tmp_path: Path) -> None:
    day, port = tomorrow(), free_port()
    settings = {"DATABASE_URL": database_url, "SPS_SECRET_KEY": SECRET, "SPS_DATA_DIR": str(tmp_path)}
    before = await world.book(at(day, 8), at(day, 9), technicianId=world.technician)
    with process("serve", "--port", str(port), **settings) as first:
        await asyncio.to_thread(wait_until_ready, port)
        page = await board(browser, world, day, origin=f"http://127.0.0.1:{port}")
        await page.see(f".visit[data-id='{before['id']}']")
        await page.run("window.sameDocument = true")
        await asyncio.to_thread(kill, first)
        await page.see(".connection[data-state=retrying]")
        await page.see(".stale", "out of date")
    missed = await world.book(at(day, 9), at(day, 10), technicianId=world.technician)
    await world.api.do("appointmentCancel", appointmentId=before["id"])
    assert await page.run(f"document.querySelector(\".visit[data-id='{missed['id']}']\")") is None
    with process("serve", "--port", str(port), **settings):
        await asyncio.to_thread(wait_until_ready, port)
        await page.see(f".visit[data-id='{missed['id']}']")
        await page.until(f"document.querySelector(\".visit[data-id='{before['id']}']\") === null")
        await page.see(".connection[data-state=live]")
        assert await page.run("document.querySelector('.stale')") is None
        assert await page.run("window.sameDocument") is True
        # What happened is told once each, as if the line had never been away.
        assert await page.run("document.querySelectorAll('.feed li').length") == 2
        # And it is as live as before.
        after = await world.book(at(day, 11), at(day, 12), technicianId=world.technician)
        await page.see(f".visit[data-id='{after['id']}']")
        await page.open("about:blank")
