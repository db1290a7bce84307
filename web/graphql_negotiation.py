"""Media types of GraphQL over HTTP: which one comes in, which one the caller would like out."""

from enum import StrEnum

from starlette.datastructures import Headers

from web.errors import BAD_USER_INPUT, RequestRefused


class MediaType(StrEnum):
    """What an answer is sent as. Only with the first do errors before execution have a 4xx status."""

    GRAPHQL = "application/graphql-response+json"
    JSON = "application/json"

    @property
    def refusal_status(self) -> int:
        """The status of an operation that was refused before it ran."""
        return 400 if self is MediaType.GRAPHQL else 200


def answer_type(accept: str | None) -> MediaType:
    """The media type to answer with; application/json when nothing or anything is asked for.

    Raises:
        RequestRefused: 406, when neither is wanted.
    """
    if accept is None or not accept.strip():
        return MediaType.JSON
    ranges = [_media_range(part) for part in accept.split(",")]
    best, best_rank = None, (0.0, 0, 0)
    for order, candidate in enumerate((MediaType.JSON, MediaType.GRAPHQL)):
        # The most specific range that matches decides; of two types equally liked the one named in full is taken.
        specificity, quality = max(
            ((_specificity(type_, candidate), quality) for type_, quality in ranges), key=lambda found: found[0]
        )
        rank = (quality, specificity, order if specificity == 3 else 0)
        if specificity and quality > 0 and rank > best_rank:
            best, best_rank = candidate, rank
    if best is None:
        raise RequestRefused(
            406, BAD_USER_INPUT, f"Answers are {MediaType.GRAPHQL} or {MediaType.JSON}: accept one of them."
        )
    return best


def check_content_type(headers: Headers) -> None:
    """Let through application/json in UTF-8, unencoded.

    The match is exact, since a form can send text/plain that merely contains the words, and no browser asks first.

    Raises:
        RequestRefused: 415.
    """
    values = headers.getlist("content-type")
    type_, parameters = _split(values[0]) if len(values) == 1 else ("", {})
    charset = parameters.get("charset", "utf-8").lower()
    if type_ != MediaType.JSON or charset not in ("utf-8", "utf8"):
        raise RequestRefused(415, BAD_USER_INPUT, "Send the request as application/json in UTF-8.")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise RequestRefused(415, BAD_USER_INPUT, "Send the request without a Content-Encoding.")


def _split(value: str) -> tuple[str, dict[str, str]]:
    type_, *rest = value.split(";")
    parameters = {}
    for part in rest:
        name, _, given = part.partition("=")
        parameters[name.strip().lower()] = given.strip().strip('"')
    return type_.strip().lower(), parameters


def _media_range(part: str) -> tuple[str, float]:
    type_, parameters = _split(part)
    try:
        quality = float(parameters.get("q", "1"))
    except ValueError:
        quality = 0.0
    return type_, quality if 0 <= quality <= 1 else 0.0


def _specificity(range_: str, candidate: MediaType) -> int:
    return 3 if range_ == candidate else 2 if range_ == "application/*" else 1 if range_ == "*/*" else 0
