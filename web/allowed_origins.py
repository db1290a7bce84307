"""The sites that locations allow, as browsers' requests ask for them: kept for seconds, and nobody's while the database is away."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Generic, TypeVar

import structlog

from domain.origin import normal_origin
from domain.slug import SLUG
from models.database import Database
from models.errors import UNREACHABLE
from models.look_up import is_allowed_origin, look_up_frame_origins

T = TypeVar("T")
KEPT_S = 15.0
# A database that is away is asked about once a second for each site, not at each of its requests.
FAILED_S = 1.0
MOST_KEPT = 1_000

log = structlog.get_logger("origins")


class AllowedOrigins:
    """What the locations of all businesses allow.

    Args:
        database: asked as nobody, through look-up functions.
        now: a clock in seconds that only goes forward.
    """

    def __init__(self, database: Database, now: Callable[[], float] = monotonic) -> None:
        self._database = database
        self._origins = _Kept(self._ask_origin, refused=False, now=now)
        self._frames: _Kept[tuple[str, ...]] = _Kept(self._ask_frames, refused=(), now=now)

    async def may_call(self, origin: str) -> bool:
        """Whether pages of this origin may use the API from a browser. Never raises: without an answer it may not."""
        # What no browser sends cannot be on a list either: nobody fills memory or the database's time with it.
        return _is_normal(origin) and await self._origins.get(origin)

    async def frame_origins(self, slug: str) -> tuple[str, ...]:
        """The origins that may frame the booking page of a slug. Never raises: without an answer it is nobody."""
        wanted = slug.strip().lower()
        return await self._frames.get(wanted) if SLUG.fullmatch(wanted) else ()

    async def _ask_origin(self, origin: str) -> bool:
        async with self._database.anonymous() as session:
            return await is_allowed_origin(session, origin)

    async def _ask_frames(self, slug: str) -> tuple[str, ...]:
        async with self._database.anonymous() as session:
            return await look_up_frame_origins(session, slug)


class _Kept(Generic[T]):
    """Answers by key for KEPT_S, those asked for longest ago given up first; who asks meanwhile waits for the same answer."""

    def __init__(self, ask: Callable[[str], Awaitable[T]], *, refused: T, now: Callable[[], float]) -> None:
        self._ask = ask
        self._refused = refused
        self._now = now
        self._kept: OrderedDict[str, tuple[float, T]] = OrderedDict()
        self._asking: dict[str, asyncio.Task[T]] = {}

    async def get(self, key: str) -> T:
        kept = self._kept.get(key)
        if kept is not None and self._now() < kept[0]:
            return kept[1]
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._look(key))
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        # The caller may go away; those who wait with it must not lose the answer.
        return await asyncio.shield(task)

    async def _look(self, key: str) -> T:
        try:
            answer, life = await self._ask(key), KEPT_S
        except UNREACHABLE as error:
            log.warning("allowed_origins_unknown", asked=key, error=type(error).__name__)
            answer, life = self._refused, FAILED_S
        self._kept[key] = (self._now() + life, answer)
        self._kept.move_to_end(key)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return answer


def _is_normal(origin: str) -> bool:
    try:
        return normal_origin(origin) == origin
    except ValueError:
        return False
