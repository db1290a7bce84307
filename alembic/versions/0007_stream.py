"""The stream's other readers: presence of colleagues, webhook endpoints of partners and the deliveries to them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from models.row_security import open_to_look_ups, protect

revision = "0007"
down_revision = "0006"

INSTANT = sa.DateTime(timezone=True)
NOW = sa.text("now()")

FUNCTIONS = (
    """
    CREATE FUNCTION webhook_endpoints_behind(room integer) RETURNS TABLE (tenant_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      SELECT e.tenant_id, e.id FROM webhook_endpoints e
      JOIN tenant_counters c ON c.tenant_id = e.tenant_id AND c.name = 'event'
      JOIN tenants t ON t.id = e.tenant_id
      WHERE e.active AND e.planned_seq < c.value AND t.status <> 'CANCELLED'
      LIMIT room
    $$
    """,
    # MATERIALIZED: as a plain sub-query the planner may run the LIMIT … FOR UPDATE once for each row that it joins.
    """
    CREATE FUNCTION dispatch_webhooks(lease double precision, room integer) RETURNS TABLE (tenant_id uuid, id uuid)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      WITH due AS MATERIALIZED (
        SELECT d.tenant_id, d.id FROM webhook_deliveries d
        WHERE d.state = 'PENDING' AND d.relay_at <= now()
        ORDER BY d.relay_at LIMIT room FOR UPDATE SKIP LOCKED
      )
      UPDATE webhook_deliveries d SET relay_at = now() + make_interval(secs => lease)
      FROM due WHERE d.tenant_id = due.tenant_id AND d.id = due.id
      RETURNING d.tenant_id, d.id
    $$
    """,
    """
    CREATE FUNCTION forget_webhooks() RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      DELETE FROM webhook_deliveries WHERE state <> 'PENDING' AND finished_at < now() - interval '30 days'
    $$
    """,
)


def _of_tenant(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id"))


def _within(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{target}.tenant_id", f"{target}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
        ondelete="CASCADE",
    )


def upgrade() -> None:
    op.create_table(
        "presences",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        _of_tenant("presences"),
        _within("presences", "appointment_id", "appointments"),
        _within("presences", "user_id", "users"),
        sa.PrimaryKeyConstraint("tenant_id", "appointment_id", "user_id", name="pk_presences"),
    )
    op.create_table(
        "webhook_endpoints",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("event_types", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("planned_seq", sa.BigInteger(), nullable=False),
        sa.Column("failing_since", INSTANT),
        sa.Column("disabled_at", INSTANT),
        sa.Column("created_at", INSTANT, server_default=NOW, nullable=False),
        _of_tenant("webhook_endpoints"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_webhook_endpoints"),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "PENDING", "DELIVERED", "FAILED", name="state", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("response_status", sa.Integer()),
        sa.Column("failure", sa.Text()),
        sa.Column("next_attempt_at", INSTANT),
        sa.Column("relay_at", INSTANT),
        sa.Column("claimed_until", INSTANT),
        sa.Column("fence", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", INSTANT, server_default=NOW, nullable=False),
        sa.Column("finished_at", INSTANT),
        _of_tenant("webhook_deliveries"),
        _within("webhook_deliveries", "endpoint_id", "webhook_endpoints"),
        _within("webhook_deliveries", "appointment_id", "appointments"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_webhook_deliveries"),
        sa.UniqueConstraint(
            "tenant_id", "endpoint_id", "seq", name=op.f("uq_webhook_deliveries_tenant_id_endpoint_id_seq")
        ),
    )
    pending = sa.text("state = 'PENDING'")
    op.create_index(
        op.f("ix_webhook_deliveries_tenant_id_endpoint_id_created_at_id"),
        "webhook_deliveries",
        ["tenant_id", "endpoint_id", "created_at", "id"],
    )
    op.create_index(
        op.f("ix_webhook_deliveries_tenant_id_appointment_id"), "webhook_deliveries", ["tenant_id", "appointment_id"]
    )
    op.create_index(
        "ix_webhook_deliveries_order",
        "webhook_deliveries",
        ["tenant_id", "endpoint_id", "appointment_id", "seq"],
        postgresql_where=pending,
    )
    op.create_index("ix_webhook_deliveries_relay", "webhook_deliveries", ["relay_at"], postgresql_where=pending)
    op.create_index(
        "ix_webhook_deliveries_finished",
        "webhook_deliveries",
        ["finished_at"],
        postgresql_where=sa.text("state <> 'PENDING'"),
    )
    for table in ("presences", "webhook_endpoints", "webhook_deliveries"):
        for statement in protect(table):
            op.execute(statement)
    op.execute(open_to_look_ups("webhook_endpoints"))
    op.execute(open_to_look_ups("tenant_counters"))
    for command in ("SELECT", "UPDATE", "DELETE"):
        op.execute(open_to_look_ups("webhook_deliveries", command))
    for function in FUNCTIONS:
        op.execute(function)
