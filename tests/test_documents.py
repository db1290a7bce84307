"""The documents say what the code does: settings, error codes, the schema, the contract."""

import re
from pathlib import Path

from graphql import build_schema, parse, validate
from graphql.utilities import find_breaking_changes

from cli.docs import generated
from cli.welcome import QUERIES
from domain.errors import ErrorCode
from settings import Settings
from web.errors import INTERNAL, PUBLIC_CODES

ROOT = Path(__file__).resolve().parent.parent
CONTRACT = ROOT / "tests/contract.graphql"
# What the contract has and the product does not yet; it only ever gets shorter.
PENDING = ROOT / "tests/contract_pending.txt"


def test_generated_parts_are_up_to_date() -> None:
    stale = [path.name for path, text in generated().items() if path.read_text() != text]
    assert stale == [], "run ./sps docs and commit what it writes"


def test_every_setting_is_documented_with_its_meaning() -> None:
    text = (ROOT / "docs/configuration.md").read_text()
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert f"`{field.validation_alias}`" in text


def test_every_error_code_is_documented_and_no_other() -> None:
    text = (ROOT / "docs/errors.md").read_text()
    users, _, graphql = text.partition("## Codes of GraphQL errors")
    assert set(re.findall(r"^\| `([A-Z_]+)`", users, re.MULTILINE)) == {code.value for code in ErrorCode}
    documented = set(re.findall(r"^\| `([A-Z_]+)`", graphql, re.MULTILINE))
    raised: set[str] = set()
    for folder in ("schema", "permissions", "web"):
        for path in (ROOT / folder).rglob("*.py"):
            raised |= set(re.findall(r'"code": "([A-Z_]+)"', path.read_text()))
    assert raised <= documented == PUBLIC_CODES | {INTERNAL}


def test_the_schema_keeps_the_contract_but_for_what_is_pending() -> None:
    contract, ours = build_schema(CONTRACT.read_text()), build_schema((ROOT / "schema.graphql").read_text())
    breaks = sorted(change.description for change in find_breaking_changes(contract, ours))
    assert breaks == PENDING.read_text().splitlines()


def test_the_queries_that_the_start_prints_are_valid() -> None:
    ours = build_schema((ROOT / "schema.graphql").read_text())
    for query in QUERIES:
        assert validate(ours, parse(query)) == [], query
