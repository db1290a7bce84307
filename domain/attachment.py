"""What may be attached to a visit or an appliance: kinds, types, sizes and names of files."""

import unicodedata
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from domain.errors import invalid

MOST_BYTES = 10_000_000
# A photo of 64 megapixels decodes to 256 MB; beyond that it is no photo of a dishwasher.
MOST_PIXELS = 64_000_000
THUMBNAIL_PIXELS = 320
# "Access is granted per-request via short-lived signed URLs."
URL_LASTS = timedelta(minutes=5)
UPLOAD_LASTS = timedelta(minutes=10)
# From one customer's link; more is no help to a technician, and a link may end up with anybody.
MOST_OF_CUSTOMER = 20
LONGEST_NAME = 150

JPEG, PNG, WEBP, HEIC, PDF = "image/jpeg", "image/png", "image/webp", "image/heic", "application/pdf"
ALLOWED_TYPES = frozenset({JPEG, PNG, WEBP, HEIC, PDF})
# iPhones and browsers have two names for the same container.
_SYNONYMS = {"image/heif": HEIC, "image/jpg": JPEG}
ENDINGS = {JPEG: ".jpg", PNG: ".png", WEBP: ".webp", HEIC: ".heic", PDF: ".pdf"}
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})


class AttachmentKind(StrEnum):
    """What it shows."""

    PHOTO = "PHOTO"
    DATAPLATE = "DATAPLATE"
    DOCUMENT = "DOCUMENT"


class AttachmentState(StrEnum):
    """Whether the bytes have come and were found good."""

    PENDING = "PENDING"
    READY = "READY"


def checked_type(text: str) -> str:
    """The content type, without parameters and under its first name.

    Raises:
        Refusal: INVALID_INPUT for a type that is not taken.
    """
    plain = text.partition(";")[0].strip().lower()
    found = _SYNONYMS.get(plain, plain)
    if found not in ALLOWED_TYPES:
        raise invalid("Photos are JPEG, PNG, WebP or HEIC, documents are PDF.", "contentType")
    return found


def checked_size(size: int) -> int:
    """The size in bytes.

    Raises:
        Refusal: INVALID_INPUT for nothing, or more than 10 MB.
    """
    if not 1 <= size <= MOST_BYTES:
        raise invalid(f"A file has 1 to {MOST_BYTES} bytes.", "byteSize")
    return size


def checked_name(text: str) -> str:
    """The file's name, to be shown and to be suggested when it is saved; nothing is stored under it.

    Raises:
        Refusal: INVALID_INPUT for a path, for characters that no name has, or for one that is too long.
    """
    name = unicodedata.normalize("NFC", text).strip()
    if "/" in name or "\\" in name or name.strip(". ") == "":
        raise invalid("A file name is no path.", "fileName")
    # Control and format characters: line breaks would end a header, direction marks make photo_gpj.exe look like an image.
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} for character in name):
        raise invalid("The file name holds characters that are not shown.", "fileName")
    if len(name) > LONGEST_NAME:
        raise invalid(f"A file name has at most {LONGEST_NAME} characters.", "fileName")
    return name


def with_ending(name: str, content_type: str) -> str:
    """The name with the ending of what the file is now."""
    stem, dot, _ending = name.rpartition(".")
    return (stem if dot and stem else name) + ENDINGS[content_type]


def sniffed_type(content: bytes) -> str | None:
    """What the bytes are, by their beginning; None for anything that is not taken."""
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return WEBP
    if content[4:8] == b"ftyp" and content[8:12] in _HEIF_BRANDS:
        return HEIC
    if content.startswith(b"%PDF-"):
        return PDF
    return None


def pdf_fault(content: bytes) -> str | None:
    """Why these bytes are not a PDF alone, or None when they are.

    Images are drawn anew, so nothing that hides behind them is kept; a PDF is kept as it came, so it must be nothing else.
    """
    tail = content[-1_024:].rstrip(b"\r\n\t \0")
    if not tail.endswith(b"%%EOF"):
        return "the PDF is cut off, or something follows its end"
    # A ZIP is found from its end, a page by its first tag: both can share a file with a PDF.
    if b"PK\x05\x06" in content[-66_000:]:
        return "it is a ZIP archive too"
    if any(mark in content[:1_024].lower() for mark in (b"<html", b"<script", b"<!doctype", b"<svg")):
        return "it is a web page too"
    return None


def upload_key(tenant_id: UUID, attachment_id: UUID) -> str:
    """Where the bytes come to; nobody is ever given a URL that reads from there."""
    return f"uploads/{tenant_id}/{attachment_id}"


def stored_key(tenant_id: UUID, attachment_id: UUID, digest: str) -> str:
    """Where a cleaned file is kept; by its content, so that two completions at once cannot overwrite each other."""
    return f"{attachment_prefix(tenant_id, attachment_id)}{digest[:32]}"


def attachment_prefix(tenant_id: UUID, attachment_id: UUID) -> str:
    """What the keys of all that was ever kept for an attachment begin with: a completion that died may have left more."""
    return f"{tenant_prefix(tenant_id)}attachments/{attachment_id}/"


def thumbnail_key(key: str) -> str:
    """Where the small picture of a cleaned file is kept."""
    return f"{key}-thumbnail"


def tenant_prefix(tenant_id: UUID) -> str:
    """What the keys of all that is kept for a business begin with."""
    return f"files/{tenant_id}/"


def all_prefixes(tenant_id: UUID) -> tuple[str, ...]:
    """Every place where there may be files of a business."""
    return (tenant_prefix(tenant_id), f"uploads/{tenant_id}/")
