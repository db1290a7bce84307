"""What is kept of an uploaded file: the form of it that holds nothing but what it is for."""

from dataclasses import dataclass

from domain.attachment import PDF, pdf_fault, sniffed_type
from domain.errors import Refusal, invalid
from integrations.image import BadImage, ImageCleaner

CLEANER = ImageCleaner()


@dataclass(frozen=True, slots=True)
class Kept:
    """The bytes to keep, their type, and a small JPEG where it is an image."""

    content: bytes
    content_type: str
    thumbnail: bytes | None


async def kept_form(content: bytes | None, announced_type: str, announced_size: int) -> Kept:
    """Check uploaded bytes against what was announced, and clean them.

    Raises:
        Refusal: INVALID_INPUT, with what is wrong.
    """
    if content is None:
        raise invalid("Nothing has been uploaded yet.", "attachmentId")
    if len(content) != announced_size:
        raise _unfit("its size is not the one that was announced")
    found = sniffed_type(content)
    if found != announced_type:
        raise _unfit(f"it was announced as {announced_type}, and is {found or 'something else'}")
    if found == PDF:
        if fault := pdf_fault(content):
            raise _unfit(fault)
        return Kept(content, PDF, None)
    try:
        clean = await CLEANER.clean(content, found)
    except BadImage as error:
        raise _unfit(str(error)) from error
    return Kept(clean.content, clean.content_type, clean.thumbnail)


def _unfit(reason: str) -> Refusal:
    return invalid(f"The file is not kept: {reason}.", "attachmentId")
