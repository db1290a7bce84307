"""The two cookies: the session's and the one against cross-site forgery; first-party and essential, and no others."""

from datetime import timedelta

SESSION = "sps_session"
CSRF = "sps_csrf"
CSRF_HEADER = "x-csrf-token"


def cookie_name(name: str, *, secure: bool) -> str:
    """The name on the wire: over HTTPS the __Host- prefix binds it to this host and to Secure."""
    return f"__Host-{name}" if secure else name


def set_cookie(name: str, value: str, *, secure: bool, http_only: bool, life: timedelta) -> tuple[str, str]:
    """The header that sets a cookie for the whole site."""
    parts = [
        f"{cookie_name(name, secure=secure)}={value}",
        "Path=/",
        f"Max-Age={int(life.total_seconds())}",
        "SameSite=Lax",
    ]
    if http_only:
        parts.append("HttpOnly")
    if secure:
        parts.append("Secure")
    return "set-cookie", "; ".join(parts)
