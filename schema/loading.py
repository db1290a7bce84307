"""Loaders whose rows may be there already: a relation that finds its row costs neither a task nor a future."""

from asyncio import Future, get_running_loop
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from strawberry.dataloader import DataLoader

from models.database import Transaction
from models.prepared import Readable
from resolvers.caller import Caller

V = TypeVar("V")
R = TypeVar("R")
Read = Callable[[Transaction, Sequence[UUID]], Awaitable[Mapping[UUID, V]]]


class Loader(DataLoader[UUID, V], Generic[V]):
    """Values by id.

    What is typed as answering a field's value may answer an awaitable of it: the executor takes either, and only what
    has to be waited for is.

    Args:
        read: the values that there are, by id.
        missing: the value of an id that it has not found.
        prepared: `read` makes use of prepared reads alone.
    """

    def __init__(self, caller: Caller, read: Read[V], missing: Callable[[], V], *, prepared: bool = False) -> None:
        async def load(keys: list[UUID]) -> list[V]:
            async with caller.looking() if prepared else caller.reading() as session:
                found = await read(cast("Transaction", session), keys)
            return [found[key] if key in found else missing() for key in keys]

        super().__init__(load_fn=load)
        self._read, self._missing = read, missing
        # Beside the futures of what is waited for: neither a future nor a task is made of what is read ahead.
        self._here: dict[UUID, V] = {}

    def load(self, key: UUID) -> "Future[V]":
        """The value's future."""
        if key in self._here:
            future: Future[V] = get_running_loop().create_future()
            future.set_result(self._here[key])
            return future
        return cast("Future[V]", super().load(key))

    def add(self, values: Mapping[UUID, V]) -> None:
        """Values that were read on another way."""
        self._here.update(values)

    async def ahead(self, session: Readable, keys: Iterable[UUID | None]) -> Mapping[UUID, V]:
        """Load what is going to be asked for in a transaction that is open anyway; what was found now.

        What was read ahead already is left out; what others are loading is never waited for: that may take a connection,
        and the caller holds one.
        """
        wanted = {key for key in keys if key is not None} - self._here.keys()
        if not wanted:
            return {}
        found = await self._read(cast("Transaction", session), list(wanted))
        self.add(found)
        for key in wanted - found.keys():
            self._here[key] = self._missing()
        return found

    def _then(self, key: UUID, convert: Callable[[V], R]) -> R:
        if key in self._here:
            return convert(self._here[key])
        future = self.load(key)
        return convert(future.result()) if future.done() else cast("R", _later(future, convert))


async def _later(future: Awaitable[V], convert: Callable[[V], R]) -> R:
    return convert(await future)


class RowLoader(Loader[V | None], Generic[V]):
    """Rows by id; an id of nobody, or of another tenant, is None."""

    def __init__(self, caller: Caller, read: Read[V | None], *, prepared: bool = False) -> None:
        super().__init__(caller, read, lambda: None, prepared=prepared)
        self._made: dict[Hashable, dict[UUID, Any]] = {}

    def one(self, key: UUID, convert: Callable[[V], R]) -> R:
        """The object of a row that there must be, one for all who ask.

        Raises:
            LookupError: there is none.
        """
        return cast("R", self.maybe(key, convert, needed=True))

    def maybe(self, key: UUID | None, convert: Callable[[V], R], *, needed: bool = False) -> R | None:
        """The object of a row, one for all who ask, or None."""
        if key is None:
            return None
        # A hundred appointments have twenty technicians.
        made = self._made.setdefault(convert, {})
        if key in made:
            return cast("R", made[key])

        def make(row: V | None) -> R | None:
            if row is None:
                if needed:
                    raise LookupError(f"{key} is named and gone")
                return None
            return cast("R", made.setdefault(key, convert(row)))

        return self._then(key, make)


class ListLoader(Loader[list[V]], Generic[V]):
    """Lists of rows by the id that they belong to."""

    def __init__(self, caller: Caller, read: Read[list[V]]) -> None:
        super().__init__(caller, read, list)

    def each(self, key: UUID, convert: Callable[[V], R]) -> list[R]:
        """The objects of the rows."""
        return self._then(key, lambda rows: [convert(row) for row in rows])
