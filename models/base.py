"""What all tables share: naming of constraints, column types, and keys that begin with the tenant."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import DateTime, Enum, ForeignKeyConstraint, MetaData, Numeric, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.sql import func

from domain.ids import new_id


class Base(DeclarativeBase):
    """A table. There are no relationships on purpose: nothing can be loaded lazily, queries name what they need."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    # What the database fills in comes back with the statement: a later read would be a query that nobody asked for.
    __mapper_args__ = {"eager_defaults": True}
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        UUID: Uuid,
        Decimal: Numeric(12, 2),
        datetime: DateTime(timezone=True),
        list[str]: ARRAY(Text),
        list[dict[str, Any]]: JSONB,
        list[date]: JSONB,
        dict[str, Any]: JSONB,
    }


class TenantRow(Base):
    """A row that belongs to one tenant: its key is (tenant_id, id), and row-level security is forced on its table."""

    __abstract__ = True

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)


class Timestamps:
    """When the row was made and last changed, by the database's clock."""

    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


def one_of(enum: type[StrEnum], name: str) -> Enum:
    """A text column that holds one of the enum's values, by a CHECK constraint (a native type cannot lose a value)."""
    return Enum(
        enum,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


def within_tenant(column: str, table: str, *, ondelete: str | None = None) -> ForeignKeyConstraint:
    """A foreign key that cannot point at another tenant's row: a plain one would accept its id."""
    return ForeignKeyConstraint(["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"], ondelete=ondelete)


def of_tenant() -> ForeignKeyConstraint:
    """Every tenant row's key to its tenant."""
    return ForeignKeyConstraint(["tenant_id"], ["tenants.id"])
