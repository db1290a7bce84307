"""Keeps child processes running: starts them, starts them again when they die, and ends them all together."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from types import FrameType, TracebackType
from typing import Self

from cli.program import Program
from cli.trouble import Trouble, say

FAILURES_AT_MOST = 5
STOP_SECONDS = 15.0
LOOK_SECONDS = 1.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class _Ended:
    program: Program
    code: int


class Supervisor:
    """Runs programs until a signal, or a program that does not start; as a context manager it leaves none behind.

    Args:
        programs: what to run.
    """

    def __init__(self, programs: Sequence[Program]) -> None:
        self._programs = programs
        self._events: SimpleQueue[_Ended | signal.Signals | Callable[[], None]] = SimpleQueue()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in SIGNALS:
            signal.signal(number, self._signalled)
        self._stop()

    def start(self, program: Program) -> None:
        """Start one of the programs ahead of `run`, to import while we prepare the rest; it waits for `run` to say go."""
        process = program.start()
        threading.Thread(target=self._await, args=(program, process), name=program.name, daemon=True).start()

    def call(self, action: Callable[[], None]) -> None:
        """Have `run` call this; safe from any thread."""
        self._events.put(action)

    def run(self, order: dict[str, str], look: Callable[[], None] = lambda: None) -> None:
        """Return when SIGINT, SIGTERM or SIGHUP has come.

        Args:
            order: see `Program.go`.
            look: called about once a second, for what else must be kept running.

        Raises:
            Trouble: a program has failed to start several times in a row.
        """
        for number in SIGNALS:
            signal.signal(number, self._signalled)
        for program in self._programs:
            if program.process:
                program.go(order)
        looked = time.monotonic()
        while True:
            for program in self._programs:
                if program.due is not None and program.due <= time.monotonic():
                    self.start(program)
                    program.go(order)
            try:
                event = self._events.get(timeout=LOOK_SECONDS)
            except Empty:
                event = None
            if isinstance(event, signal.Signals):
                return
            if isinstance(event, _Ended):
                self._ended(event)
            elif event:
                event()
            if time.monotonic() - looked >= LOOK_SECONDS:
                look()
                looked = time.monotonic()

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        self._events.put(signal.Signals(number))

    def _await(self, program: Program, process: "subprocess.Popen[bytes]") -> None:
        self._events.put(_Ended(program, process.wait()))

    def _ended(self, event: _Ended) -> None:
        program = event.program
        program.ended()
        how = f"was killed by {signal.Signals(-event.code).name}" if event.code < 0 else f"ended with code {event.code}"
        if program.failures >= FAILURES_AT_MOST:
            raise Trouble(
                f"The {program.name} {how}, {program.failures} times in a row at its start: the lines above say why."
            )
        say(f"the {program.name} {how}; starting it again")

    def _stop(self) -> None:
        for program in self._programs:
            if program.process:
                program.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while any(program.process for program in self._programs):
            try:
                event = self._events.get(timeout=max(deadline - time.monotonic(), 0.0))
            except Empty:
                event = signal.SIGKILL
            if isinstance(event, _Ended):
                event.program.ended()
            elif isinstance(event, signal.Signals):
                # Out of patience: ours, or that of whoever has pressed Ctrl-C again.
                for program in self._programs:
                    if program.process:
                        program.process.kill()
                deadline = time.monotonic() + STOP_SECONDS
