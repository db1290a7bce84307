"""The secrets that a data folder keeps between starts: the key of signed tokens, and the app roles' passwords."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.trouble import Trouble


class Keys:
    """`secrets.json` of a data folder, readable by its owner alone; what is missing is made when it is first asked for."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / "secrets.json"

    def secret_key(self) -> str:
        """The key that tokens are signed with."""
        return self._kept("secret_key")

    def app_password(self, database: str) -> str:
        """The password of the app's role in a database, named by host, port and database."""
        return self._kept(f"app_password {database}")

    def _kept(self, name: str) -> str:
        with self._locked():
            kept = self._read()
            if name not in kept:
                kept[name] = secrets.token_urlsafe(32)
                self._write(kept)
            return kept[name]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            private = 0o711 if os.geteuid() == 0 else 0o700
            self.path.parent.mkdir(mode=private, parents=True, exist_ok=True)
            lock = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except FileExistsError as error:
            raise Trouble(
                f"The data folder {self.path.parent} is not a folder: choose another with --data-dir."
            ) from error
        except OSError as error:
            raise Trouble(f"The data folder {self.path.parent} cannot be used: {error.strerror}.") from error
        try:
            # Two first starts at once must not each make a key, and go on with different ones.
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _read(self) -> dict[str, str]:
        try:
            kept = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise Trouble(f"{self.path} cannot be read: {error.strerror}.") from error
        except ValueError:
            kept = None
        if not isinstance(kept, dict) or not all(
            isinstance(value, str) and len(value) >= 32 for value in kept.values()
        ):
            raise Trouble(f"{self.path} is damaged: put back a copy, or remove it (everybody must then log in again).")
        return kept

    def _write(self, kept: dict[str, str]) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(kept, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)
