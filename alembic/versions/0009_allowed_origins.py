"""Sites of each location: which pages elsewhere may call us from a browser, and which may frame its booking page."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"

# A page that asks tells its origin before it tells whose customer it serves, so this is answered across all businesses;
# the answer is yes or no, and never whose.
ORIGIN = """
CREATE FUNCTION is_allowed_origin(wanted text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (
    SELECT 1 FROM locations l JOIN tenants t ON t.id = l.tenant_id
    WHERE l.allowed_origins @> ARRAY[wanted] AND t.status <> 'CANCELLED'
  )
$$
"""
# What a browser is told of any booking page, before anybody is known.
FRAMES = """
CREATE FUNCTION look_up_frame_origins(wanted text) RETURNS TABLE (origin text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT unnest(l.allowed_origins) FROM locations l JOIN tenants t ON t.id = l.tenant_id
  WHERE l.slug = wanted AND t.status <> 'CANCELLED'
$$
"""


def upgrade() -> None:
    # With a default, so that servers of the version before go on making locations.
    op.add_column(
        "locations",
        sa.Column("allowed_origins", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.create_check_constraint(op.f("ck_locations_allowed_origins"), "locations", "cardinality(allowed_origins) <= 20")
    op.create_index("ix_locations_allowed_origins", "locations", ["allowed_origins"], postgresql_using="gin")
    op.execute(ORIGIN)
    op.execute(FRAMES)
