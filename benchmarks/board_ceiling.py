"""The ceiling: a bare endpoint with one statement written by hand, whose JSON PostgreSQL makes; for a mutation it calls one function.

It connects as the same role, under the same row-level security, and sets `app.tenant_id` in the transaction of the statement. It knows
neither keys nor GraphQL: the tenant comes with the request. That statement, the load's and the transaction go to the server in one piece.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import orjson
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_MOMENT = """'YYYY-MM-DD"T"HH24:MI:SS"Z"'"""


def _window(start: str, end: str) -> str:
    return (
        f"(SELECT row_to_json(w) FROM (SELECT to_char({start} AT TIME ZONE 'UTC', {_MOMENT}) AS start,"
        f" to_char({end} AT TIME ZONE 'UTC', {_MOMENT}) AS end) AS w)"
    )


# row_to_json and array_to_json write no spaces, as opposed to json_build_object and json_agg.
_VISIT = f"""(SELECT row_to_json(v) FROM (SELECT
    a.public_id AS id, a.number, a.version, a.status, {_window("a.arrival_starts_at", "a.arrival_ends_at")} AS "arrivalWindow",
    {_window("a.starts_at", "a.ends_at")} AS scheduled,
    (SELECT row_to_json(m) FROM (SELECT a.total::text AS amount, 'USD' AS currency) AS m) AS total,
    (SELECT row_to_json(p) FROM (SELECT t.public_id AS id, t.name) AS p) AS technician,
    (SELECT row_to_json(p) FROM (SELECT c.public_id AS id, c.name, c.phone) AS p) AS customer,
    (SELECT array_to_json(array_agg(row_to_json(l))) FROM (
      SELECT al.quantity, (SELECT row_to_json(p) FROM (SELECT s.public_id AS id, s.name) AS p) AS service
      FROM appointment_lines al JOIN services s ON s.tenant_id = al.tenant_id AND s.id = al.service_id
      WHERE al.tenant_id = a.tenant_id AND al.appointment_id = a.id ORDER BY al.position) AS l) AS lines
  ) AS v)"""
_JOINS = """JOIN technicians t ON t.tenant_id = a.tenant_id AND t.id = a.technician_id
    JOIN customers c ON c.tenant_id = a.tenant_id AND c.id = a.customer_id"""

BOARD = f"""WITH place AS (
  SELECT id, %(day)s::date::timestamp AT TIME ZONE time_zone AS low, (%(day)s::date + 1)::timestamp AT TIME ZONE time_zone AS high
  FROM locations ORDER BY name LIMIT 1
), visits AS (
  SELECT a.technician_id, array_to_json(array_agg({_VISIT} ORDER BY a.starts_at, a.id)) AS visits
  FROM place JOIN appointments a ON a.location_id = place.id AND a.starts_at < place.high AND a.ends_at > place.low
    AND a.starts_at > place.low - interval '1 day' AND a.status <> 'CANCELLED'
  {_JOINS}
  GROUP BY a.technician_id
)
SELECT row_to_json(d)::text FROM (SELECT (SELECT row_to_json(b) FROM (SELECT
  %(day)s::date AS day,
  (SELECT rtrim(translate(encode('\\x01'::bytea || uuid_send(%(tenant)s::uuid) || int8send(coalesce(
    (SELECT value FROM tenant_counters WHERE name = 'event'), 0)), 'base64'), '+/', '-_'), '=')) AS cursor,
  (SELECT array_to_json(array_agg(row_to_json(l))) FROM (
    SELECT (SELECT row_to_json(p) FROM (SELECT t.public_id AS id, t.name, t.color) AS p) AS technician,
      coalesce(v.visits, '[]'::json) AS appointments
    FROM technicians t LEFT JOIN visits v ON v.technician_id = t.id
    WHERE t.active ORDER BY t.name, t.id) AS l) AS lanes
) AS b) AS "dispatchBoard") AS d"""

LIST = f"""WITH page AS (SELECT * FROM appointments ORDER BY number, id LIMIT 51),
kept AS (SELECT * FROM page ORDER BY number, id LIMIT 50)
SELECT row_to_json(d)::text FROM (SELECT (SELECT row_to_json(b) FROM (SELECT
  (SELECT array_to_json(array_agg({_VISIT} ORDER BY a.number, a.id)) FROM kept a {_JOINS}) AS nodes,
  (SELECT row_to_json(i) FROM (SELECT (SELECT count(*) FROM page) > 50 AS "hasNextPage",
    (SELECT rtrim(translate(encode(convert_to('["appointment-NUMBER-asc","' || number || '","' || id || '"]', 'UTF8'), 'base64'),
      '+/' || chr(10), '-_'), '=') FROM kept ORDER BY number DESC, id DESC LIMIT 1) AS "endCursor") AS i) AS "pageInfo"
) AS b) AS appointments) AS d"""

NODE = f"""SELECT row_to_json(d)::text FROM (SELECT
  (SELECT {_VISIT} FROM appointments a {_JOINS} WHERE a.id = %(id)s) AS node) AS d"""


def _change(field: str, call: str) -> str:
    return f"""SELECT row_to_json(d)::text FROM (SELECT (SELECT row_to_json(b) FROM (SELECT
      (SELECT row_to_json(v) FROM (SELECT a.public_id AS id, a.number, a.version, a.status,
        {_window("a.starts_at", "a.ends_at")} AS scheduled,
        {_window("a.arrival_starts_at", "a.arrival_ends_at")} AS "arrivalWindow") AS v) AS appointment,
      '[]'::json AS "userErrors") AS b) AS "{field}" FROM {call} AS a) AS d"""


STATEMENTS = {
    "board": BOARD,
    "list": LIST,
    "node": NODE,
    "schedule": _change(
        "appointmentSchedule", "bench_schedule(%(id)s::uuid, 1, %(start)s::timestamptz, %(end)s::timestamptz)"
    ),
    "on_the_way": _change("appointmentMarkOnTheWay", "bench_leave(%(id)s::uuid, 1, %(minutes)s)"),
}


def create_app(database_url: str) -> Starlette:
    """The application: POST /NAME of a load, with the tenant and what the load names."""
    return serve(database_url, STATEMENTS)


def serve(database_url: str, statements: Mapping[str, str]) -> Starlette:
    """An application that answers what a statement does: POST /NAME, with the tenant and the statement's parameters."""
    pool = AsyncConnectionPool(database_url, min_size=10, max_size=10, open=False)

    def answers(statement: str) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            given = orjson.loads(await request.body())
            async with pool.connection() as connection, connection.pipeline(), connection.transaction():
                await connection.execute(
                    "SELECT set_config('app.tenant_id', %s, true)", (given["tenant"],), prepare=True
                )
                cursor = await connection.execute(statement, given, prepare=True)
                row = await cursor.fetchone()
            if row is None:
                raise LookupError("a statement without a row")
            return Response(f'{{"data":{row[0]}}}', media_type="application/json")

        return answer

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with pool:
            yield

    return Starlette(
        routes=[Route(f"/{name}", answers(each), methods=["POST"]) for name, each in statements.items()],
        lifespan=lifespan,
    )
