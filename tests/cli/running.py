"""The whole product as a user starts it, with its output and its processes."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Self

import httpx

from tests.process import ROOT, environment

PATIENCE_S = 60.0


class Up:
    """`sps up` in a group of its own; whatever is left of the group is killed at the end."""

    def __init__(self, data_dir: Path, port: int, *arguments: str, **settings: str) -> None:
        self.data_dir, self.port = data_dir, port
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "cli", "up", "--port", str(port), "--data-dir", str(data_dir), *arguments],
            cwd=ROOT,
            env={name: value for name, value in environment(**settings).items() if name != "SPS_TEST_DATABASE_URL"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self.output: list[str] = []
        self._lines: SimpleQueue[str] = SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill_group()
        self.ended()
        # The keeper, which is in no group of ours, stops the database.
        self.wait_until_database_stopped()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        # All that had our output have ended.
        self._lines.put("")

    def until(self, words: str) -> str:
        """Wait for a line of output with these words, and return it."""
        while line := self._lines.get(timeout=PATIENCE_S):
            self.output.append(line)
            if words in line:
                return line
        raise AssertionError(f"it ended without saying {words!r}:\n{''.join(self.output)}")

    def ended(self) -> int:
        """Wait until it and all its children have ended; its exit code."""
        self._reader.join(PATIENCE_S)
        assert not self._reader.is_alive()
        code = self._process.wait(PATIENCE_S)
        if self._process.stdout:
            self._process.stdout.close()
        return code

    def child(self, command: str) -> int:
        """The process number of the child that runs this command."""
        numbers = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        for number in numbers:
            with suppress(FileNotFoundError):
                if command in Path(f"/proc/{number}/cmdline").read_text().split("\0"):
                    return int(number)
        raise AssertionError(f"no child runs {command}")

    @property
    def postmaster(self) -> int:
        return int((self.data_dir / "postgres/data/postmaster.pid").read_text().split()[0])

    def interrupt(self) -> None:
        """What Ctrl-C does: SIGINT to the whole group."""
        os.killpg(self.pid, signal.SIGINT)

    def kill_group(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def wait_until_database_stopped(self) -> None:
        """The kernel gives us these locks when the keeper, and the server with all its backends, have ended."""
        for name in ("keeper", "alive"):
            with suppress(FileNotFoundError), (self.data_dir / f"postgres/{name}.lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)

    def ask(self, query: str, **variables: object) -> str:
        """The data of a GraphQL answer, as JSON."""
        address = f"http://127.0.0.1:{self.port}/graphql"
        answer = httpx.post(address, json={"query": query, "variables": variables}, timeout=PATIENCE_S)
        body = answer.json()
        assert "errors" not in body, body
        return json.dumps(body["data"])
