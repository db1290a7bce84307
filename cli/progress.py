"""Progress bars for long work, on a terminal alone: what goes to a file or a log stays free of them."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

Report = Callable[[int, int | None], None]
"""Told how much is done, and of how much; None where nobody knows."""


@contextmanager
def progress(what: str, *, in_bytes: bool = False) -> Iterator[Report]:
    """A bar on stderr that is gone when the block ends.

    Args:
        what: the work, in a word or two.
        in_bytes: what is counted: bytes, or pieces.
    """
    if not sys.stderr.isatty():
        yield _nobody_looks
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    amount = DownloadColumn() if in_bytes else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), amount, TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@dataclass
class Counted:
    """A stream that reports how much of it has been read.

    Args:
        source: what is read from.
        report: told of every piece.
        total: its length in bytes; None for a pipe.
    """

    source: IO[bytes]
    report: Report
    total: int | None = None
    done: int = 0

    def read(self, size: int = -1, /) -> bytes:
        """As the source reads."""
        piece = self.source.read(size)
        self.done += len(piece)
        self.report(self.done, self.total)
        return piece


def _nobody_looks(_done: int, _total: int | None) -> None:
    """There is no terminal."""
