"""Documents for a drawn schema: aliases, fragments of all kinds, directives, one field several times."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.compiled.drawn_data import root_fields
from tests.compiled.drawn_schema import INTERFACE, NAMES, UNION, Drawn

DIRECTIVES = ("@include(if: $yes)", "@skip(if: $yes)", "@include(if: true)", "@skip(if: false)", "@include(if: false)")
# Most selections have none.
PLAIN = 12


class _Writer:
    def __init__(self, drawn: Drawn, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self._drawn, self._draw = drawn, draw
        self.fragments: list[tuple[str, str, str]] = []

    def _number(self, below: int) -> int:
        found: int = self._draw(st.integers(0, below - 1))
        return found

    def _directive(self) -> str:
        number = self._number(PLAIN + len(DIRECTIVES))
        return "" if number < PLAIN else f" {DIRECTIVES[number - PLAIN]}"

    def selections(self, of: str, depth: int) -> str:
        """A selection set of a type."""
        parts = [self._selection(of, depth) for _ in range(1 + self._number(4))]
        return "{" + " ".join(parts) + "}"

    def _selection(self, of: str, depth: int) -> str:
        kind = self._number(10)
        if kind < 6 or depth == 0:
            return self._field(of, depth)
        if kind == 6:
            return f"__typename{self._directive()}" if self._number(2) else "kind: __typename"
        on = self._condition(of)
        if kind == 7:
            condition = f" on {on}" if on != of or self._number(2) else ""
            return f"...{condition}{self._directive()} {self.selections(on, depth - 1)}"
        known = [name for name, type_name, _ in self.fragments if type_name == on]
        if kind == 8 and known:
            return f"...{known[self._number(len(known))]}{self._directive()}"
        body = self.selections(on, depth - 1)
        name = f"part{len(self.fragments)}"
        self.fragments.append((name, on, body))
        return f"...{name}{self._directive()}"

    def _condition(self, of: str) -> str:
        """A type on which a fragment may lie there."""
        fitting = {
            UNION: (*NAMES[1:3], UNION, INTERFACE),
            INTERFACE: (*NAMES[:2], INTERFACE, UNION),
            NAMES[0]: (NAMES[0], INTERFACE),
            NAMES[1]: (NAMES[1], INTERFACE, UNION),
            NAMES[2]: (NAMES[2], UNION),
            NAMES[3]: (NAMES[3],),
        }[of]
        return fitting[self._number(len(fitting))]

    def _field(self, of: str, depth: int) -> str:
        if of == UNION:
            return "__typename"
        if of == INTERFACE:
            return "name" if self._number(2) else "called: name"
        fields = [each for each in self._drawn.fields[of] if depth > 0 or not isinstance(each.of, str)]
        each = fields[self._number(len(fields))]
        # One response name always means the same: else the fields could not be merged.
        argument = f"(times: {self._number(2)})" if each.argument else ""
        alias = f"also{argument[-2:-1]}_{each.name}: " if argument or self._number(4) == 0 else ""
        body = f" {self.selections(each.of, depth - 1)}" if isinstance(each.of, str) else ""
        return f"{alias}{each.name}{argument}{self._directive()}{body}"

    def document(self) -> str:
        """A document of one operation."""
        roots = root_fields()
        parts = []
        for _ in range(1 + self._number(3)):
            name = sorted(roots)[self._number(len(roots))]
            parts.append(f"{name}{self._directive()} {self.selections(roots[name][0], 3)}")
        kind = "query" if self._number(4) else "mutation"
        fragments = [f"fragment {name} on {on} {body}" for name, on, body in self.fragments]
        return "\n".join([f"{kind} Drawn($yes: Boolean!) {{", *parts, "}", *fragments])


@st.composite
def documents(draw: Any, drawn: Drawn) -> str:
    """A valid document, but that a variable may not be used."""
    return _Writer(drawn, draw).document()
