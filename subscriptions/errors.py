"""What can end a subscription from our side."""


class Lagged(Exception):
    """The subscriber fell further behind than is kept for it; it comes back with its cursor and misses nothing.

    Over a websocket the socket is closed with 4410.
    """
