"""Billing: accounts, subscriptions, records of invoices, usage told to Stripe, and Stripe's events."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from models.row_security import open_to_look_ups, protect

revision = "0005"
down_revision = "0004"

INSTANT = sa.DateTime(timezone=True)
NOW = sa.text("now()")

FUNCTIONS = (
    # One round trip for each webhook: keep it, and tell whether it is to be done, and whose it is.
    """
    CREATE FUNCTION keep_stripe_event(event_id text, event_type text, event_created bigint, customer text, event_body jsonb,
                                      lease double precision)
    RETURNS TABLE (waiting boolean, tenant_id uuid)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      WITH kept AS (
        INSERT INTO stripe_events AS e (id, type, created, customer_id, body, next_attempt_at)
        VALUES (event_id, event_type, event_created, customer, event_body, now() + make_interval(secs => lease))
        ON CONFLICT (id) DO NOTHING RETURNING e.id
      )
      SELECT EXISTS (SELECT FROM kept)
               OR EXISTS (SELECT FROM stripe_events e WHERE e.id = event_id AND e.done_at IS NULL),
             (SELECT a.tenant_id FROM billing_accounts a WHERE a.customer_id = customer)
    $$
    """,
    """
    CREATE FUNCTION look_up_stripe_customer(wanted text) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      SELECT a.tenant_id FROM billing_accounts a WHERE a.customer_id = wanted
    $$
    """,
    # MATERIALIZED: as a plain sub-query the planner may run the LIMIT … FOR UPDATE once for each row that it joins.
    """
    CREATE FUNCTION due_stripe_events(lease double precision, room integer)
    RETURNS TABLE (id text, type text, created bigint, customer_id text, body jsonb, tenant_id uuid, attempts integer)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      WITH due AS MATERIALIZED (
        SELECT e.id FROM stripe_events e WHERE e.done_at IS NULL AND e.next_attempt_at <= now()
        ORDER BY e.next_attempt_at LIMIT room FOR UPDATE SKIP LOCKED
      )
      UPDATE stripe_events e SET next_attempt_at = now() + make_interval(secs => lease)
      FROM due WHERE e.id = due.id
      RETURNING e.id, e.type, e.created, e.customer_id, e.body,
                (SELECT a.tenant_id FROM billing_accounts a WHERE a.customer_id = e.customer_id), e.attempts
    $$
    """,
    """
    CREATE FUNCTION finish_stripe_event(event_id text, result text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
      UPDATE stripe_events e SET done_at = now(), outcome = result, attempts = e.attempts + 1, failure = NULL
      WHERE e.id = event_id AND e.done_at IS NULL;
      RETURN FOUND;
    END $$
    """,
    """
    CREATE FUNCTION defer_stripe_event(event_id text, seconds double precision, reason text) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      UPDATE stripe_events e
      SET attempts = e.attempts + 1, failure = reason, next_attempt_at = now() + make_interval(secs => seconds)
      WHERE e.id = event_id AND e.done_at IS NULL
    $$
    """,
    # Those without an account are opened one by whoever is given them.
    """
    CREATE FUNCTION due_billing_accounts(lease double precision, room integer) RETURNS SETOF uuid
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      WITH due AS MATERIALIZED (
        SELECT a.tenant_id FROM billing_accounts a WHERE a.next_check_at <= now()
        ORDER BY a.next_check_at LIMIT room FOR UPDATE SKIP LOCKED
      ), taken AS (
        UPDATE billing_accounts a SET next_check_at = now() + make_interval(secs => lease)
        FROM due WHERE a.tenant_id = due.tenant_id RETURNING a.tenant_id
      )
      SELECT t.tenant_id FROM taken t
      UNION ALL
      (SELECT t.id FROM tenants t WHERE NOT EXISTS (SELECT FROM billing_accounts a WHERE a.tenant_id = t.id) LIMIT room)
    $$
    """,
    # Seven years, as tax and accounting rules want it; Stripe sends an event again for three days at most.
    """
    CREATE FUNCTION forget_billing() RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      DELETE FROM billing_records r WHERE r.issued_at < now() - interval '7 years';
      DELETE FROM billing_requests q WHERE q.created_at < now() - interval '2 days';
      DELETE FROM stripe_events e WHERE e.done_at < now() - interval '90 days';
      DELETE FROM billing_subscriptions s USING tenants t
      WHERE t.id = s.tenant_id AND t.status = 'CANCELLED' AND t.cancelled_at < now() - interval '7 years'
        AND coalesce(s.ended_at, s.observed_at) < now() - interval '7 years';
      DELETE FROM usage_reports u USING tenants t
      WHERE t.id = u.tenant_id AND t.status = 'CANCELLED' AND t.cancelled_at < now() - interval '7 years';
      DELETE FROM billing_accounts a USING tenants t
      WHERE t.id = a.tenant_id AND t.status = 'CANCELLED' AND t.cancelled_at < now() - interval '7 years'
        AND NOT EXISTS (SELECT FROM billing_records r WHERE r.tenant_id = a.tenant_id)
        AND NOT EXISTS (SELECT FROM billing_subscriptions s WHERE s.tenant_id = a.tenant_id)
    $$
    """,
)


def upgrade() -> None:
    op.add_column("tenants", sa.Column("read_only_from", INSTANT, nullable=True))
    _accounts()
    _records()
    _events()
    op.create_index(
        "ix_messages_tenant_id_sent_at",
        "messages",
        ["tenant_id", "sent_at"],
        postgresql_where=sa.text("sent_at IS NOT NULL"),
    )
    for table in ("billing_accounts", "billing_subscriptions", "billing_records", "billing_requests", "usage_reports"):
        for statement in protect(table):
            op.execute(statement)
        for command in ("SELECT", "DELETE"):
            op.execute(open_to_look_ups(table, command))
    op.execute(open_to_look_ups("billing_accounts", "UPDATE"))
    for function in FUNCTIONS:
        op.execute(function)


def _accounts() -> None:
    op.create_table(
        "billing_accounts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("trial_ends_at", INSTANT, nullable=False),
        sa.Column("local_plan", sa.Text(), nullable=True),
        sa.Column("local_since", INSTANT, nullable=True),
        sa.Column("billed", sa.Boolean(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("cancelled_at", INSTANT, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("reopened_at", INSTANT, nullable=True),
        sa.Column("ending", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("unsure", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=True),
        sa.Column("next_check_at", INSTANT, server_default=NOW, nullable=False),
        sa.Column("created_at", INSTANT, server_default=NOW, nullable=False),
        sa.Column("updated_at", INSTANT, server_default=NOW, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_billing_accounts_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_billing_accounts")),
    )
    op.create_index("uq_billing_accounts_customer_id", "billing_accounts", ["customer_id"], unique=True)
    op.create_index("ix_billing_accounts_next_check_at", "billing_accounts", ["next_check_at"])
    op.create_table(
        "billing_subscriptions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("plan_code", sa.Text(), nullable=True),
        sa.Column("item_id", sa.Text(), nullable=True),
        sa.Column("period_start", INSTANT, nullable=True),
        sa.Column("period_end", INSTANT, nullable=True),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_unpaid", sa.Boolean(), nullable=False),
        sa.Column("cancel_at_period_end", sa.Boolean(), nullable=False),
        sa.Column("observed_at", INSTANT, nullable=False),
        sa.Column("event_at", sa.BigInteger(), nullable=False),
        sa.Column("event_rank", sa.SmallInteger(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('incomplete', 'incomplete_expired', 'trialing', 'active', 'past_due', 'unpaid', 'paused',"
            " 'canceled')",
            name=op.f("ck_billing_subscriptions_state"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_billing_subscriptions_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_billing_subscriptions")),
    )
    op.create_table(
        "billing_requests",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("plan_code", sa.Text(), nullable=True),
        sa.Column("trial_end", INSTANT, nullable=True),
        sa.Column("subscription_id", sa.Text(), nullable=True),
        sa.Column("item_id", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("created_at", INSTANT, server_default=NOW, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_billing_requests_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_billing_requests")),
    )
    op.create_index(op.f("ix_billing_requests_created_at"), "billing_requests", ["created_at"])


def _records() -> None:
    # Without a foreign key to the tenant: these rows stay when all of its others are gone.
    op.create_table(
        "billing_records",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("subscription_id", sa.Text(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("total", sa.Numeric(12, 2), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("issued_at", INSTANT, nullable=False),
        sa.Column("period_start", INSTANT, nullable=True),
        sa.Column("period_end", INSTANT, nullable=True),
        sa.Column("paid_at", INSTANT, nullable=True),
        sa.Column("failed_at", INSTANT, nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("event_at", sa.BigInteger(), nullable=False),
        sa.Column("event_rank", sa.SmallInteger(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_billing_records")),
        sa.UniqueConstraint("tenant_id", "provider_id", name=op.f("uq_billing_records_tenant_id_provider_id")),
    )
    op.create_index(
        op.f("ix_billing_records_tenant_id_issued_at_id"), "billing_records", ["tenant_id", "issued_at", "id"]
    )
    op.create_index("ix_billing_records_issued_at", "billing_records", ["issued_at"])
    op.create_table(
        "usage_reports",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("meter", sa.Text(), nullable=False),
        sa.Column("period_start", INSTANT, nullable=False),
        sa.Column("period_end", INSTANT, nullable=True),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("read_at", INSTANT, nullable=False),
        sa.Column("identifier", sa.Uuid(), nullable=False),
        sa.Column("reported_at", INSTANT, nullable=True),
        sa.Column("closed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_usage_reports_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "meter", "period_start", name=op.f("pk_usage_reports")),
    )


def _events() -> None:
    op.create_table(
        "stripe_events",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("received_at", INSTANT, server_default=NOW, nullable=False),
        sa.Column("next_attempt_at", INSTANT, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("done_at", INSTANT, nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stripe_events")),
    )
    op.create_index(
        "ix_stripe_events_waiting",
        "stripe_events",
        ["next_attempt_at"],
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_index("ix_stripe_events_done_at", "stripe_events", ["done_at"])
