"""Closes websockets when the rights that they were opened with are gone: at once when told, within seconds in any case."""

import asyncio
from contextlib import suppress
from time import monotonic
from uuid import UUID

import structlog

from models.database import Database
from models.errors import UNREACHABLE
from models.rights import RIGHTS_CHANNEL, Rights, RightsChange, rights_of
from permissions.principal import Principal
from permissions.scopes import scopes_of
from subscriptions.backends import GAP
from subscriptions.hub import Hub
from web.graphql_ws_registry import FORBIDDEN, UNAUTHORIZED, LiveConnection, LocalConnections

log = structlog.get_logger("rights")

# A signal may be lost, and a session's or key's time may run out: what nobody tells is found by looking.
SWEEP_S = 2.0
BATCH = 1_000


class RightsWatch(LocalConnections):
    """The registry of one process, which keeps an eye on whether its sockets may still be open.

    Three ways lead to a close. A signal names a session, user, key or tenant, and closes what it names. A sweep asks the
    database what the sessions and keys of all open sockets stand for now. And the hub asks before it delivers events that
    were committed after a change of the tenant's rights, so that none of them reaches somebody who has lost them.
    """

    def __init__(self, database: Database, hub: Hub) -> None:
        super().__init__(monotonic)
        self._database = database
        self._hub = hub
        self._all: set[LiveConnection] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def register(self, connection: LiveConnection, since: float) -> None:
        """Enter a connection; see `ConnectionRegistry`."""
        self._all.add(connection)
        super().register(connection, since)

    def unregister(self, connection: LiveConnection) -> None:
        """Take a connection out."""
        self._all.discard(connection)
        super().unregister(connection)

    def start(self) -> None:
        """Begin to watch; the hub has been started."""
        self._hub.before_delivery = self.check
        self._tasks = {asyncio.create_task(self._listen()), asyncio.create_task(self._sweep())}

    async def stop(self) -> None:
        """Stop watching."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def check(self, tenant_id: UUID | None = None) -> None:
        """Close the sockets, of one tenant or all, whose rights are not what they were when they were opened.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database does not tell.
        """
        watched = [
            (each, principal)
            for each in self._all
            if (principal := each.principal) is not None and tenant_id in (None, principal.tenant_id)
        ]
        for start in range(0, len(watched), BATCH):
            await self._check(watched[start : start + BATCH])

    async def _check(self, watched: list[tuple[LiveConnection, Principal]]) -> None:
        sessions = {principal.session_id for _, principal in watched if principal.session_id}
        keys = {principal.api_key_id for _, principal in watched if principal.api_key_id}
        async with self._database.anonymous() as session:
            found = await rights_of(session, list(sessions), list(keys))
        for connection, principal in watched:
            now = found.get(principal.session_id or principal.api_key_id or UUID(int=0))
            if now is None:
                connection.close(UNAUTHORIZED, "The log-in or key has ended")
            elif _differs(principal, now):
                connection.close(FORBIDDEN, "Rights have changed")

    async def _listen(self) -> None:
        async with self._hub.signals(RIGHTS_CHANNEL) as signals:
            while True:
                message = (await signals.get()).message
                if message == GAP:
                    with suppress(*UNREACHABLE):
                        await self.check()
                else:
                    self._heard(message)

    def _heard(self, message: str) -> None:
        try:
            tenant, change, subject = message.split(":")
            tenant_id, subject_id, kind = UUID(tenant), UUID(subject), RightsChange(change)
        except ValueError:
            log.warning("unknown signal of rights")
            return
        match kind:
            case RightsChange.SESSION_ENDED:
                self.close_matching(
                    tenant_id=tenant_id, session_id=subject_id, code=UNAUTHORIZED, reason="The log-in has ended"
                )
            case RightsChange.USER_OUT:
                self.close_matching(
                    tenant_id=tenant_id, user_id=subject_id, code=UNAUTHORIZED, reason="The log-in has ended"
                )
            case RightsChange.KEY_REVOKED:
                self.close_matching(
                    tenant_id=tenant_id, api_key_id=subject_id, code=UNAUTHORIZED, reason="The API key was revoked"
                )
            case RightsChange.ROLE_CHANGED:
                self.close_matching(tenant_id=tenant_id, user_id=subject_id)
            case RightsChange.RULES_CHANGED:
                self.close_matching(tenant_id=tenant_id)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                await self.check()
            except UNREACHABLE as error:
                log.warning("rights not checked", error=type(error).__name__)


def _differs(principal: Principal, now: Rights) -> bool:
    if principal.api_key_id is not None:
        return False
    return (
        now.role is not principal.role
        or now.technician_id != principal.technician_id
        or now.second_factor_missing is not principal.second_factor_missing
        or (now.role is not None and not now.second_factor_missing and principal.scopes != scopes_of(now.role))
    )
