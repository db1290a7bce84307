"""Files encrypted for one recipient in the age format (age-encryption.org/v1), as streams; every chunk is authenticated."""

import os
from pathlib import Path
from typing import IO, Protocol

import pyrage
from pyrage import x25519


class Readable(Protocol):
    """All that is asked of a source."""

    def read(self, size: int = -1, /) -> bytes:
        """So many bytes, or fewer; none at its end."""


class AgeError(Exception):
    """The key or the file is not usable; the message is one sentence."""


def recipient_of(text: str) -> str:
    """A recipient (age1…), checked.

    Raises:
        AgeError: it is none.
    """
    try:
        x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError as error:
        raise AgeError("That is no age recipient: it begins with age1.") from error
    return text.strip()


def identity_recipient(path: Path) -> str:
    """The recipient whose files the identity in this file opens.

    Raises:
        AgeError: the file cannot be read, or holds no identity.
    """
    return str(_identity(path).to_public())


def make_identity(path: Path) -> str:
    """Make an identity file that only its owner can read, as age-keygen does; its recipient.

    Raises:
        AgeError: it cannot be written, or is there already.
    """
    identity = x25519.Identity.generate()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"# public key: {identity.to_public()}\n{identity}\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise AgeError(f"{path} cannot be written: {error.strerror}.") from error
    return str(identity.to_public())


def encrypt(source: Readable, target: IO[bytes], recipient: str) -> None:
    """Encrypt a stream, 64 KiB at a time.

    Raises:
        AgeError: one of the streams broke.
    """
    try:
        pyrage.encrypt_io(source, target, [x25519.Recipient.from_str(recipient)])
    except (pyrage.EncryptError, OSError) as error:
        raise AgeError(f"It could not be encrypted: {error}.") from error


def decrypt(source: Readable, target: IO[bytes], identity: Path) -> None:
    """Decrypt a stream. What has been written to `target` counts only when this returns: a file that was cut off or
    changed is noticed where it was.

    Raises:
        AgeError: another key's file, none of age's, or not as it was written.
    """
    key = _identity(identity)
    try:
        pyrage.decrypt_io(source, target, [key])
    except (pyrage.DecryptError, OSError) as error:
        raise AgeError(f"It is not a backup that this key opens, or it was cut off or changed ({error}).") from error


def _identity(path: Path) -> x25519.Identity:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
        [line] = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
        return x25519.Identity.from_str(line)
    except OSError as error:
        raise AgeError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, pyrage.IdentityError) as error:
        raise AgeError(f"{path} holds no age identity (AGE-SECRET-KEY-1…).") from error
