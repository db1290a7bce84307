"""Entries of the security log that no transaction carries: what was refused. Written beside the answer, not before it.

A refusal changes nothing, so there is no transaction to be part of; and a log-in that waited for its entry would tell by
its time whether the address has an account. What waits here is lost if the process is killed in that moment.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from uuid import UUID

import structlog

from domain.security_event import SecurityEventType
from models.database import Database
from models.errors import UNREACHABLE
from permissions.principal import Principal
from permissions.visitor import Visitor
from resolvers.security_event import record
from settings import Settings

log = structlog.get_logger("security")

MOST_WAITING = 1_000
# A client that asks again and again for what it may not see is told of once in this time, and not once a request.
SAME_SECONDS = 60.0
MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry to be written."""

    tenant_id: UUID
    type: SecurityEventType
    visitor: Visitor
    actor: str | None
    user_id: UUID | None = None
    api_key_id: UUID | None = None
    details: dict[str, Any] = field(default_factory=dict)


class SecurityLog:
    """Writes entries one after the other, in a task of its own."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._waiting: asyncio.Queue[Entry] = asyncio.Queue(MOST_WAITING)
        self._told: OrderedDict[tuple[object, ...], float] = OrderedDict()
        self._task: asyncio.Task[None] | None = None

    def note(self, entry: Entry) -> None:
        """Have an entry written soon. Beyond a thousand that wait, further ones are only counted in the process's log."""
        try:
            self._waiting.put_nowait(entry)
        except asyncio.QueueFull:
            log.warning("security entry dropped", type=entry.type.value)

    def denied(self, principal: Principal, scope: str, visitor: Visitor) -> None:
        """Note that somebody asked for what the scope is missing for; once a minute for the same."""
        who = principal.session_id or principal.api_key_id
        now = monotonic()
        key = (who, scope)
        if now - self._told.get(key, -SAME_SECONDS) < SAME_SECONDS:
            return
        self._told[key] = now
        self._told.move_to_end(key)
        while len(self._told) > MOST_REMEMBERED:
            self._told.popitem(last=False)
        self.note(
            Entry(
                principal.tenant_id,
                SecurityEventType.ACCESS_DENIED,
                visitor,
                principal.actor,
                principal.user_id,
                principal.api_key_id,
                {"scope": scope},
            )
        )

    def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Write what waits, for a few seconds at most, and end."""
        try:
            async with asyncio.timeout(5):
                await self._waiting.join()
        except TimeoutError:
            log.warning("security entries lost", number=self._waiting.qsize())
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            entry = await self._waiting.get()
            try:
                await self._write(entry)
            except UNREACHABLE as error:
                log.warning("security entry lost", type=entry.type.value, error=type(error).__name__)
            except Exception:
                # One entry that cannot be written must not end the log for all others.
                log.exception("security entry broken", type=entry.type.value)
            finally:
                self._waiting.task_done()

    async def _write(self, entry: Entry) -> None:
        async with self._database.tenant(entry.tenant_id) as session:
            record(
                session,
                self._settings,
                entry.visitor,
                entry.tenant_id,
                entry.type,
                actor=entry.actor,
                user_id=entry.user_id,
                api_key_id=entry.api_key_id,
                **entry.details,
            )
