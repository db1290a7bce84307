"""Where a server's time goes, from samples of its stack: `py-spy record -F -f raw -o FILE -p PID`, then `python -m benchmarks.board_shares FILE`.

A sample belongs to the first of the parts below that it fits, so that what SQLAlchemy calls counts as SQLAlchemy, and so on inwards.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

_PATH = re.compile(r" \(([^()]*):\d+\)$")
# Part, where to look for it (anywhere in the stack, or in the frame that runs), and beginnings of its files' paths.
PARTS: tuple[tuple[str, bool, tuple[str, ...]], ...] = (
    ("psycopg: statements, waiting for PostgreSQL, reading rows", True, ("psycopg/", "psycopg_binary/")),
    ("SQLAlchemy: building, compiling and keying statements, rows", True, ("sqlalchemy/",)),
    ("loaders: collecting keys, handing out rows", True, ("strawberry/dataloader.py", "schema/loaders.py")),
    ("guards, checks of arguments", False, ("permissions/", "strawberry/permission.py", "schema/checks.py")),
    ("graphql-core: executing fields, completing values", False, ("graphql/",)),
    ("Strawberry: calling resolvers, converting", False, ("strawberry/",)),
    ("asyncio: tasks and futures of fields", False, ("asyncio/",)),
    ("our types made from rows, resolvers", False, ("schema/", "resolvers/", "models/", "domain/", "<string>")),
    ("HTTP: uvicorn, Starlette, edge", False, ("uvicorn/", "starlette/", "web/", "structlog/")),
)


def shares(lines: Iterable[str]) -> list[tuple[str, float]]:
    """Each part's share of the samples, the largest first."""
    found: Counter[str] = Counter()
    for line in lines:
        stack, _, number = line.rpartition(" ")
        paths = [_path(frame) for frame in stack.split(";")]
        found[_part(paths)] += int(number)
    total = sum(found.values())
    return [(part, number / total) for part, number in found.most_common()]


def _path(frame: str) -> str:
    match = _PATH.search(frame)
    return match[1].rpartition("site-packages/")[2] if match else frame


def _part(paths: list[str]) -> str:
    for part, anywhere, beginnings in PARTS:
        if any(path.startswith(beginnings) for path in (paths if anywhere else paths[-1:])):
            return part
    return "other"


if __name__ == "__main__":
    for each, share in shares(Path(sys.argv[1]).read_text().splitlines()):
        print(f"{share:6.1%}  {each}")
