"""Rules that every table answers to, read off PostgreSQL's catalog; each answers with the sentences that it finds wrong."""

from typing import Any

import psycopg

from models.look_up import LOOK_UPS
from models.row_security import EVERYTHING, GLOBAL_TABLES, PRIVILEGES

Connection = psycopg.Connection[Any]
# Uniques that do not begin with the tenant, each with its reason: they hold what is looked up before a tenant is known.
GLOBAL_UNIQUES = {
    "uq_users_email": "somebody logs in with an address alone",
    "uq_sessions_token_hash": "the cookie comes before the tenant",
    "uq_api_keys_prefix": "the key comes before the tenant",
    "uq_locations_slug": "the booking page's address is public",
    "uq_billing_accounts_customer_id": "a webhook names the provider's customer alone",
    "pk_tenants": "the tenant itself",
}
# Tables that outlive their tenant, so that no foreign key may tie them to it.
OUTLIVES_ITS_TENANT = {"billing_accounts", "billing_records", "billing_subscriptions", "usage_reports"}


def rules_broken(connection: Connection, app_role: str) -> list[str]:
    """All that is wrong with the schema `public`."""
    return [
        *_without_row_security(connection),
        *_keys(connection),
        *_foreign_keys(connection),
        *_uniques(connection),
        *_functions(connection),
        *_views(connection),
        *_role(connection, app_role),
        *_privileges(connection, app_role),
    ]


def tables(connection: Connection) -> list[str]:
    """All tables of ours."""
    rows = connection.execute(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace ORDER BY 1"
    ).fetchall()
    return [row[0] for row in rows]


def _tenant_column(table: str) -> str:
    return "id" if table == "tenants" else "tenant_id"


def _without_row_security(connection: Connection) -> list[str]:
    rows = connection.execute(
        """SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity,
                  (SELECT bool_and(coalesce(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
                                   ~ 'app\\.tenant_id') FROM pg_policy p
                   WHERE p.polrelid = c.oid AND (p.polroles = '{0}' OR 0 = ANY (p.polroles))),
                  EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id'
                          AND NOT a.attisdropped)
           FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace"""
    ).fetchall()
    wrong = []
    for table, enabled, forced, by_tenant, has_tenant in rows:
        if table in GLOBAL_TABLES:
            if has_tenant:
                wrong.append(f"{table} is said to be no tenant's and has a tenant_id")
        elif not has_tenant and table != "tenants":
            wrong.append(f"{table} has no tenant_id, and is not among GLOBAL_TABLES")
        elif not (enabled and forced):
            wrong.append(f"{table} has no forced row-level security: models.row_security.protect")
        elif not by_tenant:
            wrong.append(f"{table} has no policy for everybody that compares app.tenant_id, or one that does not")
    return wrong


def _index_columns(connection: Connection, condition: str) -> list[tuple[str, str, list[str]]]:
    return connection.execute(
        f"""SELECT t.relname, i.relname,
                   array(SELECT coalesce(a.attname, '') FROM unnest(x.indkey::int[]) WITH ORDINALITY AS k (number, place)
                         LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number ORDER BY k.place)
            FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
            WHERE t.relnamespace = 'public'::regnamespace AND {condition} ORDER BY 1, 2"""  # noqa: S608
    ).fetchall()


def _keys(connection: Connection) -> list[str]:
    wrong, seen = [], set()
    for table, _, columns in _index_columns(connection, "x.indisprimary"):
        seen.add(table)
        if table not in GLOBAL_TABLES and columns[0] != _tenant_column(table):
            wrong.append(f"{table} has the key {columns}, which does not begin with the tenant")
    return wrong + [f"{table} has no primary key" for table in tables(connection) if table not in seen]


