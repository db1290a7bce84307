"""The second factor of log-ins in the schema: an authenticator app (TOTP), recovery codes, and the business's rule."""

import strawberry

from permissions.scopes import Scope
from resolvers.second_factor import confirm, disable, enrol, require_of_everybody, second_factor_state
from schema.checks import Payload
from schema.context import Info
from schema.fields import PERSON, mutation, query
from schema.tenant import Tenant


@strawberry.type
class SecondFactor:
    """The caller's own."""

    enabled: bool
    recovery_codes_left: int


@strawberry.input
class TotpEnrolInput:
    """The password again: a session alone sets up nothing."""

    password: str


@strawberry.input
class TotpConfirmInput:
    """What the app shows."""

    code: str


@strawberry.input
class TotpDisableInput:
    """The password, and a code of the app or a recovery code."""

    password: str
    code: str


@strawberry.input
class SecondFactorRequireInput:
    """Whether everybody needs one."""

    required: bool


@strawberry.type
class TotpEnrolPayload(Payload):
    """What the app is given; it counts once totpConfirm has seen a code of it."""

    secret: str | None = strawberry.field(default=None, description="In base 32, to be typed in.")
    uri: str | None = strawberry.field(default=None, description="otpauth://…, for a QR code.")


@strawberry.type
class TotpConfirmPayload(Payload):
    """The codes for when the phone is gone, each for one log-in."""

    recovery_codes: list[str] = strawberry.field(default_factory=list, description="Shown here and never again.")


@strawberry.type
class TotpDisablePayload(Payload):
    """Whether it is off."""


@strawberry.type
class SecondFactorRequirePayload(Payload):
    """The business, or why nothing changed."""

    tenant: Tenant | None = None


@strawberry.type
class SecondFactorQuery:
    """Root fields."""

    @query(PERSON)
    async def second_factor(self, info: Info) -> SecondFactor | None:
        """Whether the caller has a second factor."""
        state = await second_factor_state(info.context.caller)
        return SecondFactor(enabled=state.enabled, recovery_codes_left=state.recovery_codes_left)


@strawberry.type
class SecondFactorMutation:
    """Root fields."""

    @mutation(PERSON)
    async def totp_enrol(self, info: Info, input: TotpEnrolInput) -> TotpEnrolPayload:
        """Begin to set up an authenticator app."""
        made = await enrol(info.context.caller, input.password)
        return TotpEnrolPayload(secret=made.secret, uri=made.uri)

    @mutation(PERSON)
    async def totp_confirm(self, info: Info, input: TotpConfirmInput) -> TotpConfirmPayload:
        """Turn it on, with a first code."""
        return TotpConfirmPayload(recovery_codes=await confirm(info.context.caller, input.code))

    @mutation(PERSON)
    async def totp_disable(self, info: Info, input: TotpDisableInput) -> TotpDisablePayload:
        """Turn it off."""
        await disable(info.context.caller, input.password, input.code)
        return TotpDisablePayload()

    @mutation(Scope.SECURITY_WRITE, "Users without one can then do nothing but set one up.")
    async def second_factor_require(self, info: Info, input: SecondFactorRequireInput) -> SecondFactorRequirePayload:
        """Ask a second factor of everybody, or stop asking."""
        row = await require_of_everybody(info.context.caller, required=input.required)
        return SecondFactorRequirePayload(tenant=Tenant.of(row))
