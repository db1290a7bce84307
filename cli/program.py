"""A child process, and the pipe by which it hears its orders and, by the pipe's end, of our end."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

# A child that lived for less than this has failed to start.
STEADY_SECONDS = 10.0
ROOT = Path(__file__).resolve().parent.parent
# What only the parent may know: how to become the owner of the tables.
PRIVATE = ("DATABASE_URL", "DATABASE_MIGRATOR_URL", "DATABASE_DIRECT_URL")


@dataclass
class Program:
    """A child: `sps` with these arguments.

    Attributes:
        first_pause: seconds before it is started again; twice as long after each further failure.
        process: while it runs.
        failures: how often in a row it has ended before it was steady.
        due: when to start it (monotonic seconds); None while it runs.
    """

    name: str
    arguments: Sequence[str]
    descriptors: Sequence[int] = ()
    first_pause: float = 0.5
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    failures: int = field(default=0, init=False)
    due: float | None = field(default=0.0, init=False)
    _pipe: int = field(default=-1, init=False)
    _started: float = field(default=0.0, init=False)

    def start(self) -> "subprocess.Popen[bytes]":
        """Start it; it imports what it needs, and waits for `go`."""
        # Nobody but us has the writing end: when we are gone, however that came, the child reads the end of the pipe.
        reading, self._pipe = os.pipe()
        environment = {name: value for name, value in os.environ.items() if name not in PRIVATE}
        environment["PYTHONPATH"] = str(ROOT)
        command = [sys.executable, "-P", "-m", "cli", *self.arguments, "--parent-fd", str(reading)]
        try:
            self.process = subprocess.Popen(  # noqa: S603
                command, env=environment, pass_fds=[reading, *self.descriptors], stdin=subprocess.DEVNULL
            )
        finally:
            os.close(reading)
        self._started, self.due = time.monotonic(), None
        return self.process

    def go(self, order: dict[str, str]) -> None:
        """Tell it to begin, with these variables in its environment. A child that has ended already is none the wiser."""
        try:
            os.write(self._pipe, json.dumps(order).encode() + b"\n")
        except BrokenPipeError:
            # Its end is an event of its own.
            return

    def ended(self) -> None:
        """It has ended: reckon when it is due again."""
        os.close(self._pipe)
        self.process = None
        steady = time.monotonic() - self._started >= STEADY_SECONDS
        self.failures = 1 if steady else self.failures + 1
        self.due = time.monotonic() + self.first_pause * 2 ** (self.failures - 1)
