"""How an attempt to hand a message to a provider can end, whichever the provider."""

import time
from dataclasses import dataclass

# Counts on while the machine sleeps, where the system has such a clock: a worker that was suspended must notice.
_BOOT = getattr(time, "CLOCK_BOOTTIME", None)


def boot_time() -> float:
    """Seconds on a clock that nobody sets; only differences mean anything."""
    return time.monotonic() if _BOOT is None else time.clock_gettime(_BOOT)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has taken the message; `provider_id` is its name there."""

    provider_id: str | None
    segments: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A message in the provider's list. `status` and `error` in the provider's words."""

    provider_id: str
    body: str
    status: str
    error: str | None
    segments: int | None


class DeliveryError(Exception):
    """It did not end well. `failure` explains that without naming the recipient."""

    def __init__(self, failure: str) -> None:
        super().__init__(failure)
        self.failure = failure


class Refused(DeliveryError):
    """Certainly not taken, for now: try again, and not before `retry_after` seconds if the provider said so."""

    def __init__(self, failure: str, retry_after: float | None = None) -> None:
        super().__init__(failure)
        self.retry_after = retry_after


class Rejected(DeliveryError):
    """Certainly not taken, and never will be."""


class OptedOut(Rejected):
    """The provider knows that the recipient wants no messages."""


class OutcomeUnknown(DeliveryError):
    """It may have been taken: the request left, and no answer came that means anything."""


class CannotTell(DeliveryError):
    """The provider's list could not be read, or not far enough to prove that a message is not in it."""


def not_too_late(not_after: float) -> None:
    """Called right before a request leaves: by then somebody else may have taken the message for abandoned.

    Raises:
        Refused: the moment (of `boot_time`) has passed.
    """
    if boot_time() > not_after:
        raise Refused("the worker was held up for too long between claim and request", retry_after=0.0)
