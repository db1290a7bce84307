"""All tables in one metadata, for migrations and for the tests that walk the catalog."""

from models import (
    appointment,
    customer,
    event,
    idempotency,
    location,
    log_in_session,
    message,
    notification,
    opt_out,
    service,
    technician,
    tenant,
    tick,
    user,
)
from models.base import Base

metadata = Base.metadata
MODULES = (
    appointment,
    customer,
    event,
    idempotency,
    location,
    log_in_session,
    message,
    notification,
    opt_out,
    service,
    technician,
    tenant,
    tick,
    user,
)
