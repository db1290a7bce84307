"""What an export holds: every table of a business, column by column, but for secrets and what only our machinery needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Float, Numeric, Table
from sqlalchemy import cast as sql_cast
from sqlalchemy.types import Text

from models.all import metadata

# Why a table is not exported. A table that is neither here nor in EXPORTED fails a test.
NOT_EXPORTED: Mapping[str, str] = {
    "account_mails": "links to log in, waiting to be sent",
    "account_tokens": "secrets of single log-ins",
    "booking_offers": "numbers of offers that were used, kept for two days",
    "billing_requests": "keys of requests to the payment provider that are under way",
    "exports": "the archives themselves",
    "file_removals": "keys of files that are about to be deleted",
    "idempotency_keys": "hashes that are kept for a day",
    "recovery_codes": "secrets of single log-ins",
    "second_factors": "secrets of single log-ins",
    "sessions": "secrets of single log-ins",
    "presences": "who has an appointment open, kept for half a minute",
    "tenant_counters": "numbers that only serve to count on",
}
EXPORTED: Sequence[str] = (
    "tenants",
    "users",
    "api_keys",
    "locations",
    "notification_settings",
    "notification_rules",
    "technicians",
    "time_off",
    "technician_positions",
    "service_categories",
    "services",
    "service_options",
    "customers",
    "customer_addresses",
    "custom_prices",
    "equipment",
    "appointments",
    "appointment_lines",
    "attachments",
    "events",
    "messages",
    "webhook_endpoints",
    "webhook_deliveries",
    "security_events",
    "billing_accounts",
    "billing_subscriptions",
    "billing_records",
    "usage_reports",
)
# As CSV too, for a spreadsheet.
IN_CSV: Sequence[str] = (
    "customers",
    "customer_addresses",
    "appointments",
    "appointment_lines",
    "services",
    "technicians",
)
# Columns that are left out: secrets, what follows from other columns, and the machinery's notes.
HIDDEN: Mapping[str, frozenset[str]] = {
    "tenants": frozenset({"purge_claimed_until"}),
    "users": frozenset({"password_hash"}),
    "api_keys": frozenset({"key_hash"}),
    "customers": frozenset({"search"}),
    "appointments": frozenset({"during", "active"}),
    "attachments": frozenset({"storage_key", "upload_until"}),
    "messages": frozenset({"relay_at", "next_attempt_at", "claimed_at", "fence"}),
    "webhook_endpoints": frozenset({"planned_seq"}),
    "webhook_deliveries": frozenset({"relay_at", "claimed_until", "fence"}),
}
# Where rows are told apart by less than the table's key.
KEYS: Mapping[str, tuple[str, ...]] = {"events": ("seq",)}
# A column of such a name is hidden, or is listed here with the reason why it is no secret.
SECRET_WORDS = ("hash", "secret", "token", "password", "nonce")
NO_SECRET: Mapping[tuple[str, str], str] = {}


@dataclass(frozen=True, slots=True)
class ExportedTable:
    """A table as it is exported: its columns, and those that its rows are ordered by."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]


def exported_table(name: str) -> ExportedTable:
    """The table of a name. The tenant's id is the key of nothing within one tenant."""
    table = metadata.tables[name]
    hidden = HIDDEN.get(name, frozenset())
    whole = tuple(column.name for column in table.primary_key.columns if column.name != "tenant_id")
    key = KEYS.get(name, whole)
    return ExportedTable(name, tuple(column.name for column in table.c if column.name not in hidden), key)


def tenant_column(table: Table) -> ColumnElement[Any]:
    """The column that tells whose a row is."""
    return table.c["id"] if table.name == "tenants" else table.c["tenant_id"]


def shown(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A column as it is written: money as text, since a number of JSON is read as a float."""
    exact = isinstance(column.type, Numeric) and not isinstance(column.type, Float)
    return sql_cast(column, Text).label(column.key) if exact else column
