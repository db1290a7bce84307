"""Takes secrets and personal data out of what is about to be logged: by the name of the field, and by how a text looks."""

import re
from collections.abc import MutableMapping
from typing import Any

REDACTED = "[redacted]"
# Written by ourselves; a redaction would cut the thread that they are there for.
KEPT = frozenset({"requestId", "timestamp", "level", "logger", "status", "milliseconds"})
# Longer texts are cut: the patterns take time in proportion, and a line is read by people.
LONGEST = 16_000
# Deeper than anybody logs on purpose; what lies below is left out.
DEEPEST = 6

_SECRET_NAME = re.compile(
    r"passw|secret|token|authorization|cookie|api_?key|credential|totp|otp|recovery|csrf|signature"
    r"|e_?mail|phone|recipient|body|variables|dsn",
    re.IGNORECASE,
)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Credentials in a URL, a header or a query string.
    (re.compile(r"(?<=://)[^/\s:@]{0,256}:[^/\s@]{1,256}(?=@)"), REDACTED),
    (re.compile(r"(?i)\b(bearer|basic)\s+[^\s\"',;]+"), rf"\1 {REDACTED}"),
    (
        re.compile(
            r"(?i)([\w-]{0,40}(?:passw(?:or)?d|secret|token|api_?key|cookie|csrf|session|authorization|totp)[\w-]{0,40}"
            r"[\"']?\s*[=:]\s*[\"']?)(?!\[redacted)[^\s\"'&;,)}]+"
        ),
        rf"\1{REDACTED}",
    ),
    # Keys of ours and of Stripe by their prefix, JSON web tokens.
    (re.compile(r"\b(?:sps|sk|pk|rk|whsec)_[A-Za-z0-9_-]{6,}"), REDACTED),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"), REDACTED),
    (re.compile(r"[^\s@<>\"'(),;:=\[\]{}]{1,64}(?:@|%40)[^\s@<>\"'(),;:=\[\]{}]{1,255}\.[A-Za-z]{2,24}"), REDACTED),
    # E.164, and numbers as people in the US write them.
    (re.compile(r"(?<![\w.])(?:\+|%2B)\d[\d\s().-]{6,18}\d(?!\w)"), REDACTED),
    (re.compile(r"(?<![\w.])(?:1[\s.-]?)?\(?\d{3}\)?[\s.-]?\d{3}[\s.-]\d{4}(?![\w])"), REDACTED),
    (re.compile(r"(?<![\w.-])\d{10,15}(?![\w-]|\.\d)"), REDACTED),
)
# One short word without a digit, or an IPv4 address: most of what is logged, and nothing that a pattern would find.
_HARMLESS = re.compile(r"[A-Za-z./-]{0,24}|\d{1,3}(?:\.\d{1,3}){3}")
# An opaque token: long, and mixed as no word is. TypeIDs and UUIDs are shorter or have hyphens, and may be logged.
_OPAQUE = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{32,}={0,2}(?![A-Za-z0-9_-])")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TYPE_ID = re.compile(r"[a-z_]{1,63}_[0-7][0-9a-hjkmnp-tv-z]{25}")


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: the event with everything secret or personal replaced. Runs after exceptions are text."""
    return {key: value if key in KEPT else redacted(value, str(key)) for key, value in event.items()}


def redacted(value: object, name: str = "", depth: int = 0) -> object:
    """The value without secrets; `name` is that of the field it stands in."""
    if value is None or isinstance(value, bool):
        return value
    if name and _SECRET_NAME.search(name):
        return REDACTED
    if isinstance(value, int | float):
        return value
    if depth >= DEEPEST:
        return REDACTED
    if isinstance(value, MutableMapping | dict):
        return {redacted_text(str(key)): redacted(each, str(key), depth + 1) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redacted(each, "", depth + 1) for each in value]
    if isinstance(value, bytes):
        return redacted_text(value.decode(errors="replace"))
    return redacted_text(value if isinstance(value, str) else str(value))


def redacted_text(text: str) -> str:
    """The text with what looks like a secret, an email address or a telephone number replaced."""
    if _HARMLESS.fullmatch(text):
        return text
    if len(text) > LONGEST:
        # Without its last word, which may be half a secret that no pattern knows any more.
        text = f"{text[:LONGEST].rsplit(maxsplit=1)[0][:LONGEST]}…"
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return _OPAQUE.sub(_opaque, text)


def _opaque(match: re.Match[str]) -> str:
    text = match[0]
    if _UUID.fullmatch(text) or _TYPE_ID.fullmatch(text):
        return text
    return REDACTED if sum(character.isdigit() for character in text) >= 3 else text
