"""The board: two dispatchers see each other's work; a refused drag goes back; a lost line is shown and made up for."""

import asyncio
from dataclasses import replace

import pytest

from tests.access.people import Mailbox, add_user
from tests.browser.chromium import Browser, Page
from tests.browser.conftest import ALWAYS_OPEN, at, board, picture, tomorrow
from tests.service import Service, running_service
from tests.world import World

pytestmark = pytest.mark.services
LEFT = "(id) => document.querySelector(`.track .visit[data-id='${id}']`).getBoundingClientRect().left"


def lane(technician: str) -> str:
    return f".lane[data-technician='{technician}']"


async def centre(page: Page, selector: str) -> tuple[float, float]:
    box = await page.until(
        f"(() => {{ const e = document.querySelector({selector!r}); e?.scrollIntoView({{block: 'nearest', inline: 'center'}});"
        " const b = e?.getBoundingClientRect(); return b && [b.left + Math.min(20, b.width / 2), b.top + b.height / 2] })()"
    )
    return box[0], box[1]


async def test_what_one_does_the_other_sees(browser: Browser, world: World) -> None:
    day = tomorrow()
    other = await world.add_technician("Uma Underhill")
    visit = await world.book(at(day, 9), at(day, 10), technicianId=world.technician)
    first, second = await board(browser, world, day), await board(browser, world, day)
    await first.see(f"{lane(world.technician)} .visit", "Carla Cruz")
    await picture(first, "board")

    start = await centre(first, f".visit[data-id='{visit['id']}']")
    row = await centre(first, f"{lane(other)} .who")
    await first.drag(start, (start[0], row[1]))
    await second.see(f"{lane(other)} .visit", "Carla Cruz")
    await first.see(f"{lane(other)} .visit:not(.is-pending)", "Carla Cruz")

    await second.click(f"{lane(other)} .visit")
    await first.click(f"{lane(other)} .visit")
    await second.click(".steps button", "On the way")
    await first.see(".panel .badge", "On the way")
    await first.click(".close")
    await first.see(".feed li", "On the way")
    assert first.troubles == []
    assert second.troubles == []
    ours = (world.service.origin, world.service.origin.replace("http", "ws"), "data:", "about:", "blob:")
    assert [url for url in first.requested if not url.startswith(ours)] == []


async def test_a_drag_onto_a_taken_time_goes_back_and_says_why(browser: Browser, world: World) -> None:
    day = tomorrow()
    other = await world.add_technician("Uma Underhill")
    visit = await world.book(at(day, 9), at(day, 10), technicianId=world.technician)
    await world.book(at(day, 9), at(day, 11), technicianId=other)
    page = await board(browser, world, day)
    start = await centre(page, f".visit[data-id='{visit['id']}']")
    row = await centre(page, f"{lane(other)} .who")
    await page.drag(start, (start[0], row[1]))
    await page.see(".notices .error", "That time is taken")
    await page.see(f"{lane(world.technician)} .visit:not(.is-pending)", "Carla Cruz")


async def test_a_change_on_top_of_a_colleagues_is_refused_and_shown(browser: Browser, world: World) -> None:
    day = tomorrow()
    visit = await world.book(at(day, 9), at(day, 10), technicianId=world.technician)
    page = await board(browser, world, day)
    await page.see(".track .visit", "Carla Cruz")
    # As if the event of the colleague's change had not come yet.
    await page.run(
        "window.really = window.fetch; window.fetch = (url, o) => window.really(url, {...o, body: o.body.replace('\"expectedVersion\":1', '\"expectedVersion\":0')})"
    )
    await page.click(".track .visit")
    await page.fill("form.plan input[name=time]", "13:00")
    await page.click("form.plan button.primary")
    await page.see(".notices .error", "Somebody changed this appointment")
    now = await world.api.ask("query ($id: ID!) { node(id: $id) { ... on Appointment { version } } }", id=visit["id"])
    assert now["node"]["version"] == visit["version"]
    await page.see(".track .visit:not(.is-pending)", "Carla Cruz")


