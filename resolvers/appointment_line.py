"""Lines of an appointment: what is done, how long it takes, and the price that was fixed when it was added."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from domain.errors import invalid, not_found
from domain.ids import new_id
from domain.pricing import LARGEST, total
from models.appointment import Appointment, AppointmentLine
from models.customer import custom_prices_of
from models.database import Transaction
from models.query import by_ids
from models.service import Service, ServiceOption

MOST_LINES = 50
LONGEST_VISIT = 24 * 60


@dataclass(frozen=True, slots=True)
class NewLine:
    """A service, perhaps with one of its options."""

    service_id: UUID
    option_id: UUID | None
    quantity: int


async def priced_lines(
    session: Transaction, appointment: Appointment, wanted: Sequence[NewLine], existing: Sequence[AppointmentLine] = ()
) -> list[AppointmentLine]:
    """The rows of these lines; sets the appointment's total and duration.

    A line's price is the customer's custom price or the catalog's, plus the option's. One that was there before keeps
    the price it was added at.

    Raises:
        Refusal: NOT_FOUND for a service or option that there is not; INVALID_INPUT for a quantity outside 1..1000, no
            line or too many, a service that is no longer offered, or sums beyond what can be kept.
    """
    if not 1 <= len(wanted) <= MOST_LINES:
        raise invalid(f"An appointment has 1 to {MOST_LINES} lines.", "lines")
    services = await by_ids(session, Service, [line.service_id for line in wanted])
    options = await by_ids(session, ServiceOption, [line.option_id for line in wanted if line.option_id])
    agreed = {row.service_id: row.price for row in await custom_prices_of(session, [appointment.customer_id])}
    fixed = {(line.service_id, line.option_id): line.unit_price for line in existing}
    lines: list[AppointmentLine] = []
    minutes = 0
    for position, line in enumerate(wanted):
        service, option = _found(services, options, line, position)
        known = fixed.get((line.service_id, line.option_id))
        if known is None and not service.active:
            raise invalid("That service is no longer offered.", "lines", str(position), "serviceId")
        price = agreed.get(service.id, service.price) + (option.price if option else Decimal(0))
        minutes += line.quantity * (service.duration_minutes + (option.duration_minutes if option else 0))
        lines.append(
            AppointmentLine(
                tenant_id=appointment.tenant_id,
                id=new_id(),
                appointment_id=appointment.id,
                position=position,
                service_id=service.id,
                option_id=option.id if option else None,
                quantity=line.quantity,
                unit_price=price if known is None else known,
            )
        )
    appointment.total = total((line.quantity, line.unit_price) for line in lines)
    appointment.duration_minutes = minutes
    if minutes > LONGEST_VISIT:
        raise invalid("A visit takes at most 24 hours.", "lines")
    if appointment.total > LARGEST:
        raise invalid(f"A total is at most {LARGEST}.", "lines")
    return lines


def _found(
    services: dict[UUID, Service], options: dict[UUID, ServiceOption], line: NewLine, position: int
) -> tuple[Service, ServiceOption | None]:
    path = ("lines", str(position))
    if not 1 <= line.quantity <= 1_000:
        raise invalid("A quantity is 1 to 1000.", *path, "quantity")
    service = services.get(line.service_id)
    if service is None:
        raise not_found("service", *path, "serviceId")
    if line.option_id is None:
        return service, None
    option = options.get(line.option_id)
    if option is None or option.service_id != service.id:
        raise not_found("option of that service", *path, "optionId")
    return service, option
