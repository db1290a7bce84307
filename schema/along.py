"""What appointments lead to, read in the transaction that reads the appointments.

Each relation has its loader, which would wait for the other fields, take a connection and begin a transaction of its
own. A board and a list know beforehand what will be asked of all their rows.
"""

from collections.abc import Sequence

from graphql import FieldNode

from models.appointment import Appointment
from models.prepared import Readable
from permissions.scopes import Scope
from schema.context import Info
from schema.selection import below, children

# By field, the scope that guards it and the column that names its row.
_ROWS = (
    ("technician", Scope.TECHNICIANS_READ, "technician_id"),
    ("customer", Scope.CUSTOMERS_READ, "customer_id"),
    ("address", Scope.CUSTOMERS_READ, "address_id"),
    ("location", Scope.LOCATIONS_READ, "location_id"),
)
_OF_LINES = (("service", "service_id"), ("option", "option_id"))
_LED_TO = {name for name, _, _ in _ROWS} | {"lines"}


def asked(info: Info, *paths: tuple[str, ...]) -> list[FieldNode]:
    """The nodes of a query at the ends of these paths of names."""
    raw = info._raw_info
    return [node for path in paths for node in below(raw.field_nodes, raw.fragments, *path)]


async def read_what_is_asked(info: Info, appointments: Sequence[Appointment], *path: str) -> None:
    """The same for appointments that are there already, such as a mutation's, in one transaction; in none if nothing is asked."""
    nodes = asked(info, path)
    if _LED_TO & children(nodes, info._raw_info.fragments).keys():
        async with info.context.caller.looking() as session:
            await read_along(info, session, appointments, nodes)


async def read_along(
    info: Info, session: Readable, appointments: Sequence[Appointment], nodes: Sequence[FieldNode]
) -> None:
    """Load what `nodes`, fields of appointments, lead to.

    What the caller lacks the scope for is not read; the guards refuse it.
    """
    fragments, load, may = info._raw_info.fragments, info.context.load, info.context.caller.principal.may
    wanted = children(nodes, fragments)
    for name, scope, column in _ROWS:
        if name in wanted and may(scope):
            await getattr(load, name).ahead(session, [getattr(row, column) for row in appointments])
    if "lines" not in wanted or not may(Scope.APPOINTMENTS_READ):
        return
    found = await load.lines.ahead(session, [row.id for row in appointments])
    of_lines = children(wanted["lines"], fragments)
    for name, column in _OF_LINES:
        if name in of_lines and may(Scope.SERVICES_READ):
            await getattr(load, name).ahead(
                session, [getattr(line, column) for lines in found.values() for line in lines]
            )
