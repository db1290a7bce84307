"""The schema that the migrations build is that of the models, and the app's role has no more rights than it needs."""

import psycopg
from alembic import command
from alembic.script import ScriptDirectory

from models.all import metadata
from models.migrate import config, upgrade
from models.row_security import EVERYTHING, PRIVILEGES
from tests.conftest import APP_ROLE


def test_migrations_equal_models(owner_url: str) -> None:
    command.check(config(owner_url))


def test_keys_and_what_tables_are_cut_by_are_those_of_the_models(owner_url: str) -> None:
    """Alembic compares neither."""
    with psycopg.connect(owner_url) as connection:
        rows = connection.execute(
            """SELECT c.relname, pg_get_partkeydef(c.oid), ARRAY(
                 SELECT a.attname::text FROM pg_constraint k CROSS JOIN unnest(k.conkey) WITH ORDINALITY AS u (number, place)
                   JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number
                 WHERE k.conrelid = c.oid AND k.contype = 'p' ORDER BY u.place)
               FROM pg_class c
               WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition"""
        ).fetchall()
    found = {name: (cut, columns) for name, cut, columns in rows if name != "alembic_version"}
    assert found == {
        table.name: (
            table.dialect_options["postgresql"]["partition_by"],
            [column.name for column in table.primary_key.columns],
        )
        for table in metadata.tables.values()
    }
    assert {name for name, (cut, _) in found.items() if cut} == {"events", "messages"}


def test_there_is_one_line_of_migrations(owner_url: str) -> None:
    assert len(ScriptDirectory.from_config(config(owner_url)).get_heads()) == 1


def test_migrating_twice_changes_nothing(owner_url: str) -> None:
    done = upgrade(owner_url, APP_ROLE)
    assert done.before == done.after is not None
    command.check(config(owner_url))


def test_the_apps_role_owns_nothing_and_bypasses_nothing(owner_url: str) -> None:
    with psycopg.connect(owner_url) as connection:
        role = connection.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = %s", (APP_ROLE,)
        ).fetchone()
        assert role == (False, False, False, False)
        owned = connection.execute("SELECT count(*) FROM pg_class WHERE relowner = %s::regrole", (APP_ROLE,)).fetchone()
        assert owned == (0,)


def test_the_apps_role_has_the_rights_that_are_written_down(owner_url: str) -> None:
    with psycopg.connect(owner_url) as connection:
        rows = connection.execute(
            """SELECT c.relname, coalesce(string_agg(a.privilege_type, ', ' ORDER BY array_position(
                        ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE'], a.privilege_type)), '')
               FROM pg_class c LEFT JOIN LATERAL aclexplode(c.relacl) a ON a.grantee = %s::regrole
               WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition
               GROUP BY c.relname""",
            (APP_ROLE,),
        ).fetchall()
    for table, granted in rows:
        assert granted == (PRIVILEGES.get(table, EVERYTHING) or ""), table


def test_history_cannot_be_rewritten_by_the_app(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        for statement in (
            "UPDATE events SET actor = 'x'",
            "DELETE FROM events",
            "TRUNCATE events",
            "DELETE FROM tenants",
        ):
            try:
                connection.execute(statement)
            except psycopg.errors.InsufficientPrivilege:
                continue
            raise AssertionError(f"{statement} was allowed")
