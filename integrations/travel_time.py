"""Travel times for searches: the estimate, or an engine behind a network that is asked beforehand."""

from typing import Protocol

from domain.geo_point import Points
from domain.travel import GreatCircleTravel, TravelTimes


class TravelEngine(Protocol):
    """Driving times that a search can use without waiting: what it will need is fetched before it begins."""

    @property
    def times(self) -> TravelTimes:
        """The times as they are known now; what was not fetched is estimated."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why the estimate stands in for the engine at present; None when it does not."""
        ...

    async def fetch_legs(self, origins: Points, destinations: Points) -> None:
        """Have the times from each origin to the destination of the same index ready."""
        ...

    async def fetch_matrix(self, origins: Points, destinations: Points) -> None:
        """Have the times from each origin to each destination ready."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


class EstimatedTravel:
    """The great circle estimate of `domain.travel`: nothing to fetch."""

    trouble: str | None = None

    def __init__(self) -> None:
        self.times: TravelTimes = GreatCircleTravel()

    async def fetch_legs(self, origins: Points, destinations: Points) -> None:
        """Nothing to do."""

    async def fetch_matrix(self, origins: Points, destinations: Points) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing to close."""
