"""The links of account mails, followed in a browser: from the mail to the board, and from a forgotten password to a new one."""

import pytest

from tests.access.people import Mailbox, deliver_mails
from tests.browser.chromium import Browser
from tests.world import World

pytestmark = pytest.mark.services
NEW = "purple monkey dishwasher 42"


async def test_an_invitation_leads_to_the_board(world: World, browser: Browser) -> None:
    mailbox, address = Mailbox(), f"ivy-{world.email}"
    await world.api.do("userInvite", email=address, name="Ivy", role="DISPATCHER")
    await deliver_mails(world.service, mailbox)
    page = await browser.page()
    await page.open(f"{world.service.origin}/invitation#{mailbox.token(address)}")
    await page.fill("input[name=word]", "password1")
    await page.click("button.primary")
    await page.see(".wrong", "easy to guess")
    # The token is out of the address bar, and the form still knows it.
    assert await page.run("location.hash") == ""
    await page.fill("input[name=word]", NEW)
    await page.click("button.primary")
    await page.until("location.pathname === '/board'")
    await page.until("document.querySelector('.connection')?.dataset.state === 'live'")


async def test_a_forgotten_password_is_set_anew(world: World, browser: Browser) -> None:
    mailbox = Mailbox()
    page = await browser.page()
    await page.open(f"{world.service.origin}/board")
    await page.click("a", "Forgot your password?")
    await page.until("location.pathname === '/password-reset'")
    await page.fill("input[name=email]", world.email)
    await page.click("button.primary")
    await page.see("[role=status]", "a link is on its way")
    await deliver_mails(world.service, mailbox)
    await page.open("about:blank")
    await page.open(f"{world.service.origin}/password-reset#{mailbox.token(world.email)}")
    await page.fill("input[name=word]", NEW)
    await page.click("button.primary")
    await page.see("[role=status]", "Your new password is set.")
    again = await browser.page()
    await again.open(f"{world.service.origin}/password-reset#{mailbox.token(world.email, 'new password')}")
    await again.fill("input[name=word]", "another quiet zebra 7")
    await again.click("button.primary")
    await again.see(".wrong", "This link was used")
