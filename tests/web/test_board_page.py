"""The pages: answer with a policy that they keep, reach no file beside theirs, and send only operations that the schema has."""

import re
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

from tests.service import Service
from web.pages_files import read_assets
from web.pages_operations import operations

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["/board", "/settings", "/book/somewhere", "/track/token"]


async def test_every_file_of_a_page_is_there_and_kept_for_good(service: Service) -> None:
    for page in PAGES:
        text = (await service.client().http.get(f"{service.origin}{page}")).text
        named = re.findall(r'(?:src|href)="(/static/[^"]+)"', text)
        assert len(named) > 5, page
        for path in named:
            answer = await service.client().http.get(f"{service.origin}{path}")
            assert answer.status_code == 200, path
            assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_has_no_inline_code_and_asks_nobody_else(service: Service, page: str) -> None:
    answer = await service.client().http.get(f"{service.origin}{page}")
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy
    assert ("frame-ancestors 'self'" if page.startswith("/book") else "frame-ancestors 'none'") in policy
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|https?://", answer.text)
    assert "set-cookie" not in answer.headers


def test_our_own_files_name_no_other_host() -> None:
    for name, file in read_assets().files.items():
        if not name.startswith("vendor/"):
            text = file.body.decode().replace("http://www.w3.org/2000/svg", "")
            assert not re.search(r"https?://\w", text), name


@pytest.mark.parametrize("path", ["../app.py", "..%2fapp.py", "%2e%2e/app.py", "nothing.js", "pages/board.html", ""])
async def test_nothing_else_can_be_fetched(service: Service, path: str) -> None:
    assert (await service.client().http.get(f"{service.origin}/static/{path}")).status_code in {404, 307}


async def test_a_file_that_is_known_is_not_sent_again(service: Service) -> None:
    http = service.client().http
    first = await http.get(f"{service.origin}/static/css/base.css")
    assert first.headers["content-encoding"] == "gzip"
    again = await http.get(f"{service.origin}/static/css/base.css", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    plain = await http.get(f"{service.origin}/static/css/base.css", headers={"accept-encoding": "identity"})
    assert plain.text == first.text


@pytest.fixture(scope="module")
def printed() -> GraphQLSchema:
    return build_schema((ROOT / "schema.graphql").read_text())


@pytest.mark.parametrize("name", operations())
def test_every_operation_is_valid(printed: GraphQLSchema, name: str) -> None:
    document = parse(operations()[name])
    missing = _fields_not_there_yet(printed, operations()[name])
    assert missing or validate(printed, document) == []


def _fields_not_there_yet(printed: GraphQLSchema, text: str) -> bool:
    """The board shows these only where introspection tells that the server has them."""
    there = {name for type_ in (printed.query_type, printed.mutation_type) if type_ for name in type_.fields}
    return any(
        name in text and name not in there for name in ("technicianSuggestions", "dayPlanProposal", "dayPlanApply")
    )


async def test_the_widget_may_be_loaded_by_other_sites(service: Service) -> None:
    answer = await service.client().http.get(f"{service.origin}/widget.js")
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "x-frame-options" not in (await service.client().http.get(f"{service.origin}/book/somewhere")).headers
