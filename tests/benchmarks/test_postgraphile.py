"""PostGraphile is left out with a sentence where it cannot be had; what does not need it is checked without it."""

from pathlib import Path

import orjson
import pytest

from benchmarks import board_postgraphile
from benchmarks.board_check import visits_in
from benchmarks.board_postgraphile import NotInstalledError, installed


def test_without_npm_there_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotInstalledError, match="there is no npm"):
        installed()


def test_an_npm_that_reaches_nothing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 'network is unreachable' >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotInstalledError, match="network is unreachable"):
        installed()
    assert list((tmp_path / "cache" / "service-pro-stream-benchmark").iterdir()) == []


def test_versions_are_exact_and_the_lock_names_no_registry() -> None:
    folder = Path(board_postgraphile.__file__).parent / "postgraphile"
    wanted = orjson.loads((folder / "package.json").read_bytes())["dependencies"]
    lock = orjson.loads((folder / "package-lock.json").read_bytes())
    for name, version in wanted.items():
        assert lock["packages"][f"node_modules/{name}"]["version"] == version
    assert all("integrity" in each for path, each in lock["packages"].items() if path)
    assert b"://" not in (folder / "package-lock.json").read_bytes()


def test_both_shapes_of_a_visit_are_read_alike() -> None:
    service = {"id": "svc_1", "name": "Repair"}
    line = {"quantity": 1, "service": service}
    visit = {"id": "appt_1", "number": 7, "version": 1, "status": "SCHEDULED"}
    people = {"customer": {"name": "Jörg"}, "technician": None}
    ours = {"lanes": [{"appointments": [{**visit, **people, "lines": [line]}]}]}
    theirs = {"nodes": [{"visits": {"nodes": [{**visit, **people, "lines": {"nodes": [line]}}]}}]}
    assert list(visits_in(ours)) == list(visits_in(theirs)) != []
