"""Planning of messages: rows with a due time, written in the transaction of the change that they tell of."""

from domain.appointment import AppointmentEventType
from models.appointment import Appointment
from models.database import Transaction


async def plan_messages(session: Transaction, appointment: Appointment, event: AppointmentEventType) -> None:
    """Write what the customer is to be told of this event, and take back what it made stale."""
