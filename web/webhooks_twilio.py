"""What Twilio tells us: where texts stand, and what customers answer. Nothing is read before its signature is."""

from collections.abc import Mapping
from functools import partial
from uuid import UUID

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from domain.ids import Prefix, decode, encode
from domain.message import reported_state
from domain.message_answer import Answer, answer_of
from domain.notification import MessageState, SuppressionReason
from integrations.sms_twilio import UNSUBSCRIBED, permanent_failure, reply, signature_is_valid
from models.database import Database
from models.look_up import look_up_message
from models.message_report import report
from models.opt_out import opt_in_to_texts, opt_out_of_texts
from settings import Settings

log = structlog.get_logger("twilio")

# A text has at most 1,600 characters; the rest of a form is short.
LONGEST_FORM = 64 * 1024


def routes(settings: Settings, database: Database) -> list[Route]:
    """The routes that Twilio calls."""
    return [
        Route("/webhooks/twilio/status", partial(status, settings, database), methods=["POST"]),
        Route("/webhooks/twilio/inbound", partial(inbound, settings, database), methods=["POST"]),
    ]


async def status(settings: Settings, database: Database, request: Request) -> Response:
    """A text's state has changed. Answers 204 also for what changes nothing: Twilio need not say it again."""
    form = await _signed_form(settings, request)
    if isinstance(form, Response):
        return form
    provider_id, word = form.get("MessageSid", ""), form.get("MessageStatus", "")
    state, error = reported_state(word), form.get("ErrorCode") or None
    found = await _message(database, request, provider_id)
    if state is None or found is None or not provider_id:
        return Response(status_code=204)
    tenant_id, message_id = found
    failed = state is MessageState.FAILED
    opted_out = error == str(UNSUBSCRIBED)
    reason = SuppressionReason.OPTED_OUT if opted_out else SuppressionReason.PROVIDER_REJECTED
    segments = form.get("NumSegments", "")
    async with database.tenant(tenant_id) as session:
        moved = await report(
            session,
            message_id,
            state,
            provider_id,
            reason=reason.value if failed else None,
            failure=permanent_failure(error) if failed else None,
            segments=int(segments) if segments.isascii() and segments.isdigit() and len(segments) < 4 else None,
        )
    if failed and opted_out:
        async with database.anonymous() as session:
            await opt_out_of_texts(session, form.get("To", ""))
    if failed and moved:
        log.warning("message failed", messageId=encode(Prefix.MESSAGE, message_id), failure=permanent_failure(error))
    return Response(status_code=204)


async def inbound(settings: Settings, database: Database, request: Request) -> Response:
    """A customer has answered. STOP, START and HELP are obeyed and confirmed; everything else is let be."""
    form = await _signed_form(settings, request)
    if isinstance(form, Response):
        return form
    answer = answer_of(form.get("Body", ""), form.get("OptOutType"))
    phone = form.get("From", "")
    if phone and answer in (Answer.STOP, Answer.START):
        async with database.anonymous() as session:
            await (opt_out_of_texts if answer is Answer.STOP else opt_in_to_texts)(session, phone)
        log.info("customer answered", answer=answer.value)
    # With OptOutType Twilio says that it has confirmed by itself.
    words = None if answer is None or "OptOutType" in form else answer.confirmation
    return Response(reply(words), media_type="text/xml")


async def _signed_form(settings: Settings, request: Request) -> Mapping[str, str] | Response:
    """The form, or the refusal of a request that Twilio did not sign."""
    token = settings.twilio_auth_token
    signature = request.headers.get("x-twilio-signature", "")
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > LONGEST_FORM:
        return PlainTextResponse("a form of at most 64 KiB, with its length\n", status_code=413)
    if token is None or not signature:
        return PlainTextResponse("not signed by Twilio\n", status_code=403)
    async with request.form(max_files=0, max_fields=200) as fields:
        form = {name: value for name, value in fields.items() if isinstance(value, str)}
    query = f"?{request.url.query}" if request.url.query else ""
    # As Twilio knows us: by the public address, or where there is none by the address that it called.
    for url in {f"{settings.origin}{request.url.path}{query}", str(request.url)}:
        if signature_is_valid(token.get_secret_value(), url, form, signature):
            return form
    log.warning("request with a wrong signature", path=request.url.path)
    return PlainTextResponse("not signed by Twilio\n", status_code=403)


async def _message(database: Database, request: Request, provider_id: str) -> tuple[UUID, UUID] | None:
    """Tenant and id of the message that the callback's address names, or else of the one with Twilio's id."""
    tenant_id = decode(Prefix.TENANT, request.query_params.get("tenant", ""))
    message_id = decode(Prefix.MESSAGE, request.query_params.get("message", ""))
    if tenant_id is not None and message_id is not None:
        return tenant_id, message_id
    async with database.anonymous() as session:
        found = await look_up_message(session, provider_id)
    return (found.tenant_id, found.message_id) if found else None