async def test_everything_works_from_the_keyboard(browser: Browser, world: World) -> None:
    day = tomorrow()
    other = await world.add_technician("Uma Underhill")
    visit = await world.book(at(day, 9), at(day, 10), technicianId=world.technician)
    page = await board(browser, world, day)
    chosen = f".visit[data-id='{visit['id']}']"
    await page.see(chosen)
    before = await page.run(f"({LEFT})({visit['id']!r})")
    await page.run(f"document.querySelector({chosen!r}).focus()")
    down = await page.run(
        f"[...document.querySelectorAll('.lane')].findIndex((e) => e.matches({lane(other)!r})) > "
        f"[...document.querySelectorAll('.lane')].findIndex((e) => e.matches({lane(world.technician)!r}))"
    )
    for key in ("m", "ArrowDown" if down else "ArrowUp", "ArrowRight", "ArrowRight", "Enter"):
        await page.key(key)
        await page.run("new Promise(requestAnimationFrame)")
    await page.see(f"{lane(other)} .visit:not(.is-pending)", "Carla Cruz")
    assert await page.run(f"({LEFT})({visit['id']!r})") > before
    await page.until(f"document.activeElement.dataset.id === {visit['id']!r}")
    await page.see("[role=status]", "is planned for")


async def test_a_lost_line_is_shown_and_what_was_missed_comes(browser: Browser, service: Service, world: World) -> None:
    day = tomorrow()
    page = await board(browser, world, day)
    await page.send(
        "Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1
    )
    await page.run("dispatchEvent(new Event('offline'))")
    await page.see(".connection[data-state=retrying]")
    await page.see(".stale", "out of date")
    missed = [await world.book(at(day, 8 + n), at(day, 9 + n), technicianId=world.technician) for n in range(3)]
    await page.send(
        "Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1, uploadThroughput=-1
    )
    await page.see(".connection[data-state=live]")
    for visit in missed:
        await page.see(f"{lane(world.technician)} .visit[data-id='{visit['id']}']")
    assert await page.run("document.querySelectorAll('.feed li').length") == 3
    await asyncio.sleep(0)


async def test_who_has_a_visit_open_is_seen_on_other_boards(browser: Browser, world: World) -> None:
    day = tomorrow()
    colleague = await add_user(world, Mailbox(), "DISPATCHER", "Dee Dispatcher")
    waiting = await world.book()
    planned = await world.book(at(day, 9), at(day, 10), technicianId=world.technician)
    mine, theirs = await board(browser, world, day), await board(browser, world, day, who=colleague)
    for visit in (waiting, planned):
        opened = f".visit[data-id='{visit['id']}']"
        await theirs.click(opened)
        await mine.see(f"{opened} .watched", "DD")
        assert await mine.run(f"document.querySelector({opened!r}).querySelector('.watched').title") == "Dee Dispatcher"
        await picture(mine, "colleague")
        await mine.click(opened)
        await mine.see(".colleagues", "Dee Dispatcher has this open too")
        await theirs.see(".colleagues", "Olive Owner has this open too")
        await theirs.click(".close")
        await mine.until(f"document.querySelector({f'{opened} .watched'!r}) === null")
        await mine.until("document.querySelector('.panel') && !document.querySelector('.colleagues')")
        # Nobody is shown oneself.
        await theirs.see(f"{opened} .watched", "OO")
        await mine.click(".close")
        await theirs.until("document.querySelector('.watched') === null")
    assert mine.troubles == []
    assert theirs.troubles == []


async def test_positions_move_on_the_map(browser: Browser, world: World) -> None:
    day = tomorrow()
    await world.api.do("technicianUpdate", technicianId=world.technician, workingHours=ALWAYS_OPEN)
    page = await board(browser, world, day)
    for latitude in (30.30, 30.31):
        await world.api.do(
            "technicianPositionReport", technicianId=world.technician, point={"latitude": latitude, "longitude": -97.74}
        )
        await page.see(".van title", "Tess Tran")


async def test_an_ended_session_asks_to_log_in(browser: Browser, world: World) -> None:
    page = await board(browser, world, tomorrow())
    await page.click(".tools button", "Log out")
    await page.see("h1", "Log in")
    assert await page.run("document.cookie") == ""


async def test_the_pages_need_no_document_of_their_own(browser: Browser, world: World, database_url: str) -> None:
    key = world.service.app.state.settings.secret_key
    async with running_service(database_url, secret_key=key, ad_hoc_documents="api_keys") as strict:
        # Live means that both ways in took the ids: the board over HTTP, its events over the websocket.
        page = await board(browser, replace(world, service=strict), tomorrow())
        await page.see(f"{lane(world.technician)} .who", "Tess Tran")
        assert page.troubles == []
        visit = await world.book(at(tomorrow(), 9), at(tomorrow(), 10), technicianId=world.technician)
        await page.see(f".visit[data-id='{visit['id']}']", "Carla Cruz")
        await page.open("about:blank")
