"""The board's benchmark compares like with like: the product, the hand-written statement and stock Strawberry answer the same bytes."""

import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks import board_ceiling, board_stock
from benchmarks.board_check import check
from benchmarks.board_data import BOARD_SIZE, TECHNICIANS, Business
from benchmarks.board_load import load, one
from benchmarks.board_queries import CEILING, OURS, READS, STOCK, requests_of
from benchmarks.board_shares import shares
from tests.benchmarks.conftest import SECRET, running
from tests.service import running_service


async def test_all_three_answer_the_same_bytes(filled: tuple[str, str, list[Business]]) -> None:
    url, superuser_url, businesses = filled
    async with (
        running_service(url, secret_key=SECRET, budget_factor=1_000_000) as ours,
        running(board_ceiling.create_app(url)) as ceiling,
        running(board_stock.create_app(url)) as stock,
    ):
        ports = {OURS: ours.port, CEILING: ceiling, STOCK: stock}
        sizes = await check(ports, businesses, superuser_url, READS)
        assert set(sizes) == set(READS)
        for name, port in ports.items():
            body = orjson.loads(await one(port, requests_of(name, "board", businesses)[1]))
            board = body["data"]["dispatchBoard"]
            assert board["day"] == businesses[1].day(1).isoformat()
            assert [len(lane["appointments"]) for lane in board["lanes"]] == [BOARD_SIZE // TECHNICIANS] * TECHNICIANS
            rate, took = await load(port, requests_of(name, "list", businesses), connections=2, seconds=0.1)
            assert rate > 0
            assert len(took) >= 2


async def test_a_difference_ends_the_run(filled: tuple[str, str, list[Business]]) -> None:
    url, superuser_url, businesses = filled

    async def empty(_request: Request) -> Response:
        return Response('{"data":{"dispatchBoard":null}}')

    wrong = Starlette(routes=[Route("/board", empty, methods=["POST"])])
    async with running(wrong) as ceiling, running(board_stock.create_app(url)) as stock:
        with pytest.raises(ValueError, match="the answers differ"):
            await check({CEILING: ceiling, STOCK: stock}, businesses, superuser_url)
        # Neither is an answer that is no 200 taken for one.
        with pytest.raises(ConnectionError, match="404"):
            await check({CEILING: stock}, businesses, superuser_url)


def test_samples_are_counted_for_the_part_that_they_belong_to() -> None:
    executor = "serve (cli/serve.py:1);Executor.execute_fields (/x/site-packages/graphql/execution/executor.py:863)"
    found = dict(
        shares(
            [
                f"{executor} 5",
                # SQLAlchemy called psycopg, below the executor.
                f"{executor};Session.execute (sqlalchemy/orm/session.py:1);wait_async (psycopg/waiting.py:187) 2",
                f"{executor};Appointment.of (schema/appointment.py:137) 2",
                "unheard of 1",
            ]
        )
    )
    assert [(name.partition(":")[0], share) for name, share in found.items()] == [
        ("graphql-core", 0.5),
        ("psycopg", 0.2),
        ("our types made from rows, resolvers", 0.2),
        ("other", 0.1),
    ]
