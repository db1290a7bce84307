"""A browser for the tests: Chromium without a window, driven over its own debugging protocol; nothing needs installing but it."""

import asyncio
import base64
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import websockets

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-port=0",
)  # fmt: skip
PATIENCE_S = 15


class PageError(AssertionError):
    """A script of the page threw, or what was waited for did not come."""


@dataclass
class Page:
    """One tab of a browser with cookies of its own."""

    browser: "Browser"
    session: str
    contexts: dict[str, int] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)

    async def send(self, method: str, **parameters: Any) -> Any:
        return await self.browser.send(method, parameters, self.session)

    async def open(self, url: str) -> None:
        await self.send("Page.navigate", url=url)
        await self.until("document.readyState === 'complete'")

    async def run(self, script: str, origin: str | None = None) -> Any:
        """What an expression gives, promises waited for; in the frame of an origin, or in the page itself."""
        where = {"contextId": self.contexts[origin]} if origin else {}
        answer = await self.send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True, **where
        )
        if "exceptionDetails" in answer:
            raise PageError(json.dumps(answer["exceptionDetails"])[:1500])
        return answer["result"].get("value")

    async def until(self, script: str, origin: str | None = None) -> Any:
        """Wait until the expression is truthy; its value."""
        end = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            with suppress(PageError, KeyError):
                if value := await self.run(script, origin):
                    return value
            if asyncio.get_running_loop().time() > end:
                shown = await self.run("document.body.innerText.slice(0, 1500)")
                raise PageError(f"never came true: {script}\n{self.troubles}\n{shown}")
            await asyncio.sleep(0.03)

    async def heard(self, text: str) -> None:
        """Wait for a complaint of the browser's."""
        async with asyncio.timeout(PATIENCE_S):
            while not any(text in each for each in self.troubles):
                await asyncio.sleep(0.03)

    async def see(self, selector: str, text: str = "") -> None:
        """Wait for an element with a text."""
        await self.until(f"[...document.querySelectorAll({selector!r})].some((e) => e.textContent.includes({text!r}))")

    async def click(self, selector: str, text: str = "", origin: str | None = None) -> None:
        """Click the first such element, once it is there and enabled."""
        found = (
            f"[...document.querySelectorAll({selector!r})].find((e) => e.textContent.includes({text!r}) && !e.disabled)"
        )
        await self.until(f"Boolean({found})", origin)
        await self.run(f"{found}.click()", origin)

    async def fill(self, selector: str, value: str, origin: str | None = None) -> None:
        await self.until(f"Boolean(document.querySelector({selector!r}))", origin)
        await self.run(
            f"(() => {{ const e = document.querySelector({selector!r}); e.value = {value!r};"
            " e.dispatchEvent(new Event('input', {bubbles: true})); e.dispatchEvent(new Event('change', {bubbles: true})) })()",
            origin,
        )

    async def key(self, key: str) -> None:
        """A key as a person strikes it, on what has the focus."""
        code = {"Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}.get(key)
        common: dict[str, Any] = {"key": key, "code": key if code else f"Key{key.upper()}"}
        common["windowsVirtualKeyCode"] = code or ord(key.upper())
        await self.send("Input.dispatchKeyEvent", type="rawKeyDown", **common)
        await self.send("Input.dispatchKeyEvent", type="keyUp", **common)

    async def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press at one point, move, and release at another."""
        await self.send("Input.dispatchMouseEvent", type="mouseMoved", x=start[0], y=start[1])
        held = {"button": "left", "buttons": 1, "clickCount": 1}
        await self.send("Input.dispatchMouseEvent", type="mousePressed", x=start[0], y=start[1], **held)
        for step in range(1, 9):
            x, y = (a + (b - a) * step / 8 for a, b in zip(start, end, strict=True))
            await self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y, **held)
        await self.send("Input.dispatchMouseEvent", type="mouseReleased", x=end[0], y=end[1], **held)

    async def size(self, width: int, height: int, *, dark: bool = False) -> None:
        await self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        await self.send("Emulation.setEmulatedMedia", features=[scheme, still])

    async def picture(self, path: Path) -> None:
        answer = await self.send("Page.captureScreenshot", format="png")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    def hear(self, method: str, parameters: Any) -> None:
        """An event of this tab."""
        if method == "Runtime.executionContextCreated":
            context = parameters["context"]
            if context["auxData"].get("isDefault"):
                self.contexts[context["origin"]] = context["id"]
        elif method == "Runtime.exceptionThrown":
            self.troubles.append(json.dumps(parameters["exceptionDetails"])[:800])
        elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.troubles.append(parameters["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requested.append(parameters["request"]["url"])


@dataclass
class Browser:
    """A running Chromium."""

    socket: websockets.ClientConnection
    waiting: dict[int, asyncio.Future[Any]] = field(default_factory=dict)
    pages: dict[str, Page] = field(default_factory=dict)
    count: int = 0

    async def send(self, method: str, parameters: dict[str, Any], session: str | None = None) -> Any:
        self.count += 1
        number = self.count
        answer = self.waiting[number] = asyncio.get_running_loop().create_future()
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        await self.socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
        return await asyncio.wait_for(answer, 30)

    async def listen(self) -> None:
        """Hand answers and events to whom they concern."""
        async for text in self.socket:
            message = json.loads(text)
            if "id" in message:
                answer = self.waiting.pop(message["id"])
                if answer.done():
                    continue
                if "error" in message:
                    answer.set_exception(PageError(message["error"]["message"]))
                else:
                    answer.set_result(message["result"])
            elif page := self.pages.get(message.get("sessionId", "")):
                page.hear(message["method"], message["params"])

    async def page(self) -> Page:
        """A new tab that shares no cookies with the others."""
        context = (await self.send("Target.createBrowserContext", {}))["browserContextId"]
        target = await self.send("Target.createTarget", {"url": "about:blank", "browserContextId": context})
        attached = await self.send("Target.attachToTarget", {"targetId": target["targetId"], "flatten": True})
        page = self.pages[attached["sessionId"]] = Page(self, attached["sessionId"])
        for domain in ("Page", "Runtime", "Log", "Network"):
            await page.send(f"{domain}.enable")
        await page.size(1280, 800)
        return page


def chromium() -> str | None:
    """Where it is."""
    return shutil.which("chromium")


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    """Chromium until the block ends."""
    binary = chromium()
    assert binary is not None
    with TemporaryDirectory(prefix="sps-browser-", ignore_cleanup_errors=True) as folder:
        process = await asyncio.create_subprocess_exec(
            binary, *FLAGS, f"--user-data-dir={folder}", "about:blank",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            assert process.stderr is not None
            url = ""
            while not url:
                line = (await asyncio.wait_for(process.stderr.readline(), 30)).decode()
                assert line, "Chromium did not start"
                url = line.partition("DevTools listening on ")[2].strip()
            drained = asyncio.create_task(process.stderr.read())
            async with websockets.connect(url, max_size=None, proxy=None) as socket:
                browser = Browser(socket)
                listening = asyncio.create_task(browser.listen())
                try:
                    yield browser
                finally:
                    listening.cancel()
                    await asyncio.gather(listening, return_exceptions=True)
            process.terminate()
            await drained
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
