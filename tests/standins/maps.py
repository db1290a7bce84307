"""OSRM, Valhalla, Nominatim and Google on loopback, as their documentation says that they answer."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

# Slower than any estimate within a town, so that a test sees whose time it is.
SECONDS_A_DEGREE = 20_000.0


@dataclass
class MapsStandIn:
    """What was asked, and how to answer: `broken` is an HTTP status, or 0 for an answer that is no JSON."""

    port: int = 0
    paths: list[str] = field(default_factory=list)
    addresses: list[dict[str, str]] = field(default_factory=list)
    broken: int | None = None
    failures: int = 0
    known: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def drive(start: tuple[float, float], goal: tuple[float, float]) -> float:
    """Seconds from one place (latitude, longitude) to another; there and back differ."""
    north = max(goal[0] - start[0], 0) * 1.5 + max(start[0] - goal[0], 0)
    return round(SECONDS_A_DEGREE * (north + abs(goal[1] - start[1])), 1)


class _Handler(BaseHTTPRequestHandler):
    standin: MapsStandIn

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))

    def _answer(self, body: Any) -> None:
        split = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(split.query).items()}
        self.standin.paths.append(split.path)
        broken = self.standin.broken
        if self.standin.failures:
            self.standin.failures -= 1
            broken = 503
        if broken is not None:
            self._send(broken or 200, b"<html>")
            return
        self._send(200, json.dumps(self._payload(split.path, query, body)).encode())

    def _payload(self, path: str, query: dict[str, str], body: Any) -> Any:
        if path.startswith(("/table/v1/driving/", "/route/v1/driving/")):
            return _osrm(path, query)
        if path == "/sources_to_targets":
            rows = [[_valhalla(start, goal) for goal in body["targets"]] for start in body["sources"]]
            return {"sources_to_targets": rows}
        if path == "/route":
            places = body["locations"]
            legs = [{"summary": _valhalla(*pair)} for pair in pairwise(places)]
            return {"trip": {"legs": legs}}
        self.standin.addresses.append(query)
        return _nominatim(self.standin, query) if path == "/search" else _google(self.standin, query)

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _osrm(path: str, query: dict[str, str]) -> Any:
    places = [(float(lat), float(lon)) for lon, lat in (pair.split(",") for pair in path.rsplit("/", 1)[1].split(";"))]
    if path.startswith("/route/"):
        legs = [{"duration": drive(*pair)} for pair in pairwise(places)]
        return {"code": "Ok", "routes": [{"legs": legs}]}
    starts, goals = ([places[int(index)] for index in query[name].split(";")] for name in ("sources", "destinations"))
    return {"code": "Ok", "durations": [[drive(start, goal) for goal in goals] for start in starts]}


def _valhalla(start: dict[str, float], goal: dict[str, float]) -> dict[str, float]:
    return {"time": drive((start["lat"], start["lon"]), (goal["lat"], goal["lon"]))}


def _nominatim(standin: MapsStandIn, query: dict[str, str]) -> Any:
    found = standin.known.get(query["street"])
    if found is None:
        return []
    details = {"house_number": "1", "road": "Congress Ave"}
    return [{"lat": str(found[0]), "lon": str(found[1]), "display_name": "There", "address": details}]


def _google(standin: MapsStandIn, query: dict[str, str]) -> Any:
    found = standin.known.get(query["address"].split(",")[0])
    if found is None:
        return {"status": "ZERO_RESULTS", "results": []}
    geometry = {"location": {"lat": found[0], "lng": found[1]}, "location_type": "RANGE_INTERPOLATED"}
    return {
        "status": "OK",
        "results": [{"formatted_address": "There", "geometry": geometry, "types": ["street_address"]}],
    }


class _Server(ThreadingHTTPServer):
    daemon_threads = True


@contextmanager
def maps_stand_in() -> Iterator[MapsStandIn]:
    """Serve on a free port until the block ends."""
    standin = MapsStandIn()
    handler = type("Handler", (_Handler,), {"standin": standin})
    server = _Server(("127.0.0.1", 0), handler)
    standin.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield standin
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
