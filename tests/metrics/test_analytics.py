"""Pages have no analytics unless it was switched on, and none for a visitor who does not want it."""

import pytest
from starlette.requests import HTTPConnection

from settings import Settings
from web.analytics import analytics_for

ON = Settings(analytics_id="G-ABCD123456")


def visit(**headers: str) -> HTTPConnection:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return HTTPConnection({"type": "http", "headers": raw, "method": "GET", "path": "/", "query_string": b""})


def test_it_is_off_by_default() -> None:
    assert Settings.model_fields["analytics_id"].default is None
    assert analytics_for(visit(), Settings(analytics_id=None)) is None


def test_it_is_there_when_it_is_on_and_nobody_objects() -> None:
    found = analytics_for(visit(), ON)
    assert found is not None
    assert found.script.endswith("?id=G-ABCD123456")
    assert analytics_for(visit(dnt="0", sec_gpc="0"), ON) == found


@pytest.mark.parametrize(
    "headers",
    [{"dnt": "1"}, {"sec_gpc": "1"}, {"dnt": "0", "sec_gpc": "1"}, {"dnt": "1", "sec_gpc": "0"}, {"dnt": "yes"}],
)
def test_a_visitor_who_objects_is_not_tracked(headers: dict[str, str]) -> None:
    assert analytics_for(visit(**headers), ON) is None


@pytest.mark.parametrize("wrong", ["UA-1234-1", "G-<script>", "G-ABC;x"])
def test_an_id_that_is_none_switches_nothing_on(wrong: str) -> None:
    assert analytics_for(visit(), Settings(analytics_id=wrong)) is None
