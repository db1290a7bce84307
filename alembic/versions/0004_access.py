"""Access: API keys, second factors, account mails, the security log, throttles, and look-ups of rights."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from models.row_security import open_to_look_ups, protect

revision = "0004"
down_revision = "0003"

FUNCTIONS = (
    # A session ends 14 days after it began (expires_at), and 3 days after it was last used.
    "DROP FUNCTION look_up_session(bytea)",
    """
    CREATE FUNCTION look_up_session(wanted bytea)
    RETURNS TABLE (tenant_id uuid, session_id uuid, user_id uuid, role text, technician_id uuid, name text,
                   expires_at timestamptz, last_seen_at timestamptz, tenant_status text, second_factor_missing boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      SELECT s.tenant_id, s.id, u.id, u.role::text, u.technician_id, u.name, s.expires_at, s.last_seen_at,
             t.status::text,
             t.require_second_factor AND NOT EXISTS (
               SELECT FROM second_factors f
               WHERE f.tenant_id = u.tenant_id AND f.user_id = u.id AND f.confirmed_at IS NOT NULL)
      FROM sessions s
      JOIN users u ON u.tenant_id = s.tenant_id AND u.id = s.user_id
      JOIN tenants t ON t.id = s.tenant_id
      WHERE s.token_hash = wanted AND s.expires_at > now() AND s.last_seen_at > now() - interval '3 days'
    $$
    """,
    """
    CREATE FUNCTION look_up_api_key(wanted text)
    RETURNS TABLE (tenant_id uuid, api_key_id uuid, name text, key_hash bytea, scopes text[], last_used_at timestamptz,
                   tenant_status text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      SELECT k.tenant_id, k.id, k.name, k.key_hash, k.scopes, k.last_used_at, t.status::text
      FROM api_keys k JOIN tenants t ON t.id = k.tenant_id
      WHERE k.prefix = wanted AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
    $$
    """,
    # For open sockets: what the sessions and keys that they began with stand for now.
    """
    CREATE FUNCTION rights_of(session_ids uuid[], api_key_ids uuid[])
    RETURNS TABLE (id uuid, role text, technician_id uuid, second_factor_missing boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      SELECT s.id, u.role::text, u.technician_id,
             t.require_second_factor AND NOT EXISTS (
               SELECT FROM second_factors f
               WHERE f.tenant_id = u.tenant_id AND f.user_id = u.id AND f.confirmed_at IS NOT NULL)
      FROM sessions s
      JOIN users u ON u.tenant_id = s.tenant_id AND u.id = s.user_id
      JOIN tenants t ON t.id = s.tenant_id
      WHERE s.id = ANY (session_ids) AND s.expires_at > now() AND s.last_seen_at > now() - interval '3 days'
        AND (t.status <> 'CANCELLED' OR u.role = 'OWNER')
      UNION ALL
      SELECT k.id, NULL, NULL, false FROM api_keys k JOIN tenants t ON t.id = k.tenant_id
      WHERE k.id = ANY (api_key_ids) AND t.status <> 'CANCELLED' AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
    $$
    """,
    # All buckets or none: whoever is over one of them does not empty the others. The rows stay locked until the commit,
    # so that a hundred guesses at one moment are counted one after the other.
    """
    CREATE FUNCTION take_attempt(keys bytea[], capacities double precision[], rates double precision[])
    RETURNS double precision
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      longest double precision := 0;
      present double precision;
      at timestamptz := clock_timestamp();
    BEGIN
      FOR i IN 1 .. cardinality(keys) LOOP
        INSERT INTO throttles AS t (key, level, updated_at) VALUES (keys[i], capacities[i], at)
        ON CONFLICT (key) DO UPDATE SET
          level = least(capacities[i], t.level + rates[i] * greatest(0, extract(epoch FROM at - t.updated_at))),
          updated_at = greatest(t.updated_at, at)
        RETURNING t.level INTO present;
        IF present < 1 THEN
          longest := greatest(longest, (1 - present) / rates[i]);
        END IF;
      END LOOP;
      IF longest = 0 THEN
        UPDATE throttles SET level = level - 1 WHERE key = ANY (keys);
      END IF;
      RETURN longest;
    END
    $$
    """,
    """
    CREATE FUNCTION give_attempt_back(keys bytea[], capacities double precision[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
      FOR i IN 1 .. cardinality(keys) LOOP
        UPDATE throttles SET level = least(capacities[i], level + 1) WHERE key = keys[i];
      END LOOP;
    END
    $$
    """,
    """
    CREATE FUNCTION ask_password_reset(request_id uuid, address text, ip text, user_agent text) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      INSERT INTO password_reset_requests (id, email, ip, user_agent) VALUES ($1, $2, $3, $4)
    $$
    """,
    """
    CREATE FUNCTION next_password_reset()
    RETURNS TABLE (id uuid, email text, ip text, user_agent text, requested_at timestamptz, tenant_id uuid, user_id uuid)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      WITH taken AS MATERIALIZED (
        SELECT r.id, r.email, r.ip, r.user_agent, r.requested_at FROM password_reset_requests r
        ORDER BY r.id LIMIT 1 FOR UPDATE SKIP LOCKED
      )
      SELECT t.id, t.email, t.ip, t.user_agent, t.requested_at, u.tenant_id, u.id
      FROM taken t LEFT JOIN users u ON u.email = t.email AND u.password_hash IS NOT NULL
    $$
    """,
    """
    CREATE FUNCTION end_password_reset(request_id uuid) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      DELETE FROM password_reset_requests WHERE id = request_id
    $$
    """,
    # MATERIALIZED: as a plain sub-query the planner may run the LIMIT … FOR UPDATE once for each row that it joins.
    """
    CREATE FUNCTION dispatch_account_mails(lease double precision, room integer)
    RETURNS TABLE (tenant_id uuid, id uuid, attempts integer)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      WITH due AS MATERIALIZED (
        SELECT m.tenant_id, m.id FROM account_mails m
        WHERE m.state = 'QUEUED' AND m.relay_at <= now()
        ORDER BY m.relay_at LIMIT room FOR UPDATE SKIP LOCKED
      )
      UPDATE account_mails m SET relay_at = now() + make_interval(secs => lease), attempts = m.attempts + 1
      FROM due WHERE m.tenant_id = due.tenant_id AND m.id = due.id
      RETURNING m.tenant_id, m.id, m.attempts
    $$
    """,
    """
    CREATE FUNCTION forget_access() RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      DELETE FROM security_events WHERE occurred_at < now() - interval '365 days';
      DELETE FROM account_mails WHERE created_at < now() - interval '30 days';
      DELETE FROM account_tokens WHERE expires_at < now();
      DELETE FROM password_reset_requests WHERE requested_at < now() - interval '1 day';
      DELETE FROM throttles WHERE updated_at < now() - interval '2 days'
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


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*(columns or ("tenant_id", "id")), name=op.f(f"pk_{table}"))


def _tenant_and_id() -> list[sa.Column]:
    return [sa.Column("tenant_id", sa.Uuid(), nullable=False), sa.Column("id", sa.Uuid(), nullable=False)]


def _moment(name: str, default: str | None = None, *, nullable: bool = False) -> sa.Column:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text(default) if default else None, nullable=nullable
    )


def _one_of(name: str, *values: str) -> sa.Column:
    return sa.Column(
        name, sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32), nullable=False
    )


def upgrade() -> None:
    op.add_column(
        "tenants", sa.Column("require_second_factor", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.create_table(
        "api_keys",
        *_tenant_and_id(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        _moment("created_at", "now()"),
        _moment("last_used_at", nullable=True),
        _moment("expires_at", nullable=True),
        _moment("revoked_at", nullable=True),
        _of_tenant("api_keys"),
        _key("api_keys"),
    )
    op.create_index("uq_api_keys_prefix", "api_keys", ["prefix"], unique=True)
    op.create_table(
        "second_factors",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        _moment("confirmed_at", nullable=True),
        sa.Column("last_step", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        _moment("created_at", "now()"),
        _of_tenant("second_factors"),
        _within("second_factors", "user_id", "users"),
        _key("second_factors", "tenant_id", "user_id"),
    )
    op.create_table(
        "recovery_codes",
        *_tenant_and_id(),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        _moment("used_at", nullable=True),
        _of_tenant("recovery_codes"),
        _within("recovery_codes", "user_id", "users"),
        _key("recovery_codes"),
        sa.UniqueConstraint(
            "tenant_id", "user_id", "code_hash", name=op.f("uq_recovery_codes_tenant_id_user_id_code_hash")
        ),
    )
    op.create_table(
        "account_tokens",
        *_tenant_and_id(),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        _moment("created_at", "now()"),
        _moment("expires_at"),
        _of_tenant("account_tokens"),
        _within("account_tokens", "user_id", "users"),
        _key("account_tokens"),
    )
    op.create_index(op.f("ix_account_tokens_tenant_id_user_id"), "account_tokens", ["tenant_id", "user_id"])
    op.create_table(
        "account_mails",
        *_tenant_and_id(),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token_id", sa.Uuid(), nullable=True),
        _one_of("kind", "PASSWORD_RESET", "INVITATION", "PASSWORD_CHANGED"),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("invited_by", sa.Text(), nullable=True),
        _one_of("state", "QUEUED", "SENT", "FAILED"),
        _moment("relay_at", "now()"),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _moment("created_at", "now()"),
        _moment("sent_at", nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        _of_tenant("account_mails"),
        _within("account_mails", "user_id", "users"),
        _within("account_mails", "token_id", "account_tokens"),
        _key("account_mails"),
    )
    op.create_index(op.f("ix_account_mails_tenant_id_user_id"), "account_mails", ["tenant_id", "user_id"])
    op.create_index(op.f("ix_account_mails_tenant_id_token_id"), "account_mails", ["tenant_id", "token_id"])
    op.create_index(
        "ix_account_mails_relay", "account_mails", ["relay_at"], postgresql_where=sa.text("state = 'QUEUED'")
    )
    op.create_table(
        "security_events",
        *_tenant_and_id(),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("api_key_id", sa.Uuid(), nullable=True),
        sa.Column("ip", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("details", postgresql.JSONB(), nullable=False),
        _moment("occurred_at", "clock_timestamp()"),
        _of_tenant("security_events"),
        _key("security_events"),
    )
    op.create_index(
        op.f("ix_security_events_tenant_id_occurred_at_id"), "security_events", ["tenant_id", "occurred_at", "id"]
    )
    op.create_index("ix_security_events_occurred_at", "security_events", ["occurred_at"])
    op.create_table(
        "throttles",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("level", sa.Float(), nullable=False),
        _moment("updated_at"),
        _key("throttles", "key"),
    )
    op.create_table(
        "password_reset_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("ip", sa.Text(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        _moment("requested_at", "now()"),
        _key("password_reset_requests", "id"),
    )
    for table in (
        "api_keys",
        "second_factors",
        "recovery_codes",
        "account_tokens",
        "account_mails",
        "security_events",
    ):
        for statement in protect(table):
            op.execute(statement)
    for table, commands in (
        ("api_keys", ("SELECT",)),
        ("second_factors", ("SELECT",)),
        ("account_mails", ("SELECT", "UPDATE", "DELETE")),
        ("account_tokens", ("SELECT", "DELETE")),
        ("security_events", ("SELECT", "DELETE")),
    ):
        for command in commands:
            op.execute(open_to_look_ups(table, command))
    for statement in FUNCTIONS:
        op.execute(statement)
