"""Travel times by OSRM or Valhalla over HTTP, kept by pairs of h3 cells; the estimate stands in while the engine is down."""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from time import monotonic
from typing import Any, Protocol, TypeAlias

import h3.api.basic_int as h3
import httpx
import numpy as np
import structlog
from numpy.typing import NDArray

from domain.geo_point import GeoPoint, Points
from domain.travel import GreatCircleTravel

log = structlog.get_logger("routing")

# Cells of 0.1 km²: two places of one cell differ by less than 0.4 minutes in 95 of 100 cases.
RESOLUTION = 9
MOST_PAIRS = 1_000_000
REQUEST_S = 3.0
# All that one search may wait for; what has not come by then is estimated, and comes for the next one.
WAIT_S = 4.0
AT_ONCE = 8
# After a failure the engine is left alone for this long, or every search would wait for it.
PAUSE_S = 30.0

Pair: TypeAlias = tuple[int, int]
Place: TypeAlias = tuple[float, float]
"""Latitude and longitude."""


class Dialect(Protocol):
    """How an engine is asked: everything else is the same."""

    name: str
    most_table: int
    """Places in a table at most, on either side."""
    most_route: int
    """Places on a route at most."""

    async def table(self, http: httpx.AsyncClient, origins: Sequence[Place], goals: Sequence[Place]) -> list[list[Any]]:
        """Seconds from each origin to each goal; None where there is no way."""
        ...

    async def route(self, http: httpx.AsyncClient, places: Sequence[Place]) -> list[Any]:
        """Seconds of each leg of a route."""
        ...


class Osrm:
    """https://project-osrm.org/docs/v5.24.0/api/; a table of 100 places is what its server allows when nothing else was set."""

    name = "OSRM"
    most_table = 50
    most_route = 100

    async def table(self, http: httpx.AsyncClient, origins: Sequence[Place], goals: Sequence[Place]) -> list[list[Any]]:
        """The table service."""
        sources = ";".join(map(str, range(len(origins))))
        destinations = ";".join(map(str, range(len(origins), len(origins) + len(goals))))
        answer = await _json(
            http.get(
                f"table/v1/driving/{_lonlat([*origins, *goals])}",
                params={"sources": sources, "destinations": destinations, "annotations": "duration"},
            )
        )
        return list(answer["durations"])

    async def route(self, http: httpx.AsyncClient, places: Sequence[Place]) -> list[Any]:
        """The route service."""
        answer = await _json(
            http.get(f"route/v1/driving/{_lonlat(places)}", params={"overview": "false", "steps": "false"})
        )
        return [leg["duration"] for leg in answer["routes"][0]["legs"]]


class Valhalla:
    """https://valhalla.github.io/valhalla/api/; limits as its server has them when nothing else was set."""

    name = "Valhalla"
    most_table = 50
    most_route = 20

    async def table(self, http: httpx.AsyncClient, origins: Sequence[Place], goals: Sequence[Place]) -> list[list[Any]]:
        """The matrix service."""
        asked = {"sources": _objects(origins), "targets": _objects(goals), "costing": "auto"}
        answer = await _json(http.post("sources_to_targets", json=asked))
        return [[cell["time"] for cell in row] for row in answer["sources_to_targets"]]

    async def route(self, http: httpx.AsyncClient, places: Sequence[Place]) -> list[Any]:
        """The route service."""
        answer = await _json(
            http.post("route", json={"locations": _objects(places), "costing": "auto", "directions_type": "none"})
        )
        return [leg["summary"]["time"] for leg in answer["trip"]["legs"]]


def _lonlat(places: Sequence[Place]) -> str:
    return ";".join(f"{longitude:.6f},{latitude:.6f}" for latitude, longitude in places)


def _objects(places: Sequence[Place]) -> list[dict[str, float]]:
    return [{"lat": round(latitude, 6), "lon": round(longitude, 6)} for latitude, longitude in places]


async def _json(request: Any) -> Any:
    answer = await request
    answer.raise_for_status()
    return answer.json()


@dataclass
class CellTimes:
    """What is known, by pairs of cells; the estimate for the rest. Answers at once, as `domain.travel.TravelTimes` asks for."""

    estimate: GreatCircleTravel = field(default_factory=GreatCircleTravel)
    known: OrderedDict[Pair, int] = field(default_factory=OrderedDict)

    def matrix(self, origins: Points, destinations: Points) -> NDArray[np.int64]:
        """Times from each origin to each destination: n × m seconds."""
        seconds = self.estimate.matrix(origins, destinations)
        from_cells, to_cells = cells_of(origins), cells_of(destinations)
        for (row, start), (column, goal) in product(enumerate(from_cells), enumerate(to_cells)):
            found = self.known.get((start, goal))
            if found is not None:
                seconds[row, column] = found
        return seconds

    def legs(self, origins: Points, destinations: Points) -> NDArray[np.int64]:
        """Times from each origin to the destination of the same index: n seconds."""
        seconds = self.estimate.legs(origins, destinations)
        for index, pair in enumerate(zip(cells_of(origins), cells_of(destinations), strict=True)):
            found = self.known.get(pair)
            if found is not None:
                seconds[index] = found
        return seconds

    def leg(self, origin: GeoPoint, destination: GeoPoint) -> int:
        """Seconds from one place to another."""
        places = np.array([[origin.latitude, origin.longitude], [destination.latitude, destination.longitude]])
        return int(self.legs(places[:1], places[1:])[0])

    def keep(self, pair: Pair, seconds: Any) -> None:
        """Know a time; a way that there is not stays estimated."""
        if seconds is None or not math.isfinite(float(seconds)):
            return
        self.known[pair] = math.ceil(float(seconds))
        if len(self.known) > MOST_PAIRS:
            self.known.popitem(last=False)


