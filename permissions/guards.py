"""The permission classes that guard fields; each prints in the SDL, so that a review sees it."""

from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any, NoReturn, Protocol

import strawberry
from graphql import GraphQLError
from strawberry.permission import BasePermission, PermissionExtension
from strawberry.schema_directive import Location

from permissions.principal import Principal
from permissions.scopes import Scope


class HasPrincipal(Protocol):
    """The part of the GraphQL context that guards read."""

    principal: Principal | None

    def denied(self, scope: str) -> None:
        """Note that the caller lacks a scope."""


@strawberry.schema_directive(locations=[Location.FIELD_DEFINITION], name="requires")
class RequiresDirective:
    """The field answers only callers that have the scope."""

    scope: str


@strawberry.schema_directive(locations=[Location.FIELD_DEFINITION], name="authenticated")
class AuthenticatedDirective:
    """The field answers anybody who is logged in or has an API key."""


@strawberry.schema_directive(locations=[Location.FIELD_DEFINITION], name="person")
class PersonDirective:
    """The field answers users who are logged in; API keys are refused."""


@strawberry.schema_directive(locations=[Location.FIELD_DEFINITION], name="public")
class PublicDirective:
    """The field answers without a session or key."""


class Guard(BasePermission):
    """A rule on the caller alone: it never looks at the row, so it needs no waiting and costs a set look-up."""

    def has_permission(self, source: Any, info: strawberry.Info[HasPrincipal, None], **kwargs: Any) -> bool:
        """Whether the caller may read the field."""
        return self.allows(info.context.principal)

    def allows(self, principal: Principal | None) -> bool:
        """Whether this caller passes."""
        raise NotImplementedError


class Requires(Guard):
    """Callers that have a scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    @property
    def schema_directive(self) -> object:
        """What the SDL shows."""
        return RequiresDirective(scope=self.scope.value)

    def has_permission(self, source: Any, info: strawberry.Info[HasPrincipal, None], **kwargs: Any) -> bool:
        """Whether the caller has the scope.

        Raises:
            GraphQLError: UNAUTHENTICATED when nobody is logged in.
        """
        if info.context.principal is None:
            raise_unauthenticated()
        self.require(info.context)
        return True

    def require(self, context: HasPrincipal) -> None:
        """Refuse a caller without the scope, and have that noted.

        Raises:
            GraphQLError: FORBIDDEN.
        """
        if self.allows(context.principal):
            return
        if context.principal is not None and context.principal.second_factor_missing:
            raise GraphQLError(
                "Your business asks for a second factor: set one up first, with totpEnrol.",
                extensions={"code": "FORBIDDEN", "scope": self.scope.value, "secondFactorMissing": True},
            )
        context.denied(self.scope.value)
        self.on_unauthorized()

    def allows(self, principal: Principal | None) -> bool:
        """Whether the scope is among the caller's."""
        return principal is not None and self.scope in principal.scopes

    def on_unauthorized(self) -> NoReturn:
        """Refuse with FORBIDDEN."""
        raise GraphQLError(
            f"This needs the scope {self.scope.value}.", extensions={"code": "FORBIDDEN", "scope": self.scope.value}
        )


class Authenticated(Guard):
    """Anybody who is logged in, or has a key."""

    schema_directive = AuthenticatedDirective()

    def allows(self, principal: Principal | None) -> bool:
        """Whether there is a caller."""
        return principal is not None

    def on_unauthorized(self) -> NoReturn:
        """Refuse with UNAUTHENTICATED."""
        raise_unauthenticated()


class Person(Guard):
    """Users who are logged in."""

    schema_directive = PersonDirective()

    def has_permission(self, source: Any, info: strawberry.Info[HasPrincipal, None], **kwargs: Any) -> bool:
        """Whether the caller is a user.

        Raises:
            GraphQLError: UNAUTHENTICATED when nobody is logged in.
        """
        if info.context.principal is None:
            raise_unauthenticated()
        return self.allows(info.context.principal)

    def allows(self, principal: Principal | None) -> bool:
        """Whether there is a user's session."""
        return principal is not None and principal.user_id is not None

    def on_unauthorized(self) -> NoReturn:
        """Refuse with FORBIDDEN."""
        raise GraphQLError("This is for users who are logged in.", extensions={"code": "FORBIDDEN"})


class Public(Guard):
    """Everybody: written out, so that no field is open by omission."""

    schema_directive = PublicDirective()

    def allows(self, principal: Principal | None) -> bool:
        """Always."""
        return True


def raise_unauthenticated() -> NoReturn:
    """Refuse a caller that is nobody."""
    raise GraphQLError("Log in first, or send an API key.", extensions={"code": "UNAUTHENTICATED"})


class Anyone(Enum):
    """Guards without a scope."""

    AUTHENTICATED = "authenticated"
    PERSON = "person"
    PUBLIC = "public"


def guarded(guard: Scope | Anyone) -> PermissionExtension:
    """The field extension for a guard: `extensions=[guarded(Scope.APPOINTMENTS_READ)]`."""
    return PermissionExtension(permissions=[rule_of(guard)])


@cache
def rule_of(guard: Scope | Anyone) -> Guard:
    """The rule of a guard, one for all fields."""
    return Requires(guard) if isinstance(guard, Scope) else _SCOPELESS[guard]()


_SCOPELESS: Mapping[Anyone, type[Guard]] = {
    Anyone.AUTHENTICATED: Authenticated,
    Anyone.PERSON: Person,
    Anyone.PUBLIC: Public,
}
