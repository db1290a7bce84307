"""Documents that are known by the SHA-256 of their text, and who may send others: `documentId` instead of `query`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from graphql import GraphQLError

from permissions.principal import Principal
from settings import AdHocDocuments
from web.errors import DOCUMENT_NOT_FOUND, TRUSTED_DOCUMENT_REQUIRED
from web.graphql_request import GraphQLRequest


def document_id(text: str) -> str:
    """The id of a document: the SHA-256 of its exact text in UTF-8, in hexadecimal."""
    return sha256(text.encode()).hexdigest()


def manifest(texts: Iterable[str]) -> dict[str, str]:
    """The texts by their ids."""
    return {document_id(text): text for text in texts}


@dataclass(frozen=True, slots=True)
class TrustedDocuments:
    """The manifest of one server.

    Attributes:
        texts: documents by id; see `manifest`.
        ad_hoc: who may send a document by its text.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    ad_hoc: AdHocDocuments = "everyone"

    def text_of(self, request: GraphQLRequest, principal: Principal | None) -> str:
        """The document that is asked for. It is always the same object for one id, so that its hash is not worked out anew.

        Raises:
            GraphQLError: DOCUMENT_NOT_FOUND, or TRUSTED_DOCUMENT_REQUIRED from a caller who may send no text.
        """
        if request.query is not None:
            # Text that happens to be a trusted document's is refused too, so that a client that forgets its ids is noticed.
            if self.ad_hoc == "api_keys" and (principal is None or principal.api_key_id is None):
                raise GraphQLError(
                    "This server takes documents of your own with an API key alone.",
                    extensions={"code": TRUSTED_DOCUMENT_REQUIRED},
                )
            return request.query
        found = self.texts.get(request.document_id or "")
        if found is None:
            raise GraphQLError(
                "The server does not know that document: load the page again, for it may have another version.",
                extensions={"code": DOCUMENT_NOT_FOUND},
            )
        return found
