"""Documents made ready once and kept: parsed, examined, validated. A hot document skips all three.

Strawberry's own caches are not used: its `ParserCache` keeps nothing of a syntax error and then answers a bare `complete`,
its `ValidationCache` is keyed by rules that differ for each request, and both belong to extensions built for each request.
"""

from asyncio import sleep
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import strawberry
from graphql import DocumentNode, GraphQLError, GraphQLSyntaxError, parse, specified_rules, validate
from graphql.validation.rules import overlapping_fields_can_be_merged
from graphql.validation.validate import ValidationAbortedError
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from schema.compiled import Plans
from schema.limits import Limits, TooComplexError
from schema.limits_document import DocumentFacts, OperationFacts, examine

RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
# The parser tells these apart from other syntax errors by their text alone.
_PARSER_LIMITS = ("tokens. Parsing aborted.", "comments. Parsing aborted.", "nested too deeply. Parsing aborted.")


@dataclass(slots=True, weakref_slot=True)
class Prepared:
    """A document within the limits. `valid` is set when it has been validated; one that is invalid is never kept. `plans` are
    those of its selections."""

    document: DocumentNode
    facts: DocumentFacts
    valid: bool = False
    plans: Plans = field(default_factory=Plans)

    def operation(self, name: str | None) -> OperationFacts:
        """The operation of that name, or the only one.

        Raises:
            GraphQLError: there is none, or several and no name.
        """
        operations = self.facts.operations
        if name is None:
            if len(operations) == 1:
                return next(iter(operations.values()))
            if operations:
                raise _refusal("The document has several operations: name one in operationName.")
            raise _refusal("The document has no operation.")
        found = operations.get(name)
        if found is None:
            raise _refusal("The document has no operation of the name in operationName.")
        return found


class DocumentCache:
    """The documents of one schema that were used last, by their text.

    Args:
        schema: what documents are read against.
        limits: what they may ask.
        keep_bytes: text that is kept. Its tree takes 60 to 150 times as much, so the default bounds it near 60 MB. Trusted
            documents come on top.

    Attributes:
        hits: documents that were recalled.
        misses: documents that had to be parsed and examined, the trusted ones at their start among them.
        validations: documents that had to be validated, likewise.
    """

    def __init__(self, schema: strawberry.Schema, limits: Limits, keep_bytes: int = 400_000) -> None:
        self.schema = schema._schema  # Strawberry offers no other way to it
        self.limits = limits
        self.keep_bytes = keep_bytes
        self.kept_bytes = 0
        self.hits = self.misses = self.validations = 0
        self._trusted: dict[str, Prepared] = {}
        self._documents: OrderedDict[str, Prepared] = OrderedDict()

    def __len__(self) -> int:
        return len(self._documents)

    def trust(self, texts: Iterable[str]) -> None:
        """Make documents ready before anybody asks, and keep them for good: no flood of other documents drops them.

        Raises:
            ValueError: one is no valid document, or passes a limit that callers' documents are held to.
        """
        for text in texts:
            if text in self._trusted:
                continue
            try:
                prepared = self.read(text)
                errors = [] if prepared.valid else self._validate(prepared)
            except GraphQLError as error:
                errors = [error]
            if errors:
                raise ValueError(f"A trusted document is refused: {errors[0].message}\n{text}")
            prepared.valid = True
            self._trusted[text] = prepared

    def read(self, text: str) -> Prepared:
        """Parse and examine, or recall.

        Raises:
            TooComplexError: a limit is passed.
            GraphQLError: the text is no document.
        """
        trusted = self._trusted.get(text)
        if trusted is not None:
            self.hits += 1
            return trusted
        found = self._documents.get(text)
        if found is not None:
            self._documents.move_to_end(text)
            self.hits += 1
            return found
        self.misses += 1
        if len(text) > self.limits.document_bytes or len(text.encode()) > self.limits.document_bytes:
            raise TooComplexError(f"A document may have {self.limits.document_bytes:,} bytes.")
        document = self._parse(text)
        return Prepared(document, examine(self.schema, document, self.limits))

    async def validate(self, text: str, prepared: Prepared) -> list[GraphQLError]:
        """The errors of a document, none when it is valid; a valid one is kept."""
        if prepared.valid:
            return []
        # Parsing and validating are each short, but not short enough to stand in one step of the event loop.
        await sleep(0)
        errors = self._validate(prepared)
        if not errors:
            prepared.valid = True
            self._keep(text, prepared)
        return errors

    def _validate(self, prepared: Prepared) -> list[GraphQLError]:
        self.validations += 1
        overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = self.limits.merge_steps
        errors = validate(
            self.schema, prepared.document, RULES, max_errors=self.limits.validation_errors, hide_suggestions=True
        )
        return [_given_up(error) for error in errors]

    def _parse(self, text: str) -> DocumentNode:
        try:
            return parse(text, max_lexical_tokens=self.limits.tokens, max_comments=self.limits.comments)
        except GraphQLSyntaxError as error:
            if error.message.endswith(_PARSER_LIMITS):
                raise TooComplexError(
                    f"A document may have {self.limits.tokens:,} tokens and {self.limits.comments:,} comments, "
                    "not nested too deeply."
                ) from error
            raise

    def _keep(self, text: str, prepared: Prepared) -> None:
        if text in self._documents:
            return
        self._documents[text] = prepared
        self.kept_bytes += len(text)
        while self.kept_bytes > self.keep_bytes:
            dropped, _ = self._documents.popitem(last=False)
            self.kept_bytes -= len(dropped)


_caches: WeakKeyDictionary[strawberry.Schema, DocumentCache] = WeakKeyDictionary()


def document_cache(schema: strawberry.Schema, limits: Limits) -> DocumentCache:
    """The process's cache for a schema, which HTTP and websockets share; other limits make a new one."""
    cache = _caches.get(schema)
    if cache is None or cache.limits != limits:
        cache = _caches[schema] = DocumentCache(schema, limits)
    return cache


def _given_up(error: GraphQLError) -> GraphQLError:
    if isinstance(error, ValidationAbortedError) and "limit reached" not in error.message:
        return TooComplexError("Too many fields of the document have one name to tell whether they can be merged.")
    return error


def _refusal(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "BAD_USER_INPUT"})
