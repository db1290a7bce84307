"""Tokens that look right."""


def forged(token: str) -> str:
    """The same text but for one character of its signature.

    Not the last ones: of these some bits belong to no byte, so that another character may be the same token.
    """
    at = len(token) - 6
    return token[:at] + ("B" if token[at] == "A" else "A") + token[at + 1 :]
