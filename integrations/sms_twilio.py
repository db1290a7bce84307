"""Texts by Twilio: its own client, pointed at TWILIO_BASE_URL where that is set; its signatures and its answers."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.twiml.messaging_response import MessagingResponse
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from integrations.delivery import (
    Accepted,
    CannotTell,
    Found,
    OptedOut,
    OutcomeUnknown,
    Refused,
    Rejected,
    not_too_late,
)
from integrations.sms import Sms
from settings import Settings

STATUS_PATH = "/webhooks/twilio/status"
# The customer answered STOP: https://www.twilio.com/docs/api/errors/21610
UNSUBSCRIBED = 21610
CONNECT_S, READ_S = 3.05, 10.0
PAGE, MOST_LISTED = 100, 2_000
# Twilio lists the newest first. So many older ones in a row, and the rest is older still.
ENOUGH_OLDER = 100
# How far its clock and the database's may be apart.
SKEW = timedelta(minutes=5)
TRIAL = "Sent from your Twilio trial account - "


class _Http(TwilioHttpClient):  # type: ignore[misc]
    """Twilio's HTTP client: another host, time-outs, and a log without numbers (its own writes whole URLs)."""

    def __init__(self, base_url: str | None, connections: int, read_seconds: float) -> None:
        super().__init__()
        self._base = urlsplit(base_url) if base_url else None
        self.timeout = (min(CONNECT_S, read_seconds), read_seconds)
        for scheme in ("http://", "https://"):
            # No retries below us: a request that may have been taken is not repeated by a library.
            self.session.mount(scheme, HTTPAdapter(pool_maxsize=connections, max_retries=0))

    def request(self, method: str, url: str, *rest: Any, **options: Any) -> Response:
        """Make a request; a 429 is raised with what it says about when to come back."""
        if self._base:
            url = urlunsplit(urlsplit(url)._replace(scheme=self._base.scheme, netloc=self._base.netloc))
        response = super().request(method, url, *rest, **options)
        if response.status_code == 429:
            raise Refused("Twilio is busy (429)", retry_after=_retry_after(response.headers))
        return response

    def log_request(self, kwargs: Mapping[str, Any]) -> None:
        """Nothing: it would write the recipient."""

    def log_response(self, status_code: int, response: object) -> None:
        """Nothing."""


