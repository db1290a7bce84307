"""Selections of appointments, drawn from what PostgreSQL can write."""

from typing import Any

from hypothesis import strategies as st

from models.ready import Inside, Leaf, Many, One, Shape
from models.ready_shapes import APPOINTMENT

ALIASES = ("a", "b", "x_1")


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


@st.composite
def selections(draw: Any, shape: Shape = APPOINTMENT, type_name: str = "Appointment") -> str:
    """The fields of an object: some twice, some under other names, some in fragments."""
    parts = []
    used: dict[str, str] = {}
    for name in draw(st.lists(st.sampled_from([*shape, "__typename"]), min_size=1, max_size=6)):
        written = name if name == "__typename" else camel(name)
        response = draw(st.sampled_from([written, *ALIASES])) if draw(st.integers(0, 3)) == 0 else written
        below = "" if name == "__typename" else draw(_below(shape[name]))
        # One name in the response stands for one field, whose selection merges; an alias is not used twice.
        if used.setdefault(response, written) != written or (response != written and response in parts):
            continue
        field = f"{response}: {written}{below}" if response != written else f"{written}{below}"
        wrapped = type_name and draw(st.integers(0, 4)) == 0
        parts.append(f"... on {type_name} {{ {field} }}" if wrapped else field)
    return " ".join(parts) or "__typename"


def _below(field: Any) -> st.SearchStrategy[str]:
    match field:
        case Leaf():
            return st.just("")
        case Inside(shape=shape) | One(shape=shape) | Many(shape=shape):
            return st.builds("{{ {} }}".format, selections(shape, ""))
    raise AssertionError(field)
