"""The rows of the board's benchmark, made by PostgreSQL: many businesses alike, in a database that is thrown away.

Ids are made from counters, so that whoever asks knows them. Each table that is answered gets one more column, `public_id`: a service
written by hand would keep its ids as it shows them, and to work them out in SQL would take more time than the rest of the answer.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg

from auth.api_key import KIND, NAMING, SECRET, key_hash, prefix_of
from domain.notification_defaults import DEFAULT_RULES

BOARD_SIZE = 100
TECHNICIANS = 20
SERVICES = 20
FIRST_DAY = date(2027, 3, 1)
ZONE = "America/Chicago"
SCOPES = [
    *("appointments:read", "customers:read", "services:read", "technicians:read"),
    *("appointments:write", "appointments:progress"),
]

_FUNCTIONS = """
CREATE FUNCTION bench_id(kind int, tenant bigint, number bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS $$
  SELECT ('01970000-0000-7' || lpad(to_hex(kind), 3, '0') || '-8000-' || lpad(to_hex(tenant * 1000000 + number), 12, '0'))::uuid
$$;
CREATE FUNCTION bench_public(prefix text, id uuid) RETURNS text IMMUTABLE LANGUAGE sql AS $$
  SELECT prefix || '_' || string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz', substr(bits, at * 5 + 1, 5)::bit(5)::int + 1, 1), '' ORDER BY at)
  FROM (SELECT '00' || ('x' || replace(id::text, '-', ''))::bit(128)::text AS bits) AS _, generate_series(0, 25) AS at
$$;
"""
_COLUMNS = "".join(
    f"ALTER TABLE {table} ADD COLUMN public_id text;"
    for table in ("appointments", "customers", "services", "technicians")
)
# Each statement gets: tenants, customers and appointments of one, the first day.
_ROWS = (
    """INSERT INTO tenants (id, name, email, status)
    SELECT bench_id(1, t, 0), 'Business ' || t, 'office' || t || '@example.com', 'ACTIVE' FROM generate_series(1, %(tenants)s) t""",
    f"""INSERT INTO locations (tenant_id, id, name, slug, time_zone, opening_hours, arrival_window_minutes, minimum_notice_minutes,
      line1, city, region, postal_code, country)
    SELECT bench_id(1, t, 0), bench_id(2, t, 1), 'Main', 'business-' || t, '{ZONE}', '[]', 120, 0,
      '1 Main St', 'Austin', 'TX', '78701', 'US' FROM generate_series(1, %(tenants)s) t""",
    """INSERT INTO notification_settings (tenant_id, location_id, sms_enabled, email_enabled, reminders_enabled)
    SELECT tenant_id, id, true, true, true FROM locations""",
    f"""INSERT INTO technicians (tenant_id, id, public_id, name, color, location_id)
    SELECT bench_id(1, t, 0), bench_id(3, t, n), bench_public('tech', bench_id(3, t, n)), 'Technician ' || lpad(n::text, 2, '0'),
      '#1f77b4', bench_id(2, t, 1) FROM generate_series(1, %(tenants)s) t, generate_series(1, {TECHNICIANS}) n""",
    f"""INSERT INTO services (tenant_id, id, public_id, name, duration_minutes, price, bookable_online)
    SELECT bench_id(1, t, 0), bench_id(4, t, n), bench_public('svc', bench_id(4, t, n)), 'Repair of kind ' || n, 60, 100 + n, true
    FROM generate_series(1, %(tenants)s) t, generate_series(1, {SERVICES}) n""",
    """INSERT INTO customers (tenant_id, id, public_id, name, phone, email, search)
    SELECT bench_id(1, t, 0), bench_id(5, t, n), bench_public('cust', bench_id(5, t, n)), 'Jörg Customer ' || n,
      '+1512' || lpad(n::text, 7, '0'), 'customer' || n || '@example.com', ''
    FROM generate_series(1, %(tenants)s) t, generate_series(1, %(customers)s) n""",
    """INSERT INTO customer_addresses (tenant_id, id, customer_id, line1, city, region, postal_code, country)
    SELECT bench_id(1, t, 0), bench_id(6, t, n), bench_id(5, t, n), n || ' Elm St', 'Austin', 'TX', '78701', 'US'
    FROM generate_series(1, %(tenants)s) t, generate_series(1, %(customers)s) n""",
    # A day's visits fill its board, five for each technician, two hours apart.
    f"""INSERT INTO appointments (tenant_id, id, public_id, number, version, status, location_id, customer_id, address_id,
      technician_id, starts_at, ends_at, arrival_starts_at, arrival_ends_at, duration_minutes, total, source)
    SELECT bench_id(1, t, 0), bench_id(7, t, n), bench_public('appt', bench_id(7, t, n)), n, 1, 'SCHEDULED', bench_id(2, t, 1),
      bench_id(5, t, customer), bench_id(6, t, customer), bench_id(3, t, 1 + place %% {TECHNICIANS}),
      start, start + interval '1 hour', start, start + interval '2 hours', 60, 101 + n %% {SERVICES}, 'DASHBOARD'
    FROM generate_series(1, %(tenants)s) t, generate_series(1, %(appointments)s) n,
      LATERAL (SELECT (n - 1) %% {BOARD_SIZE} AS place, 1 + n * 7 %% %(customers)s AS customer) AS _,
      LATERAL (SELECT (%(first_day)s::date + (n - 1) / {BOARD_SIZE} + make_interval(hours => 8 + 2 * (place / {TECHNICIANS})))
        AT TIME ZONE '{ZONE}' AS start) AS __""",
    f"""INSERT INTO appointment_lines (tenant_id, id, appointment_id, position, service_id, quantity, unit_price)
    SELECT bench_id(1, t, 0), bench_id(8, t, n), bench_id(7, t, n), 0, bench_id(4, t, 1 + n %% {SERVICES}), 1, 101 + n %% {SERVICES}
    FROM generate_series(1, %(tenants)s) t, generate_series(1, %(appointments)s) n""",
)
# What a new location has switched on.
_RULE = """INSERT INTO notification_rules (tenant_id, location_id, event, sms, email, offset_minutes, sms_template, email_subject,
    email_template) SELECT tenant_id, id, %(event)s, %(sms)s, %(email)s, %(offset_minutes)s, %(sms_template)s, %(email_subject)s,
    %(email_template)s FROM locations"""


@dataclass(frozen=True, slots=True)
class Business:
    """One of them, by its number from 1 on, and how many full days its calendar has."""

    number: int
    days: int

    @property
    def tenant_id(self) -> UUID:
        """Its tenant's id."""
        return UUID(f"01970000-0000-7001-8000-{self.number * 1_000_000:012x}")

    @property
    def key(self) -> str:
        """An API key that may read appointments and what belongs to them."""
        return f"{KIND}{self.number:0{NAMING}}{'b' * SECRET}"

    def day(self, number: int) -> date:
        """One of its full days."""
        return FIRST_DAY + timedelta(days=number % self.days)

    @property
    def visits(self) -> int:
        """How many appointments it has."""
        return self.days * BOARD_SIZE

    def visit(self, number: int) -> UUID:
        """The id of one of its appointments, by its place from 0 on."""
        return UUID(f"01970000-0000-7007-8000-{self.number * 1_000_000 + number % self.visits + 1:012x}")

    def start(self, number: int) -> datetime:
        """When that appointment begins, as it was planned."""
        day, place = divmod(number % self.visits, BOARD_SIZE)
        hour = 8 + 2 * (place // TECHNICIANS)
        return datetime.combine(FIRST_DAY + timedelta(days=day), time(hour), ZoneInfo(ZONE)).astimezone(UTC)


def fill(superuser_url: str, tenants: int, appointments: int, secret: str) -> list[Business]:
    """Make the rows, in a database that is migrated and empty.

    Args:
        superuser_url: a role that row-level security and foreign keys' triggers do not slow down.
        tenants: businesses.
        appointments: of all of them together, at least a full board for each.
        secret: the server's SPS_SECRET_KEY, which the API keys are made with.
    """
    days = max(1, appointments // tenants // BOARD_SIZE)
    businesses = [Business(number, days) for number in range(1, tenants + 1)]
    numbers = {
        "tenants": tenants,
        "appointments": days * BOARD_SIZE,
        "customers": max(BOARD_SIZE, days * BOARD_SIZE // 4),
        "first_day": FIRST_DAY,
    }
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        # The rows fit together by the way they are made; checking each foreign key would take longer than writing them.
        connection.execute("SET session_replication_role = replica")
        connection.execute(_FUNCTIONS)
        connection.execute(_COLUMNS)
        for statement in _ROWS:
            connection.execute(statement, numbers)
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO api_keys (tenant_id, id, name, prefix, key_hash, scopes) VALUES (%s, bench_id(9, %s, 1), 'Partner', %s, %s, %s)",
                list(_keys(businesses, secret)),
            )
            cursor.executemany(_RULE, [asdict(each) for each in DEFAULT_RULES])
        connection.execute("VACUUM ANALYZE")
    return businesses


def _keys(businesses: list[Business], secret: str) -> Iterator[tuple[object, ...]]:
    for each in businesses:
        yield each.tenant_id, each.number, prefix_of(each.key), key_hash(secret, each.key), SCOPES
