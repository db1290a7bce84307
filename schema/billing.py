"""Plans, the business's billing and its invoices, in the schema. Nothing here takes, or could take, a card."""

from datetime import datetime

import strawberry

from domain.billing import PLANS
from domain.billing import Plan as DomainPlan
from domain.ids import Prefix
from domain.tenant import TenantStatus
from models.billing_record import BillingRecord
from permissions.scopes import Scope
from resolvers.billing import Billing as DomainBilling
from resolvers.billing import billing_of, list_invoices, open_portal, start_checkout, usage_of
from schema.checks import Payload
from schema.connection import Connection, First, connection_of
from schema.context import Info
from schema.fields import PUBLIC, mutation, query, relation
from schema.node import Node, node_id
from schema.values import Money, money


@strawberry.type
class Plan:
    """What a business pays for, by the month."""

    code: str
    name: str
    price: Money
    technician_limit: int | None = strawberry.field(description="Active technicians at most; null: no limit.")
    included_messages: int = strawberry.field(description="In a month. More are never held back.")

    @classmethod
    def of(cls, plan: DomainPlan) -> "Plan":
        """The object of a plan."""
        return cls(
            code=plan.code,
            name=plan.name,
            price=money(plan.price),
            technician_limit=plan.technician_limit,
            included_messages=plan.included_messages,
        )


@strawberry.type
class Usage:
    """What was used in the current period."""

    period_start: datetime
    technicians: int = strawberry.field(description="Those active now.")
    appointments: int
    messages: int


@strawberry.type
class Invoice(Node):
    """An invoice of ours to the business."""

    number: str | None
    status: str = strawberry.field(description="OPEN, PAID, VOID or UNCOLLECTIBLE.")
    total: Money
    issued_at: datetime
    url: str | None = strawberry.field(description="Where it can be read and paid.")

    @classmethod
    def of(cls, row: BillingRecord) -> "Invoice":
        """The object of a row."""
        return cls(
            id=node_id(Prefix.INVOICE, row.id),
            number=row.number,
            status=row.status,
            total=Money(amount=row.total, currency=row.currency),
            issued_at=row.issued_at,
            url=row.url,
        )


@strawberry.type
class Billing:
    """How the business stands with us."""

    row: strawberry.Private[DomainBilling]
    plan: Plan
    status: TenantStatus
    current_period_end: datetime | None = strawberry.field(description="In a trial, when it ends.")

    @relation(Scope.BILLING_READ)
    async def usage(self, info: Info) -> Usage:
        """What was used in the current period."""
        used = await usage_of(info.context.caller, self.row)
        return Usage(
            period_start=self.row.period_start,
            technicians=used.technicians,
            appointments=used.appointments,
            messages=used.messages,
        )

    @relation(Scope.BILLING_READ)
    async def invoices(self, info: Info, first: First = None, after: str | None = None) -> Connection[Invoice]:
        """Invoices, newest first."""
        page = await list_invoices(info.context.caller, first, after)
        connection: Connection[Invoice] = connection_of(page, Invoice.of)
        return connection


@strawberry.input
class CheckoutStartInput:
    """The plan that is wanted."""

    idempotency_key: str | None = None
    plan_code: str


@strawberry.type
class CheckoutStartPayload(Payload):
    """The page where the plan is paid or confirmed; our own where no payments are configured, and then it is switched."""

    url: str | None = None


@strawberry.type
class BillingPortalOpenPayload(Payload):
    """The page where means of payment, invoices and the subscription are managed."""

    url: str | None = None


@strawberry.type
class BillingQuery:
    """Root fields."""

    @query(PUBLIC)
    async def plans(self, info: Info) -> list[Plan]:
        """What can be bought, the smallest first."""
        return [Plan.of(plan) for plan in PLANS.values()]

    @query(Scope.BILLING_READ)
    async def billing(self, info: Info) -> Billing | None:
        """The business's plan, status, usage and invoices."""
        found = await billing_of(info.context.caller)
        if found is None:
            return None
        return Billing(row=found, plan=Plan.of(found.plan), status=found.status, current_period_end=found.period_end)


@strawberry.type
class BillingMutation:
    """Root fields."""

    @mutation(Scope.BILLING_WRITE)
    async def checkout_start(self, info: Info, input: CheckoutStartInput) -> CheckoutStartPayload:
        """Buy a plan, or change to another one."""
        context = info.context
        url = await start_checkout(context.caller, context.payments, input.plan_code, input.idempotency_key)
        return CheckoutStartPayload(url=url)

    @mutation(Scope.BILLING_WRITE)
    async def billing_portal_open(self, info: Info) -> BillingPortalOpenPayload:
        """Open the page where the subscription is managed."""
        return BillingPortalOpenPayload(url=await open_portal(info.context.caller, info.context.payments))
