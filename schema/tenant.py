"""The business in the schema."""

from datetime import datetime

import strawberry

from domain.ids import Prefix
from domain.tenant import TenantStatus
from models.tenant import Tenant as TenantRow
from permissions.scopes import Scope
from resolvers.tenant import own_tenant, update_tenant
from schema.checks import Payload
from schema.context import Info
from schema.fields import mutation, query
from schema.node import Node, node_id
from schema.scalars import EmailAddress, PhoneNumber
from schema.values import given

strawberry.enum(TenantStatus)


@strawberry.type
class Tenant(Node):
    """A home-service business."""

    name: str
    email: EmailAddress
    phone: PhoneNumber | None
    status: TenantStatus
    purge_at: datetime | None = strawberry.field(
        description="When the data of a cancelled tenant will be purged: 90 days after it cancelled."
    )
    created_at: datetime
    require_second_factor: bool = strawberry.field(
        description="Whether every user needs a second factor; see secondFactorRequire."
    )

    @classmethod
    def of(cls, row: TenantRow) -> "Tenant":
        """The object of a row."""
        return cls(
            id=node_id(Prefix.TENANT, row.id),
            name=row.name,
            email=EmailAddress(row.email),
            phone=PhoneNumber(row.phone) if row.phone else None,
            status=row.status,
            purge_at=row.purge_after,
            created_at=row.created_at,
            require_second_factor=row.require_second_factor,
        )


@strawberry.input
class TenantUpdateInput:
    """What is left out stays as it is."""

    name: str | None = strawberry.UNSET
    email: EmailAddress | None = strawberry.UNSET
    phone: PhoneNumber | None = strawberry.UNSET


@strawberry.type
class TenantUpdatePayload(Payload):
    """The business, or why nothing changed."""

    tenant: Tenant | None = None


@strawberry.type
class TenantQuery:
    """Root fields."""

    @query(Scope.TENANT_READ)
    async def tenant(self, info: Info) -> Tenant | None:
        """The caller's business."""
        row = await own_tenant(info.context.caller)
        return Tenant.of(row) if row else None


@strawberry.type
class TenantMutation:
    """Root fields."""

    @mutation(Scope.TENANT_WRITE)
    async def tenant_update(self, info: Info, input: TenantUpdateInput) -> TenantUpdatePayload:
        """Change the business's name and how it is reached."""
        changes = given(input, name=None, email=None, phone=None)
        return TenantUpdatePayload(tenant=Tenant.of(await update_tenant(info.context.caller, changes)))
