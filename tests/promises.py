"""Reads the privacy policy sentence by sentence, and what docs/promises.md says about each."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
POLICY = ROOT / "docs/privacy-policy.txt"
PROMISES = ROOT / "docs/promises.md"
_HEADING = re.compile(r"\d+\. .*[^.:]")
# A sentence ends where the next one begins with a capital; "e.g." is the one abbreviation in the text.
_END = re.compile(r'(?<=[.!?"])(?<!e\.g\.)\s+(?=[A-Z"])')
_ROW = re.compile(r"\| (?P<sentence>.+?) \| (?P<kept>.+?) \|")
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
# How a sentence is marked that no program can keep.
NO_SOFTWARE = "Not software: "


@dataclass(frozen=True)
class Promise:
    """A sentence, the tests that keep it, and why none can."""

    sentence: str
    tests: list[tuple[str, str]]
    reason: str


def sentences(text: str) -> list[str]:
    """The sentences of the policy, headings left out; an item of a list counts as one or more."""
    found = []
    for line in text.splitlines():
        plain = line.strip().removeprefix("- ")
        if (
            plain
            and not _HEADING.fullmatch(plain)
            and plain
            not in {
                "From you (the business)",
                "From your customers (on your behalf)",
                "Automatically, when anyone uses the platform",
            }
        ):
            found += _END.split(plain)
    return found


def promises(text: str) -> list[Promise]:
    """The rows of the table."""
    found = []
    for line in text.splitlines():
        row = _ROW.fullmatch(line.strip())
        if row and row["sentence"] not in {"sentence", "---"}:
            kept = row["kept"]
            reason = kept.removeprefix(NO_SOFTWARE) if kept.startswith(NO_SOFTWARE) else ""
            found.append(Promise(row["sentence"], _TEST.findall(kept), reason))
    return found
