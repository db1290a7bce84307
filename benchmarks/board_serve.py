"""A server that the product is measured beside, in a process that imports nothing else: `python -m benchmarks.board_serve ceiling 8001`."""

import importlib
import os
import sys

import uvicorn

from cli.serve import spare_collector
from web.websocket_protocol import uvicorn_options


def main(name: str, port: int) -> None:
    """Serve the application of `benchmarks.board_NAME` on DATABASE_URL.

    The ceilings get the product's settings of the garbage collector, since they are meant to be as fast as can be; stock keeps Python's.
    """
    app = importlib.import_module(f"benchmarks.board_{name}").create_app(os.environ["DATABASE_URL"])
    if name != "stock":
        spare_collector()
    uvicorn.run(app, port=port, loop="uvloop", http="httptools", **uvicorn_options(100_000))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
