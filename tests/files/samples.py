"""Files as people and attackers send them."""

import io
import struct
import zipfile
import zlib

import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()
GPS_CANARY = b"CANARY-OF-THE-CAMERA"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def picture(kind: str = "JPEG", size: tuple[int, int] = (640, 480), *, turned: bool = False) -> bytes:
    """A picture with a camera's note and a position in its EXIF, red at its left end."""
    image = Image.new("RGB", size, "white")
    image.paste((200, 20, 20), (0, 0, size[0] // 4, size[1]))
    exif = image.getexif()
    exif[0x010F] = GPS_CANARY.decode()
    exif[0x9286] = GPS_CANARY.decode()
    exif.get_ifd(0x8825)[2] = (30.0, 16.0, 2.0)
    exif.get_ifd(0x8825)[1] = "N"
    if turned:
        exif[0x0112] = 6
    made = io.BytesIO()
    options = {} if kind == "PNG" else {"quality": 90}
    image.save(made, kind, exif=exif.tobytes(), **options)
    return made.getvalue()


def bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A PNG of 3.6 gigapixels in a few kilobytes."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * (width // 8 + 1) * 100, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def archive() -> bytes:
    """A ZIP."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr("run.sh", "echo hello")
    return made.getvalue()
