"""Accessibility rules on every page in light and dark and at both widths, and the types of our scripts."""

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest

from tests.browser.chromium import Browser, Page
from tests.browser.conftest import ALWAYS_OPEN, at, board, picture, tomorrow
from tests.world import PASSWORD, World

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "browser_js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SIZES = [(1280, 800), (390, 780)]

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(
        shutil.which("node") is None and "CI" not in os.environ, reason="node is not installed, and this is not CI"
    ),
]


async def run(*command: str) -> None:
    """A command that has to succeed."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=FOLDER, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


@pytest.fixture
async def packages() -> Path:
    """What package-lock.json pins, unless it is there."""
    if not (FOLDER / "node_modules").is_dir():
        await run("npm", "ci", "--no-audit", "--no-fund", "--silent")
    return FOLDER / "node_modules"


async def test_our_scripts_are_what_their_types_say(packages: Path) -> None:
    await run("node", str(packages / "typescript" / "bin" / "tsc"), "-p", str(ROOT / "web" / "static"))


async def faults(page: Page, packages: Path, name: str) -> list[str]:
    """What axe finds against WCAG 2.2 A and AA."""
    if not await page.run("'axe' in window"):
        await page.run((packages / "axe-core" / "axe.min.js").read_text() + ";0")
    found = await page.run(f"axe.run(document, {{runOnly: {json.dumps(RULES)}}}).then((r) => r.violations)")
    return [f"{name} {each['id']}: {[node['html'][:160] for node in each['nodes'][:3]]}" for each in found]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_pages_keep_the_accessibility_rules(
    browser: Browser, world: World, packages: Path, width: int, height: int, dark: bool
) -> None:
    day = tomorrow()
    await world.api.do("technicianUpdate", technicianId=world.technician, workingHours=ALWAYS_OPEN)
    for hour, step in ((8, None), (10, "appointmentMarkOnTheWay"), (12, "appointmentStart"), (14, "appointmentCancel")):
        visit = await world.book(at(day, hour), at(day, hour + 1), technicianId=world.technician)
        if step:
            await world.api.do(step, appointmentId=visit["id"])
    await world.book()
    slug = (await world.api.ask("{ locations { slug } }"))["locations"][0]["slug"]
    kind = f"{width}-{'dark' if dark else 'light'}"
    page, nobody = await board(browser, world, day), await browser.page()
    for each in (page, nobody):
        await each.size(width, height, dark=dark)
    await page.see(".track .visit")
    found = await faults(page, packages, "board")
    await page.click(".track .visit")
    await page.see(".history li")
    found += await faults(page, packages, "panel")
    await picture(page, f"panel-{kind}")
    await page.open(f"{world.service.origin}/settings")
    await page.see("#leaving")
    found += await faults(page, packages, "settings")
    await picture(page, f"settings-{kind}")
    for path, selector in (("/board", "h1"), (f"/book/{slug}", ".services li"), ("/track/nothing", "h1")):
        await nobody.open(f"{world.service.origin}{path}")
        await nobody.see(selector)
        found += await faults(nobody, packages, path)
        await picture(nobody, f"{path.split('/')[1]}-{kind}")
    assert found == []


async def test_a_key_and_a_switch_in_the_settings(browser: Browser, world: World) -> None:
    page = await browser.page()
    await page.open(f"{world.service.origin}/settings")
    await page.fill("input[name=email]", world.email)
    await page.fill("input[name=password]", PASSWORD)
    await page.click("button.primary")
    await page.click("#keys summary")
    await page.fill("#keys input[name=name_]", "Partner")
    await page.click("#keys input[value='appointments:read']")
    await page.click("#keys button.primary")
    await page.see("#keys .secret code", "sps_live_")
    await page.click("#notifications input[type=checkbox]")
    await page.see("#notifications .done", "Saved")
    kept = await world.api.ask("{ locations { notificationSettings { smsEnabled } } apiKeys { name scopes } }")
    assert kept["apiKeys"] == [{"name": "Partner", "scopes": ["appointments:read"]}]
    assert kept["locations"][0]["notificationSettings"]["smsEnabled"] is False
    await page.fill("#security input[name=word]", PASSWORD)
    await page.click("#security button", "Set up a second factor")
    await page.see("#security code")
    assert page.troubles == []
