"""Changing and resetting passwords, in the schema."""

import strawberry

from resolvers.password import ask_reset, change_password, reset_password
from schema.checks import Payload
from schema.context import Info
from schema.fields import PERSON, PUBLIC, mutation
from schema.scalars import EmailAddress


@strawberry.input
class PasswordResetRequestInput:
    """Whose password."""

    email: EmailAddress


@strawberry.input
class PasswordResetInput:
    """The token of the mail's link, and the password to set."""

    token: str
    new_password: str


@strawberry.input
class PasswordChangeInput:
    """The password as it is, and as it shall be."""

    current_password: str
    new_password: str


@strawberry.type(description="The answer never tells whether the address has an account.")
class PasswordResetRequestPayload(Payload):
    """Whether the request was taken."""


@strawberry.type
class PasswordResetPayload(Payload):
    """Whether the password was set."""


@strawberry.type
class PasswordChangePayload(Payload):
    """Whether the password was changed."""


@strawberry.type
class PasswordMutation:
    """Root fields."""

    @mutation(PUBLIC, "If the address has an account, a link goes to it that works once, for 30 minutes.")
    async def password_reset_request(self, info: Info, input: PasswordResetRequestInput) -> PasswordResetRequestPayload:
        """Ask for a new password."""
        await ask_reset(info.context.guest, input.email)
        return PasswordResetRequestPayload()

    @mutation(PUBLIC, "All the user's sessions end.")
    async def password_reset(self, info: Info, input: PasswordResetInput) -> PasswordResetPayload:
        """Set a new password by the link of a mail."""
        await reset_password(info.context.guest, input.token, input.new_password)
        return PasswordResetPayload()

    @mutation(PERSON, "The session goes on with new cookies; the user's other sessions end.")
    async def password_change(self, info: Info, input: PasswordChangeInput) -> PasswordChangePayload:
        """Set another password."""
        info.context.enter(await change_password(info.context.caller, input.current_password, input.new_password))
        return PasswordChangePayload()
