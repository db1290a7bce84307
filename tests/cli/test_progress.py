"""Progress is shown on a terminal, and nowhere else; a stream that is counted is read as before."""

import io
import os
import sys
from contextlib import suppress

import pytest

from cli.progress import Counted, progress


def shown(monkeypatch: pytest.MonkeyPatch, *, total: int | None, in_bytes: bool) -> str:
    """What a terminal gets to see of three steps."""
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr(sys, "stderr", terminal)
        with progress("dumping", in_bytes=in_bytes) as report:
            for done in (0, 1500, 3000):
                report(done, total)
    text = b""
    # The end of what a terminal was told, once nobody has it open, is an error on Linux.
    with suppress(OSError), os.fdopen(ours, "rb", buffering=0) as told:
        while piece := told.read(10_000):
            text += piece
    return text.decode()


def test_a_terminal_shows_how_much_of_how_much(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "3000/3000" in shown(monkeypatch, total=3000, in_bytes=False)
    assert "3.0/3.0 kB" in shown(monkeypatch, total=3000, in_bytes=True)
    assert "3.0/? kB" in shown(monkeypatch, total=None, in_bytes=True)


def test_elsewhere_nothing_is_shown(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    # CI sets it, and a log is no terminal for all that.
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress("dumping") as report:
        report(1, 2)
    assert capfd.readouterr() == ("", "")


def test_a_counted_stream_gives_what_its_source_holds() -> None:
    told: list[tuple[int, int | None]] = []
    counted = Counted(io.BytesIO(b"0123456789"), lambda done, total: told.append((done, total)), total=10)
    assert [counted.read(4), counted.read(4), counted.read(), counted.read()] == [b"0123", b"4567", b"89", b""]
    assert told == [(4, 10), (8, 10), (10, 10), (10, 10)]
