"""The CSRF check: a page of another site can make a browser send our cookies, but cannot read one to repeat it."""

from hmac import compare_digest

from starlette.requests import HTTPConnection

from auth.cookies import CSRF, CSRF_HEADER, cookie_name


def csrf_matches(connection: HTTPConnection, secure: bool) -> bool:
    """Whether the header X-CSRF-Token repeats the CSRF cookie; compared in constant time.

    Args:
        connection: the request.
        secure: whether it came over HTTPS, where the plain cookie counts for nothing.
    """
    cookie = connection.cookies.get(cookie_name(CSRF, secure=secure), "")
    header = connection.headers.get(CSRF_HEADER, "")
    return bool(cookie) and compare_digest(cookie.encode(), header.encode())
