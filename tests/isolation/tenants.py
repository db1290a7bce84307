"""Two businesses that hold one of everything, found by the catalog, so that a new table or kind of id cannot be left out."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg

from domain.ids import Prefix, encode
from models.row_security import GLOBAL_TABLES
from tests.access.people import Mailbox, Person, add_user
from tests.isolation.filling import fill
from tests.world import World

Connection = psycopg.Connection[Any]
# Where the objects of a kind of id stand, when that is not the plural of its name.
_TABLES = {Prefix.TIME_OFF: "time_off", Prefix.EQUIPMENT: "equipment", Prefix.INVOICE: "billing_records"}


def table_of(prefix: Prefix) -> str:
    """The table of a kind of id."""
    plural = re.sub(r"(?<!e)y$", "ie", prefix.name.lower())
    plural = re.sub(r"(?<=ss)$", "e", plural)
    return _TABLES.get(prefix, f"{plural}s")


DAY = "2027-03-02"


@dataclass
class Tenant:
    """A business, its id, and the ids of all that it has, by kind, as callers see them."""

    world: World
    id: UUID
    ids: dict[Prefix, list[str]]
    dispatcher: Person
    key: str
    cursors: list[str] = field(default_factory=list)


def tables_of_tenants(connection: Connection) -> dict[str, str]:
    """Every table with rows of tenants, and the column that tells whose."""
    found = connection.execute(
        """SELECT c.relname, bool_or(a.attname = 'tenant_id')
           FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
           WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition
           GROUP BY c.relname ORDER BY c.relname"""
    ).fetchall()
    return {table: "tenant_id" if has_tenant else "id" for table, has_tenant in found if table not in GLOBAL_TABLES}


def checksums(connection: Connection, tenant_id: UUID) -> dict[str, str]:
    """One for each table's rows of a tenant. Sessions are left out: that they are used is written down."""
    return {
        table: str(
            connection.execute(
                f"SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t WHERE {column} = %s",  # noqa: S608
                (tenant_id,),
            ).fetchone()
        )
        for table, column in tables_of_tenants(connection).items()
        if table != "sessions"
    }


async def furnished(world: World, mailbox: Mailbox, connection: Connection, word: str) -> Tenant:
    """One of everything, each with `word` in whatever text it has."""
    api, mark = world.api, f"{word} "
    done: dict[str, Any] = {}
    tenant_id = connection.execute("SELECT tenant_id FROM users WHERE email = %s", (world.email,)).fetchone()[0]  # type: ignore[index]

    async def do(mutation: str, fields: str, **values: Any) -> Any:
        made = await api.do(mutation, f"{fields} userErrors {{ code path message }}", **values)
        assert made["userErrors"] == [], (mutation, made)
        done[mutation] = made
        return made

    await do("tenantUpdate", "tenant { id }", name=f"{mark}business", phone="+15125550150")
    category = await do("serviceCategoryCreate", "category { id }", name=f"{mark}category")
    made = await do(
        "serviceCreate", "service { id options { id } }", name=f"{mark}service", description=f"{mark}description",
        durationMinutes=60, price={"amount": "129.00"}, categoryId=category["category"]["id"],
        options=[{"name": f"{mark}option", "price": {"amount": "9.00"}}],
    )  # fmt: skip
    world.offer = made["service"]["id"]
    await do("technicianUpdate", "technician { id }", technicianId=world.technician, name=f"{mark}technician",
             email=f"{word}.tech@example.com", phone="+15125550151", homeBase={"latitude": 30.2, "longitude": -97.7})  # fmt: skip
    await do("timeOffAdd", "timeOff { id }", technicianId=world.technician, reason=f"{mark}reason",
             window={"start": "2027-05-02T09:00:00Z", "end": "2027-05-02T10:00:00Z"})  # fmt: skip
    made = await do(
        "customerCreate", "customer { id addresses { id } }", name=f"{mark}customer", email=f"{word}@example.com",
        phone="+15125550152", notes=f"{mark}notes",
        address={"line1": f"1 {mark}Way", "city": "Austin", "region": "TX", "postalCode": "78701"},
    )  # fmt: skip
    world.customer, world.address = made["customer"]["id"], made["customer"]["addresses"][0]["id"]
    await do("customPriceSet", "customer { id }", customerId=world.customer, serviceId=world.offer,
             price={"amount": "99.00"})  # fmt: skip
    await do("equipmentAdd", "equipment { id }", addressId=world.address, kind="fridge", make=f"{mark}make")
    visit = await world.book(
        f"{DAY}T09:00:00-06:00", f"{DAY}T10:00:00-06:00", technicianId=world.technician, notes=f"{mark}notes",
        internalNotes=f"{mark}internal",
    )  # fmt: skip
    await world.book(notes=f"{mark}request")
    for _ in range(2):
        await do("uploadRequest", "attachmentId", appointmentId=visit["id"], kind="PHOTO", fileName=f"{word}.jpg",
                 contentType="image/jpeg", byteSize=1_000)  # fmt: skip
    # The first has come; the second has not.
    connection.execute(
        "UPDATE attachments SET state = 'READY', storage_key = %s, uploaded_at = now() WHERE id ="
        " (SELECT id FROM attachments WHERE tenant_id = %s ORDER BY id LIMIT 1)",
        (f"{word}/key", tenant_id),
    )
    await do("userInvite", "user { id }", email=f"{word}-pending-{world.email}", name=f"{mark}pending", role="VIEWER")
    await do("appointmentUpdate", "appointment { id }", appointmentId=visit["id"],
             notes=f"{mark}notes two")  # fmt: skip
    await api.ask("mutation { exportRequest { userErrors { code } } }")
    key = await do("apiKeyCreate", "key", name=f"{mark}key", scopes=["customers:read", "appointments:read"])
    dispatcher = await add_user(world, mailbox, "DISPATCHER", f"Dee {word}")
    # Whatever no caller can bring about here.
    for table in tables_of_tenants(connection):
        fill(connection, table, tenant_id, word)
    board = await api.ask(f'{{ dispatchBoard(day: "{DAY}") {{ cursor }} customers {{ pageInfo {{ endCursor }} }} appointments {{ pageInfo {{ endCursor }} }} }}')  # fmt: skip
    cursors = [board["dispatchBoard"]["cursor"], board["customers"]["pageInfo"]["endCursor"]]
    # What is written beside a request must be there before rows are counted.
    await asyncio.sleep(0.1)
    return Tenant(world, tenant_id, ids_of(connection, tenant_id), dispatcher, key["key"], cursors)


def ids_of(connection: Connection, tenant_id: UUID) -> dict[Prefix, list[str]]:
    """The ids of what a tenant has, by kind."""
    found = {}
    for prefix in Prefix:
        table = table_of(prefix)
        column = "id" if table == "tenants" else "tenant_id"
        rows = connection.execute(f"SELECT id FROM {table} WHERE {column} = %s ORDER BY id", (tenant_id,)).fetchall()  # noqa: S608
        found[prefix] = [encode(prefix, row[0]) for row in rows]
    return found
