"""A crowd: an event is made once and written to all who wait for it, and comes to all others as if there were no crowd."""

import asyncio
import gc
from typing import Any

import pytest

from subscriptions.crowd import FAIR_SHARE, MOST_WAITING, Outlet, TenantStream
from subscriptions.errors import Lagged
from tests.events.members import Socket, cancelled, event, quiet


async def test_who_waits_for_the_event_has_it_written_and_is_not_woken() -> None:
    stream, sockets = TenantStream(), [Socket() for _ in range(3)]
    tasks = [asyncio.create_task(each.read(each.enter(stream))) for each in sockets]
    alone = stream.enter(None, lambda each: each)
    assert stream.subscribers == 4
    await quiet()
    for seq in (1, 2):
        stream.give(event(seq))
    await quiet()
    assert [(each.written, each.queued) for each in sockets] == [([1, 2], [])] * 3
    assert [seq for each in sockets for seq in each.made] == [1, 2]
    assert alone.waiting.qsize() == 2
    await cancelled(*tasks)


async def test_who_is_in_the_middle_of_something_has_it_queued() -> None:
    stream, socket = TenantStream(), Socket()
    subscriber = socket.enter(stream)
    stream.give(event(1))
    stream.give(event(2))
    await quiet()
    assert (socket.written, subscriber.waiting.qsize()) == ([], 2)
    task = asyncio.create_task(socket.read(subscriber))
    await quiet()
    stream.give(event(3))
    await quiet()
    assert (socket.queued, socket.written) == ([1, 2], [3])
    await cancelled(task)


async def test_who_takes_nothing_at_the_moment_has_it_queued_and_nothing_written_before_it() -> None:
    stream, slow, quick = TenantStream(), Socket(full=1), Socket()
    tasks = [asyncio.create_task(each.read(each.enter(stream))) for each in (slow, quick)]
    await quiet()
    # It takes the second again before its task has run for the first.
    stream.give(event(1))
    stream.give(event(2))
    await quiet()
    stream.give(event(3))
    await quiet()
    assert (slow.queued, slow.written) == ([1, 2], [3])
    assert quick.written == [1, 2, 3]
    await cancelled(*tasks)


async def test_who_is_behind_or_ahead_has_it_queued() -> None:
    stream = TenantStream()
    behind, ahead, there = Socket(), Socket(), Socket()
    tasks = [
        asyncio.create_task(each.read(each.enter(stream, position)))
        for each, position in ((behind, 1), (ahead, 9), (there, 4))
    ]
    await quiet()
    stream.give(event(5))
    await quiet()
    assert [each.written for each in (behind, ahead, there)] == [[], [], [5]]
    assert [each.queued for each in (behind, ahead, there)] == [[5], [5], []]
    await cancelled(*tasks)


async def test_other_groups_make_their_own_and_do_not_wait_for_one_another() -> None:
    stream, slow, other = TenantStream(), Socket(group=1), Socket(group=2)
    slow.making.clear()
    tasks = [asyncio.create_task(each.read(each.enter(stream))) for each in (slow, other)]
    await quiet()
    stream.give(event(1))
    await quiet()
    assert (slow.written, other.written) == ([], [1])
    slow.making.set()
    await quiet()
    assert slow.written == [1]
    await cancelled(*tasks)


async def test_one_who_cannot_be_written_to_costs_the_others_nothing() -> None:
    stream, sockets = TenantStream(), [Socket(broken=True), Socket()]
    tasks = [asyncio.create_task(each.read(each.enter(stream))) for each in sockets]
    await quiet()
    stream.give(event(1))
    await quiet()
    assert [(each.written, each.queued) for each in sockets] == [([], [1]), ([1], [])]
    await cancelled(*tasks)


async def test_what_cannot_be_made_for_all_is_left_to_each() -> None:
    stream, sockets = TenantStream(), [Socket(), Socket()]

    async def broken(_: Any) -> bytes:
        raise TimeoutError

    members = [stream.enter(Outlet(each.group, broken, each.write), lambda each: each) for each in sockets]
    tasks = [asyncio.create_task(socket.read(member)) for socket, member in zip(sockets, members, strict=True)]
    await quiet()
    stream.give(event(1))
    await quiet()
    assert [(each.written, each.queued) for each in sockets] == [([], [1])] * 2
    await cancelled(*tasks)


async def test_events_do_not_pile_up_behind_a_payload_that_takes_long() -> None:
    stream, socket = TenantStream(), Socket()
    socket.making.clear()
    task = asyncio.create_task(socket.read(socket.enter(stream)))
    # Another one has not come so far as to wait.
    socket.enter(stream)
    await quiet()
    for seq in range(1, 3 * MOST_WAITING):
        stream.give(event(seq))
        await asyncio.sleep(0)
    with pytest.raises(Lagged):
        await asyncio.wait_for(task, 10)


async def test_when_all_have_gone_nothing_more_is_made_and_nothing_fails() -> None:
    failures: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    stream, socket = TenantStream(), Socket()
    socket.making.clear()
    subscriber = socket.enter(stream)
    stream.give(event(1))
    stream.give(event(2))
    await quiet()
    stream.leave(subscriber)
    assert (stream.subscribers, stream.crowds) == (0, {})
    socket.making.set()
    await quiet()
    # A task's failure is told when it is let go.
    gc.collect()
    assert (socket.made, socket.written, failures) == ([1], [], [])


async def test_others_get_their_turn_while_many_are_written_to() -> None:
    stream, seen = TenantStream(), []
    written: list[bytes] = []

    def write(payload: bytes) -> bool:
        if not written:
            asyncio.get_running_loop().call_soon(lambda: seen.append(len(written)))
        written.append(payload)
        return True

    source = Socket()
    tasks = [
        asyncio.create_task(source.read(stream.enter(Outlet("all", source.payload, write), lambda each: each)))
        for _ in range(3 * FAIR_SHARE)
    ]
    await quiet()
    stream.give(event(1))
    await quiet()
    assert (seen, len(written)) == ([FAIR_SHARE], 3 * FAIR_SHARE)
    await cancelled(*tasks)
