"""Booking online: whose booking page a slug names, which offers were used; where addresses are, and how exactly that is known."""

import sqlalchemy as sa
from alembic import op

from models.row_security import open_to_look_ups, protect

revision = "0008"
down_revision = "0007"

INSTANT = sa.DateTime(timezone=True)
NOW = sa.text("now()")
PRECISIONS = "'GIVEN', 'BUILDING', 'STREET', 'PLACE', 'POSTAL_CODE'"

# The booking page is for people who are nobody to us: its address is all they have.
LOOK_UP = """
CREATE FUNCTION look_up_booking_page(wanted text) RETURNS TABLE (tenant_id uuid, location_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT l.tenant_id, l.id FROM locations l JOIN tenants t ON t.id = l.tenant_id
  WHERE l.slug = wanted AND t.status <> 'CANCELLED' AND (t.read_only_from IS NULL OR t.read_only_from > now())
$$
"""


def upgrade() -> None:
    for table in ("locations", "customer_addresses"):
        op.add_column(table, sa.Column("precision", sa.String(32)))
        op.create_check_constraint(op.f(f"ck_{table}_precision"), table, f"precision IN ({PRECISIONS})")
    op.create_table(
        "booking_offers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("used_at", INSTANT, server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_booking_offers"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_booking_offers_tenant_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "appointment_id"],
            ["appointments.tenant_id", "appointments.id"],
            name="fk_booking_offers_tenant_id_appointment_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_booking_offers_tenant_id_used_at", "booking_offers", ["tenant_id", "used_at"])
    for statement in protect("booking_offers"):
        op.execute(statement)
    # What a geocoder answered. Its key is an HMAC of the address: the table names nobody's.
    op.create_table(
        "geocodings",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("latitude", sa.Float()),
        sa.Column("longitude", sa.Float()),
        sa.Column("precision", sa.String(32)),
        sa.Column("asked_at", INSTANT, server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_geocodings"),
        sa.CheckConstraint(f"precision IN ({PRECISIONS})", name=op.f("ck_geocodings_precision")),
    )
    op.create_index("ix_geocodings_asked_at", "geocodings", ["asked_at"])
    op.execute(open_to_look_ups("locations"))
    op.execute(LOOK_UP)
