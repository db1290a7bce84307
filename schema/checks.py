"""What every root field does with its input before a resolver runs, and with a refusal after it."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, cast

import strawberry
from graphql import GraphQLError
from strawberry.execution import optimized_is_awaitable
from strawberry.extensions import FieldExtension
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from domain.card_number import holds_card_number
from domain.errors import Denied, ErrorCode, Refusal, Throttled
from schema.scalars import Malformed

# Longest text of an input field, in characters. Others are short: names, codes, tokens of a line.
LENGTHS = {
    "notes": 5_000,
    "internal_notes": 5_000,
    "reason": 1_000,
    "description": 5_000,
    "sms_template": 1_600,
    "email_template": 20_000,
    # A day plan of hundreds of visits.
    "token": 32_000,
    "after": 500,
    "url": 2_000,
}
SHORT = 300
LONGEST_LIST = 200

strawberry.enum(ErrorCode)


@strawberry.type
class UserError:
    """An expected failure: nothing has changed."""

    code: ErrorCode = strawberry.field(description="Stable and documented, SCREAMING_SNAKE_CASE.")
    message: str
    path: list[str] | None = strawberry.field(
        default=None, description='Where in the input, e.g. ["input", "address", "postalCode"].'
    )


@strawberry.type
class Payload:
    """What every mutation answers: the object, or the errors and null."""

    user_errors: list[UserError] = strawberry.field(default_factory=list)

    @classmethod
    def refused(cls, errors: list[UserError], current: object | None) -> "Payload":
        """The answer to a refusal; types whose object comes back on VERSION_CONFLICT override it."""
        return cls(user_errors=errors)


def faults(value: object, path: tuple[str, ...], name: str = "") -> Iterator[Refusal]:
    """Everything in an input value that no resolver could use, each with its path."""
    if isinstance(value, Malformed):
        yield Refusal(ErrorCode.INVALID_INPUT, value.reason, path)
    elif isinstance(value, str):
        yield from _text_faults(value, path, LENGTHS.get(name, SHORT))
    elif isinstance(value, list):
        if len(value) > LONGEST_LIST:
            yield Refusal(ErrorCode.INVALID_INPUT, f"At most {LONGEST_LIST} entries.", path)
            return
        for index, item in enumerate(value):
            yield from faults(item, (*path, str(index)), name)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from faults(item, (*path, str(key)), str(key))
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from faults(getattr(value, field.name), (*path, to_camel_case(field.name)), field.name)


def _text_faults(value: str, path: tuple[str, ...], longest: int) -> Iterator[Refusal]:
    if len(value) > longest:
        yield Refusal(ErrorCode.INVALID_INPUT, f"This is longer than {longest} characters.", path)
    # PostgreSQL stores no NUL, and a lone surrogate is no text at all.
    elif "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        yield Refusal(ErrorCode.INVALID_INPUT, "This holds a character that is not text.", path)
    elif holds_card_number(value):
        yield Refusal(
            ErrorCode.INVALID_INPUT, "This looks like the number of a payment card, which is never taken here.", path
        )


def _arguments(arguments: dict[str, Any]) -> list[Refusal]:
    return [
        fault
        for name, value in arguments.items()
        if name not in {"self", "info"}
        for fault in faults(value, (to_camel_case(name),), name)
    ]


def check_arguments(arguments: dict[str, Any]) -> None:
    """Refuse arguments that no resolver could use.

    Raises:
        GraphQLError: BAD_USER_INPUT.
    """
    for fault in _arguments(arguments):
        raise as_graphql_error(fault)


class Answers(FieldExtension):
    """For queries and subscriptions: bad arguments and refusals become GraphQL errors with a code."""

    def resolve(self, next_: Any, source: Any, info: Any, **arguments: Any) -> Any:
        """The same for a field that may have its value at once: then nothing is awaited."""
        check_arguments(arguments)
        try:
            answer = next_(source, info, **arguments)
        except _EXPECTED as error:
            raise _as_answered(error, info) from error
        return _awaited(answer, info) if optimized_is_awaitable(answer) else answer

    async def resolve_async(self, next_: Any, source: Any, info: Any, **arguments: Any) -> Any:
        """Check the arguments, then resolve.

        Raises:
            GraphQLError: BAD_USER_INPUT.
        """
        check_arguments(arguments)
        return await _awaited(next_(source, info, **arguments), info)


_EXPECTED = (Refusal, Denied, Throttled)


async def _awaited(answer: Any, info: Any) -> Any:
    try:
        return await answer
    except _EXPECTED as error:
        raise _as_answered(error, info) from error


def _as_answered(error: Exception, info: Any) -> GraphQLError:
    return as_graphql_error(error) if isinstance(error, Refusal) else _refused(cast("Denied | Throttled", error), info)


def _refused(refused: Denied | Throttled, info: Any) -> GraphQLError:
    if isinstance(refused, Denied):
        return GraphQLError(refused.message, extensions={"code": "FORBIDDEN"})
    info.context.response_headers.append(("Retry-After", str(refused.seconds)))
    return GraphQLError(
        f"Too many attempts: try again in {refused.seconds} s.",
        extensions={"code": "THROTTLED", "retryAfter": refused.seconds},
    )


def as_graphql_error(refusal: Refusal) -> GraphQLError:
    """A refusal where the answer has no place for user errors."""
    return GraphQLError(
        refusal.message,
        extensions={"code": "BAD_USER_INPUT", "reason": refusal.code.value, "inputPath": list(refusal.path)},
    )


class Refusals(FieldExtension):
    """For mutations: bad arguments and refusals become `userErrors` of the payload, and the object is null."""

    def apply(self, field: StrawberryField) -> None:
        """Remember which payload the field answers with."""
        self._field = field

    async def resolve_async(self, next_: Any, source: Any, info: Any, **arguments: Any) -> Any:
        """Check the arguments, then resolve."""
        # A field that a caller can be denied is nullable.
        answered: Any = self._field.type
        payload: type[Payload] = getattr(answered, "of_type", answered)
        found = _arguments(arguments)
        if found:
            return payload.refused([_user_error(fault) for fault in found], None)
        try:
            return await next_(source, info, **arguments)
        except Refusal as refusal:
            return payload.refused([_user_error(refusal)], refusal.current)
        except (Denied, Throttled) as refused:
            raise _refused(refused, info) from refused


def _user_error(refusal: Refusal) -> UserError:
    return UserError(
        code=refusal.code,
        message=refusal.message,
        path=[to_camel_case(part) for part in refusal.path] if refusal.path else None,
    )
