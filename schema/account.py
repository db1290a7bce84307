"""Signing up, logging in and out, in the schema."""

import strawberry

from resolvers.account import LoggedIn, log_in, log_out, sign_up
from schema.checks import Payload
from schema.context import Info
from schema.fields import AUTHENTICATED, PUBLIC, mutation
from schema.scalars import EmailAddress
from schema.tenant import Viewer, viewer_of


@strawberry.input
class SignUpInput:
    """A new business and its owner."""

    business_name: str
    name: str
    email: EmailAddress
    password: str
    time_zone: str | None = "America/Chicago"


@strawberry.input
class LogInInput:
    """Credentials."""

    email: EmailAddress
    password: str
    totp_code: str | None = None


@strawberry.type
class SignUpPayload(Payload):
    """Who is now logged in, or why nobody is."""

    viewer: Viewer | None = None


@strawberry.type
class LogInPayload(Payload):
    """Who is now logged in, or why nobody is."""

    viewer: Viewer | None = None


@strawberry.type
class LogOutPayload(Payload):
    """Whether the session ended."""


@strawberry.type
class AccountMutation:
    """Root fields."""

    @mutation(PUBLIC)
    async def sign_up(self, info: Info, input: SignUpInput) -> SignUpPayload:
        """Make a business with its owner, and log the owner in."""
        opened = await sign_up(
            info.context.database,
            business_name=input.business_name,
            name=input.name,
            email=input.email,
            password=input.password,
            time_zone=input.time_zone or "America/Chicago",
        )
        _enter(info, opened)
        return SignUpPayload(viewer=viewer_of(info))

    @mutation(PUBLIC)
    async def log_in(self, info: Info, input: LogInInput) -> LogInPayload:
        """Open a session."""
        _enter(info, await log_in(info.context.database, email=input.email, password=input.password))
        return LogInPayload(viewer=viewer_of(info))

    @mutation(AUTHENTICATED)
    async def log_out(self, info: Info) -> LogOutPayload:
        """End the session that the request came with."""
        await log_out(info.context.database, info.context.caller.principal)
        info.context.leave()
        return LogOutPayload()


def _enter(info: Info, opened: LoggedIn) -> None:
    info.context.enter(opened.principal, opened.token)
