"""Stock's classes: the product's tables once more, with relationships, as SQLAlchemy's documentation writes them."""

from typing import ClassVar

from sqlalchemy import Table
from sqlalchemy.orm import DeclarativeBase, Mapped, relationship, selectinload

from models import all as _all_tables  # noqa: F401 (foreign keys name tables that must be there)
from models.appointment import Appointment as AppointmentTable
from models.appointment import AppointmentLine as LineTable
from models.base import Base as Tables
from models.customer import Customer as CustomerTable
from models.service import Service as ServiceTable
from models.technician import Technician as TechnicianTable


class Base(DeclarativeBase):
    """The same tables once more, with relationships."""

    metadata = Tables.metadata


class TechnicianModel(Base):
    """Somebody who visits."""

    __table__: ClassVar[Table] = TechnicianTable.__table__  # type: ignore[assignment]


class CustomerModel(Base):
    """Somebody who is visited."""

    __table__: ClassVar[Table] = CustomerTable.__table__  # type: ignore[assignment]


class ServiceModel(Base):
    """What is done."""

    __table__: ClassVar[Table] = ServiceTable.__table__  # type: ignore[assignment]


class LineModel(Base):
    """A service of a visit."""

    __table__: ClassVar[Table] = LineTable.__table__  # type: ignore[assignment]
    service: Mapped[ServiceModel] = relationship(viewonly=True)


class AppointmentModel(Base):
    """A visit."""

    __table__: ClassVar[Table] = AppointmentTable.__table__  # type: ignore[assignment]
    technician: Mapped[TechnicianModel | None] = relationship(viewonly=True)
    customer: Mapped[CustomerModel] = relationship(viewonly=True)
    lines: Mapped[list[LineModel]] = relationship(viewonly=True, order_by=LineTable.__table__.c.position)


EVERYTHING = (
    selectinload(AppointmentModel.technician),
    selectinload(AppointmentModel.customer),
    selectinload(AppointmentModel.lines).selectinload(LineModel.service),
)
