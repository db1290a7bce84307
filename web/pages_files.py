"""The files of the pages: read once, named by a digest so that browsers keep them for good, and sent packed."""

import gzip
import mimetypes
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path, PurePosixPath
from posixpath import normpath

from starlette.responses import PlainTextResponse, Response

from web.pages_operations import operations_module

STATIC = Path(__file__).parent / "static"
FOREVER = "public, max-age=31536000, immutable"
SMALLEST_PACKED = 500
_IMPORT = re.compile(r"""^(?:import|export)\b[^;'"]*?["'](\.{1,2}/[^"']+)["']""", re.MULTILINE)
_ENTRY = re.compile(r'<script type="module" src="%BASE%/([^"]+)"></script>')
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".ico": "image/x-icon"}
_SENT = frozenset((".js", ".css", ".svg", ".png", ".ico", ".txt"))


@dataclass(frozen=True, slots=True)
class File:
    """A file's bytes, as they are and packed, and its media type."""

    body: bytes
    packed: bytes
    media_type: str
    tag: str


@dataclass(frozen=True, slots=True)
class Assets:
    """All files by their path under static/, and the pages by name."""

    files: Mapping[str, File]
    pages: Mapping[str, str]
    version: str

    def page(self, name: str, headers: Mapping[str, str]) -> Response:
        """A page: never kept, since it names the version of its files."""
        return Response(self.pages[name], media_type="text/html", headers={"Cache-Control": "no-cache", **headers})

    def file(self, path: str, headers: Mapping[str, str]) -> Response:
        """A file of this version (kept for good), or of one that a page loaded earlier asks for (asked for each time)."""
        version, _, rest = path.partition("/")
        found = self.files.get(rest) or self.files.get(path)
        if found is None:
            return PlainTextResponse("There is no such file.", status_code=404)
        kept = FOREVER if version == self.version else "no-cache"
        sent = {"Cache-Control": kept, "ETag": found.tag, "Vary": "Accept-Encoding"}
        if headers.get("if-none-match") == found.tag:
            return Response(status_code=304, headers=sent)
        if "gzip" in headers.get("accept-encoding", "") and len(found.packed) < len(found.body):
            return Response(found.packed, media_type=found.media_type, headers={**sent, "Content-Encoding": "gzip"})
        return Response(found.body, media_type=found.media_type, headers=sent)


@cache
def read_assets(folder: Path = STATIC) -> Assets:
    """Read them all, once for a process.

    Raises:
        ValueError: an operation spreads a fragment that there is not.
    """
    bodies = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in _SENT
    }
    bodies["operations.js"] = operations_module(folder / "operations").encode()
    version = sha256(b"".join(name.encode() + body for name, body in sorted(bodies.items()))).hexdigest()[:12]
    pages = {path.stem: _page(path.read_text("utf-8"), version, bodies) for path in (folder / "pages").glob("*.html")}
    return Assets({name: _file(name, body) for name, body in bodies.items()}, pages, version)


def _file(name: str, body: bytes) -> File:
    media_type = _TYPES.get(PurePosixPath(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    packed = gzip.compress(body, 9, mtime=0) if len(body) >= SMALLEST_PACKED else body
    return File(body, packed, media_type, f'"{sha256(body).hexdigest()[:24]}"')


def _page(text: str, version: str, bodies: Mapping[str, bytes]) -> str:
    """The page with its version, and a hint for each module that its entry imports: else they load one after another."""
    entry = _ENTRY.search(text)
    if entry is not None:
        hints = (f'<link rel="modulepreload" href="%BASE%/{name}">' for name in modules(entry[1], bodies))
        text = text.replace("</head>", "\n".join((*hints, "</head>")))
    return text.replace("%BASE%", f"/static/{version}")


def modules(entry: str, bodies: Mapping[str, bytes]) -> list[str]:
    """The module and all that it imports, in the order in which they are met.

    Raises:
        ValueError: one imports a file that there is not.
    """
    met: dict[str, None] = {}
    waiting = [entry]
    while waiting:
        name = waiting.pop(0)
        if name in met:
            continue
        if name not in bodies:
            raise ValueError(f"there is no module {name}")
        met[name] = None
        waiting.extend(_imports(name, bodies[name].decode()))
    return list(met)


def _imports(name: str, text: str) -> Iterator[str]:
    folder = PurePosixPath(name).parent
    for match in _IMPORT.finditer(text):
        yield normpath(folder / match[1])
