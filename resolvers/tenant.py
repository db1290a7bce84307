"""The business itself."""

from collections.abc import Mapping
from typing import Any

from domain import contact
from domain.errors import invalid, not_found
from models.database import Transaction
from models.tenant import Tenant
from resolvers.caller import Caller


async def own_tenant(caller: Caller) -> Tenant | None:
    """The caller's business."""
    async with caller.reading() as session:
        return await session.get(Tenant, caller.tenant_id)


async def update_tenant(caller: Caller, changes: Mapping[str, Any]) -> Tenant:
    """Change what `changes` names: name, email, phone.

    Raises:
        Refusal: INVALID_INPUT.
    """
    columns: dict[str, Any] = {}
    if changes.get("name") is not None:
        columns["name"] = contact.required(changes["name"], "name")
    if changes.get("email") is not None:
        address = contact.email(changes["email"], "email")
        if address is None:
            raise invalid("A business needs an email address.", "email")
        columns["email"] = address
    if "phone" in changes:
        columns["phone"] = contact.phone(changes["phone"], "phone")

    async def work(session: Transaction) -> Tenant:
        tenant = await session.get(Tenant, caller.tenant_id, with_for_update={"key_share": True})
        if tenant is None:
            raise not_found("business")
        for name, value in columns.items():
            setattr(tenant, name, value)
        await session.flush()
        return tenant

    return await caller.transact(work)
