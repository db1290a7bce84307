"""Row-level security on every tenant table, and the look-ups before a tenant is known."""

from alembic import op

from models.row_security import open_to_look_ups, protect

revision = "0002"
down_revision = "0001"

TENANT_TABLES = (
    "appointment_lines",
    "appointments",
    "custom_prices",
    "customer_addresses",
    "customers",
    "events",
    "idempotency_keys",
    "locations",
    "messages",
    "notification_rules",
    "notification_settings",
    "service_categories",
    "service_options",
    "services",
    "sessions",
    "technician_positions",
    "technicians",
    "tenant_counters",
    "time_off",
    "users",
)

# Each answers one question that comes before the tenant is known, with no more than that question needs.
LOOK_UPS = """
CREATE FUNCTION look_up_session(wanted bytea)
RETURNS TABLE (tenant_id uuid, session_id uuid, user_id uuid, role text, technician_id uuid, name text,
               expires_at timestamptz, last_seen_at timestamptz, tenant_status text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT s.tenant_id, s.id, u.id, u.role::text, u.technician_id, u.name, s.expires_at, s.last_seen_at, t.status::text
  FROM sessions s
  JOIN users u ON u.tenant_id = s.tenant_id AND u.id = s.user_id
  JOIN tenants t ON t.id = s.tenant_id
  WHERE s.token_hash = wanted AND s.expires_at > now()
$$;
CREATE FUNCTION look_up_log_in(wanted text)
RETURNS TABLE (tenant_id uuid, user_id uuid, password_hash text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT u.tenant_id, u.id, u.password_hash FROM users u WHERE u.email = wanted
$$;
"""


def upgrade() -> None:
    for statement in protect("tenants", column="id"):
        op.execute(statement)
    for table in TENANT_TABLES:
        for statement in protect(table):
            op.execute(statement)
    for table in ("sessions", "users", "tenants"):
        op.execute(open_to_look_ups(table))
    for statement in LOOK_UPS.split(";\nCREATE"):
        op.execute(statement if statement.lstrip().startswith("CREATE") else f"CREATE{statement}")
