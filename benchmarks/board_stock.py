"""Stock: Strawberry and SQLAlchemy's ORM as their documentation writes it, on the same tables, role and row-level security.

Classes with relationships, loaded by `selectinload`; Strawberry types made from the objects; `strawberry.asgi.GraphQL`. It checks no key
and no right: the tenant comes with the request, in a header.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import strawberry
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.schema.config import StrawberryConfig

from benchmarks.board_stock_models import EVERYTHING, AppointmentModel, TechnicianModel
from domain.event_cursor import encode_cursor
from domain.ids import Prefix, decode, encode
from models.appointment import Appointment as AppointmentTable
from models.database import sqlalchemy_url
from models.event import EVENT_COUNTER
from models.location import Location as LocationTable
from models.page import _encode as list_cursor
from models.technician import Technician as TechnicianTable
from models.tenant import TenantCounter

SIZE = 50


Moment = strawberry.scalar(
    name="DateTime", serialize=lambda value: value.astimezone(UTC).isoformat().replace("+00:00", "Z")
)
Info = strawberry.Info[Any, None]


@strawberry.type
class Money:
    """An amount."""

    amount: Decimal
    currency: str


@strawberry.type
class TimeWindow:
    """From, to."""

    start: datetime
    end: datetime


@strawberry.type
class Technician:
    """Somebody who visits."""

    id: strawberry.ID
    name: str
    color: str

    @classmethod
    def of(cls, model: Any) -> "Technician":
        """The object of a row."""
        return cls(id=strawberry.ID(encode(Prefix.TECHNICIAN, model.id)), name=model.name, color=model.color)


@strawberry.type
class Customer:
    """Somebody who is visited."""

    id: strawberry.ID
    name: str
    phone: str | None

    @classmethod
    def of(cls, model: Any) -> "Customer":
        """The object of a row."""
        return cls(id=strawberry.ID(encode(Prefix.CUSTOMER, model.id)), name=model.name, phone=model.phone)


@strawberry.type
class Service:
    """What is done."""

    id: strawberry.ID
    name: str


@strawberry.type
class AppointmentLine:
    """A service of a visit."""

    quantity: int
    service: Service

    @classmethod
    def of(cls, model: Any) -> "AppointmentLine":
        """The object of a row."""
        service = Service(id=strawberry.ID(encode(Prefix.SERVICE, model.service.id)), name=model.service.name)
        return cls(quantity=model.quantity, service=service)


@strawberry.type
class Appointment:
    """A visit."""

    id: strawberry.ID
    number: int
    version: int
    status: str
    arrival_window: TimeWindow
    scheduled: TimeWindow
    total: Money
    technician: Technician | None
    customer: Customer
    lines: list[AppointmentLine]

    @classmethod
    def of(cls, model: Any) -> "Appointment":
        """The object of a row."""
        return cls(
            id=strawberry.ID(encode(Prefix.APPOINTMENT, model.id)),
            number=model.number,
            version=model.version,
            status=model.status.value,
            arrival_window=TimeWindow(start=model.arrival_starts_at, end=model.arrival_ends_at),
            scheduled=TimeWindow(start=model.starts_at, end=model.ends_at),
            total=Money(amount=model.total, currency="USD"),
            technician=Technician.of(model.technician) if model.technician else None,
            customer=Customer.of(model.customer),
            lines=[AppointmentLine.of(line) for line in model.lines],
        )


@strawberry.type
class Lane:
    """A technician's day."""

    technician: Technician
    appointments: list[Appointment]


@strawberry.type
class Board:
    """A day."""

    day: date
    cursor: str
    lanes: list[Lane]


@strawberry.type
class PageInfo:
    """Where a page stands."""

    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class Connection:
    """A page."""

    nodes: list[Appointment]
    page_info: PageInfo


@strawberry.type
class Query:
    """Root fields."""

    @strawberry.field
    async def dispatch_board(self, info: Info, day: date) -> Board:
        """The board of a day."""
        appointment, technician = AppointmentTable.__table__.c, TechnicianTable.__table__.c
        tenant = info.context["tenant"]
        async with transaction(info) as session:
            zone = ZoneInfo((await session.scalars(select(LocationTable.time_zone).limit(1))).one())
            low = datetime(day.year, day.month, day.day, tzinfo=zone)
            high = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(days=1)
            counter = select(TenantCounter.value).where(TenantCounter.name == EVENT_COUNTER)
            seq = (await session.scalars(counter)).one_or_none() or 0
            people = await session.scalars(
                select(TechnicianModel).where(technician.active).order_by(technician.name, technician.id)
            )
            lanes = {each.id: Lane(technician=Technician.of(each), appointments=[]) for each in people.all()}  # type: ignore[attr-defined]
            visits = await session.scalars(
                select(AppointmentModel)
                .where(
                    appointment.starts_at < high,
                    appointment.ends_at > low,
                    appointment.starts_at > low - timedelta(days=1),
                    appointment.status != "CANCELLED",
                )
                .order_by(appointment.starts_at, appointment.id)
                .options(*EVERYTHING)
            )
            for each in visits.all():
                lanes[each.technician_id].appointments.append(Appointment.of(each))  # type: ignore[attr-defined]
        return Board(day=day, cursor=encode_cursor(tenant, seq), lanes=list(lanes.values()))

    @strawberry.field
    async def node(self, info: Info, id: strawberry.ID) -> Appointment | None:
        """An appointment by its id."""
        appointment = AppointmentTable.__table__.c
        async with transaction(info) as session:
            statement = select(AppointmentModel).where(appointment.id == decode(Prefix.APPOINTMENT, id))
            found = (await session.scalars(statement.options(*EVERYTHING))).one_or_none()
        return None if found is None else Appointment.of(found)

    @strawberry.field
    async def appointments(self, info: Info, first: int = SIZE) -> Connection:
        """A page, by number."""
        appointment = AppointmentTable.__table__.c
        async with transaction(info) as session:
            statement = select(AppointmentModel).order_by(appointment.number, appointment.id).limit(first + 1)
            found = (await session.scalars(statement.options(*EVERYTHING))).all()
        kept: Any = found[:first]
        cursor = list_cursor("appointment-NUMBER-asc", str(kept[-1].number), kept[-1].id) if kept else None
        return Connection(
            nodes=[Appointment.of(each) for each in kept],
            page_info=PageInfo(has_next_page=len(found) > first, end_cursor=cursor),
        )


@asynccontextmanager
async def transaction(info: Info) -> AsyncIterator[AsyncSession]:
    """A transaction of the request's tenant."""
    async with info.context["sessions"]() as session, session.begin():
        await session.execute(
            text("SELECT set_config('app.tenant_id', :tenant, true)"), {"tenant": str(info.context["tenant"])}
        )
        yield session


def create_app(database_url: str) -> Starlette:
    """The application: POST /graphql, the tenant in the header X-Tenant."""
    engine = create_async_engine(sqlalchemy_url(database_url), pool_size=10, max_overflow=0)
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    class Endpoint(GraphQL[Any, None]):
        async def get_context(self, request: Any, response: Any) -> Any:
            return {"sessions": sessions, "tenant": UUID(request.headers["x-tenant"]), "response": response}

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await engine.dispose()

    schema = strawberry.Schema(Query, config=StrawberryConfig(scalar_map={datetime: Moment}))
    return Starlette(routes=[Route("/graphql", Endpoint(schema))], lifespan=lifespan)
