"""The session of one tenant: what each of its transactions begins with, and what is forgotten when one ends."""

from typing import Any, cast

import psycopg
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction
from sqlalchemy.util import await_only

from models.prepared import as_sqlalchemy
from models.reading import DRIVER
from models.scoping import scoped
from models.technician import HELD_TECHNICIANS

STATEMENT_TIMEOUT_MS = 5_000
# Longer than any honest holder of a technician's lock, shorter than what a dispatcher waits for.
LOCK_TIMEOUT_MS = 1_800

_BEGIN = (
    "SELECT set_config('app.tenant_id', %(tenant)s, true), set_config('statement_timeout', %(statement)s, true),"
    " set_config('lock_timeout', %(lock)s, true)"
)


class TenantSession(Session):
    """A session whose transactions belong to one tenant (`info['tenant_id']`), or to none."""


@event.listens_for(TenantSession, "after_begin")
def _set_tenant(session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    # Local to the transaction: a session-level SET would outlive its request on a pooled connection.
    values = {
        "tenant": str(session.info.get("tenant_id") or ""),
        "statement": str(STATEMENT_TIMEOUT_MS),
        "lock": str(LOCK_TIMEOUT_MS),
    }
    driver = cast("psycopg.AsyncConnection[Any]", connection.connection.driver_connection)
    try:
        # Every transaction begins with it: by SQLAlchemy's own way it would cost twice as much.
        await_only(driver.execute(_BEGIN, values))
    except psycopg.Error as error:
        if driver.closed:
            # So that SQLAlchemy meets the loss itself, and drops what its pool holds of the same server.
            connection.exec_driver_sql("SELECT 1")
        raise as_sqlalchemy(_BEGIN, error) from error
    session.info[DRIVER] = driver


@event.listens_for(TenantSession, "after_transaction_end")
def _forget_driver(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(DRIVER, None)


@event.listens_for(TenantSession, "after_soft_rollback")
def _forget_held(session: Session, _transaction: SessionTransaction) -> None:
    # A savepoint's end lets go of its locks: whoever goes on takes them anew.
    session.info.pop(HELD_TECHNICIANS, None)


@event.listens_for(TenantSession, "do_orm_execute")
def _name_tenant(state: ORMExecuteState) -> None:
    tenant_id = state.session.info.get("tenant_id")
    if tenant_id is not None:
        state.statement = scoped(state.statement, tenant_id)
