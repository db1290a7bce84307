"""Every sentence of the privacy policy is kept by a test that exists, or says why no program can keep it."""

import ast
from functools import cache

from tests.promises import NO_SOFTWARE, POLICY, PROMISES, ROOT, promises, sentences


@cache
def collected(path: str) -> frozenset[str]:
    """The tests that pytest collects from a file."""
    file = ROOT / path
    if not file.is_file() or not file.name.startswith("test_"):
        return frozenset()
    body = ast.parse(file.read_text(encoding="utf-8")).body
    functions = (node for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


def test_every_sentence_is_there_word_for_word_and_no_other() -> None:
    assert [each.sentence for each in promises(PROMISES.read_text())] == sentences(POLICY.read_text())


def test_every_sentence_has_a_test_or_says_why_not() -> None:
    for promise in promises(PROMISES.read_text()):
        assert bool(promise.tests) != bool(promise.reason), promise.sentence
        assert not promise.reason or len(promise.reason) > 15, promise.sentence


def test_every_test_that_is_named_exists() -> None:
    missing = [
        f"{path}::{name}"
        for promise in promises(PROMISES.read_text())
        for path, name in promise.tests
        if name not in collected(path)
    ]
    assert missing == []


def test_a_sentence_without_a_test_would_be_found() -> None:
    told = promises("| We do that. | later |\n| We do this. | `tests/nowhere.py::test_nothing` |")
    assert [(each.tests, each.reason) for each in told] == [([], ""), ([("tests/nowhere.py", "test_nothing")], "")]
    assert collected("tests/nowhere.py") == frozenset()
    assert sentences("1. A heading\n- We do that. We do this.") == ["We do that.", "We do this."]
    assert NO_SOFTWARE
