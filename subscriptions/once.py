"""Work that several need at one moment is done once."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """Answers by key: whoever asks while one is being made, or shortly after, gets the same.

    Args:
        seconds: how long an answer is kept. It may be that old when somebody gets it.
        size: what an answer takes of `room`.
        room: answers are let go, the oldest first, beyond this.
    """

    def __init__(self, seconds: float, size: Callable[[T], int], room: int) -> None:
        self._seconds = seconds
        self._size = size
        self._room = room
        self._held = 0
        self._answers: dict[Hashable, asyncio.Future[T]] = {}
        self._waiting: dict[Hashable, list[asyncio.Future[None]]] = {}
        self.made = 0

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """The answer. What `make` raises is raised to all who wait for it, and not kept.

        It runs as a task of its own: whoever asked first may go without taking it from the others.
        """
        answer = self._answers.get(key)
        if answer is None:
            self.made += 1
            answer = asyncio.ensure_future(make())
            self._answers[key] = answer
            answer.add_done_callback(lambda done: self._done(key, done))
        if not answer.done():
            # Not `asyncio.shield`, which takes twice as long for each of a thousand who wait.
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(key, []).append(waiting)
            await waiting
        return answer.result()

    def _done(self, key: Hashable, answer: "asyncio.Future[T]") -> None:
        for waiting in self._waiting.pop(key, ()):
            if not waiting.done():
                waiting.set_result(None)
        if answer.cancelled() or answer.exception() is not None:
            self._answers.pop(key, None)
            return
        self._held += self._size(answer.result())
        asyncio.get_running_loop().call_later(self._seconds, self._let_go, key, answer)
        while self._held > self._room:
            oldest = next((each for each in self._answers.items() if each[1].done()), None)
            if oldest is None:
                return
            self._let_go(*oldest)

    def _let_go(self, key: Hashable, answer: "asyncio.Future[T]") -> None:
        if self._answers.get(key) is answer:
            del self._answers[key]
            self._held -= self._size(answer.result())
