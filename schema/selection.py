"""What was asked for below a field, for those who read it all at once."""

from collections.abc import Iterable, Mapping, Sequence

from graphql import FieldNode, FragmentDefinitionNode, InlineFragmentNode

Fragments = Mapping[str, FragmentDefinitionNode]


def children(nodes: Iterable[FieldNode], fragments: Fragments) -> dict[str, list[FieldNode]]:
    """The fields directly below these, by name, fragments opened.

    Those that `@skip` or `@include` leave out are among them: to read what nobody sees is a waste and no leak, since
    each field still asks its guard.
    """
    found: dict[str, list[FieldNode]] = {}
    opened: set[str] = set()
    waiting = [node.selection_set for node in nodes if node.selection_set]
    while waiting:
        for selection in waiting.pop().selections:
            if isinstance(selection, FieldNode):
                found.setdefault(selection.name.value, []).append(selection)
            elif isinstance(selection, InlineFragmentNode):
                waiting.append(selection.selection_set)
            elif (name := selection.name.value) not in opened:  # type: ignore[attr-defined]
                opened.add(name)
                waiting.append(fragments[name].selection_set)
    return found


def below(nodes: Sequence[FieldNode], fragments: Fragments, *path: str) -> Sequence[FieldNode]:
    """The fields at the end of a path of names."""
    for name in path:
        nodes = children(nodes, fragments).get(name, [])
    return nodes
