"""The business, its users and who is calling, in the schema."""

from datetime import datetime, timedelta

import strawberry

from domain.ids import Prefix
from domain.tenant import Role, TenantStatus
from models.tenant import Tenant as TenantRow
from models.user import User as UserRow
from permissions.scopes import Scope
from resolvers.tenant import list_users, own_tenant, update_tenant
from schema.checks import Payload
from schema.context import Info
from schema.fields import AUTHENTICATED, PUBLIC, mutation, query, relation
from schema.node import Node, node_id
from schema.scalars import EmailAddress, PhoneNumber
from schema.technician import Technician
from schema.values import given

strawberry.enum(Role)
strawberry.enum(TenantStatus)

KEPT_AFTER_CANCELLATION = timedelta(days=90)


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

    @classmethod
    def of(cls, row: TenantRow) -> "Tenant":
        """The object of a row."""
        return cls(
            id=node_id(Prefix.TENANT, row.id),
            name=row.name,
            email=EmailAddress(row.email),
            phone=PhoneNumber(row.phone) if row.phone else None,
            status=row.status,
            purge_at=row.cancelled_at + KEPT_AFTER_CANCELLATION if row.cancelled_at else None,
            created_at=row.created_at,
        )


@strawberry.type
class User(Node):
    """Somebody of the business who logs in."""

    row: strawberry.Private[UserRow]
    name: str
    email: EmailAddress
    role: Role
    created_at: datetime

    @classmethod
    def of(cls, row: UserRow) -> "User":
        """The object of a row."""
        return cls(
            row=row,
            id=node_id(Prefix.USER, row.id),
            name=row.name,
            email=EmailAddress(row.email),
            role=row.role,
            created_at=row.created_at,
        )

    @relation(Scope.TECHNICIANS_READ)
    async def technician(self, info: Info) -> Technician | None:
        """The technician that the user is."""
        if self.row.technician_id is None:
            return None
        row = await info.context.load.technician.load(self.row.technician_id)
        return Technician.of(row) if row else None


@strawberry.type
class Viewer:
    """Who is calling."""

    scopes: list[str]

    @relation(AUTHENTICATED, "Null for an API key.")
    async def user(self, info: Info) -> User | None:
        """The user who is logged in."""
        user_id = info.context.caller.principal.user_id
        row = await info.context.load.user.load(user_id) if user_id else None
        return User.of(row) if row else None

    @relation(AUTHENTICATED)
    async def tenant(self, info: Info) -> Tenant | None:
        """The caller's business."""
        row = await own_tenant(info.context.caller)
        return Tenant.of(row) if row else None


def viewer_of(info: Info) -> Viewer | None:
    """The caller of an operation, as it is now: a log-in changes it."""
    principal = info.context.principal
    return Viewer(scopes=sorted(principal.scopes)) if principal else None


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

    @query(PUBLIC, "Null when nobody is logged in.")
    async def viewer(self, info: Info) -> Viewer | None:
        """Who is calling."""
        return viewer_of(info)

    @query(Scope.TENANT_READ)
    async def tenant(self, info: Info) -> Tenant | None:
        """The caller's business."""
        row = await own_tenant(info.context.caller)
        return Tenant.of(row) if row else None

    @query(Scope.USERS_READ)
    async def users(self, info: Info) -> list[User] | None:
        """Everybody who can log in, by name."""
        return [User.of(row) for row in await list_users(info.context.caller)]


@strawberry.type
class TenantMutation:
    """Root fields."""

    @mutation(Scope.TENANT_WRITE)
    async def tenant_update(self, info: Info, input: TenantUpdateInput) -> TenantUpdatePayload:
        """Change the business's name and how it is reached."""
        changes = given(input, name=None, email=None, phone=None)
        return TenantUpdatePayload(tenant=Tenant.of(await update_tenant(info.context.caller, changes)))