class TwilioSmsSender:
    """Sends texts from TWILIO_FROM.

    Raises:
        ValueError: the account is set and its token or number is not.
    """

    def __init__(self, settings: Settings) -> None:
        if settings.twilio_auth_token is None or settings.twilio_from is None:
            raise ValueError("TWILIO_ACCOUNT_SID is set: TWILIO_AUTH_TOKEN and TWILIO_FROM are needed too")
        self._from = settings.twilio_from
        # A provider can only reach a public address, and refuses the message if told another; a stand-in reaches any.
        reachable = settings.public_url or settings.twilio_base_url
        self._callback = f"{settings.origin}{STATUS_PATH}" if reachable else None
        threads = settings.worker_threads
        # Half of the claim's time is for the request to begin, the other half for it to end.
        self._seconds = min(READ_S, settings.message_claim_seconds / 3)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="twilio")
        self._client = Client(
            settings.twilio_account_sid,
            settings.twilio_auth_token.get_secret_value(),
            http_client=_Http(settings.twilio_base_url, threads, self._seconds),
        )

    async def send(self, sms: Sms, not_after: float) -> Accepted:
        """See `SmsSender.send`."""
        loop = asyncio.get_running_loop()
        sending = loop.run_in_executor(self._threads, self._send, sms, not_after)
        try:
            # The read time-out counts from byte to byte; this one counts all.
            return await asyncio.wait_for(asyncio.shield(sending), self._seconds * 1.5 + CONNECT_S)
        except TimeoutError:
            sending.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise OutcomeUnknown("Twilio did not answer in time") from None

    def _send(self, sms: Sms, not_after: float) -> Accepted:
        extra = {}
        if self._callback:
            extra["status_callback"] = f"{self._callback}?tenant={sms.tenant_id}&message={sms.message_id}"
        not_too_late(not_after)
        try:
            made = self._client.messages.create(to=sms.to, from_=self._from, body=sms.body, **extra)
        except (TwilioRestException, TwilioServiceException) as error:
            raise _answered(error.status, error.code) from None
        except requests.RequestException as error:
            if _never_left(error):
                raise Refused("Twilio could not be reached") from None
            raise OutcomeUnknown(f"the connection to Twilio ended without an answer ({type(error).__name__})") from None
        except (TwilioException, ValueError, KeyError, TypeError) as error:
            raise OutcomeUnknown(f"Twilio's answer could not be read ({type(error).__name__})") from None
        if not made.sid:
            raise OutcomeUnknown("Twilio's answer names no message")
        return Accepted(provider_id=made.sid, segments=_number(made.num_segments))

    async def find(self, to: str, body: str, since: datetime) -> Sequence[Found]:
        """See `SmsSender.find`."""
        loop = asyncio.get_running_loop()
        looking = loop.run_in_executor(self._threads, self._find, to, body, since)
        return await looking

    def _find(self, to: str, body: str, since: datetime) -> list[Found]:
        found: list[Found] = []
        older = seen = 0
        try:
            for listed in self._client.messages.stream(to=to, page_size=PAGE, limit=MOST_LISTED):
                seen += 1
                created = listed.date_created
                if isinstance(created, datetime) and _aware(created) < since - SKEW:
                    older += 1
                    if older >= ENOUGH_OLDER:
                        break
                    continue
                older = 0
                if listed.to == to and _same(listed.body, body) and not str(listed.direction or "").startswith("in"):
                    found.append(
                        Found(
                            provider_id=listed.sid,
                            body=listed.body,
                            status=str(listed.status),
                            error=str(listed.error_code) if listed.error_code else None,
                            segments=_number(listed.num_segments),
                        )
                    )
        except Refused as error:
            raise CannotTell(error.failure) from None
        except (TwilioException, requests.RequestException, ValueError, KeyError, TypeError) as error:
            raise CannotTell(f"Twilio's list could not be read ({type(error).__name__})") from None
        if not found and seen >= MOST_LISTED:
            raise CannotTell(f"Twilio's list holds more than {MOST_LISTED} texts to this number")
        return found

    async def close(self) -> None:
        """Let the threads end; a request that is under way is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.http_client.session.close()


def signature_is_valid(auth_token: str, url: str, form: Mapping[str, str], signature: str) -> bool:
    """Whether Twilio signed a request to this URL with this form."""
    return bool(RequestValidator(auth_token).validate(url, dict(form), signature))


def reply(text: str | None) -> str:
    """TwiML that answers with a text, or with nothing."""
    response = MessagingResponse()
    if text:
        response.message(text)
    return str(response)


def permanent_failure(code: str | None) -> str:
    """What a code of Twilio's means, in words that may be shown. https://www.twilio.com/docs/api/errors"""
    return _MEANINGS.get(code or "", "Twilio could not deliver it") + (f" (Twilio {code})" if code else "")


_MEANINGS: Mapping[str, str] = {
    "21211": "the number is not valid",
    "21214": "the number cannot be reached",
    "21217": "the number is not valid",
    "21408": "texts to that country are not enabled",
    "21610": "the customer answered STOP",
    "21611": "the sender's queue is full",
    "21612": "the number cannot be reached from this sender",
    "21614": "the number cannot receive texts",
    "21617": "the text is too long",
    "30003": "the phone is off or out of reach",
    "30004": "the number refuses texts",
    "30005": "the number does not exist",
    "30006": "the number is a landline or its carrier takes no texts",
    "30007": "the carrier filtered it",
    "30034": "the sender is not registered for texts to US numbers",
}


def _answered(status: int, code: int | None) -> Exception:
    if code == UNSUBSCRIBED:
        return OptedOut(permanent_failure(str(code)))
    if status >= 500 or status == 408:
        return OutcomeUnknown(f"Twilio answered {status}")
    return Rejected(permanent_failure(str(code or status)))


def _never_left(error: BaseException) -> bool:
    """Whether no connection stood, so that nothing can have been taken."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, NewConnectionError | ConnectTimeoutError | NameResolutionError):
            return True
        inner = [part for part in seen.args if isinstance(part, BaseException)]
        reason = getattr(seen, "reason", None)
        seen = reason if isinstance(reason, BaseException) else inner[0] if inner else None
    return False


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text)
    try:
        # Against the answer's own date: our clock may be wrong.
        return max((parsedate_to_datetime(text) - parsedate_to_datetime(headers["Date"])).total_seconds(), 0.0)
    except (ValueError, TypeError, KeyError):
        return None


def _same(listed: str | None, sent: str) -> bool:
    return " ".join((listed or "").removeprefix(TRIAL).split()) == " ".join(sent.split())


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _number(text: object) -> int | None:
    return int(text) if isinstance(text, str | int) and str(text).isdigit() else None
