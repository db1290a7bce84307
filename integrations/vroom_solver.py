"""The program that runs VROOM, on its own: the solver holds the interpreter's lock, so that nothing else may live in its process.

Usage: python -I vroom_solver.py PROBLEM SOLUTION SECONDS THREADS KILL_AFTER. PROBLEM and SOLUTION are files in VROOM's JSON format.
"""

import json
import signal
import sys
from datetime import timedelta
from pathlib import Path

EXPLORATION = 5
"""VROOM's most thorough level."""


def main(problem: str, solution: str, seconds: str, threads: str, kill_after: str) -> None:
    """Solve one problem.

    Args:
        seconds: after which VROOM stops searching and gives the best plan that it has.
        kill_after: seconds after which the system ends this process, should its parent have died or the solver hang.
    """
    if hasattr(signal, "alarm"):
        signal.alarm(int(kill_after))
    import vroom  # after the alarm is set: the import itself takes time

    instance = vroom.Input.from_json(Path(problem))
    solved = instance.solve(
        exploration_level=EXPLORATION, nb_threads=int(threads), timeout=timedelta(seconds=float(seconds))
    )
    Path(solution).write_text(json.dumps(solved.to_dict()))


if __name__ == "__main__":
    main(*sys.argv[1:])
