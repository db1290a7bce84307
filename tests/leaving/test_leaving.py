"""Cancelling, coming back, and the days after: read-only at once, everything back within 90 days, nothing left on day 91."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from domain.ids import Prefix, decode, new_id
from models.database import Database
from models.purge import KEPT_AFTER_PURGE, due_upkeep, forget_tenants, purge_rows, purged_tables
from resolvers.purge import purge_tenant
from tests.access.people import PASSWORD as USERS_PASSWORD
from tests.access.people import Mailbox, add_user
from tests.export.furnish import furnish
from tests.export.test_export import ask as ask_export
from tests.files.bench import Bench
from tests.files.samples import picture
from tests.files.test_upload import token_of
from tests.service import Client
from tests.world import PASSWORD, new_world

TENANT = "tenant { status purgeAt } userErrors { code path message }"
DAY = timedelta(days=1)


async def cancel(bench: Bench, **given: Any) -> Any:
    return await bench.world.api.do("accountCancel", TENANT, **({"password": PASSWORD} | given))


async def restore(client: Client) -> Any:
    return (await client.ask(f"mutation {{ accountRestore {{ {TENANT} }} }}"))["accountRestore"]


def codes(payload: Any) -> list[str]:
    return [each["code"] for each in payload["userErrors"]]


def cancelled_ago(owner_url: str, tenant: UUID, ago: timedelta) -> None:
    """Move the cancellation back in time."""
    with psycopg.connect(owner_url) as connection:
        connection.execute("SELECT set_config('app.tenant_id', %s, false)", [str(tenant)])
        connection.execute(
            "UPDATE tenants SET cancelled_at = cancelled_at - %(ago)s, purge_after = purge_after - %(ago)s",
            {"ago": ago},
        )


def counts(owner_url: str, tenant: UUID) -> dict[str, int]:
    """How many rows a business has in each table that a purge empties."""
    with psycopg.connect(owner_url) as connection:
        connection.execute("SELECT set_config('app.tenant_id', %s, false)", [str(tenant)])
        found = {}
        for table in purged_tables():
            row = connection.execute(f"SELECT count(*) FROM {table} WHERE tenant_id = %s", [tenant]).fetchone()  # noqa: S608
            found[table] = int(row[0]) if row else 0
        return found


async def due(database: Database, moment: datetime) -> set[UUID]:
    async with database.anonymous() as session:
        return {each.tenant_id for each in await due_upkeep(session, moment, 1_000) if each.task == "purge"}


async def test_cancelling_needs_the_password_again(folder: Bench) -> None:
    refused = await cancel(folder, password="not the password at all")
    assert codes(refused) == ["INVALID_CREDENTIALS"]
    assert (await folder.world.api.ask("{ tenant { status } }"))["tenant"]["status"] == "TRIALING"


async def test_a_cancelled_account_is_read_only_at_once(folder: Bench) -> None:
    api, world = folder.world.api, folder.world
    visit = await world.book()
    made = await cancel(folder, reason="Retiring")
    assert codes(made) == []
    assert made["tenant"]["status"] == "CANCELLED"
    purge_at = datetime.fromisoformat(made["tenant"]["purgeAt"])
    assert timedelta(days=89, hours=23) < purge_at - datetime.now(UTC) <= timedelta(days=90)
    refused = [
        await api.do("customerCreate", name="Late Larry"),
        await api.do("customerUpdate", customerId=world.customer, name="Late Larry"),
        await api.do("appointmentCreate", locationId=world.location, customerId=world.customer, addressId=world.address, lines=[{"serviceId": world.offer}]),
        await api.do("appointmentCancel", appointmentId=visit["id"]),
        await api.do("tenantUpdate", name="Other"),
        await api.do("technicianUpdate", technicianId=world.technician, name="Other"),
        await folder.request(byteSize=5, appointmentId=visit["id"]),
        await folder.request(world.service.client(), byteSize=5, trackingToken=token_of(folder, visit["id"])),
        await cancel(folder),
    ]  # fmt: skip
    assert [codes(each) for each in refused] == [["TENANT_CANCELLED"]] * 9
    read = await api.ask("{ customers { nodes { name } } appointments { nodes { number } } tenant { name status } }")
    assert read["customers"]["nodes"] == [{"name": "Carla Cruz"}]
    assert len(read["appointments"]["nodes"]) == 1
    assert codes(await ask_export(folder)) == []


async def test_only_owners_get_in_and_keys_rest(folder: Bench) -> None:
    world = folder.world
    dispatcher = await add_user(world, Mailbox(), "DISPATCHER")
    made = await world.api.do("apiKeyCreate", "key userErrors { code }", name="Partner", scopes=["customers:read"])
    partner = world.service.client()
    partner.http.headers["authorization"] = f"Bearer {made['key']}"
    everybody = "{ customers { nodes { id } } }"
    assert (await dispatcher.api.ask(everybody))["customers"]["nodes"]
    assert (await partner.ask(everybody))["customers"]["nodes"]
    await cancel(folder)
    for shut_out in (dispatcher.api, partner):
        answer = (await shut_out.post(everybody)).json()
        assert not (answer.get("data") or {}).get("customers")
        assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    late = await world.service.client().do(
        "logIn", "viewer { scopes } userErrors { code }", email=dispatcher.email, password=USERS_PASSWORD
    )
    assert codes(late) == ["TENANT_CANCELLED"]
    owner = world.service.client()
    back = await owner.do("logIn", "viewer { scopes } userErrors { code }", email=world.email, password=PASSWORD)
    assert codes(back) == []
    assert codes(await restore(owner)) == []
    assert (await dispatcher.api.ask(everybody))["customers"]["nodes"]
    assert (await partner.ask(everybody))["customers"]["nodes"]


async def test_restoring_brings_everything_back(folder: Bench, owner_url: str) -> None:
    await furnish(folder)
    before = counts(owner_url, folder.tenant)
    files = folder.stored()
    assert codes(await restore(folder.world.api)) == ["INVALID_INPUT"]
    await cancel(folder)
    back = await restore(folder.world.api)
    assert codes(back) == []
    assert back["tenant"] == {"status": "TRIALING", "purgeAt": None}
    # Changes of rights are counted, and the counter is the only row that is new.
    assert {name: n for name, n in counts(owner_url, folder.tenant).items() if name != "tenant_counters"} == {
        name: n for name, n in before.items() if name != "tenant_counters"
    }
    assert folder.stored() == files
    assert codes(await folder.world.api.do("customerCreate", name="New again")) == []


async def test_a_booking_that_has_begun_is_waited_for(folder: Bench, owner_url: str) -> None:
    """The cancellation comes after the booking or before it, never in between."""
    with psycopg.connect(owner_url) as other:
        other.execute("SELECT set_config('app.tenant_id', %s, false)", [str(folder.tenant)])
        held = other.execute("SELECT 1 FROM tenants FOR KEY SHARE").fetchall()
        assert held
        refused = await cancel(folder)
        assert codes(refused) == ["BUSY"]
    assert codes(await cancel(folder)) == []


@pytest.mark.parametrize(("days", "gone"), [(89, False), (90, False), (91, True)])
async def test_the_purge_comes_on_day_91(bench: Bench, owner_url: str, days: int, gone: bool) -> None:
    await furnish(bench)
    await bench.upload(picture(), appointmentId=(await bench.world.book())["id"])
    await ask_export(bench)
    before = counts(owner_url, bench.tenant)
    made = await cancel(bench)
    cancelled = datetime.fromisoformat(made["tenant"]["purgeAt"]) - 90 * DAY
    moment = cancelled + days * DAY
    assert (bench.tenant in await due(bench.database, moment)) is gone
    assert await purge_tenant(bench.database, bench.store, bench.tenant, moment) is gone
    left = counts(owner_url, bench.tenant)
    if not gone:
        assert {**left, "tenant_counters": 0} == {**before, "tenant_counters": 0}
        assert bench.stored()
        assert codes(await restore(bench.world.api)) == []
        return
    assert left == dict.fromkeys(left, 0)
    assert bench.stored() == []
    assert not bench.bucket or not bench.bucket.uploads
    assert codes_of_nobody(await bench.world.api.post("{ tenant { name } }"))
    # A second look for what came late, and then never again.
    await bench.store.write(f"uploads/{bench.tenant}/late", b"late", "image/jpeg")
    with psycopg.connect(owner_url) as connection:
        connection.execute("SELECT set_config('app.tenant_id', %s, false)", [str(bench.tenant)])
        connection.execute("UPDATE tenants SET purge_claimed_until = now() WHERE purge_claimed_until > now()")
    assert bench.tenant in await due(bench.database, moment)
    assert await purge_tenant(bench.database, bench.store, bench.tenant, moment)
    assert bench.stored() == []
    assert bench.tenant not in await due(bench.database, moment + 1_000 * DAY)


def codes_of_nobody(answer: Any) -> bool:
    return bool(answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED")


async def test_after_90_days_it_cannot_be_restored_even_before_the_purge_ran(folder: Bench, owner_url: str) -> None:
    await cancel(folder)
    cancelled_ago(owner_url, folder.tenant, 90 * DAY - timedelta(minutes=1))
    assert codes(await restore(folder.world.api)) == []
    await cancel(folder)
    cancelled_ago(owner_url, folder.tenant, 90 * DAY + timedelta(minutes=1))
    assert codes(await restore(folder.world.api)) == ["TENANT_CANCELLED"]


async def test_deleting_needs_password_and_name_and_waits_for_nothing(bench: Bench, owner_url: str) -> None:
    api = bench.world.api
    await furnish(bench)
    for given, code in (
        ({"password": "wrong password", "confirmBusinessName": bench.world.name}, "INVALID_CREDENTIALS"),
        ({"password": PASSWORD, "confirmBusinessName": "Somebody else"}, "INVALID_INPUT"),
    ):
        assert codes(await api.do("accountDelete", **given)) == [code]
    assert not await purge_tenant(bench.database, bench.store, bench.tenant)
    assert codes(await api.do("accountDelete", password=PASSWORD, confirmBusinessName=bench.world.name)) == []
    assert codes_of_nobody(await api.post("{ tenant { name } }"))
    late = await bench.world.service.client().do(
        "logIn", "viewer { scopes } userErrors { code }", email=bench.world.email, password=PASSWORD
    )
    assert codes(late) == ["TENANT_CANCELLED"]
    assert await purge_tenant(bench.database, bench.store, bench.tenant)
    left = counts(owner_url, bench.tenant)
    assert left == dict.fromkeys(left, 0)
    assert bench.stored() == []
    # The address is free again.
    again = await bench.world.service.client().do(
        "signUp", "userErrors { code }", businessName="Again", name="Olive", email=bench.world.email, password=PASSWORD
    )
    assert codes(again) == []


async def test_the_database_purges_nobody_who_is_not_leaving(folder: Bench) -> None:
    async with folder.database.tenant(folder.tenant) as session:
        with pytest.raises(DBAPIError, match="has not begun"):
            await purge_rows(session, folder.tenant, "customers", 10)


async def test_what_the_law_keeps_outlives_the_purge_without_names(folder: Bench, owner_url: str) -> None:
    """Invoices for seven years, the security log for one; then the empty row of the business goes too."""
    superuser = owner_url.replace("sps_owner", "postgres")
    with psycopg.connect(superuser) as connection:
        connection.execute(
            "INSERT INTO billing_records (tenant_id, id, provider_id, status, total, currency, issued_at, event_at, event_rank,"
            " event_id) VALUES (%s, %s, 'in_1', 'paid', 49, 'USD', now(), 1, 1, 'evt_1')",
            [folder.tenant, new_id()],
        )
    await folder.world.api.do("accountDelete", password=PASSWORD, confirmBusinessName=folder.world.name)
    assert await purge_tenant(folder.database, folder.store, folder.tenant)

    def one(query: str) -> tuple[object, ...]:
        with psycopg.connect(superuser) as connection:
            row = connection.execute(query.encode(), [folder.tenant]).fetchone()
        assert row is not None
        return tuple(row)

    assert one("SELECT provider_id, total FROM billing_records WHERE tenant_id = %s") == ("in_1", 49)
    log = "SELECT count(*) > 0, count(actor) FROM security_events WHERE tenant_id = %s"
    assert one(log) == (True, 0)
    row = "SELECT count(*), max(name), max(email), max(cancel_reason) FROM tenants WHERE id = %s"
    assert one(row) == (1, "", "", None)
    with psycopg.connect(superuser) as connection:
        connection.execute("UPDATE tenants SET purged_at = now() - interval '366 days' WHERE id = %s", [folder.tenant])
    async with folder.database.anonymous() as session:
        await forget_tenants(session)
    assert one(row)[0] == 1, "its log still points at it"
    with psycopg.connect(superuser) as connection:
        for table in KEPT_AFTER_PURGE:
            if table != "billing_records":
                connection.execute(f"DELETE FROM {table} WHERE tenant_id = %s".encode(), [folder.tenant])  # noqa: S608
    async with folder.database.anonymous() as session:
        await forget_tenants(session)
    assert one(row)[0] == 0
    assert one("SELECT provider_id, total FROM billing_records WHERE tenant_id = %s") == ("in_1", 49)


async def test_others_keep_every_row(folder: Bench, owner_url: str) -> None:
    async with new_world(folder.world.service) as other:
        neighbour = decode(Prefix.TENANT, (await other.api.ask("{ tenant { id } }"))["tenant"]["id"])
        assert neighbour is not None
        before = counts(owner_url, neighbour)
        await folder.world.api.do("accountDelete", password=PASSWORD, confirmBusinessName=folder.world.name)
        assert await purge_tenant(folder.database, folder.store, folder.tenant)
        assert counts(owner_url, neighbour) == before
        assert (await other.api.ask("{ customers { nodes { id } } }"))["customers"]["nodes"]