def _foreign_keys(connection: Connection) -> list[str]:
    rows = connection.execute(
        """SELECT c.conrelid::regclass::text, c.confrelid::regclass::text, c.conname,
                  array(SELECT a.attname FROM unnest(c.conkey) WITH ORDINALITY AS k (number, place)
                        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number ORDER BY k.place),
                  array(SELECT a.attname FROM unnest(c.confkey) WITH ORDINALITY AS k (number, place)
                        JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.number ORDER BY k.place)
           FROM pg_constraint c WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace"""
    ).fetchall()
    wrong, tied = [], set()
    for table, target, name, columns, referenced in rows:
        if columns[:1] != ["tenant_id"] or referenced[0] != _tenant_column(target):
            wrong.append(f"{table}: the foreign key {name} would accept another tenant's id: models.base.within_tenant")
        if target == "tenants":
            tied.add(table)
    loose = set(tables(connection)) - tied - GLOBAL_TABLES - OUTLIVES_ITS_TENANT - {"tenants"}
    return wrong + [f"{table} is not tied to its tenant: models.base.of_tenant" for table in sorted(loose)]


def _uniques(connection: Connection) -> list[str]:
    return [
        f"{table}: the unique {index} on {columns} does not begin with the tenant, so it tells of other tenants' rows"
        for table, index, columns in _index_columns(connection, "(x.indisunique OR x.indisexclusion)")
        if table not in GLOBAL_TABLES and index not in GLOBAL_UNIQUES and columns[0] != _tenant_column(table)
    ]


def _functions(connection: Connection) -> list[str]:
    rows = connection.execute(
        """SELECT p.proname, p.proconfig, has_function_privilege('public', p.oid, 'EXECUTE') FROM pg_proc p
           WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace"""
    ).fetchall()
    wrong = []
    for name, settings, everybody in rows:
        if name not in LOOK_UPS:
            wrong.append(f"{name} is SECURITY DEFINER and not on the allowlist models.look_up.LOOK_UPS")
        if not any(each.startswith("search_path=") for each in settings or ()):
            wrong.append(f"{name} is SECURITY DEFINER without a search_path of its own")
        if everybody:
            wrong.append(f"{name} is SECURITY DEFINER and may be called by everybody")
    missing = LOOK_UPS - {row[0] for row in rows}
    return wrong + [f"{name} is on the allowlist and is not there" for name in sorted(missing)]


def _views(connection: Connection) -> list[str]:
    rows = connection.execute(
        """SELECT relname, relkind, reloptions FROM pg_class
           WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace"""
    ).fetchall()
    return [
        f"{name} is a view that reads as its owner: give it security_invoker, or none"
        for name, kind, options in rows
        if kind == "m" or "security_invoker=true" not in (options or ())
    ]


def _role(connection: Connection, app_role: str) -> list[str]:
    super_, bypass, create_role, create_db, inherits = connection.execute(
        """SELECT r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolcreatedb,
                  EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid)
           FROM pg_roles r WHERE r.rolname = %s""",
        (app_role,),
    ).fetchone()  # type: ignore[misc]
    wrong = [
        f"{app_role} {what}"
        for what, is_so in (
            ("is a superuser", super_),
            ("bypasses row-level security", bypass),
            ("may make roles", create_role),
            ("may make databases", create_db),
            ("is a member of another role", inherits),
        )
        if is_so
    ]
    owned = connection.execute(
        "SELECT relname FROM pg_class WHERE relowner = %s::regrole UNION SELECT proname FROM pg_proc WHERE proowner = %s::regrole",
        (app_role, app_role),
    ).fetchall()
    if connection.execute("SELECT has_schema_privilege(%s, 'public', 'CREATE')", (app_role,)).fetchone() != (False,):
        wrong.append(f"{app_role} may create in the schema public")
    return wrong + [f"{app_role} owns {row[0]}" for row in owned]


def _privileges(connection: Connection, app_role: str) -> list[str]:
    wrong = []
    partitions = {row[0] for row in connection.execute("SELECT relname FROM pg_class WHERE relispartition").fetchall()}
    for table in tables(connection):
        # Whoever could name a partition would pass by its parent's policies and privileges.
        allowed = set() if table in partitions else set((PRIVILEGES.get(table, EVERYTHING) or "").split(", ")) - {""}
        for privilege in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"):
            granted = connection.execute(
                "SELECT has_table_privilege(%s, %s, %s)", (app_role, f"public.{table}", privilege)
            ).fetchone() == (True,)
            if granted is not (privilege in allowed):
                wrong.append(f"{app_role} {'has' if granted else 'lacks'} {privilege} on {table}")
    return wrong
