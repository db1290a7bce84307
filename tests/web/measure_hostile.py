"""CPU of each hostile document until it is refused: `python -m tests.web.measure_hostile`. A measurement, not a test."""

import asyncio
import time

from graphql import GraphQLError

from schema.limits import Limits
from schema.limits_cost import coerced_sizes, price
from schema.parsing import DocumentCache
from tests.web.hostile_documents import HOSTILE
from tests.web.sample_schema import schema

ROUNDS = 5


async def refusal(text: str) -> str:
    """Why the document is refused, by the steps that the edge takes."""
    cache = DocumentCache(schema, Limits())
    try:
        prepared = cache.read(text)
        facts = prepared.operation(None)
        sizes = coerced_sizes(facts.node, facts.size_variables, {})
        if price(facts.plan, prepared.facts.fragments, sizes, cache.limits) > cache.limits.cost:
            return "costs too much"
        return (await cache.validate(text, prepared))[0].message
    except GraphQLError as error:
        return error.message


async def main() -> None:
    """Print a line for each document, the dearest last: the median of the rounds in milliseconds of CPU."""
    lines = []
    for name, text in HOSTILE.items():
        times = []
        for _ in range(ROUNDS):
            begun = time.process_time()
            why = await refusal(text)
            times.append((time.process_time() - begun) * 1000)
        lines.append((sorted(times)[ROUNDS // 2], len(text), name, why.splitlines()[0][:70]))
    for milliseconds, size, name, why in sorted(lines):
        print(f"{milliseconds:7.2f} ms  {size:6} bytes  {name}: {why}")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
