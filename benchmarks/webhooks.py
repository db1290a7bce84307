"""How many of Stripe's webhooks a server takes in a second: proved, kept, done and answered, over HTTP on loopback.

Run it as `DATABASE_URL=postgresql://… python -m benchmarks.webhooks` on a migrated database of its own, as the app's role.
The processor time is the server's alone, without the database's; it tells more than the rate where other work goes on beside it.
"""

import argparse
import asyncio
import hashlib
import hmac
import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from domain.ids import Prefix, encode, new_id
from domain.tenant import TenantStatus
from models.billing import lock_account
from models.database import Database
from models.tenant import Tenant

SECRET = "whsec_benchmark"  # noqa: S105 (nobody's)


def signed(event: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """An event as Stripe sends it."""
    body, moment = json.dumps(event).encode(), int(time.time())
    proof = hmac.new(SECRET.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return body, {"stripe-signature": f"t={moment},v1={proof}", "content-type": "application/json"}


def event_of(number: int, tenant: str, kind: str) -> dict[str, Any]:
    """A report of the tenant's subscription, or of nothing that anybody knows."""
    run = os.getpid()
    now = int(time.time())
    item = {"id": "si_1", "price": {"lookup_key": "sps_pro_monthly"}, "current_period_start": now - 1_000,
            "current_period_end": now + 2_000_000}  # fmt: skip
    subscription = {
        "object": "subscription", "id": f"sub_{tenant}", "status": "active", "customer": f"cus_{tenant}", "created": now,
        "metadata": {"tenant_id": tenant}, "items": {"data": [item]}, "start_date": now - 1_000,
        "padding": "x" * 3_000,
    }  # fmt: skip
    type_ = "customer.subscription.updated" if kind == "known" else "product.updated"
    subject = subscription if kind == "known" else {"object": "product", "id": "prod_1", "padding": "x" * 3_000}
    return {"id": f"evt_{run}_{kind}_{number}", "object": "event", "type": type_, "created": now, "data": {"object": subject}}  # fmt: skip


async def businesses(url: str, count: int) -> list[str]:
    """Make some, each with an account."""
    database = Database(url)
    made = []
    for number in range(count):
        tenant_id = new_id()
        async with database.tenant(tenant_id) as session:
            session.add(Tenant(id=tenant_id, name=f"B{number}", email="b@example.com", status=TenantStatus.TRIALING))
            await session.flush()
            account = await lock_account(session, tenant_id, bills=True)
            if account is not None:
                account.customer_id = f"cus_{encode(Prefix.TENANT, tenant_id)}"
        made.append(encode(Prefix.TENANT, tenant_id))
    await database.close()
    return made


async def measure(origin: str, events: list[dict[str, Any]], at_once: int) -> tuple[float, list[float]]:
    """Events a second, and how long each took, in milliseconds."""
    limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    waits: list[float] = []
    waiting = iter(events)
    async with httpx.AsyncClient(limits=limits, timeout=60) as http:

        async def send() -> None:
            for event in waiting:
                body, headers = signed(event)
                began = time.perf_counter()
                answer = await http.post(f"{origin}/webhooks/stripe", content=body, headers=headers)
                answer.raise_for_status()
                waits.append((time.perf_counter() - began) * 1_000)

        began = time.perf_counter()
        await asyncio.gather(*(send() for _ in range(at_once)))
        return len(events) / (time.perf_counter() - began), sorted(waits)


def processor_s(pid: int) -> float:
    """Processor time of a process so far, in seconds (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def ready(origin: str) -> None:
    """Wait for the server."""
    async with httpx.AsyncClient() as http:
        while True:
            try:
                if (await http.get(f"{origin}/health/ready")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.1)


async def main(url: str, count: int, tenants: int, at_once: int) -> None:
    """Measure, and print."""
    names = await businesses(url, tenants)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    environment = os.environ | {
        "SPS_PORT": str(port),
        "STRIPE_SECRET_KEY": "sk_test_x",
        "STRIPE_WEBHOOK_SECRET": SECRET,
    }
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "cli", "serve", env=environment | {"PYTHONPATH": "."},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    origin = f"http://127.0.0.1:{port}"
    try:
        await ready(origin)
        known = [event_of(number, names[number % tenants], "known") for number in range(count)]
        unknown = [event_of(number, names[0], "unknown") for number in range(count)]
        await measure(origin, [event_of(-number, names[0], "unknown") for number in range(1, 200)], at_once)
        for name, events in (("new, of a type that is used", known), ("the same again", known), ("of an unknown type", unknown)):  # fmt: skip
            before = processor_s(server.pid)
            rate, waits = await measure(origin, events, at_once)
            used = (processor_s(server.pid) - before) / len(events) * 1_000
            print(
                f"{name:28} {rate:6.0f}/s   p50 {waits[len(waits) // 2]:6.1f} ms   p99 {waits[int(len(waits) * 0.99)]:6.1f} ms"
                f"   server's processor {used:5.2f} ms"
            )
    finally:
        server.terminate()
        await server.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=2_000)
    parser.add_argument("--tenants", type=int, default=50)
    parser.add_argument("--at-once", type=int, default=16)
    chosen = parser.parse_args()
    asyncio.run(main(os.environ["DATABASE_URL"], chosen.events, chosen.tenants, chosen.at_once))
