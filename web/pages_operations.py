"""The operations of our pages: `.graphql` files, each completed by the fragments that it spreads.

What `operations()` returns is every document that a page of ours ever sends.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from web.trusted_documents import document_id

OPERATIONS = Path(__file__).parent / "static" / "operations"
_SPREAD = re.compile(r"\.\.\.\s*(?!on\b)([A-Za-z_]\w*)")


def operations(folder: Path = OPERATIONS) -> dict[str, str]:
    """The whole documents by name, which is the file's and the operation's.

    Raises:
        ValueError: a fragment is spread that there is not.
    """
    fragments = {path.stem: _text(path) for path in sorted((folder / "fragments").glob("*.graphql"))}
    return {path.stem: _completed(_text(path), fragments) for path in sorted(folder.glob("*.graphql"))}


def operations_module(folder: Path = OPERATIONS) -> str:
    """The ids of the same, as an ES module: pages send these, so the texts stay here."""
    ids = {name: document_id(text) for name, text in operations(folder).items()}
    return f"export default {json.dumps(ids, indent=1)};\n"


def _text(path: Path) -> str:
    return path.read_text("utf-8").strip() + "\n"


def _completed(document: str, fragments: Mapping[str, str]) -> str:
    added: dict[str, None] = {}
    waiting = _SPREAD.findall(document)
    while waiting:
        name = waiting.pop(0)
        if name in added:
            continue
        if name not in fragments:
            raise ValueError(f"there is no fragment {name}")
        added[name] = None
        waiting.extend(_SPREAD.findall(fragments[name]))
    return document + "".join(fragments[name] for name in added)
