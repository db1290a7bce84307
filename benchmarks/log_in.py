"""Does the time of a log-in tell whether an address has an account? Wrong passwords at known and unknown ones, interleaved.

    python -m benchmarks.log_in [--tries 1000]

Starts a PostgreSQL and a server of its own. Each try comes from an address of its own and each account is tried at most 8 times, so
that the throttle, which counts known and unknown alike, stays out of the way. The interval is a bootstrap of the difference of medians.
"""

import argparse
import asyncio
import random
import statistics
import time

import httpx

from integrations.embedded_postgres import temporary_postgres
from models.migrate import upgrade
from tests.process import free_port, process, wait_until_ready

TRIES_AT_ONE = 8
LOG_IN = "mutation ($input: LogInInput!) { logIn(input: $input) { userErrors { code } } }"
SIGN_UP = "mutation ($input: SignUpInput!) { signUp(input: $input) { userErrors { code } } }"
PASSWORD = "correct horse battery staple"  # noqa: S105 (of a throw-away database)


async def run(database_url: str, tries: int) -> dict[str, list[float]]:
    """Milliseconds of each try, by kind."""
    port, accounts = free_port(), -(-tries // TRIES_AT_ONE)
    with process("serve", "--port", str(port), DATABASE_URL=database_url, SPS_TRUSTED_PROXIES="127.0.0.1"):
        await asyncio.to_thread(wait_until_ready, port)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:

            async def post(query: str, number: int, **values: str) -> str:
                place = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
                answer = await http.post(
                    "/graphql",
                    json={"query": query, "variables": {"input": values}},
                    headers={"x-forwarded-for": place, "x-forwarded-proto": "https"},
                )
                http.cookies.clear()
                return answer.text

            for number in range(accounts):
                made = await post(
                    SIGN_UP, number, businessName=f"Bench {number}", name="B", email=f"known{number}@example.com", password=PASSWORD
                )  # fmt: skip
                if '"userErrors":[]' not in made:
                    raise RuntimeError(made)
            found: dict[str, list[float]] = {"known": [], "unknown": []}
            order = [kind for kind in found for _ in range(tries)]
            random.Random(1).shuffle(order)
            for number, kind in enumerate(order):
                email = f"{kind}{len(found[kind]) % accounts}@example.com"
                started = time.perf_counter()
                text = await post(LOG_IN, 100_000 + number, email=email, password="not the right password")  # noqa: S106 (wrong on purpose)
                found[kind].append((time.perf_counter() - started) * 1000)
                if "INVALID_CREDENTIALS" not in text:
                    raise RuntimeError(text)
            return found


def interval(a: list[float], b: list[float], rounds: int = 2_000) -> tuple[float, float]:
    """The middle 95 % of differences of medians over resampled tries."""
    rng = random.Random(1)
    differences = sorted(
        statistics.median(rng.choices(a, k=len(a))) - statistics.median(rng.choices(b, k=len(b))) for _ in range(rounds)
    )
    return differences[rounds // 40], differences[-rounds // 40]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tries", type=int, default=1_000, help="of each kind")
    tries = parser.parse_args().tries
    with temporary_postgres() as server:
        upgrade(server.url("sps", "sps_owner"), "sps_app")
        found = asyncio.run(run(server.url("sps", "sps_app"), tries))
    for kind, times in found.items():
        p95 = statistics.quantiles(times, n=20)[-1]
        print(f"{kind:8} {len(times)} tries, median {statistics.median(times):.2f} ms, p95 {p95:.2f} ms")
    low, high = interval(found["known"], found["unknown"])
    print(f"known - unknown: median differs by {low:+.2f} to {high:+.2f} ms (95 %)")


if __name__ == "__main__":
    main()
