"""The people of a business in the schema: who they are, inviting them, their roles, removing them."""

from datetime import datetime
from uuid import UUID

import strawberry

from domain.ids import Prefix
from domain.tenant import Role
from models.user import User as UserRow
from permissions.scopes import Scope
from resolvers.user import change_role, invite_user, list_users, remove_user
from schema.checks import Payload
from schema.context import Info
from schema.fields import mutation, query, relation
from schema.node import Node, id_of, node_id
from schema.scalars import EmailAddress
from schema.technician import Technician

strawberry.enum(Role)


@strawberry.type
class User(Node):
    """Somebody of the business who logs in."""

    row: strawberry.Private[UserRow]
    name: str
    email: EmailAddress
    role: Role
    invited: bool = strawberry.field(description="Has not set a password yet.")
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
            invited=row.password_hash is None,
            created_at=row.created_at,
        )

    @relation(Scope.TECHNICIANS_READ)
    async def technician(self, info: Info) -> Technician | None:
        """The technician that the user is."""
        if self.row.technician_id is None:
            return None
        row = await info.context.load.technician.load(self.row.technician_id)
        return Technician.of(row) if row else None


@strawberry.input
class UserInviteInput:
    """Somebody who gets a mail with a link. Inviting again sends another link and makes the first one worthless."""

    email: EmailAddress
    name: str
    role: Role
    technician_id: strawberry.ID | None = None


@strawberry.input
class UserRoleChangeInput:
    """A role; the technician that the user is, when given."""

    user_id: strawberry.ID
    role: Role
    technician_id: strawberry.ID | None = None


@strawberry.input
class UserRemoveInput:
    """Which user."""

    user_id: strawberry.ID


@strawberry.type
class UserInvitePayload(Payload):
    """The user, or why there is none."""

    user: User | None = None


@strawberry.type
class UserRoleChangePayload(Payload):
    """The user, or why nothing changed."""

    user: User | None = None


@strawberry.type
class UserRemovePayload(Payload):
    """Whether the user went."""


@strawberry.type
class UserQuery:
    """Root fields."""

    @query(Scope.USERS_READ)
    async def users(self, info: Info) -> list[User] | None:
        """Everybody who can log in or was invited, by name."""
        return [User.of(row) for row in await list_users(info.context.caller)]


@strawberry.type
class UserMutation:
    """Root fields."""

    @mutation(Scope.USERS_WRITE, "Nobody can give a role with a scope that they lack.")
    async def user_invite(self, info: Info, input: UserInviteInput) -> UserInvitePayload:
        """Make a user, who sets a password by a link in a mail."""
        row = await invite_user(
            info.context.caller,
            email=input.email,
            name=input.name,
            role=input.role,
            technician_id=_technician(input.technician_id),
        )
        return UserInvitePayload(user=User.of(row))

    @mutation(Scope.USERS_WRITE, "The user's log-ins end; the next one has the new rights.")
    async def user_role_change(self, info: Info, input: UserRoleChangeInput) -> UserRoleChangePayload:
        """Give a user another role."""
        user_id = id_of(Prefix.USER, input.user_id, "user", "userId")
        row, opened = await change_role(info.context.caller, user_id, input.role, _technician(input.technician_id))
        if opened is not None:
            info.context.enter(opened)
        return UserRoleChangePayload(user=User.of(row))

    @mutation(Scope.USERS_WRITE, "The last owner cannot be removed: IN_USE.")
    async def user_remove(self, info: Info, input: UserRemoveInput) -> UserRemovePayload:
        """Delete a user; what the user did stays in the history."""
        await remove_user(info.context.caller, id_of(Prefix.USER, input.user_id, "user", "userId"))
        return UserRemovePayload()


def _technician(text: str | None) -> UUID | None:
    return id_of(Prefix.TECHNICIAN, text, "technician", "technicianId") if text is not None else None
