"""Writes the parts of the documentation that follow from the code; a test holds them equal."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from settings import Settings

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- generated: begin -->", "<!-- generated: end -->"


def settings_table() -> str:
    """A row for each setting: its variable, its default, what it is for."""
    rows = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for field in Settings.model_fields.values():
        default = field.default
        shown = "" if default in (None, "", PydanticUndefined) or isinstance(default, SecretStr) else f"`{default}`"
        rows.append(f"| `{field.validation_alias}` | {shown} | {field.description} |")
    return "\n".join(rows)


def between_marks(text: str, part: str) -> str:
    """The text with what stands between the marks replaced."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{part}\n{END}{after}"


def generated() -> Mapping[Path, str]:
    """Each file that holds generated parts, and what it should hold."""
    from schema.permission_matrix import scope_table, table
    from schema.root import schema

    configuration = ROOT / "docs/configuration.md"
    permissions = ROOT / "docs/permissions.md"
    matrix = f"## Scopes\n\n{scope_table()}\n\n## Fields\n\n{table()}"
    return {
        configuration: between_marks(configuration.read_text(), settings_table()),
        permissions: between_marks(permissions.read_text(), matrix),
        ROOT / "schema.graphql": f"{schema.as_str()}\n",
    }


def write() -> list[Path]:
    """Bring the files up to date; those that changed."""
    changed = [path for path, text in generated().items() if not path.exists() or path.read_text() != text]
    for path, text in generated().items():
        path.write_text(text)
    return changed
