"""Row-level security and grants: the second wall between tenants, as SQL for the migrations."""

from sqlalchemy import Connection, text

# As a scalar sub-query it is evaluated once a statement; a sub-query on a membership table cost 83 times as much.
CURRENT_TENANT = "(SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)"

# What the app's role may do, where that is less than SELECT, INSERT, UPDATE and DELETE: history is append-only.
PRIVILEGES: dict[str, str | None] = {
    "alembic_version": "SELECT",
    "events": "SELECT, INSERT",
    # Reached through functions alone: whoever could read it would know other tenants' customers.
    "text_opt_outs": None,
    "password_reset_requests": None,
    "throttles": None,
    "stripe_events": None,
    # Kept for years whatever becomes of the business: nothing that the app does can delete them.
    "billing_accounts": "SELECT, INSERT, UPDATE",
    "billing_records": "SELECT, INSERT, UPDATE",
    "billing_subscriptions": "SELECT, INSERT, UPDATE",
    "usage_reports": "SELECT, INSERT, UPDATE",
    # Whoever gets in must not be able to take back what the log says of it.
    "security_events": "SELECT, INSERT",
    "tenants": "SELECT, INSERT, UPDATE",
    # Written by a function alone, which holds the threshold of five businesses.
    "usage_figures": "SELECT",
}
EVERYTHING = "SELECT, INSERT, UPDATE, DELETE"
# Tables that are no tenant's: without a tenant_id, and without row-level security.
GLOBAL_TABLES = frozenset(
    {
        "alembic_version",
        "geocodings",
        "password_reset_requests",
        "stripe_events",
        "text_opt_outs",
        "throttles",
        "ticks",
        "usage_figures",
    }
)
# Dramatiq's tables, where PostgreSQL is the broker; they hold ids of rows alone.
BROKER_SCHEMA = "dramatiq"


def protect(table: str, column: str = "tenant_id") -> list[str]:
    """The statements that hide other tenants' rows of a table from everybody, its owner included."""
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON {table} USING ({column} = {CURRENT_TENANT}) WITH CHECK ({column} = {CURRENT_TENANT})",
    ]


def open_to_look_ups(table: str, command: str = "SELECT") -> str:
    """A policy for the tables' owner alone, as whom the look-up functions (SECURITY DEFINER) run."""
    name = f"look_up_{command.lower()}"
    return f"CREATE POLICY {name} ON {table} FOR {command} TO CURRENT_USER USING (true)"


def apply_grants(connection: Connection, app_role: str) -> None:
    """Give the app's role what it needs and no more, by the catalog as it is now."""
    role = connection.dialect.identifier_preparer.quote(app_role)
    schema = connection.execute(text("SELECT current_schema()")).scalar_one()
    connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {role}"))
    connection.execute(text(f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}"))
    # Not on partitions: whoever reads one by its own name passes by its parent's policies and privileges.
    tables = connection.execute(
        text(
            "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
            " AND relkind IN ('r', 'p') AND NOT relispartition"
        )
    ).scalars()
    for table in tables:
        if privileges := PRIVILEGES.get(table, EVERYTHING):
            connection.execute(text(f"GRANT {privileges} ON {table} TO {role}"))
    connection.execute(text(f"GRANT USAGE ON SCHEMA {BROKER_SCHEMA} TO {role}"))
    connection.execute(text(f"GRANT {EVERYTHING} ON ALL TABLES IN SCHEMA {BROKER_SCHEMA} TO {role}"))
    functions = connection.execute(
        text(
            "SELECT oid::regprocedure::text FROM pg_proc WHERE prosecdef AND pronamespace = current_schema()::regnamespace"
        )
    ).scalars()
    for function in functions:
        connection.execute(text(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC"))
        connection.execute(text(f"GRANT EXECUTE ON FUNCTION {function} TO {role}"))
