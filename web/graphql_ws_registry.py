"""The open websockets of this process, found by whose they are, so that they end when the rights they were opened with do."""

from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Protocol
from uuid import UUID

from permissions.principal import Principal

UNAUTHORIZED = 4401
"""The log-in or key is gone: clients do not come back by themselves."""
FORBIDDEN = 4403
"""The rights have changed: clients come back, and get those of today."""
# A revocation is remembered for longer than a socket can take from reading its rights to being registered.
REMEMBERED_SECONDS = 60.0


class LiveConnection(Protocol):
    """An acknowledged websocket."""

    @property
    def principal(self) -> Principal | None:
        """Whose it is."""

    def close(self, code: int, reason: str) -> None:
        """Deliver nothing more from now on, and close."""


class ConnectionRegistry(Protocol):
    """Where websockets are entered while they live."""

    def register(self, connection: LiveConnection, since: float) -> None:
        """Enter one; it is closed at once when its rights went after `since` (monotonic seconds)."""

    def unregister(self, connection: LiveConnection) -> None:
        """Take one out."""

    def close_matching(
        self,
        *,
        tenant_id: UUID | None = None,
        user_id: UUID | None = None,
        session_id: UUID | None = None,
        api_key_id: UUID | None = None,
        code: int = FORBIDDEN,
        reason: str = "Rights have changed",
    ) -> int:
        """Close those of whom all the given ids match; how many there were."""


class LocalConnections:
    """The registry of one process. Call it on the event loop alone.

    Args:
        now: a clock in seconds, the one that `since` is read from.
    """

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self.now = now
        self._open: dict[UUID | None, set[LiveConnection]] = {}
        self._closed: deque[tuple[float, dict[str, UUID], int, str]] = deque()

    def __len__(self) -> int:
        return sum(len(each) for each in self._open.values())

    def register(self, connection: LiveConnection, since: float) -> None:
        """Enter a connection; see `ConnectionRegistry`."""
        self._open.setdefault(_tenant(connection), set()).add(connection)
        # The rights were read at `since` or later, and may have gone before the connection could be found here.
        for at, wanted, code, reason in self._closed:
            if at >= since and _matches(connection, wanted):
                connection.close(code, reason)

    def unregister(self, connection: LiveConnection) -> None:
        """Take a connection out."""
        tenant = _tenant(connection)
        connections = self._open.get(tenant)
        if connections is not None:
            connections.discard(connection)
            if not connections:
                del self._open[tenant]

    def close_matching(
        self,
        *,
        tenant_id: UUID | None = None,
        user_id: UUID | None = None,
        session_id: UUID | None = None,
        api_key_id: UUID | None = None,
        code: int = FORBIDDEN,
        reason: str = "Rights have changed",
    ) -> int:
        """Close matching connections; see `ConnectionRegistry`.

        Raises:
            ValueError: no id is given, which would close everybody's.
        """
        named = {"tenant_id": tenant_id, "user_id": user_id, "session_id": session_id, "api_key_id": api_key_id}
        wanted = {name: value for name, value in named.items() if value is not None}
        if not wanted:
            raise ValueError("close_matching needs at least one id")
        now = self.now()
        self._closed.append((now, wanted, code, reason))
        while self._closed and self._closed[0][0] < now - REMEMBERED_SECONDS:
            self._closed.popleft()
        candidates = [self._open.get(tenant_id, set())] if tenant_id is not None else list(self._open.values())
        found = [each for connections in candidates for each in connections if _matches(each, wanted)]
        for connection in found:
            connection.close(code, reason)
        return len(found)


def _tenant(connection: LiveConnection) -> UUID | None:
    return connection.principal.tenant_id if connection.principal else None


def _matches(connection: LiveConnection, wanted: dict[str, UUID]) -> bool:
    principal = connection.principal
    return principal is not None and all(getattr(principal, name) == value for name, value in wanted.items())
