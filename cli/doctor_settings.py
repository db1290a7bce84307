"""The doctor's look at this machine and at settings that would otherwise fail late, or silently."""

import os
import platform
import stat
import sys
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from settings import Settings

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
SECRET_CHARACTERS = 32


class State(StrEnum):
    """How bad it is: WARN works, but not as most would want."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    name: str
    state: State
    found: str
    mend: str | None = None


def machine_findings() -> list[Finding]:
    """Python and the platform."""
    return [
        Finding(
            "python",
            State.OK,
            f"{platform.python_version()} at {sys.executable}, {platform.system()} {platform.machine()}",
        )
    ]


def settings_findings(settings: Settings) -> list[Finding]:
    """The data folder, and settings that contradict each other."""
    found = [_data_dir(settings), *_secrets(settings)]
    faults = [*_twilio(settings), *_public_url(settings), *_others(settings)]
    return found + (faults or [Finding("settings", State.OK, "nothing contradicts")])


def _data_dir(settings: Settings) -> Finding:
    path = settings.data_dir.expanduser().absolute()
    if not path.exists():
        return Finding("data folder", State.OK, f"{path} is made on the first start")
    if not path.is_dir():
        return Finding(
            "data folder", State.FAIL, f"{path} is not a folder", "Set SPS_DATA_DIR, or move that file away."
        )
    if not os.access(path, os.W_OK | os.X_OK):
        return Finding(
            "data folder", State.FAIL, f"{path} cannot be written", "Start as its owner, or set SPS_DATA_DIR."
        )
    if path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return Finding("data folder", State.WARN, f"others may write {path}", f"chmod go-w {path}")
    return Finding("data folder", State.OK, str(path))


def _secrets(settings: Settings) -> list[Finding]:
    path = settings.data_dir.expanduser().absolute() / "secrets.json"
    if os.environ.get("SPS_SECRET_KEY"):
        if len(settings.secret_key.get_secret_value()) < SECRET_CHARACTERS:
            mend = 'python3 -c "import secrets; print(secrets.token_urlsafe(32))" makes a good one.'
            return [
                Finding(
                    "secret key", State.FAIL, f"SPS_SECRET_KEY is shorter than {SECRET_CHARACTERS} characters", mend
                )
            ]
        return [Finding("secret key", State.OK, "from SPS_SECRET_KEY")]
    if not path.exists():
        return [Finding("secret key", State.OK, "is made on the first start")]
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        return [Finding("secret key", State.FAIL, f"others may read {path}", f"chmod 600 {path}")]
    return [Finding("secret key", State.OK, f"kept in {path}")]


def _twilio(settings: Settings) -> list[Finding]:
    parts = {
        "TWILIO_ACCOUNT_SID": settings.twilio_account_sid,
        "TWILIO_AUTH_TOKEN": settings.twilio_auth_token,
        "TWILIO_FROM": settings.twilio_from,
    }
    missing = [name for name, value in parts.items() if not value]
    if missing and len(missing) < len(parts):
        absent = " and ".join(missing)
        return [
            Finding(
                "texts",
                State.FAIL,
                f"{absent} not set beside the rest of Twilio's",
                f"Set {absent}, or none of {', '.join(parts)}.",
            )
        ]
    if settings.twilio_from and not settings.twilio_from.startswith(("+", "MG")):
        return [
            Finding(
                "texts",
                State.FAIL,
                f"TWILIO_FROM is {settings.twilio_from}",
                "Write it as +12065550100, or name a messaging service.",
            )
        ]
    if not missing and settings.twilio_base_url is None and _public_host(settings) in LOOPBACK:
        return [
            Finding(
                "texts",
                State.WARN,
                "Twilio cannot tell us what became of a text: our address is loopback",
                "Set SPS_PUBLIC_URL.",
            )
        ]
    return []


def _public_url(settings: Settings) -> list[Finding]:
    if settings.public_url is None:
        if settings.host in LOOPBACK:
            return []
        return [
            Finding(
                "public address", State.WARN, f"links in messages will lead to {settings.origin}", "Set SPS_PUBLIC_URL."
            )
        ]
    parts = urlsplit(settings.public_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"}:
        mend = "It is an origin alone, as https://app.example.com."
        return [Finding("public address", State.FAIL, f"SPS_PUBLIC_URL is {settings.public_url}", mend)]
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        mend = "Put the product behind TLS and write https://."
        return [
            Finding(
                "public address",
                State.FAIL,
                "SPS_PUBLIC_URL is http: log-ins would cross the network unprotected",
                mend,
            )
        ]
    return []


def _public_host(settings: Settings) -> str | None:
    return urlsplit(settings.origin).hostname


def _others(settings: Settings) -> list[Finding]:
    found = []
    if settings.smtp_url and settings.email_from == Settings.model_fields["email_from"].default:
        found.append(Finding("email", State.WARN, f"emails are sent from {settings.email_from}", "Set SPS_EMAIL_FROM."))
    if settings.database_url is None:
        for name, value in (("MIGRATOR", settings.database_migrator_url), ("DIRECT", settings.database_direct_url)):
            if value:
                mend = "Set DATABASE_URL too; without it the embedded database is used."
                found.append(
                    Finding("database", State.FAIL, f"DATABASE_{name}_URL is set and DATABASE_URL is not", mend)
                )
    return found
