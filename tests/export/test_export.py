"""An export holds everything: compared with the database row by row, and with the list of all tables."""

import csv
import io
import zipfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import psycopg
from psycopg.rows import dict_row

from domain.ids import Prefix, decode
from integrations.file_store import Part
from integrations.file_store_local import LocalFiles
from models.all import metadata
from models.export_tables import EXPORTED, HIDDEN, IN_CSV, NO_SECRET, NOT_EXPORTED, SECRET_WORDS, exported_table
from resolvers.export_run import run_export
from resolvers.upkeep import tidy
from tests.export.furnish import furnish
from tests.files.bench import Bench

EXPORT = "export { id state url expiresAt } userErrors { code message }"
LIST = "{ exports { id state url createdAt expiresAt } }"


async def ask(bench: Bench) -> Any:
    answer = await bench.world.api.ask(f"mutation {{ exportRequest {{ {EXPORT} }} }}")
    return answer["exportRequest"]


def id_of(export: Any) -> UUID:
    found = decode(Prefix.EXPORT, export["id"])
    assert found is not None
    return found


async def exported(bench: Bench, **more: Any) -> zipfile.ZipFile:
    """Ask for an export, have it written, and fetch it by its link."""
    export = (await ask(bench))["export"]
    assert await run_export(bench.database, bench.store, bench.tenant, id_of(export), **more)
    [listed] = (await bench.world.api.ask(LIST))["exports"]
    assert listed["state"] == "READY"
    answer = await bench.fetch(listed["url"])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    return archive


def lines(archive: zipfile.ZipFile, table: str) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in archive.read(f"data/{table}.jsonl").splitlines()]


def test_every_table_of_tenants_is_exported_or_says_why_not() -> None:
    ours = {table.name for table in metadata.sorted_tables if "tenant_id" in table.c} | {"tenants"}
    assert ours == set(EXPORTED) | set(NOT_EXPORTED)
    assert not set(EXPORTED) & set(NOT_EXPORTED)
    assert set(IN_CSV) <= set(EXPORTED)


def test_no_column_that_looks_like_a_secret_is_exported() -> None:
    for name in EXPORTED:
        table = metadata.tables[name]
        assert HIDDEN.get(name, frozenset()) <= set(table.c.keys())
        for column in exported_table(name).columns:
            if any(word in column for word in SECRET_WORDS):
                assert (name, column) in NO_SECRET


async def test_the_export_equals_the_database_row_by_row(bench: Bench, owner_url: str) -> None:
    await furnish(bench)
    archive = await exported(bench)
    manifest = orjson.loads(archive.read("manifest.json"))
    with psycopg.connect(owner_url, row_factory=dict_row) as connection:
        connection.execute("SELECT set_config('app.tenant_id', %s, false)", [str(bench.tenant)])
        for name in EXPORTED:
            table = exported_table(name)
            column = "id" if name == "tenants" else "tenant_id"
            rows = connection.execute(f"SELECT * FROM {name} WHERE {column} = %s", [bench.tenant]).fetchall()  # noqa: S608
            found = lines(archive, name)
            assert len(found) == len(rows) == manifest["counts"][f"data/{name}.jsonl"], name
            wanted = {key_of(table.key, row): row for row in rows}
            assert {key_of(table.key, row) for row in found} == {tuple(map(str, key)) for key in wanted}, name
            for row in found:
                original = next(each for key, each in wanted.items() if tuple(map(str, key)) == key_of(table.key, row))
                assert set(row) == set(table.columns)
                for each, value in row.items():
                    assert same(value, original[each]), (name, each, value, original[each])
    files = [name for name in archive.namelist() if name.startswith("attachments/")]
    assert len(files) == manifest["counts"]["attachments"] == 3
    assert all(archive.read(name) for name in files)
    # Every table that this test leaves empty is one that it would not notice.
    empty = {name for name in EXPORTED if not lines(archive, name)}
    assert empty <= {
        "technician_positions", "usage_reports", "billing_records", "billing_accounts", "billing_subscriptions",
        "webhook_deliveries",
    }  # fmt: skip


