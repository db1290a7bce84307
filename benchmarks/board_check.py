"""That the servers of the board's benchmark answer the same, before any of them is measured.

Ours, the ceiling and stock answer the same bytes in `data`. PostGraphile names and nests otherwise, so that its bytes differ; of it the
same appointments are wanted in the same order, each with its version, status, customer, technician and services.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from benchmarks.board_change import changed, restore
from benchmarks.board_data import Business
from benchmarks.board_load import one
from benchmarks.board_queries import BUSINESSES_ASKED, CHANGES, LOADS, POSTGRAPHILE, STOCK, requests_of


def servers_for(load: str, servers: Sequence[str]) -> list[str]:
    """Who does that load: stock has no mutations."""
    return [each for each in servers if each != STOCK or load not in CHANGES]


async def check(
    ports: Mapping[str, int], businesses: Sequence[Business], superuser_url: str, loads: Sequence[str] = LOADS
) -> dict[str, int]:
    """Make sure that all answer the same; the bytes of an answer of ours, or of whoever comes first, by load.

    Raises:
        ValueError: they do not.
    """
    sizes = {}
    for load in loads:
        for at in range(min(BUSINESSES_ASKED, len(businesses))):
            answers = {}
            for server in servers_for(load, list(ports)):
                answers[server] = orjson.loads(await one(ports[server], requests_of(server, load, businesses)[at]))
                if load in CHANGES:
                    if changed(superuser_url, businesses) != 1:
                        raise ValueError(f"{load}: {server} changed nothing: {answers[server]}")
                    restore(superuser_url, businesses)
            exact = {server: orjson.dumps(each["data"]) for server, each in answers.items() if server != POSTGRAPHILE}
            told = {server: orjson.dumps(list(visits_in(each["data"]))) for server, each in answers.items()}
            if len(set(exact.values())) > 1 or len(set(told.values())) > 1:
                raise ValueError(f"{load}: the answers differ: {answers}")
            sizes[load] = len(orjson.dumps(next(iter(answers.values()))["data"]))
            if load in CHANGES:
                break
    return sizes


def visits_in(found: Any) -> Iterator[list[Any]]:
    """What both shapes tell of each appointment, in the order of the answer."""
    if isinstance(found, list):
        for each in found:
            yield from visits_in(each)
    elif isinstance(found, dict) and "number" in found:
        lines = found.get("lines", [])
        lines = lines["nodes"] if isinstance(lines, dict) else lines
        services = [[line["quantity"], line["service"]["id"], line["service"]["name"]] for line in lines]
        names = [found[who] and found[who]["name"] for who in ("customer", "technician") if who in found]
        yield [found["id"], found["number"], found["version"], found["status"], *names, services]
    elif isinstance(found, dict):
        for each in found.values():
            yield from visits_in(each)
