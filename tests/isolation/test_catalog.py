"""A table, a unique, a function or a grant that would let tenants meet fails here, the day it is added."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from models.look_up import LOOK_UPS
from tests.conftest import APP_ROLE
from tests.isolation.catalog import GLOBAL_UNIQUES, rules_broken

Connection = psycopg.Connection[Any]
TENANT = "tenant_id uuid NOT NULL REFERENCES tenants (id)"
PROTECTED = (
    "; ALTER TABLE {0} ENABLE ROW LEVEL SECURITY; ALTER TABLE {0} FORCE ROW LEVEL SECURITY;"
    " CREATE POLICY tenant ON {0} USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);"
    " GRANT SELECT, INSERT, UPDATE, DELETE ON {0} TO sps_app"
)


@pytest.fixture
def trial(superuser_url: str) -> Iterator[Connection]:
    """A transaction in which the schema can be spoilt: it is rolled back."""
    with psycopg.connect(superuser_url) as connection:
        yield connection
        connection.rollback()


def test_the_schema_keeps_the_rules(trial: Connection) -> None:
    assert rules_broken(trial, APP_ROLE) == []


def test_the_allowlists_name_nothing_that_is_gone(trial: Connection) -> None:
    found = {row[0] for row in trial.execute("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'").fetchall()}
    assert set(GLOBAL_UNIQUES) <= found
    functions = {
        row[0]
        for row in trial.execute("SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace").fetchall()
    }
    assert functions >= LOOK_UPS


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        ("CREATE TABLE bad (id uuid PRIMARY KEY)", "bad has no tenant_id"),
        (f"CREATE TABLE bad ({TENANT}, id uuid, PRIMARY KEY (tenant_id, id))", "bad has no forced row-level security"),
        (
            f"CREATE TABLE bad ({TENANT}, id uuid PRIMARY KEY)" + PROTECTED.format("bad"),
            "bad has the key ['id'], which does not begin with the tenant",
        ),
        (
            f"CREATE TABLE bad ({TENANT}, id uuid, email text UNIQUE, PRIMARY KEY (tenant_id, id))"
            + PROTECTED.format("bad"),
            "bad: the unique bad_email_key on ['email'] does not begin with the tenant",
        ),
        (
            "CREATE TABLE bad (tenant_id uuid, id uuid, PRIMARY KEY (tenant_id, id))" + PROTECTED.format("bad"),
            "bad is not tied to its tenant",
        ),
        (
            "CREATE TABLE odd (id uuid PRIMARY KEY); "
            f"CREATE TABLE bad ({TENANT}, id uuid, of uuid REFERENCES odd (id), PRIMARY KEY (tenant_id, id))"
            + PROTECTED.format("bad"),
            "bad: the foreign key bad_of_fkey would accept another tenant's id",
        ),
        ("ALTER TABLE customers NO FORCE ROW LEVEL SECURITY", "customers has no forced row-level security"),
        ("ALTER TABLE customers DISABLE ROW LEVEL SECURITY", "customers has no forced row-level security"),
        ("DROP POLICY tenant ON customers", "customers has no policy for everybody"),
        ("CREATE POLICY wide ON customers USING (true)", "customers has no policy for everybody"),
        ("ALTER TABLE ticks ADD tenant_id uuid", "ticks is said to be no tenant's"),
        (
            "CREATE FUNCTION peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM customers'",
            "peek is SECURITY DEFINER and not on the allowlist",
        ),
        ("ALTER FUNCTION look_up_session(bytea) RESET search_path", "look_up_session is SECURITY DEFINER without"),
        (
            "GRANT EXECUTE ON FUNCTION look_up_session(bytea) TO PUBLIC",
            "look_up_session is SECURITY DEFINER and may be",
        ),
        ("CREATE VIEW all_customers AS SELECT * FROM customers", "all_customers is a view that reads as its owner"),
        ("GRANT TRUNCATE ON customers TO sps_app", "sps_app has TRUNCATE on customers"),
        ("GRANT DELETE ON events TO sps_app", "sps_app has DELETE on events"),
        ("GRANT UPDATE ON security_events TO sps_app", "sps_app has UPDATE on security_events"),
        ("GRANT SELECT ON throttles TO PUBLIC", "sps_app has SELECT on throttles"),
        ("GRANT CREATE ON SCHEMA public TO sps_app", "sps_app may create in the schema public"),
        ("GRANT sps_owner TO sps_app", "sps_app is a member of another role"),
        ("ALTER ROLE sps_app BYPASSRLS", "sps_app bypasses row-level security"),
        ("ALTER ROLE sps_app SUPERUSER", "sps_app is a superuser"),
        ("ALTER TABLE ticks OWNER TO sps_app", "sps_app owns ticks"),
    ],
)
def test_each_rule_finds_what_breaks_it(trial: Connection, spoil: str, sentence: str) -> None:
    trial.execute(spoil)
    broken = rules_broken(trial, APP_ROLE)
    assert any(re.match(re.escape(sentence), each) for each in broken), broken
