"""The bounds of one GraphQL request, in one place: what they are, and the refusal when one is passed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import GraphQLError


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may ask. Sizes in bytes (1 kB is 1,000), times in seconds.

    Attributes:
        body_bytes: the HTTP body, or one websocket message.
        json_depth: nesting of lists and objects in the body.
        json_values: values in the body; counted by its commas, so at most that many.
        document_bytes: the GraphQL document in UTF-8.
        tokens: lexical tokens of the document, comments not among them.
        comments: comments of the document; the lexer is slowest with those.
        depth: fields below each other, leaves among them; `{ viewer { user { name } } }` has three.
        introspection_depth: the same below `__schema` and `__type`, where the standard query needs fifteen.
        aliases: aliases in the document.
        directives: directives in the document.
        nesting: selection sets within each other, inline fragments among them; bounds our own recursion.
        cost: points of one operation; `schema.limits_cost` tells how they are counted.
        page_size: taken for a connection's `first` where it is left out.
        list_size: taken for the length of a list that has no `first`.
        list_sizes: the same for single fields, as `{"DispatchBoard.lanes": 8}`.
        validation_errors: after these many errors a document is not looked at further.
        merge_steps: budget of the check that fields with one name can be merged, which is quadratic.
        refused_cost: points that a refused document takes from the caller's bucket, since refusing costs CPU too.
        seconds: from the request's arrival to its answer.
    """

    body_bytes: int = 100_000
    json_depth: int = 32
    json_values: int = 10_000
    document_bytes: int = 15_000
    tokens: int = 1_000
    comments: int = 200
    depth: int = 10
    introspection_depth: int = 20
    aliases: int = 15
    directives: int = 20
    nesting: int = 60
    cost: int = 10_000
    page_size: int = 50
    list_size: int = 10
    list_sizes: Mapping[str, int] = field(default_factory=dict)
    validation_errors: int = 10
    merge_steps: int = 20_000
    refused_cost: int = 50
    seconds: float = 10.0


class TooComplexError(GraphQLError):
    """The request passes one of the limits. Carries the code QUERY_TOO_COMPLEX."""

    def __init__(self, message: str) -> None:
        super().__init__(message, extensions={"code": "QUERY_TOO_COMPLEX"})
