"""docs/security-log.md tells of every kind of entry, and of no other."""

import re
from pathlib import Path

from domain.security_event import SecurityEventType


def test_every_kind_of_entry_is_documented_and_no_other() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs/security-log.md").read_text()
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    assert set(re.findall(r"`([A-Z_]+)`", " ".join(rows))) == {kind.value for kind in SecurityEventType}
