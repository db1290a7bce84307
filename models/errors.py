"""What errors of the database mean: to the caller, or to us."""

import psycopg.errors
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from domain.errors import ErrorCode, Refusal

RETRIED = (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)
# Whatever goes wrong between us and the database; the statement may be tried again later.
UNREACHABLE = (SQLAlchemyError, OSError)
NO_DOUBLE_BOOKING = "ex_appointments_no_double_booking"


def refusal_of(error: DBAPIError | PoolTimeout) -> Refusal | None:
    """What a database error means to the caller, or None when it means a defect of ours."""
    if isinstance(error, PoolTimeout):
        # No connection became free: the transaction has not even begun.
        return _busy()
    if isinstance(error, IntegrityError) and constraint_of(error) == NO_DOUBLE_BOOKING:
        return Refusal(
            ErrorCode.SLOT_TAKEN, "The technician already has an appointment at that time.", ("input", "scheduled")
        )
    # A statement that was cut off at its time waited, too: for the tenant's counter behind a crowd of writers, say.
    if isinstance(error.orig, (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled, *RETRIED)):
        return _busy()
    return None


def _busy() -> Refusal:
    return Refusal(ErrorCode.BUSY, "Others are changing the same things right now. Nothing was changed; try again.")


def constraint_of(error: IntegrityError) -> str | None:
    """The name of the constraint that was violated."""
    original = error.orig
    return original.diag.constraint_name if isinstance(original, psycopg.Error) else None
