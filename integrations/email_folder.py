"""Account mails without a mail server: files in a folder that only its owner can read, since they bring links that log in."""

import asyncio
from pathlib import Path

import structlog

from integrations.delivery import Accepted, not_too_late
from integrations.email import Email

log = structlog.get_logger("email")


class FolderEmailSender:
    """Writes each mail as a text file.

    Args:
        folder: made when it is not there.
    """

    leaves_nothing = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, email: Email, not_after: float) -> Accepted:
        """Write it. The log tells which file, and neither the address nor the link."""
        not_too_late(not_after)
        path = await asyncio.to_thread(self._write, email)
        log.info("account mail kept in a file", notification=email.event, file=path.name, folder=str(self._folder))
        return Accepted(provider_id=None)

    def _write(self, email: Email) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{email.message_id}.txt"
        path.touch(mode=0o600)
        path.write_text(f"To: {email.to}\nSubject: {email.subject}\n\n{email.body}\n", encoding="utf-8")
        return path
