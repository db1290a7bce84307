"""Draws an uploaded image anew, in a process of its own with little memory and time: what was not a pixel is gone.

Run as a script: the type and the limits are arguments, the image comes on stdin; a line of JSON and the two pictures go to
stdout. It imports nothing of ours, so that it starts quickly and a decoder that is broken into finds nothing.
"""

import io
import json
import resource
import sys
import warnings

import pillow_heif
from PIL import Image, ImageCms, ImageOps

MEMORY = 1_500_000_000
CPU_SECONDS = 20
# The first is shown whole, the second in lists.
QUALITY, THUMBNAIL_QUALITY = 85, 80


def main() -> int:
    """Exit code 0 with the pictures, 3 with a sentence about the image on stderr."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    wanted, most_pixels, small = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    content = sys.stdin.buffer.read()
    Image.MAX_IMAGE_PIXELS = most_pixels
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    if wanted == "HEIF":
        pillow_heif.register_heif_opener(thumbnails=False, decode_threads=1)
    try:
        # The format is named: no other decoder of the library is ever asked.
        with Image.open(io.BytesIO(content), formats=[wanted]) as opened:
            profile = opened.info.get("icc_profile")
            image = ImageOps.exif_transpose(opened)
            image.load()
        image = _plain(image)
        if profile and image.mode == "RGB":
            image = _in_srgb(image, profile)
        # Pixels alone go over: what the file said beside them (EXIF, GPS, XMP, comments, profiles) stays behind.
        clean = Image.new(image.mode, image.size)
        clean.paste(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        return _refuse(f"it has more than {most_pixels} pixels")
    except (
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        IndexError,
        KeyError,
        TypeError,
        RuntimeError,
        ArithmeticError,
    ) as error:
        return _refuse(f"it cannot be read ({type(error).__name__})")
    kept = "JPEG" if wanted in {"JPEG", "HEIF"} else wanted
    if kept == "JPEG" and clean.mode == "RGBA":
        clean = _on_white(clean)
    whole = _encoded(clean, kept, QUALITY)
    thumbnail = clean.copy()
    thumbnail.thumbnail((small, small))
    if thumbnail.mode == "RGBA":
        thumbnail = _on_white(thumbnail)
    little = _encoded(thumbnail, "JPEG", THUMBNAIL_QUALITY)
    head = {"format": kept, "width": clean.width, "height": clean.height, "whole": len(whole), "thumbnail": len(little)}
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + whole + little)
    return 0


def _plain(image: Image.Image) -> Image.Image:
    if image.mode in {"RGB", "L"}:
        return image
    transparent = "A" in image.mode or "transparency" in image.info
    return image.convert("RGBA" if transparent else "RGB")


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    srgb = ImageCms.createProfile("sRGB")
    try:
        converted = ImageCms.profileToProfile(image, io.BytesIO(profile), srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        # A broken profile: the colours as they are.
        return image
    return converted or image


def _on_white(image: Image.Image) -> Image.Image:
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def _encoded(image: Image.Image, kind: str, quality: int) -> bytes:
    made = io.BytesIO()
    image.save(made, kind, **({} if kind == "PNG" else {"quality": quality}))
    return made.getvalue()


def _refuse(reason: str) -> int:
    sys.stderr.write(reason)
    return 3


if __name__ == "__main__":
    sys.exit(main())