def cells_of(places: Points) -> list[int]:
    """The cells of places."""
    return [h3.latlng_to_cell(latitude, longitude, RESOLUTION) for latitude, longitude in places.tolist()]


class HttpTravel:
    """An engine behind a URL.

    Args:
        url: where it is, with or without a path.
        dialect: how it is asked.
    """

    def __init__(self, url: str, dialect: Dialect) -> None:
        self.times = CellTimes()
        self.trouble: str | None = None
        self._dialect = dialect
        self._http = httpx.AsyncClient(base_url=f"{url.rstrip('/')}/", timeout=REQUEST_S)
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._left_alone_until = 0.0

    async def fetch_legs(self, origins: Points, destinations: Points) -> None:
        """Ask for the legs that are not known, many on one route."""
        pairs = zip(cells_of(origins), cells_of(destinations), strict=True)
        wanted = self._missing(pairs)
        half = self._dialect.most_route // 2
        await self._ask([self._route(wanted[at : at + half]) for at in range(0, len(wanted), half)])

    async def fetch_matrix(self, origins: Points, destinations: Points) -> None:
        """Ask for the tables that hold what is not known."""
        starts, goals = sorted(set(cells_of(origins))), sorted(set(cells_of(destinations)))
        most = self._dialect.most_table
        blocks = [
            (starts[row : row + most], goals[column : column + most])
            for row in range(0, len(starts), most)
            for column in range(0, len(goals), most)
        ]
        await self._ask([self._table(*block) for block in blocks if self._missing(product(*block))])

    async def close(self) -> None:
        """Close connections."""
        await self._http.aclose()

    def _missing(self, pairs: Any) -> list[Pair]:
        """What is not known, each once; within one cell the estimate is as good."""
        return [pair for pair in dict.fromkeys(pairs) if pair[0] != pair[1] and pair not in self.times.known]

    async def _route(self, pairs: Sequence[Pair]) -> None:
        places = [h3.cell_to_latlng(cell) for pair in pairs for cell in pair]
        for pair, seconds in zip(pairs, (await self._dialect.route(self._http, places))[::2], strict=True):
            self.times.keep(pair, seconds)

    async def _table(self, starts: Sequence[int], goals: Sequence[int]) -> None:
        origins, ends = ([h3.cell_to_latlng(cell) for cell in cells] for cells in (starts, goals))
        rows = await self._dialect.table(self._http, origins, ends)
        for start, row in zip(starts, rows, strict=True):
            for goal, seconds in zip(goals, row, strict=True):
                if start != goal:
                    self.times.keep((start, goal), seconds)

    async def _ask(self, requests: Sequence[Any]) -> None:
        """Run the requests, some at once; when one fails the others are given up, and the estimate stands in."""
        if not requests or monotonic() < self._left_alone_until:
            for request in requests:
                request.close()
            return
        try:
            async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
                for request in requests:
                    group.create_task(self._one(request))
        except* (httpx.HTTPError, TimeoutError, ValueError, LookupError, TypeError) as failed:
            self.trouble = f"{self._dialect.name}: {_reason(failed)}"
            self._left_alone_until = monotonic() + PAUSE_S
            log.warning("travel times are estimated", engine=self._dialect.name, reason=self.trouble)
        else:
            if self.trouble is not None:
                log.info("travel times are asked for again", engine=self._dialect.name)
            self.trouble = None

    async def _one(self, request: Any) -> None:
        async with self._at_once:
            await request


def _reason(failed: BaseExceptionGroup[Exception]) -> str:
    first: BaseException = failed
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    if isinstance(first, httpx.HTTPStatusError):
        return f"HTTP {first.response.status_code}"
    return type(first).__name__


def http_travel(url: str) -> HttpTravel:
    """The engine of a URL: `osrm+http://…`, `valhalla+http://…`; OSRM where nothing is said.

    Raises:
        ValueError: the URL names neither.
    """
    scheme, separator, rest = url.partition("://")
    kind, _, transport = scheme.rpartition("+")
    dialects: dict[str, Dialect] = {"": Osrm(), "osrm": Osrm(), "valhalla": Valhalla()}
    if not separator or kind not in dialects or transport not in {"http", "https"}:
        raise ValueError(
            "ROUTING_URL must begin with osrm+http://, osrm+https://, valhalla+http:// or valhalla+https://"
        )
    return HttpTravel(f"{transport}://{rest}", dialects[kind])
