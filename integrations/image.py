"""Images made safe: decoded and drawn anew in a short-lived process, so that neither a bomb nor a broken decoder harms us."""

import asyncio
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import orjson

from domain.attachment import HEIC, JPEG, MOST_PIXELS, PNG, THUMBNAIL_PIXELS, WEBP

WORKER = Path(__file__).with_name("image_worker.py")
SECONDS = 30.0
# Each takes a core and up to 1.5 GB: a crowd of uploads must queue here.
AT_ONCE = 2
_FORMATS = {JPEG: "JPEG", PNG: "PNG", WEBP: "WEBP", HEIC: "HEIF"}
_TYPES = {"JPEG": JPEG, "PNG": PNG, "WEBP": WEBP}
REFUSED = 3


class BadImage(Exception):
    """The bytes are not an image that can be kept; the message says why, to be read after "the file"."""


@dataclass(frozen=True, slots=True)
class CleanImage:
    """An image of pixels alone, and a small JPEG of it."""

    content: bytes
    content_type: str
    thumbnail: bytes


class ImageCleaner:
    """Cleans images, a few at a time.

    Args:
        most_pixels: an image with more is refused before it is decoded.
        seconds: after which a worker is killed.
    """

    def __init__(self, most_pixels: int = MOST_PIXELS, seconds: float = SECONDS) -> None:
        self._most_pixels = most_pixels
        self._seconds = seconds
        self._places = asyncio.Semaphore(AT_ONCE)

    async def clean(self, content: bytes, content_type: str) -> CleanImage:
        """The image without all that is not a picture. HEIC becomes JPEG, which every browser shows.

        Raises:
            BadImage: it cannot be decoded, has too many pixels, or takes too long.
        """
        async with self._places:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                str(WORKER),
                _FORMATS[content_type],
                str(self._most_pixels),
                str(THUMBNAIL_PIXELS),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={},
                cwd="/",
            )
            try:
                async with asyncio.timeout(self._seconds):
                    answer, reason = await process.communicate(content)
            except TimeoutError:
                raise BadImage("takes too long to decode") from None
            finally:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode == REFUSED:
            raise BadImage(reason.decode(errors="replace").partition("\n")[0][:200])
        if process.returncode != 0:
            # Killed by a limit, or by what it was fed.
            raise BadImage("takes too much memory or time to decode")
        head, _, pictures = answer.partition(b"\n")
        told = orjson.loads(head)
        return CleanImage(pictures[: told["whole"]], _TYPES[told["format"]], pictures[told["whole"] :])
