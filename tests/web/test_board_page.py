"""The board's page: answers with a policy that it keeps, and sends only operations that the schema has."""

import re
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from tests.service import Service
from web.pages import FILES

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", FILES)
async def test_every_file_is_there(service: Service, name: str) -> None:
    answer = await service.client().http.get(f"{service.origin}/static/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == FILES[name]


async def test_the_board_has_no_inline_code_and_asks_nobody_else(service: Service) -> None:
    answer = await service.client().http.get(f"{service.origin}/board")
    assert "unsafe-inline" not in answer.headers["content-security-policy"]
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|https?://", answer.text)
    for name in FILES:
        text = (await service.client().http.get(f"{service.origin}/static/{name}")).text
        assert not re.search(r"https?://", text), name


@pytest.mark.parametrize("path", ["../app.py", "..%2fapp.py", "%2e%2e/app.py", "nothing.js", "board.js/"])
async def test_nothing_else_can_be_fetched(service: Service, path: str) -> None:
    assert (await service.client().http.get(f"{service.origin}/static/{path}")).status_code in {404, 307}


def test_every_operation_is_valid() -> None:
    text = (ROOT / "web/static/operations.js").read_text()
    schema = build_schema((ROOT / "schema.graphql").read_text())
    (visit,) = re.findall(r"const VISIT = `([^`]*)`", text)
    plain = re.findall(r"export const [A-Z_]+ = `([^`]*)`", text)
    (move,) = re.findall(r"query: `([^`]*)`", text)
    moves = [
        move.replace("${type}", type_).replace("${field}", field)
        for field, type_ in re.findall(r'\["[A-Z_]+", "(\w+)", "(\w+)", "[^"]+"\]', text)
    ]
    assert len(plain) >= 8
    assert len(moves) == 6
    for operation in [*plain, *moves]:
        assert validate(schema, parse(operation.replace("${VISIT}", visit))) == [], operation
