"""`sps test`: all checks that a change answers to, on one throw-away PostgreSQL, with a summary at the end."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import click

from cli.trouble import Trouble
from integrations.embedded_postgres import EmbeddedPostgresError, temporary_postgres
from settings import Settings

ROOT = Path(__file__).resolve().parent.parent
IMPORT_LINTER = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
QUICK = "not soak and not services"
SOAK = "not services"


@dataclass
class Check:
    """One of the checks; its output is kept until it is its turn to be shown."""

    name: str
    arguments: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    output: IO[bytes] | None = None
    code: int = -1
    seconds: float = 0.0
    waiter: threading.Thread | None = None

    def start(self, environment: dict[str, str], *, kept: bool) -> "Check":
        """Start it, with its output kept for later or shown as it comes."""
        self.output = tempfile.TemporaryFile() if kept else None  # noqa: SIM115
        command = [sys.executable, *self.arguments]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=self.output, stderr=self.output)  # noqa: S603
        self.waiter = threading.Thread(target=self._wait, args=(self.process, time.monotonic()), daemon=True)
        self.waiter.start()
        return self

    def _wait(self, process: "subprocess.Popen[bytes]", began: float) -> None:
        self.code = process.wait()
        self.seconds = time.monotonic() - began

    def finish(self) -> None:
        """Wait for it, and show its output if it failed."""
        if self.waiter is None:
            raise AssertionError("a check is started before it is finished")
        self.waiter.join()
        if self.output:
            self.output.seek(0)
            text = self.output.read().decode(errors="replace")
            self.output.close()
            if self.code:
                click.echo(f"{click.style(self.name, bold=True)}\n{text}")


def run(*, soak: bool, pytest_arguments: Sequence[str]) -> int:
    """Run all checks; the answer is an exit code.

    Args:
        soak: the full-size tests too.
        pytest_arguments: passed on; with any, only what they select is run by pytest, in one process.

    Raises:
        Trouble: there is no database to test on.
    """
    # As Ctrl-C: leave through the blocks below, which end what has been started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    environment = _environment()
    marks = [] if any(argument.startswith("-m") for argument in pytest_arguments) else ["-m", SOAK if soak else QUICK]
    spread = [] if pytest_arguments else ["-n", str(_processes()), "--dist", "loadfile", "--no-loadscope-reorder"]
    checks = [
        Check("ruff check", ["-m", "ruff", "check", "--quiet", "."]),
        Check("ruff format", ["-m", "ruff", "format", "--check", "--quiet", "."]),
        Check("import rules", ["-P", "-c", IMPORT_LINTER]),
        Check("mypy", ["-m", "mypy", "."]),
        Check("pytest", ["-m", "pytest", *marks, *spread, *pytest_arguments]),
    ]
    *quick, pytest = checks
    try:
        with contextlib.ExitStack() as stack:
            started = [check.start(environment, kept=True) for check in quick]
            stack.callback(_end, started)
            server = stack.enter_context(temporary_postgres())
            environment["SPS_TEST_DATABASE_URL"] = server.url("postgres", "sps_owner")
            stack.callback(_end, [pytest.start(environment, kept=False)])
            pytest.finish()
            for check in started:
                check.finish()
    except EmbeddedPostgresError as error:
        raise Trouble(str(error)) from error
    for check in checks:
        passed = click.style("passed", fg="green") if check.code == 0 else click.style("FAILED", fg="red", bold=True)
        click.echo(f"{check.name:<14}{passed}  {check.seconds:6.1f} s")
    return 0 if all(check.code == 0 for check in checks) else 1


def _processes() -> int:
    """More than there are processors: tests wait for timers and other processes a third of their time."""
    return min(max((os.cpu_count() or 1) * 3 // 2, 2), 6)


def _environment() -> dict[str, str]:
    """Ours without any setting of the product: tests must not reach the database or the accounts of whoever runs them."""
    names = {str(field.validation_alias) for field in Settings.model_fields.values()}
    return {name: value for name, value in os.environ.items() if name not in names} | {"PYTHONPATH": str(ROOT)}


def _end(checks: Sequence[Check]) -> None:
    for check in checks:
        if check.process and check.process.poll() is None:
            check.process.terminate()
            check.process.wait()
