"""Times as they are answered: left to the JSON's writer or gone through the scalar, byte for byte the same."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any, cast

import orjson
import strawberry
from graphql import ExecutionResult, parse
from hypothesis import given
from hypothesis import strategies as st
from strawberry.schema.config import StrawberryConfig

from schema.compiled import Plans
from schema.root import ProductExecutor
from schema.scalars import JSON_OPTIONS, SCALARS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = st.one_of(
    st.just(UTC), st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
)
# Up to the year 2200, most to the second and some to the microsecond.
MOMENTS = st.builds(
    lambda seconds, microseconds, zone: (EPOCH + timedelta(seconds=seconds, microseconds=microseconds)).astimezone(
        zone
    ),
    st.integers(0, 230 * 366 * 86400),
    st.one_of(st.just(0), st.integers(0, 999_999)),
    ZONES,
)


@strawberry.type
class Moment:
    at: datetime


@strawberry.type
class Query:
    @strawberry.field
    def moments(self, info: strawberry.Info[list[datetime], None]) -> list[Moment]:
        return [Moment(at=moment) for moment in info.context]


SCHEMA = strawberry.Schema(Query, config=StrawberryConfig(scalar_map=SCALARS), execution_context_class=ProductExecutor)
DOCUMENT = parse("{ moments { at } }")


class Context(list[datetime]):
    principal = None


def answered(moments: list[datetime], plans: Plans | None) -> bytes:
    built: Any = ProductExecutor.build(SCHEMA._schema, DOCUMENT, context_value=Context(moments))
    built.plans = plans
    result = cast("ExecutionResult", built.execute_operation())
    assert result.errors is None
    return orjson.dumps(result.data, option=JSON_OPTIONS)


@given(st.lists(MOMENTS, min_size=1, max_size=5))
def test_times_are_written_as_the_scalar_has_them(moments: list[datetime]) -> None:
    plans = Plans()
    answer = answered(moments, plans)
    assert [plan is not None for plan in plans.made.values()] == [True]
    assert answer == answered(moments, None)
    assert [each["at"] for each in orjson.loads(answer)["moments"]] == [
        moment.astimezone(UTC).isoformat().replace("+00:00", "Z") for moment in moments
    ]
