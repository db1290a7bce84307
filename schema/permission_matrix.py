"""Who may read and do what, read off the guards of the schema: docs/permissions.md prints it, and a test tries it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from strawberry.permission import PermissionExtension
from strawberry.types.base import StrawberryObjectDefinition

from domain.tenant import Role
from permissions.guards import Guard, Requires
from permissions.scopes import KEY_SCOPES, ROLES, Scope
from schema.root import schema

ALL, OWN, NONE = "all", "own", "–"
ROOTS = ("Query", "Mutation", "Subscription")
# Fields that show a technician, or let it move, its own appointments only, with their customers, messages and files, and
# the own home, whereabouts and time off. tests/access/test_matrix.py tries every field with a colleague's ids.
OWN_WORK = frozenset(
    {
        "Query.appointments",
        "Query.customers",
        "Query.dispatchBoard",
        "Query.messages",
        "Query.node",
        "Query.nodes",
        "Mutation.appointmentComplete",
        "Mutation.appointmentMarkNoShow",
        "Mutation.appointmentMarkOnTheWay",
        "Mutation.appointmentReopen",
        "Mutation.appointmentStart",
        "Mutation.attachmentDelete",
        "Mutation.technicianPositionReport",
        "Mutation.uploadComplete",
        "Mutation.uploadRequest",
        "Subscription.appointmentEvents",
        "Subscription.messageEvents",
        "Subscription.technicianPositions",
        "Customer.appointments",
        "Technician.homeBase",
        "Technician.position",
        "Technician.timeOff",
    }
)

# What a field's own code asks for besides its guard, since that depends on the arguments; None: once it has found something.
INSIDE: Mapping[str, tuple[Scope | None, str]] = {
    "Query.node": (Scope.TENANT_READ, "and the scope of the object's kind"),
    "Query.nodes": (Scope.TENANT_READ, "and the scope of each object's kind"),
    "Mutation.uploadRequest": (Scope.ATTACHMENTS_WRITE, "and attachments:write, without the token of a message"),
    "Mutation.uploadComplete": (None, "and attachments:write, unless a customer asked for the upload"),
    "Mutation.appointmentPresence": (Scope.APPOINTMENTS_READ, "of a person"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A field that runs code of ours, and its guard."""

    type: str
    field: str
    guard: Guard | None

    def __str__(self) -> str:
        return f"{self.type}.{self.field}"

    @property
    def scope(self) -> Scope | None:
        """The scope that it needs; None: a guard of another kind."""
        return self.guard.scope if isinstance(self.guard, Requires) else None

    def seen_by(self, role: Role) -> str:
        """What a role may read or do: nothing where there is no guard."""
        if self.guard is None or (self.scope is not None and self.scope not in ROLES[role]):
            return NONE
        return OWN if role is Role.TECHNICIAN and str(self) in OWN_WORK else ALL

    @property
    def by_key(self) -> str:
        """What an API key may: with the scope, in any case, or never."""
        if self.scope is None:
            return NONE if self._shown == "person" else ALL
        return "with the scope" if self.scope in KEY_SCOPES else NONE

    @property
    def asks(self) -> str:
        """What the guard asks for."""
        return self.scope.value if self.scope else self._shown

    @property
    def _shown(self) -> str:
        return type(self.guard).__name__.lower() if self.guard else "nothing"


def entries() -> Iterator[Entry]:
    """Every field with a resolver: root fields first, then what leads on from objects."""
    names = [*ROOTS, *sorted(set(schema.schema_converter.type_map) - set(ROOTS))]
    for name in names:
        concrete = schema.schema_converter.type_map[name]
        if not isinstance(concrete.definition, StrawberryObjectDefinition):
            continue
        for field in concrete.definition.fields:
            if field.base_resolver is None:
                continue
            guards = [
                permission
                for extension in field.extensions
                if isinstance(extension, PermissionExtension)
                for permission in extension.permissions
                if isinstance(permission, Guard)
            ]
            shown = schema.config.name_converter.from_field(field)
            yield Entry(name, shown, guards[0] if len(guards) == 1 else None)


def table() -> str:
    """The matrix in Markdown."""
    roles = list(Role)
    lines = [
        f"| field | guard | {' | '.join(roles)} | API key |",
        f"| --- | --- | {' | '.join('---' for _ in roles)} | --- |",
    ]
    for entry in entries():
        cells = [entry.seen_by(role) for role in roles]
        asks = f"{entry.asks} {INSIDE[str(entry)][1]}" if str(entry) in INSIDE else entry.asks
        lines.append(f"| `{entry}` | {asks} | {' | '.join(cells)} | {entry.by_key} |")
    return "\n".join(lines)


def scopes() -> Mapping[Scope, list[Role]]:
    """Which roles have each scope."""
    return {scope: [role for role in Role if scope in ROLES[role]] for scope in Scope}


def scope_table() -> str:
    """The scopes in Markdown."""
    lines = ["| scope | roles | API keys |", "| --- | --- | --- |"]
    for scope, roles in scopes().items():
        lines.append(f"| `{scope.value}` | {', '.join(roles)} | {'can have it' if scope in KEY_SCOPES else NONE} |")
    return "\n".join(lines)
