"""Several server processes behind one port."""

import gc
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from cli.serve import YOUNG_OBJECTS, spare_collector
from tests.process import ROOT, environment, free_port, kill, wait_until_ready


def children(number: int) -> set[int]:
    return set(map(int, Path(f"/proc/{number}/task/{number}/children").read_text().split()))


def test_processes_share_the_port_and_are_replaced(folder: Path, database_url: str) -> None:
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "cli", "serve", "--workers", "2", "--port", str(port)],
        cwd=ROOT,
        env=environment(DATABASE_URL=database_url, SPS_DATA_DIR=str(folder)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as parent:
        try:
            wait_until_ready(port)
            first, second = children(parent.pid)
            os.kill(first, signal.SIGKILL)
            assert parent.stderr is not None
            while b"starting it again" not in parent.stderr.readline():
                pass
            assert httpx.get(f"http://127.0.0.1:{port}/health/live").status_code == 200
            parent.terminate()
            parent.communicate(timeout=60)
            assert parent.returncode == 0
            assert not Path(f"/proc/{second}").exists()
        finally:
            kill(parent)


def test_the_garbage_collector_leaves_alone_what_is_there_at_the_start() -> None:
    # What other tests left for it goes first, or it would be counted as there.
    gc.collect()
    before, there = gc.get_threshold(), len(gc.get_objects())
    try:
        spare_collector()
        assert gc.get_freeze_count() > there * 0.9
        assert len(gc.get_objects()) < there * 0.1
        assert gc.get_threshold()[0] == YOUNG_OBJECTS
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
