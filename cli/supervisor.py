"""Keeps child processes running: starts them, starts them again when they die, and ends them all together."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from types import FrameType

from cli.trouble import Trouble, say

# A child that lived for less than this has failed to start; after so many of these in a row starting it again is no use.
STEADY_SECONDS = 10.0
FAILURES_AT_MOST = 5
FIRST_PAUSE_SECONDS = 0.5
STOP_SECONDS = 15.0
LOOK_SECONDS = 1.0


@dataclass
class Program:
    """A child: `sps` with these arguments."""

    name: str
    arguments: Sequence[str]
    descriptors: Sequence[int] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _pipe: int = field(default=-1, init=False)
    started: float = field(default=0.0, init=False)
    failures: int = field(default=0, init=False)
    due: float | None = field(default=0.0, init=False)

    def start(self) -> subprocess.Popen[bytes]:
        """Start it; it keeps the reading end of a pipe whose writing end nobody but us has, and so notices when we are gone."""
        reading, self._pipe = os.pipe()
        try:
            command = [sys.executable, "-P", "-m", "cli", *self.arguments, "--parent-fd", str(reading)]
            self.process = subprocess.Popen(command, pass_fds=[reading, *self.descriptors], stdin=subprocess.DEVNULL)  # noqa: S603
        finally:
            os.close(reading)
        self.started, self.due = time.monotonic(), None
        return self.process

    def ended(self) -> None:
        """It has ended: when is it due again?"""
        os.close(self._pipe)
        self.process = None
        lived = time.monotonic() - self.started
        self.failures = self.failures + 1 if lived < STEADY_SECONDS else 1
        self.due = time.monotonic() + FIRST_PAUSE_SECONDS * 2 ** (self.failures - 1)


@dataclass(frozen=True)
class _Ended:
    program: Program
    code: int


class Supervisor:
    """Runs programs until a signal or a program that does not start.

    Args:
        programs: what to run.
        look: called about once a second, for what else must be kept running.
    """

    def __init__(self, programs: Sequence[Program], look: Callable[[], object] = lambda: None) -> None:
        self._programs = programs
        self._look = look
        self._events: SimpleQueue[_Ended | signal.Signals | Callable[[], None]] = SimpleQueue()

    def call(self, action: Callable[[], None]) -> None:
        """Have the supervising thread call this; safe from any thread."""
        self._events.put(action)

    def run(self) -> None:
        """Return when SIGINT, SIGTERM or SIGHUP has come and all programs have ended.

        Raises:
            Trouble: a program has failed to start several times in a row; the others have been ended.
        """
        handlers = {
            number: signal.signal(number, self._signalled) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }
        try:
            while True:
                self._start_due()
                try:
                    event = self._events.get(timeout=LOOK_SECONDS)
                except Empty:
                    self._look()
                    continue
                if isinstance(event, signal.Signals):
                    return
                if isinstance(event, _Ended):
                    self._ended(event)
                else:
                    event()
        finally:
            self._stop()
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        self._events.put(signal.Signals(number))

    def _start_due(self) -> None:
        for program in self._programs:
            if program.due is not None and program.due <= time.monotonic():
                process = program.start()
                threading.Thread(target=self._await, args=(program, process), name=program.name, daemon=True).start()

    def _await(self, program: Program, process: subprocess.Popen[bytes]) -> None:
        self._events.put(_Ended(program, process.wait()))

    def _ended(self, event: _Ended) -> None:
        program = event.program
        program.ended()
        how = f"was killed by {signal.Signals(-event.code).name}" if event.code < 0 else f"ended with code {event.code}"
        if program.failures >= FAILURES_AT_MOST:
            raise Trouble(
                f"The {program.name} {how}, for the {program.failures}th time at its start: its last lines above say why."
            )
        say(f"the {program.name} {how}; starting it again")

    def _stop(self) -> None:
        for program in self._programs:
            if program.process:
                program.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while running := [program for program in self._programs if program.process]:
            try:
                event = self._events.get(timeout=max(deadline - time.monotonic(), 0.0))
            except Empty:
                event = signal.SIGINT
            if isinstance(event, _Ended):
                event.program.ended()
            elif isinstance(event, signal.Signals):
                # Out of patience: ours, or that of whoever has pressed Ctrl-C again.
                for program in running:
                    if program.process:
                        program.process.kill()
                deadline = time.monotonic() + STOP_SECONDS
