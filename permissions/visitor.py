"""Where a request comes from, as the security log and the throttles see it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Visitor:
    """The other end of a connection.

    Attributes:
        ip: its address, None when unknown.
        network: what throttles count by: the address, or the /64 of an IPv6 one.
        user_agent: at most 500 characters.
    """

    ip: str | None = None
    network: str = "local"
    user_agent: str | None = None


UNKNOWN = Visitor()
