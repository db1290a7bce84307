"""`./sps`, the script that installs: in a clone of its own, with a stand-in for uv that notes its calls."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.process import ROOT

UV = """#!/bin/sh
echo "$*" >>"$CALLS"
case $1 in
venv) exec {python} -I -m venv --without-pip "$5" ;;
pip)
    [ ! -e "$CALLS.hang" ] || {{ echo hangs >"$CALLS.hang"; sleep 600; }}
    [ ! -e "$CALLS.fail" ] || {{ echo "no way" >&2; exit 1; }} ;;
esac
"""
CLI = """
import json, os, sys
print(json.dumps([sys.argv[1:], os.getcwd(), os.environ["SPS_DATA_DIR"], os.path.dirname(os.path.dirname(__file__))]))
"""


class Clone:
    """A fresh clone with nothing in it but the script, and a PATH on which uv is ours."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a clone"
        self.calls = folder / "calls"
        (self.root / "cli").mkdir(parents=True)
        (self.root / "cli/__init__.py").touch()
        (self.root / "cli/__main__.py").write_text(CLI)
        shutil.copy(ROOT / "sps", self.root)
        for name in ("requirements.lock", "requirements-test.lock", "requirements-uv.lock"):
            (self.root / name).write_text(f"# {name}\n")
        self.bin = folder / "bin"
        self.bin.mkdir()
        (self.bin / "uv").write_text(UV.format(python=sys.executable))
        (self.bin / "uv").chmod(0o755)
        (self.bin / "python3").symlink_to(sys.executable)
        self.environment = {"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(folder), "CALLS": str(self.calls)}

    def start(self, *arguments: str, script: Path | None = None, cwd: Path | None = None) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [script or self.root / "sps", *arguments],
            cwd=cwd,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, script: Path | None = None, cwd: Path | None = None) -> tuple[int, str, str]:
        process = self.start(*arguments, script=script, cwd=cwd)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def synced(self) -> list[str]:
        """The lock files that were synced, in order."""
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        return [line.split()[-1] for line in lines if line.startswith("pip sync")]


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A clone of the test's own."""
    return Clone(tmp_path)


def test_it_runs_from_anywhere_and_through_links(clone: Clone, tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    (tmp_path / "links/first").symlink_to("../links/second")
    (tmp_path / "links/second").symlink_to(clone.root / "sps")
    code, out, err = clone.run("up", "--port", "1 2", script=tmp_path / "links/first", cwd=tmp_path)
    assert code == 0, err
    assert f'[["up", "--port", "1 2"], "{tmp_path}", "{clone.root}/.sps", "{clone.root}"]' in out


def test_packages_are_synced_when_their_lock_has_changed_and_only_then(clone: Clone) -> None:
    assert "installing" in clone.run("up")[2]
    assert clone.run("up")[2] == ""
    assert clone.synced() == ["requirements.lock"]
    clone.run("test")
    clone.run("up")
    assert clone.synced() == ["requirements.lock", "requirements-test.lock"]
    (clone.root / "requirements.lock").write_text("# another\n")
    (clone.root / ".venv/kept").touch()
    clone.run("up")
    assert clone.synced()[2:] == ["requirements.lock"]
    assert (clone.root / ".venv/kept").exists()
    assert "--require-hashes" in clone.calls.read_text()


def test_an_install_that_was_killed_is_made_anew(clone: Clone) -> None:
    hang = Path(f"{clone.calls}.hang")
    os.mkfifo(hang)
    process = clone.start("up")
    assert hang.read_text() == "hangs\n"
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    hang.unlink()
    (clone.root / ".venv/half").touch()
    assert clone.run("up")[0] == 0
    assert not (clone.root / ".venv/half").exists()
    assert clone.run("up")[2] == ""


def test_starts_at_once_install_once(clone: Clone) -> None:
    processes = [clone.start("up") for _ in range(3)]
    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert clone.synced() == ["requirements.lock"]


def test_pip_takes_the_place_of_an_uv_that_fails(clone: Clone) -> None:
    Path(f"{clone.calls}.fail").touch()
    code, _, err = clone.run("up")
    assert code == 0, err
    assert "pip takes a minute instead" in err
    assert (clone.root / ".venv/bin/pip").exists()


def test_a_venv_whose_python_has_gone_is_made_anew(clone: Clone) -> None:
    clone.run("up")
    (clone.root / ".venv/bin/python").unlink()
    (clone.root / ".venv/bin/python").symlink_to("/nowhere/python3")
    code, out, err = clone.run("up")
    assert (code, "installing" in err) == (0, True), err
    assert out


def test_without_a_suitable_python_it_says_so(clone: Clone) -> None:
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14", "python"):
        (clone.bin / name).unlink(missing_ok=True)
        (clone.bin / name).write_text("#!/bin/sh\nexit 127\n")
        (clone.bin / name).chmod(0o755)
    code, out, err = clone.run("up")
    assert (code, out) == (1, "")
    assert err.startswith("sps: Python 3.11 or later is needed")
    assert err.count("\n") == 1


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-test.lock", "requirements-uv.lock"])
def test_locks_name_hashes_and_no_places(name: str) -> None:
    text = (ROOT / name).read_text()
    for pin in re.findall(r"^[a-z0-9][^\\\n]*(?:\\\n[^\\\n]*)*", text, re.MULTILINE):
        assert "--hash=sha256:" in pin, pin
    assert "://" not in text
    assert not re.search(r"(^|\s)/\w", text)


def test_the_tests_packages_are_the_products_and_more() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^[a-z0-9][^\\\n]*", (ROOT / name).read_text(), re.MULTILINE))

    assert pins("requirements.lock") < pins("requirements-test.lock")
