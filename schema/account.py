"""Who is calling, signing up, logging in and out, in the schema."""

import strawberry

from permissions.principal import Principal
from resolvers.account import log_in, log_out, sign_up
from resolvers.tenant import own_tenant
from resolvers.user import accept_invitation
from schema.api_key import ApiKey
from schema.checks import Payload
from schema.context import Info
from schema.fields import AUTHENTICATED, PERSON, PUBLIC, mutation, query, relation
from schema.scalars import EmailAddress
from schema.tenant import Tenant
from schema.user import User


@strawberry.type
class Viewer:
    """Who is calling."""

    scopes: list[str]
    second_factor_missing: bool = strawberry.field(
        description="The business asks for a second factor and the user has none: nothing is allowed but to set one up."
    )

    @relation(AUTHENTICATED, "Null for an API key.")
    async def user(self, info: Info) -> User | None:
        """The user who is logged in."""
        user_id = info.context.caller.principal.user_id
        row = await info.context.load.user.load(user_id) if user_id else None
        return User.of(row) if row else None

    @relation(AUTHENTICATED, "Null for a user.")
    async def api_key(self, info: Info) -> ApiKey | None:
        """The key that was sent."""
        api_key_id = info.context.caller.principal.api_key_id
        row = await info.context.load.api_key.load(api_key_id) if api_key_id else None
        return ApiKey.of(row) if row else None

    @relation(AUTHENTICATED)
    async def tenant(self, info: Info) -> Tenant | None:
        """The caller's business."""
        row = await own_tenant(info.context.caller)
        return Tenant.of(row) if row else None


def viewer_of(info: Info) -> Viewer | None:
    """The caller of an operation, as it is now: a log-in changes it."""
    principal = info.context.principal
    if principal is None:
        return None
    return Viewer(scopes=sorted(principal.scopes), second_factor_missing=principal.second_factor_missing)


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
    """Credentials; the code is the authenticator app's, or a recovery code."""

    email: EmailAddress
    password: str
    totp_code: str | None = None


@strawberry.input
class InvitationAcceptInput:
    """The token of the mail's link, and the password to set."""

    token: str
    password: str


@strawberry.type
class SignUpPayload(Payload):
    """Who is now logged in, or why nobody is."""

    viewer: Viewer | None = None


@strawberry.type
class LogInPayload(Payload):
    """Who is now logged in, or why nobody is."""

    viewer: Viewer | None = None


@strawberry.type
class InvitationAcceptPayload(Payload):
    """Who is now logged in, or why nobody is."""

    viewer: Viewer | None = None


@strawberry.type
class LogOutPayload(Payload):
    """Whether the session ended."""


@strawberry.type
class AccountQuery:
    """Root fields."""

    @query(PUBLIC, "Null when nobody is logged in.")
    async def viewer(self, info: Info) -> Viewer | None:
        """Who is calling."""
        return viewer_of(info)


@strawberry.type
class AccountMutation:
    """Root fields."""

    @mutation(PUBLIC)
    async def sign_up(self, info: Info, input: SignUpInput) -> SignUpPayload:
        """Make a business with its owner, and log the owner in."""
        opened = await sign_up(
            info.context.guest,
            business_name=input.business_name,
            name=input.name,
            email=input.email,
            password=input.password,
            time_zone=input.time_zone or "America/Chicago",
            leaving=_before(info),
        )
        info.context.enter(opened)
        return SignUpPayload(viewer=viewer_of(info))

    @mutation(PUBLIC, "SECOND_FACTOR_REQUIRED: send it again with `totpCode`.")
    async def log_in(self, info: Info, input: LogInInput) -> LogInPayload:
        """Open a session; one that the browser had before ends."""
        opened = await log_in(
            info.context.guest,
            email=input.email,
            password=input.password,
            code=input.totp_code,
            leaving=_before(info),
        )
        info.context.enter(opened)
        return LogInPayload(viewer=viewer_of(info))

    @mutation(PUBLIC)
    async def invitation_accept(self, info: Info, input: InvitationAcceptInput) -> InvitationAcceptPayload:
        """Set a first password by the link of a mail, and log in."""
        info.context.enter(await accept_invitation(info.context.guest, input.token, input.password, _before(info)))
        return InvitationAcceptPayload(viewer=viewer_of(info))

    @mutation(PERSON)
    async def log_out(self, info: Info) -> LogOutPayload:
        """End the session that the request came with."""
        await log_out(info.context.caller)
        info.context.leave()
        return LogOutPayload()


def _before(info: Info) -> Principal | None:
    return info.context.principal
