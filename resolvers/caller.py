"""What a use case is given: who asks, and the way to the database."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from models.database import Database, Transaction
from models.prepared import Readable
from models.tenant import require_open
from permissions.principal import Principal
from permissions.visitor import UNKNOWN, Visitor
from settings import Settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal with a database: transactions of use cases belong to the principal's tenant, and to no other."""

    principal: Principal
    database: Database
    settings: Settings
    visitor: Visitor = UNKNOWN

    @property
    def tenant_id(self) -> UUID:
        """The tenant of everything that this caller reads and writes."""
        return self.principal.tenant_id

    @property
    def visited_by(self) -> UUID | None:
        """The technician whose appointments alone this caller may see; None: all. A technician's log-in that no
        technician belongs to sees none."""
        if not self.principal.own_only:
            return None
        return self.principal.technician_id or UUID(int=0)

    def sees_work_of(self, technician_id: UUID | None) -> bool:
        """Whether the caller may see what a technician (None: nobody yet) has to do, and for whom."""
        return self.visited_by in (None, technician_id)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """A short transaction for one read."""
        async with self.database.tenant(self.tenant_id) as session:
            yield session

    def looking(self, *, one_moment: bool = False) -> AbstractAsyncContextManager[Readable]:
        """The same for reads that are prepared; see `Database.reading`."""
        return self.database.reading(self.tenant_id, one_moment=one_moment)

    async def transact(
        self, work: Callable[[Transaction], Awaitable[T]], *, even_cancelled: bool = False, opened: bool = False
    ) -> T:
        """Run a change; see `Database.transact`.

        Args:
            even_cancelled: for the few changes that a cancelled business may still make.
            opened: `work` makes sure itself that the business is open, in its first statement.

        Raises:
            Refusal: TENANT_CANCELLED, or what `work` and `Database.transact` raise.
        """

        async def change(session: Transaction) -> T:
            if not (even_cancelled or opened):
                await require_open(session)
            return await work(session)

        return await self.database.transact(self.tenant_id, change)