def key_of(key: tuple[str, ...], row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in key)


def same(value: Any, original: Any) -> bool:
    match original:
        case datetime():
            return bool(datetime.fromisoformat(value) == original)
        case Decimal():
            return isinstance(value, str) and bool(Decimal(value) == original)
        case UUID():
            return bool(UUID(value) == original)
        case float():
            return bool(abs(value - original) < 1e-9)
        case _:
            return bool(value == original)


async def test_spreadsheets_hold_the_rows_and_run_no_formulas(folder: Bench) -> None:
    await furnish(folder)
    await folder.world.add_customer('@SUM(1+1)*cmd|" /C calc"!A0', phone="+15125550124")
    archive = await exported(folder)
    customers = list(csv.DictReader(io.StringIO(archive.read("csv/customers.csv").decode())))
    assert {row["id"] for row in customers} == {row["id"] for row in lines(archive, "customers")}
    assert {row["phone"] for row in customers} == {"+15125550123", "+15125550124"}
    [appointment] = csv.DictReader(io.StringIO(archive.read("csv/appointments.csv").decode()))
    assert appointment["internal_notes"] == "'=cmd|' /C calc'!A0"
    assert appointment["total"] == "129.00"
    cells = [value for row in customers for value in row.values()]
    assert not [value for value in cells if value[:1] in {"=", "@"}]


async def test_a_second_request_joins_the_first(folder: Bench) -> None:
    first, second = (await ask(folder))["export"], (await ask(folder))["export"]
    assert first["id"] == second["id"]
    assert (first["state"], first["url"]) == ("QUEUED", None)
    assert await run_export(folder.database, folder.store, folder.tenant, id_of(first))
    assert (await ask(folder))["export"]["id"] != first["id"]


async def test_two_workers_write_one_export_once(folder: Bench) -> None:
    export = (await ask(folder))["export"]

    class Meddling(LocalFiles):
        """A store in which, at the first part, another worker tries to claim the same export."""

        others: list[bool] = []

        async def append(self, key: str, upload: str, number: int, content: bytes) -> Part:
            self.others.append(await run_export(folder.database, self, folder.tenant, id_of(export)))
            return await super().append(key, upload, number, content)

    store = Meddling(folder.settings)
    assert await run_export(folder.database, store, folder.tenant, id_of(export))
    assert store.others == [False]


async def test_an_archive_lives_for_seven_days(bench: Bench) -> None:
    await exported(bench)
    [listed] = (await bench.world.api.ask(LIST))["exports"]
    left = datetime.fromisoformat(listed["expiresAt"]) - datetime.now(UTC)
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)
    await tidy(bench.database, bench.store, bench.tenant, datetime.now(UTC) + timedelta(days=6, hours=23))
    assert any("exports/" in key for key in bench.stored())
    await tidy(bench.database, bench.store, bench.tenant, datetime.now(UTC) + timedelta(days=7, hours=1))
    assert not any("exports/" in key for key in bench.stored())
    assert (await bench.world.api.ask(LIST))["exports"] == []
    assert (await bench.fetch(listed["url"])).status_code in {403, 404}


async def test_an_export_is_its_own_business_alone(folder: Bench) -> None:
    from tests.world import new_world

    canary = "CANARY-OF-ANOTHER-BUSINESS"
    async with new_world(folder.world.service) as other:
        await other.add_customer(canary)
        archive = await exported(folder)
        assert not any(canary.encode() in archive.read(name) for name in archive.namelist())
        [export] = (await folder.world.api.ask(LIST))["exports"]
        assert (await other.api.ask(LIST))["exports"] == []
        assert (await other.api.ask("query ($id: ID!) { node(id: $id) { id } }", id=export["id"]))["node"] is None
