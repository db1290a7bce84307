"""What Stripe's events do here: kept first, then done once, and right in whichever order they come."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

import structlog

from domain.billing_event import (
    InvoiceReport,
    SubscriptionReport,
    Unreadable,
    checkout_report,
    customer_of,
    invoice_report,
    reduced,
    subscription_report,
    tenant_of,
)
from domain.errors import Refusal
from domain.ids import Prefix, decode
from models.billing import BillingAccount, lock_account, note_subscription, now_of
from models.billing_record import note_invoice
from models.database import Database, Transaction
from models.errors import UNREACHABLE
from models.stripe_event import KeptEvent, defer_event, due_events, finish_event, keep_event
from resolvers.billing_standing import settle

log = structlog.get_logger("stripe")
# A process that kept an event and has not finished it within this is taken for dead: the sweep does it.
LEASE_S = 30.0
ROOM = 200
# With the pauses below, more than a day. Then an event that belongs to nobody we know is left as it is.
MOST_ATTEMPTS = 30
LONGEST_PAUSE_S = 3_600.0
# When Stripe is asked what two reports of one second leave open: its answer is then later than both, whatever our clock.
UNSURE = timedelta(seconds=70)


Report = SubscriptionReport | InvoiceReport | None


class Outcome(StrEnum):
    """What became of an event; kept with it."""

    APPLIED = "APPLIED"
    IGNORED = "IGNORED"
    "Of a type that changes nothing here."
    UNMATCHED = "UNMATCHED"
    "Of a customer that is no business of ours."
    UNREADABLE = "UNREADABLE"
    "It lacks what every event of its type has."


async def receive(database: Database, event: object, *, billed: bool) -> None:
    """Keep an event whose signature was proved, then do it. When this returns, it is kept; what could not be done, the
    sweep does.

    Raises:
        Unreadable: it is no event.
        SQLAlchemyError: it could not be kept.
    """
    kept = read_event(event)
    async with database.anonymous() as session:
        waiting, tenant_id = await keep_event(
            session, kept.id, kept.type, kept.created, kept.customer_id, kept.body, LEASE_S
        )
    if waiting:
        await attempt(
            database,
            KeptEvent(kept.id, kept.type, kept.created, kept.customer_id, kept.body, tenant_id),
            billed=billed,
        )


def read_event(event: object) -> KeptEvent:
    """An event, cut down to what is used.

    Raises:
        Unreadable: it is no event.
    """
    if not isinstance(event, Mapping):
        raise Unreadable("no event: it is no object")
    event_id, event_type, created = event.get("id"), event.get("type"), event.get("created")
    data = event.get("data")
    inner = data.get("object") if isinstance(data, Mapping) else None
    if not (isinstance(event_id, str) and isinstance(event_type, str) and isinstance(inner, Mapping)):
        raise Unreadable("no event: id, type and data.object are missing")
    if not (0 < len(event_id) <= 255 and 0 < len(event_type) <= 255 and "\0" not in event_id + event_type):
        raise Unreadable("no event: id and type are short texts")
    if not isinstance(created, int) or not 0 <= created < 2**40:
        raise Unreadable("no event: created is a time")
    body = reduced(inner)
    return KeptEvent(event_id, event_type, created, customer_of(body), body, None)


async def attempt(database: Database, event: KeptEvent, *, billed: bool) -> None:
    """Do an event, or note why not and have the sweep do it later. It is kept, so nothing is lost by an error."""
    try:
        await _do(database, event, billed=billed)
    except (Refusal, *UNREACHABLE) as error:
        # Locks or the database: the lease ends by itself, and the sweep tries again.
        log.warning("event not done", eventId=event.id, type=event.type, error=type(error).__name__)
    except Exception as error:
        log.exception("event not done", eventId=event.id, type=event.type)
        await _defer(database, event, type(error).__name__)


async def catch_up(database: Database, *, billed: bool) -> int:
    """Do what has been kept and not done, because a process died or something was missing; how many were tried."""
    async with database.anonymous() as session:
        waiting = await due_events(session, LEASE_S, ROOM)
    # As they happened: most of what waits for something then waits no longer.
    for event in sorted(waiting, key=lambda each: (each.created, each.id)):
        await attempt(database, event, billed=billed)
    return len(waiting)


async def _do(database: Database, event: KeptEvent, *, billed: bool) -> None:
    kind = _kind(event)
    if kind is None:
        await _finish(database, event, Outcome.IGNORED)
        return
    try:
        report = _report(event, kind)
    except Unreadable as error:
        log.warning("event not readable", eventId=event.id, type=event.type, error=str(error))
        await _finish(database, event, Outcome.UNREADABLE)
        return
    tenant_id = event.tenant_id or decode(Prefix.TENANT, tenant_of(event.body) or "")
    if tenant_id is not None:
        owner = tenant_id
        if await database.transact(owner, lambda session: _apply(session, event, report, owner, billed=billed)):
            return
    if event.attempts >= MOST_ATTEMPTS:
        await _finish(database, event, Outcome.UNMATCHED)
    else:
        # The customer may be ours in a moment: its event can come before the answer that told us its id is written.
        await _defer(database, event, "its customer is not known here")


def _kind(event: KeptEvent) -> str | None:
    kind = event.body.get("object")
    if kind == "subscription" and event.type.startswith("customer.subscription."):
        return "subscription"
    if kind == "invoice" and event.type.startswith("invoice.") and "id" in event.body:
        return "invoice"
    if kind == "checkout.session" and event.type in {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
    }:
        return "checkout"
    return "customer" if kind == "customer" and event.type in {"customer.created", "customer.updated"} else None


def _report(event: KeptEvent, kind: str) -> Report:
    """What the event says; None when the customer's id is all.

    Raises:
        Unreadable: see `Outcome`.
    """
    match kind:
        case "subscription":
            return subscription_report(event.type, event.id, event.created, event.body)
        case "invoice":
            return invoice_report(event.type, event.id, event.created, event.body)
        case "checkout":
            return checkout_report(event.id, event.created, event.body)
    return None


async def _apply(session: Transaction, event: KeptEvent, report: Report, tenant_id: UUID, *, billed: bool) -> bool:
    """Do an event for its business, once. False: it is not that business's."""
    account = await lock_account(session, tenant_id, bills=billed)
    if account is None:
        return False
    if account.customer_id is None:
        account.customer_id = event.customer_id
    elif event.customer_id not in (None, account.customer_id):
        return False
    # In the transaction of its effects: a crash takes back both or neither. Whoever else does the same event at this
    # moment waits for the row, and then finds it done.
    if not await finish_event(session, event.id, Outcome.APPLIED):
        return True
    await note(session, account, report)
    await settle(session, account, billed=billed)
    return True


async def note(session: Transaction, account: BillingAccount, report: Report) -> None:
    """Take a report over, unless a later one of its object is known. Needs the account's lock."""
    if isinstance(report, InvoiceReport):
        await note_invoice(session, account.tenant_id, report)
    elif isinstance(report, SubscriptionReport) and await note_subscription(session, account.tenant_id, report):
        account.unsure = True
        account.next_check_at = await now_of(session) + UNSURE


async def _finish(database: Database, event: KeptEvent, outcome: str) -> None:
    async with database.anonymous() as session:
        await finish_event(session, event.id, outcome)


async def _defer(database: Database, event: KeptEvent, failure: str) -> None:
    pause = min(LONGEST_PAUSE_S, 10.0 * 2 ** min(event.attempts, 12))
    async with database.anonymous() as session:
        await defer_event(session, event.id, pause, failure)
