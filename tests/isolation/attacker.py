"""Somebody of one business who tries the ids of another, and what the answers give away."""

import asyncio
import json
import random
import re
from dataclasses import dataclass, field
from typing import Any

import httpx
import websockets

from domain.ids import Prefix, encode, new_id
from tests.isolation.operations import Operation, Slot
from tests.isolation.tenants import Tenant
from tests.service import Client
from tests.world import PASSWORD

_ID = re.compile(r"\b[a-z]{2,5}_[0-7][0-9a-hjkmnp-tv-z]{25}\b")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
_VARYING = re.compile(r'"(requestId|retryAfter)":\s*("[^"]*"|\d+)|try again in \d+ s')
REACHED = ("NOT_FOUND", "BAD_USER_INPUT")


def random_id(prefix: Prefix) -> str:
    """The id of nothing."""
    return encode(prefix, new_id())


@dataclass
class Attacker:
    """One caller of the attacking business, with its log-in or key."""

    own: Tenant
    victim: Tenant
    client: Client
    rng: random.Random
    canary: str
    email: str | None = None
    seen: int = 0
    patience: float = 0.0
    reached: set[str] = field(default_factory=set)

    async def compare(self, operation: Operation, foreign: set[str]) -> str | None:
        """Send an operation with the victim's ids in the named slots, then with ids of nothing in the same.

        Returns:
            what differs, or None.
        """
        kinds = {slot.path: slot.prefix or self.rng.choice(list(self.victim.ids)) for slot in operation.slots}
        theirs = {path: self.rng.choice(self.victim.ids[kind]) for path, kind in kinds.items() if path in foreign}
        cursor = self.rng.choice([None, self.rng.choice(self.victim.cursors), "bm90IGEgY3Vyc29y"])

        def with_ids(of: dict[str, str]) -> dict[str, Any]:
            def id_of(slot: Slot) -> str:
                if slot.path in foreign:
                    return of[slot.path]
                return self.own.ids[kinds[slot.path]][-1]

            return operation.filled(id_of, lambda: cursor)

        sent = frozenset(theirs[path] for path in foreign)
        nothing = {path: random_id(kind) for path, kind in kinds.items()}
        first, second = (
            await self.send(operation, with_ids(theirs), sent),
            await self.send(operation, with_ids(nothing)),
        )
        if first != second and operation.kind == "subscription":
            # An error comes when it comes: before two answers count as different each gets its time.
            self.patience = 2.0
            first, second = (
                await self.send(operation, with_ids(theirs), sent),
                await self.send(operation, with_ids(nothing)),
            )
            self.patience = 0.0
        if first != second:
            return f"{operation.document}\n{with_ids(theirs)}\nforeign: {first}\nrandom:  {second}"
        self._note(operation, foreign, first)
        return None

    async def send(self, operation: Operation, variables: dict[str, Any], sent: frozenset[str] = frozenset()) -> str:
        """The answer's status and body, without what varies by itself; the victim's data in it fails the test."""
        self.seen += 1
        if operation.kind == "subscription":
            text = await listened(self.client, operation, variables, self.patience)
        else:
            answer = await self.client.post(operation.document, **variables)
            text = f"{answer.status_code} {_shown(answer)}"
        self.leaks(text, sent)
        return _VARYING.sub("…", _TIME.sub("<time>", _ID.sub("<id>", text)))

    def leaks(self, text: str, sent: frozenset[str] = frozenset()) -> None:
        """Fail when a text holds anything of the victim."""
        assert self.canary not in text, text
        mine = {each for ids in self.own.ids.values() for each in ids}
        found = set(_ID.findall(text)) & {each for ids in self.victim.ids.values() for each in ids}
        assert found <= sent | mine, (found, text)

    async def stay(self) -> None:
        """Log in again, if an operation has ended the session."""
        if self.email is None or (await self.client.ask("{ viewer { user { email } } }"))["viewer"] == {
            "user": {"email": self.email}
        }:
            return
        self.client.http.cookies.clear()
        done = await self.client.do("logIn", email=self.email, password=PASSWORD)
        assert done["userErrors"] == [], done

    def _note(self, operation: Operation, foreign: set[str], answer: str) -> None:
        nothing = '"it":null' in answer or '"it":[null' in answer or "[]" in answer or '"totalCount":0' in answer
        if nothing or any(code in answer for code in REACHED) or operation.kind == "subscription":
            self.reached |= {f"{operation.field}:{path}" for path in foreign}


def _shown(answer: httpx.Response) -> str:
    body = answer.json()
    body.pop("extensions", None)
    return json.dumps(body, separators=(",", ":"))


async def listened(client: Client, operation: Operation, variables: dict[str, Any], patience: float) -> str:
    """What a subscription answers before an operation behind it has been answered, and then for so many seconds."""
    headers = dict(client.cookie_header) if client.http.cookies else {}
    if key := client.http.headers.get("authorization"):
        headers["authorization"] = key
    async with websockets.connect(
        client.url.replace("http", "ws", 1),
        subprotocols=[websockets.Subprotocol("graphql-transport-ws")],
        additional_headers=headers,
    ) as socket:
        await socket.send('{"type": "connection_init"}')
        await socket.recv()
        heard = []
        for id_, payload in (
            ("1", {"query": operation.document, "variables": variables}),
            ("2", {"query": "{ viewer { scopes } }"}),
        ):
            await socket.send(json.dumps({"type": "subscribe", "id": id_, "payload": payload}))
        answered = False
        while not answered or patience:
            try:
                message = json.loads(await asyncio.wait_for(socket.recv(), patience if answered else 10))
            except TimeoutError:
                break
            answered = answered or (message["type"] == "complete" and message["id"] == "2")
            if message["id"] == "1":
                heard.append(message)
                if message["type"] != "next":
                    break
        return json.dumps(heard)
