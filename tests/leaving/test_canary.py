"""Strings of a business that was purged, or of a customer who was erased, stand nowhere any more."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.ids import Prefix, decode
from resolvers.export_run import run_export
from resolvers.purge import purge_tenant
from resolvers.upkeep import tidy
from tests.export.furnish import furnish
from tests.export.test_export import ask as ask_export
from tests.export.test_export import id_of
from tests.files.bench import Bench
from tests.files.samples import picture
from tests.leaving.canary import files_with, tables_with
from tests.leaving.test_leaving import codes
from tests.world import PASSWORD, new_world

BOARD = """query ($id: ID!) { node(id: $id) { ... on Appointment {
  status total { amount } notes internalNotes attachments { id } messages { to body state }
  history { type actor changes { field before after } }
  customer { name phone email notes addresses { address { line1 city } equipment { id } } } } } }"""


def superuser(owner_url: str) -> str:
    """The same database as a role that sees all rows."""
    return re.sub(r"sps_owner", "postgres", owner_url)


def phone_of(bench: Bench) -> str:
    """A number that no other test's business or customer has."""
    return f"+1512{2_000_000 + bench.tenant.int % 7_000_000}"


async def everywhere(bench: Bench, canary: str) -> dict[str, Any]:
    """Write a canary into everything that a business can write into."""
    api, world = bench.world.api, bench.world
    changed = await api.do("tenantUpdate", name=f"{canary} Plumbing", phone=phone_of(bench))
    assert changed["userErrors"] == []
    customer, address = await world.add_customer(
        f"{canary} Cora", email=f"{canary.lower()}@example.com", notes=f"{canary} dog"
    )
    world.customer, world.address = customer, address
    await api.do(
        "customerAddressAdd",
        customerId=customer,
        label=f"{canary} cabin",
        address={"line1": f"{canary} Road 1", "city": f"{canary}ville", "region": "TX", "postalCode": "78701"},
    )
    equipment = await api.do(
        "equipmentAdd", "equipment { id } userErrors { code }",
        addressId=address, kind="Oven", serialNumber=f"{canary}-SN", notes=f"{canary} door",
    )  # fmt: skip
    day = (datetime.now(UTC) + timedelta(days=4)).date()
    made = await world.book(
        f"{day}T15:00:00Z", f"{day}T16:00:00Z", notes=f"{canary} gate code", internalNotes=f"{canary} pays late"
    )
    await api.do("appointmentUpdate", appointmentId=made["id"], notes=f"{canary} gate code 2")
    for given in ({"appointmentId": made["id"]}, {"equipmentId": equipment["equipment"]["id"]}):
        answer = await bench.upload(picture(), fileName=f"{canary}.jpg", **given)
        assert answer["userErrors"] == []
    return {"customer": customer, "appointment": made["id"]}


async def test_nothing_of_a_purged_business_is_left(bench: Bench, owner_url: str) -> None:
    canary = f"CANARY{bench.tenant.hex[-12:]}"
    await furnish(bench)
    await everywhere(bench, canary)
    await bench.world.api.do("locationUpdate", locationId=bench.world.location, name=f"{canary} shop")
    await bench.world.api.do("technicianUpdate", technicianId=bench.world.technician, name=f"{canary} Tess")
    export_id = id_of((await ask_export(bench))["export"])
    assert await run_export(bench.database, bench.store, bench.tenant, export_id)
    words = [canary, canary.lower(), "Olive Owner", bench.world.email, phone_of(bench)]
    async with new_world(bench.world.service) as neighbour:
        neighbours = len(tables_with(superuser(owner_url), ["Olive Owner"]))
        assert {word for _, word in tables_with(superuser(owner_url), words)} == set(words)
        assert canary in files_with(bench, words)
        await bench.world.api.do("accountDelete", password=PASSWORD, confirmBusinessName=f"{canary} Plumbing")
        assert await purge_tenant(bench.database, bench.store, bench.tenant)
        words.remove("Olive Owner")
        assert tables_with(superuser(owner_url), words) == []
        assert files_with(bench, words) == []
        # Owners of all tests have this name: those of this business are gone.
        assert len(tables_with(superuser(owner_url), ["Olive Owner"])) < neighbours
        assert neighbour.customer
    queued = [find for find in tables_with(superuser(owner_url), [str(bench.tenant)]) if find[0].startswith("dramatiq")]
    assert queued == []


async def test_nothing_of_an_erased_customer_is_left_and_the_figures_are(bench: Bench, owner_url: str) -> None:
    canary = f"CANARY{bench.tenant.hex[-12:]}"
    made = await everywhere(bench, canary)
    api = bench.world.api
    await api.do("tenantUpdate", name="A business without a canary")
    before = (await api.ask(BOARD, id=made["appointment"]))["node"]
    export_id = id_of((await ask_export(bench))["export"])
    assert await run_export(bench.database, bench.store, bench.tenant, export_id)
    assert canary in files_with(bench, [canary])
    assert codes(await api.do("customerErase", customerId=made["customer"])) == []
    await tidy(bench.database, bench.store, bench.tenant)
    assert tables_with(superuser(owner_url), [canary, canary.lower()]) == []
    assert files_with(bench, [canary]) == []
    assert bench.stored() == []
    after = (await api.ask(BOARD, id=made["appointment"]))["node"]
    assert after["total"] == before["total"]
    assert after["status"] == "CANCELLED"
    assert (after["notes"], after["internalNotes"], after["attachments"]) == (None, None, [])
    assert after["customer"]["name"] == "(erased)"
    assert [after["customer"][each] for each in ("phone", "email", "notes")] == [None, None, None]
    assert [each["type"] for each in after["history"]][: len(before["history"])] == [
        each["type"] for each in before["history"]
    ]
    assert after["messages"]
    assert {(each["to"], each["body"]) for each in after["messages"]} == {("", "")}
    assert "QUEUED" not in {each["state"] for each in after["messages"]}
    assert codes(await api.do("customerErase", customerId=made["customer"])) == []


async def test_an_erasure_waits_for_a_visit_that_is_under_way(folder: Bench) -> None:
    api, world = folder.world.api, folder.world
    day = (datetime.now(UTC) + timedelta(days=4)).date()
    made = await world.book(f"{day}T15:00:00Z", f"{day}T16:00:00Z", technicianId=world.technician)
    await api.do("appointmentMarkOnTheWay", appointmentId=made["id"], etaMinutes=10)
    refused = await api.do("customerErase", customerId=world.customer)
    assert codes(refused) == ["IN_USE"]
    assert (await api.ask("{ customers { nodes { name } } }"))["customers"]["nodes"] == [{"name": "Carla Cruz"}]


async def test_a_customer_of_another_business_is_not_erased(folder: Bench) -> None:
    async with new_world(folder.world.service) as other:
        refused = await folder.world.api.do("customerErase", customerId=other.customer)
        assert codes(refused) == ["NOT_FOUND"]
        assert (await other.api.ask("{ customers { nodes { name } } }"))["customers"]["nodes"] == [
            {"name": "Carla Cruz"}
        ]
        assert decode(Prefix.CUSTOMER, other.customer)
