"""The service catalog in the schema."""

from collections.abc import Sequence
from typing import Annotated, Any

import strawberry

from domain.ids import Prefix
from models.service import Service as ServiceRow
from models.service import ServiceCategory as CategoryRow
from models.service import ServiceOption as OptionRow
from permissions.scopes import Scope
from resolvers.service import (
    NewOption,
    create_category,
    create_service,
    list_categories,
    list_services,
    update_service,
)
from schema.checks import Payload
from schema.connection import Connection, connection_of
from schema.context import Info
from schema.fields import PUBLIC, mutation, query, relation
from schema.node import Node, id_of, node_id
from schema.values import Money, MoneyInput, given, money, values


@strawberry.type
class ServiceOption(Node):
    """An extra of a service."""

    name: str
    price: Money
    duration_minutes: int

    @classmethod
    def of(cls, row: OptionRow) -> "ServiceOption":
        """The object of a row."""
        return cls(
            id=node_id(Prefix.SERVICE_OPTION, row.id),
            name=row.name,
            price=money(row.price),
            duration_minutes=row.duration_minutes,
        )


@strawberry.type
class ServiceCategory(Node):
    """A heading of the catalog."""

    row: strawberry.Private[CategoryRow]
    name: str
    position: int

    @classmethod
    def of(cls, row: CategoryRow) -> "ServiceCategory":
        """The object of a row."""
        return cls(row=row, id=node_id(Prefix.SERVICE_CATEGORY, row.id), name=row.name, position=row.position)

    @relation(Scope.SERVICES_READ)
    async def services(self, info: Info) -> list[Annotated["Service", strawberry.lazy("schema.service")]]:
        """The services under this heading, by name."""
        return [Service.of(row) for row in await info.context.load.services_of_category.load(self.row.id)]


@strawberry.type
class Service(Node):
    """Something the business does."""

    row: strawberry.Private[ServiceRow]
    shown_options: strawberry.Private[Sequence[OptionRow] | None]
    name: str
    description: str | None
    duration_minutes: int
    price: Money
    required_skills: list[str]
    bookable_online: bool
    active: bool

    @classmethod
    def of(cls, row: ServiceRow, options: Sequence[OptionRow] | None = None) -> "Service":
        """The object of a row; `options` where they are known already, as on the booking page."""
        return cls(
            row=row,
            shown_options=options,
            id=node_id(Prefix.SERVICE, row.id),
            name=row.name,
            description=row.description,
            duration_minutes=row.duration_minutes,
            price=money(row.price),
            required_skills=row.required_skills,
            bookable_online=row.bookable_online,
            active=row.active,
        )

    @relation(Scope.SERVICES_READ)
    async def category(self, info: Info) -> ServiceCategory | None:
        """The heading that it stands under."""
        if self.row.category_id is None:
            return None
        row = await info.context.load.category.load(self.row.category_id)
        return ServiceCategory.of(row) if row else None

    # Public, since the booking page shows them: every other way to a service asks for the scope already.
    @relation(PUBLIC)
    async def options(self, info: Info) -> list[ServiceOption]:
        """Its extras, in their order."""
        if self.shown_options is not None:
            return [ServiceOption.of(row) for row in self.shown_options]
        return [ServiceOption.of(row) for row in await info.context.load.options.load(self.row.id)]


@strawberry.input
class ServiceFilter:
    """What is left out does not narrow."""

    search: str | None = None
    active: bool | None = None
    bookable_online: bool | None = None


@strawberry.input
class ServiceCategoryCreateInput:
    """A new heading; without a position it comes last."""

    name: str
    position: int | None = None


@strawberry.input
class ServiceOptionInput:
    """An extra: what it adds to price and duration."""

    name: str
    price: MoneyInput
    duration_minutes: int | None = 0

    def value(self) -> NewOption:
        """The use case's option."""
        return NewOption(self.name, self.price.value(), self.duration_minutes or 0)


@strawberry.input
class ServiceCreateInput:
    """A new service."""

    name: str
    description: str | None = None
    category_id: strawberry.ID | None = None
    duration_minutes: int
    price: MoneyInput
    required_skills: list[str] | None = None
    bookable_online: bool | None = True
    options: list[ServiceOptionInput] | None = None


@strawberry.input
class ServiceUpdateInput:
    """What is left out stays as it is."""

    service_id: strawberry.ID
    name: str | None = strawberry.UNSET
    description: str | None = strawberry.UNSET
    category_id: strawberry.ID | None = strawberry.UNSET
    duration_minutes: int | None = strawberry.UNSET
    price: MoneyInput | None = strawberry.UNSET
    required_skills: list[str] | None = strawberry.UNSET
    bookable_online: bool | None = strawberry.UNSET
    active: bool | None = strawberry.UNSET


@strawberry.type
class ServiceCategoryCreatePayload(Payload):
    """The category, or why there is none."""

    category: ServiceCategory | None = None


@strawberry.type
class ServiceCreatePayload(Payload):
    """The service, or why there is none."""

    service: Service | None = None


@strawberry.type
class ServiceUpdatePayload(Payload):
    """The service, or why nothing changed."""

    service: Service | None = None


@strawberry.type
class ServiceQuery:
    """Root fields."""

    @query(Scope.SERVICES_READ)
    async def service_categories(self, info: Info) -> list[ServiceCategory] | None:
        """The headings of the catalog, in their order."""
        return [ServiceCategory.of(row) for row in await list_categories(info.context.caller)]

    @query(Scope.SERVICES_READ)
    async def services(
        self, info: Info, first: int | None = None, after: str | None = None, filter: ServiceFilter | None = None
    ) -> Connection[Service] | None:
        """Services, by name."""
        wanted = filter or ServiceFilter()
        page = await list_services(
            info.context.caller,
            first,
            after,
            search=wanted.search,
            active=wanted.active,
            bookable_online=wanted.bookable_online,
        )
        return connection_of(page, Service.of)  # type: ignore[no-any-return]


@strawberry.type
class ServiceMutation:
    """Root fields."""

    @mutation(Scope.SERVICES_WRITE)
    async def service_category_create(
        self, info: Info, input: ServiceCategoryCreateInput
    ) -> ServiceCategoryCreatePayload:
        """Make a heading."""
        row = await create_category(info.context.caller, input.name, input.position)
        return ServiceCategoryCreatePayload(category=ServiceCategory.of(row))

    @mutation(Scope.SERVICES_WRITE)
    async def service_create(self, info: Info, input: ServiceCreateInput) -> ServiceCreatePayload:
        """Make a service with its options."""
        row = await create_service(info.context.caller, _changes(input), values(input.options))
        return ServiceCreatePayload(service=Service.of(row))

    @mutation(Scope.SERVICES_WRITE)
    async def service_update(self, info: Info, input: ServiceUpdateInput) -> ServiceUpdatePayload:
        """Change a service; lines of appointments keep the price they were added at."""
        service_id = id_of(Prefix.SERVICE, input.service_id, "service", "serviceId")
        changes = _changes(input) | given(input, active=None)
        return ServiceUpdatePayload(service=Service.of(await update_service(info.context.caller, service_id, changes)))


def _changes(source: ServiceCreateInput | ServiceUpdateInput) -> dict[str, Any]:
    return given(
        source,
        name=None,
        description=None,
        category_id=lambda text: id_of(Prefix.SERVICE_CATEGORY, text, "category", "categoryId"),
        duration_minutes=None,
        price=MoneyInput.value,
        required_skills=None,
        bookable_online=None,
    )
