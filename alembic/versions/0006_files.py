"""Equipment and files, exports, leaving: their tables, and what the app's role may do of them by functions alone."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from models.row_security import open_to_look_ups, protect

revision = "0006"
down_revision = "0005"
# The count of waiting messages reads a column of that one.
depends_on = "0003"

INSTANT = sa.DateTime(timezone=True)
NOW = sa.text("now()")

FUNCTIONS = (
    # A customer has no session: whoever was given a fresh attachment's id, which nobody guesses, may say that it is uploaded.
    """
    CREATE FUNCTION look_up_upload(wanted uuid) RETURNS TABLE (tenant_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      SELECT a.tenant_id FROM attachments a WHERE a.id = wanted AND a.by_customer AND a.upload_until > now()
    $$
    """,
    # What somebody must look at now, of all tenants, as ids alone.
    """
    CREATE FUNCTION due_upkeep(moment timestamptz, room integer) RETURNS TABLE (task text, tenant_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      (SELECT 'export', e.tenant_id, e.id FROM exports e
       WHERE e.state IN ('QUEUED', 'RUNNING') AND e.lease_until <= now() ORDER BY e.lease_until LIMIT room)
      UNION ALL
      (SELECT DISTINCT 'tidy', d.tenant_id, NULL::uuid FROM (
         (SELECT r.tenant_id FROM file_removals r ORDER BY r.created_at LIMIT room)
         UNION ALL (SELECT a.tenant_id FROM attachments a WHERE a.upload_until <= moment LIMIT room)
         UNION ALL (SELECT e.tenant_id FROM exports e
                    WHERE e.expires_at <= moment AND e.state IN ('READY', 'FAILED') LIMIT room)) d)
      UNION ALL
      (SELECT 'purge', t.id, NULL::uuid FROM tenants t
       WHERE t.status = 'CANCELLED' AND (t.purge_started_at IS NOT NULL OR t.purge_after < moment)
         AND (t.purged_at IS NULL AND t.purge_claimed_until IS NULL OR t.purge_claimed_until <= now())
       ORDER BY t.purge_after LIMIT room)
    $$
    """,
    # The one way to delete history: of the transaction's own tenant, and only once its purge has begun. The tenant is named
    # although row-level security names it too, which would not bind an owner who is a superuser.
    """
    CREATE FUNCTION purge_rows(wanted text, room integer) RETURNS integer
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      ours uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
      gone integer;
    BEGIN
      IF NOT EXISTS (SELECT FROM tenants t
                     WHERE t.id = ours AND t.status = 'CANCELLED' AND t.purge_started_at IS NOT NULL) THEN
        RAISE EXCEPTION 'the purge of this tenant has not begun';
      END IF;
      IF NOT EXISTS (SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                     WHERE c.relname = wanted AND c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
                       AND a.attname = 'tenant_id') THEN
        RAISE EXCEPTION 'no table of tenants: %', wanted;
      END IF;
      EXECUTE format('DELETE FROM %1$I WHERE tenant_id = $1 AND ctid = ANY (ARRAY('
                     'SELECT ctid FROM %1$I WHERE tenant_id = $1 LIMIT $2))', wanted) USING ours, room;
      GET DIAGNOSTICS gone = ROW_COUNT;
      RETURN gone;
    END $$
    """,
    # The log of a purged business keeps what an incident needs, for its year, and no names.
    """
    CREATE FUNCTION unname_security_events() RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      ours uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
    BEGIN
      UPDATE security_events s SET actor = NULL
      WHERE s.tenant_id = ours AND s.actor IS NOT NULL
        AND EXISTS (SELECT FROM tenants t WHERE t.id = ours AND t.purge_started_at IS NOT NULL);
    END $$
    """,
    # History is append-only but for this: of the named appointments, all but the fields named as harmless is emptied.
    """
    CREATE FUNCTION erase_history(wanted uuid[], harmless text[], person text) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      UPDATE events e
      SET actor = CASE WHEN e.actor = person THEN 'customer' ELSE e.actor END,
          changes = (
            SELECT coalesce(jsonb_agg(CASE WHEN c.value ->> 'field' = ANY (harmless) THEN c.value
              ELSE jsonb_build_object('field', c.value ->> 'field', 'before', NULL, 'after', NULL) END ORDER BY c.n), '[]')
            FROM jsonb_array_elements(e.changes) WITH ORDINALITY AS c (value, n))
      WHERE e.tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid AND e.appointment_id = ANY (wanted)
    $$
    """,
    # Once nothing that the law wants kept points at a purged business any more, its empty row goes too.
    """
    CREATE FUNCTION forget_tenants() RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      each uuid;
    BEGIN
      FOR each IN SELECT t.id FROM tenants t WHERE t.purged_at < now() - interval '365 days' LOOP
        BEGIN
          DELETE FROM tenants t WHERE t.id = each;
        EXCEPTION WHEN foreign_key_violation THEN
          NULL;
        END;
      END LOOP;
    END $$
    """,
    """
    CREATE FUNCTION backlog() RETURNS TABLE (queue text, waiting bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      SELECT 'messages', count(*) FROM messages m WHERE m.state IN ('QUEUED', 'SENDING') AND m.relay_at <= now()
      UNION ALL SELECT 'exports', count(*) FROM exports e WHERE e.state IN ('QUEUED', 'RUNNING')
      UNION ALL SELECT 'file removals', count(*) FROM file_removals
      UNION ALL SELECT 'purges', count(*) FROM tenants t
        WHERE t.status = 'CANCELLED' AND t.purged_at IS NULL AND t.purge_after < now()
    $$
    """,
    # No figure stands for fewer than five businesses: the threshold is the database's, so that no caller can lower it.
    """
    CREATE FUNCTION gather_usage(wanted date) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      DELETE FROM usage_figures f WHERE f.day = wanted;
      INSERT INTO usage_figures (day, feature, uses)
      SELECT wanted, u.feature, count(*) FROM (
        SELECT e.tenant_id, 'appointment ' || lower(e.type) AS feature FROM events e
        WHERE e.occurred_at >= wanted::timestamp AT TIME ZONE 'UTC'
          AND e.occurred_at < (wanted + 1)::timestamp AT TIME ZONE 'UTC'
        UNION ALL
        SELECT m.tenant_id, 'message ' || lower(m.channel) FROM messages m
        WHERE m.created_at >= wanted::timestamp AT TIME ZONE 'UTC'
          AND m.created_at < (wanted + 1)::timestamp AT TIME ZONE 'UTC'
          AND m.state IN ('SENT', 'DELIVERED')
        UNION ALL
        SELECT a.tenant_id, 'attachment ' || lower(a.kind) FROM attachments a
        WHERE a.uploaded_at >= wanted::timestamp AT TIME ZONE 'UTC'
          AND a.uploaded_at < (wanted + 1)::timestamp AT TIME ZONE 'UTC'
        UNION ALL
        SELECT x.tenant_id, 'export' FROM exports x
        WHERE x.created_at >= wanted::timestamp AT TIME ZONE 'UTC'
          AND x.created_at < (wanted + 1)::timestamp AT TIME ZONE 'UTC') u
      GROUP BY u.feature HAVING count(DISTINCT u.tenant_id) >= 5
    $$
    """,
)


def upgrade() -> None:
    for name, kind in (
        ("cancel_reason", sa.Text()),
        ("status_before", sa.Text()),
        ("purge_after", INSTANT),
        ("purge_started_at", INSTANT),
        ("purge_claimed_until", INSTANT),
        ("purged_at", INSTANT),
    ):
        op.add_column("tenants", sa.Column(name, kind, nullable=True))
    op.create_index(
        "ix_tenants_leaving",
        "tenants",
        ["purge_after"],
        postgresql_where=sa.text("status = 'CANCELLED' AND (purged_at IS NULL OR purge_claimed_until IS NOT NULL)"),
    )
    op.create_index("ix_appointments_tenant_id_address_id", "appointments", ["tenant_id", "address_id"])
    op.add_column("customers", sa.Column("erased_at", INSTANT, nullable=True))
    _equipment()
    _attachments()
    _exports()
    op.create_table(
        "usage_figures",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("uses", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "feature", name=op.f("pk_usage_figures")),
    )
    # A day's worth of a table that grows by time: a few pages of index for millions of rows.
    op.create_index("ix_events_occurred_at", "events", ["occurred_at"], postgresql_using="brin")
    op.create_index("ix_messages_created_at", "messages", ["created_at"], postgresql_using="brin")
    for table in ("equipment", "attachments", "file_removals", "exports"):
        for statement in protect(table):
            op.execute(statement)
    for table in ("attachments", "file_removals", "exports"):
        op.execute(open_to_look_ups(table))
    op.execute("CREATE POLICY forget ON tenants FOR DELETE TO CURRENT_USER USING (purged_at IS NOT NULL)")
    for table in ("events", "messages"):
        op.execute(f"CREATE POLICY usage ON {table} FOR SELECT TO CURRENT_USER USING (true)")
    for function in FUNCTIONS:
        op.execute(function)


def _equipment() -> None:
    op.create_table(
        "equipment",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("address_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("make", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("serial_number", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("created_at", INSTANT, server_default=NOW, nullable=False),
        sa.Column("updated_at", INSTANT, server_default=NOW, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_equipment_tenant_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "address_id"],
            ["customer_addresses.tenant_id", "customer_addresses.id"],
            name=op.f("fk_equipment_tenant_id_address_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_equipment")),
    )
    op.create_index("ix_equipment_tenant_id_address_id", "equipment", ["tenant_id", "address_id"])


def _attachments() -> None:
    op.create_table(
        "attachments",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=True),
        sa.Column("equipment_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("byte_size", sa.Integer(), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=True),
        sa.Column("has_thumbnail", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("by_customer", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("upload_until", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, server_default=NOW, nullable=False),
        sa.Column("uploaded_at", INSTANT, nullable=True),
        sa.CheckConstraint("kind IN ('PHOTO', 'DATAPLATE', 'DOCUMENT')", name=op.f("ck_attachments_kind")),
        sa.CheckConstraint("state IN ('PENDING', 'READY')", name=op.f("ck_attachments_state")),
        sa.CheckConstraint("num_nonnulls(appointment_id, equipment_id) > 0", name=op.f("ck_attachments_of_something")),
        sa.CheckConstraint(
            "(state = 'READY') = (storage_key IS NOT NULL)", name=op.f("ck_attachments_ready_is_stored")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_attachments_tenant_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "appointment_id"],
            ["appointments.tenant_id", "appointments.id"],
            name=op.f("fk_attachments_tenant_id_appointment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "equipment_id"],
            ["equipment.tenant_id", "equipment.id"],
            name=op.f("fk_attachments_tenant_id_equipment_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_attachments")),
    )
    op.create_index("ix_attachments_tenant_id_appointment_id", "attachments", ["tenant_id", "appointment_id"])
    op.create_index("ix_attachments_tenant_id_equipment_id", "attachments", ["tenant_id", "equipment_id"])
    op.create_index(
        "ix_attachments_upload_until",
        "attachments",
        ["upload_until"],
        postgresql_where=sa.text("upload_until IS NOT NULL"),
    )
    op.create_table(
        "file_removals",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, server_default=NOW, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_file_removals_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_file_removals")),
    )
    op.create_index("ix_file_removals_created_at", "file_removals", ["created_at"])


def _exports() -> None:
    op.create_table(
        "exports",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("created_at", INSTANT, server_default=NOW, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.Column("byte_size", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("fence", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_until", INSTANT, server_default=NOW, nullable=False),
        sa.Column("progress", postgresql.JSONB(), nullable=True),
        sa.CheckConstraint("state IN ('QUEUED', 'RUNNING', 'READY', 'FAILED')", name=op.f("ck_exports_state")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_exports_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_exports")),
    )
    unfinished = sa.text("state IN ('QUEUED', 'RUNNING')")
    op.create_index("ix_exports_lease_until", "exports", ["lease_until"], postgresql_where=unfinished)
    op.create_index("ix_exports_expires_at", "exports", ["expires_at"])
    op.create_index("uq_exports_unfinished", "exports", ["tenant_id"], unique=True, postgresql_where=unfinished)
