"""Leaving in the schema: an account's cancellation, return and deletion, and the erasure of one customer."""

import strawberry

from domain.ids import Prefix
from permissions.scopes import Scope
from resolvers.customer_erase import erase_customer
from resolvers.leaving import cancel_account, delete_account, restore_account
from schema.checks import Payload
from schema.context import Info
from schema.fields import mutation
from schema.node import id_of
from schema.tenant import Tenant


@strawberry.input
class AccountCancelInput:
    """The password of whoever cancels, again."""

    password: str
    reason: str | None = None


@strawberry.input(description="Purges without waiting 90 days.")
class AccountDeleteInput:
    """The password of whoever deletes, again, and the business's name."""

    password: str
    confirm_business_name: str


@strawberry.input
class CustomerEraseInput:
    """The customer to be forgotten."""

    customer_id: strawberry.ID


@strawberry.type
class AccountCancelPayload(Payload):
    """The business, or why nothing changed."""

    tenant: Tenant | None = None


@strawberry.type
class AccountRestorePayload(Payload):
    """The business, or why nothing changed."""

    tenant: Tenant | None = None


@strawberry.type
class AccountDeletePayload(Payload):
    """Whether it is being deleted."""


@strawberry.type(description="Personal data goes; what the law keeps stays without it.")
class CustomerErasePayload(Payload):
    """Whether it is done."""


@strawberry.type
class LeavingMutation:
    """Root fields."""

    @mutation(Scope.ACCOUNT_CLOSE)
    async def account_cancel(self, info: Info, input: AccountCancelInput) -> AccountCancelPayload:
        """Cancel the account; everything is kept for 90 days, and nothing happens any more."""
        row = await cancel_account(info.context.caller, input.password, input.reason)
        return AccountCancelPayload(tenant=Tenant.of(row))

    @mutation(Scope.ACCOUNT_CLOSE)
    async def account_restore(self, info: Info) -> AccountRestorePayload:
        """Take a cancellation back."""
        return AccountRestorePayload(tenant=Tenant.of(await restore_account(info.context.caller)))

    @mutation(Scope.ACCOUNT_CLOSE)
    async def account_delete(self, info: Info, input: AccountDeleteInput) -> AccountDeletePayload:
        """Delete the account and all its data now."""
        await delete_account(info.context.caller, input.password, input.confirm_business_name)
        info.context.leave()
        return AccountDeletePayload()

    @mutation(Scope.CUSTOMERS_ERASE)
    async def customer_erase(self, info: Info, input: CustomerEraseInput) -> CustomerErasePayload:
        """Erase a customer's personal data everywhere."""
        await erase_customer(info.context.caller, id_of(Prefix.CUSTOMER, input.customer_id, "customer", "customerId"))
        return CustomerErasePayload()
