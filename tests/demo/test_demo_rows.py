"""The demo's rows: as many as promised, in all states, and free of contradictions."""

from datetime import timedelta

import pytest
from zxcvbn import zxcvbn

from auth.passwords import WEAKEST_SCORE
from domain import contact
from domain.appointment import AppointmentStatus
from domain.geo_point import GeoPoint
from domain.local_time import local_date
from domain.service_area import ServiceArea
from models.customer import Customer, customer_search_text
from models.look_up import look_up_log_in
from models.query import all_of
from resolvers.demo import DEMO_EMAIL, DEMO_PASSWORD
from resolvers.demo_customers import demo_customers
from resolvers.demo_data.team import BUSINESS, LOCATIONS, TIME_ZONE
from tests.demo.conftest import NOW, Ask, number, opened


def test_it_has_the_size_that_it_promises(ask: Ask) -> None:
    promised = {
        "locations": 2, "technicians": 8, "service_categories": 5, "services": 25, "customers": 300, "users": 6,
        "time_off": 4,
    }  # fmt: skip
    query = "SELECT count(*) FROM {}"
    assert {table: number(ask, query.format(table)) for table in promised} == promised
    assert number(ask, query.format("appointments")) > 200
    assert number(ask, query.format("custom_prices")) > 20
    assert number(ask, query.format("service_options")) > 10
    assert {row["role"] for row in ask("SELECT role FROM users")} == {
        "OWNER", "ADMIN", "DISPATCHER", "TECHNICIAN", "VIEWER",
    }  # fmt: skip
    distinct = (
        "SELECT count(DISTINCT working_hours) h, count(DISTINCT skills) s, count(DISTINCT color) c FROM technicians"
    )
    assert ask(distinct) == [{"h": 8, "s": 8, "c": 8}]


def test_its_two_weeks_lie_around_today_in_all_states(ask: Ask) -> None:
    assert {row["status"] for row in ask("SELECT DISTINCT status FROM appointments")} == {
        status.value for status in AppointmentStatus
    }
    days = {row["day"]: row for row in ask(DAYS)}
    today = local_date(NOW, TIME_ZONE)
    assert set(days) == {today + timedelta(days=offset) for offset in range(-7, 8)}
    assert all(row["done"] for day, row in days.items() if day < today)
    assert not any(row["done"] or row["under_way"] for day, row in days.items() if day > today)
    # This morning's are done, two are under way, more are to come, and some of them wait for a technician.
    assert days[today]["done"]
    assert days[today]["under_way"] >= 2
    assert days[today]["ahead"] > days[today]["unassigned"] > 0


DAYS = """
SELECT (starts_at AT TIME ZONE 'America/Chicago')::date AS day,
  count(*) FILTER (WHERE status IN ('COMPLETED', 'NO_SHOW')) AS done,
  count(*) FILTER (WHERE status IN ('ON_THE_WAY', 'IN_PROGRESS')) AS under_way,
  count(*) FILTER (WHERE status = 'SCHEDULED') AS ahead,
  count(*) FILTER (WHERE status = 'SCHEDULED' AND technician_id IS NULL) AS unassigned
FROM appointments WHERE starts_at IS NOT NULL GROUP BY 1
"""

# Each finds rows that must not be.
BROKEN = {
    "two places at once": """
      SELECT a.number FROM appointments a JOIN appointments b USING (tenant_id, technician_id)
      WHERE a.id < b.id AND 'CANCELLED' NOT IN (a.status, b.status) AND a.during && b.during""",
    "begun before the last one was done": """
      SELECT b.number FROM appointments a JOIN appointments b USING (tenant_id, technician_id)
      WHERE a.starts_at < b.starts_at AND a.completed_at > b.on_the_way_at""",
    "a skill is missing": """
      SELECT a.number FROM appointments a JOIN technicians t ON t.id = a.technician_id
      JOIN appointment_lines l ON l.appointment_id = a.id JOIN services s ON s.id = l.service_id
      WHERE NOT s.required_skills <@ t.skills""",
    "nobody of the location could do it": """
      SELECT a.number FROM appointments a WHERE NOT EXISTS (
        SELECT FROM technicians t WHERE t.location_id = a.location_id AND NOT EXISTS (
          SELECT FROM appointment_lines l JOIN services s ON s.id = l.service_id
          WHERE l.appointment_id = a.id AND NOT s.required_skills <@ t.skills))""",
    "a technician of the other location": """
      SELECT number FROM appointments a JOIN technicians t ON t.id = a.technician_id
      WHERE a.location_id <> t.location_id""",
    "an address of somebody else": """
      SELECT number FROM appointments a JOIN customer_addresses c ON c.id = a.address_id
      WHERE c.customer_id <> a.customer_id""",
    "longer or shorter than its services": """
      SELECT number FROM appointments WHERE ends_at - starts_at <> duration_minutes * interval '1 minute'""",
    "planned outside its promise": """
      SELECT number FROM appointments WHERE starts_at IS NOT NULL
        AND starts_at NOT BETWEEN arrival_starts_at AND arrival_ends_at""",
    "a price that is neither agreed nor the catalog's": """
      SELECT l.id FROM appointment_lines l JOIN appointments a ON a.id = l.appointment_id
      JOIN services s ON s.id = l.service_id LEFT JOIN service_options o ON o.id = l.option_id
      LEFT JOIN custom_prices c ON c.customer_id = a.customer_id AND c.service_id = s.id
      WHERE l.unit_price <> coalesce(c.price, s.price) + coalesce(o.price, 0)""",
    "wrong sums": """
      SELECT a.number FROM appointments a JOIN appointment_lines l ON l.appointment_id = a.id
      JOIN services s ON s.id = l.service_id LEFT JOIN service_options o ON o.id = l.option_id
      GROUP BY a.tenant_id, a.id HAVING a.total <> sum(l.quantity * l.unit_price)
        OR a.duration_minutes <> sum(l.quantity * (s.duration_minutes + coalesce(o.duration_minutes, 0)))""",
    "a moment out of order": """
      SELECT number FROM appointments WHERE created_at > updated_at OR on_the_way_at < created_at
        OR started_at < on_the_way_at OR completed_at < started_at OR cancelled_at < created_at
        OR updated_at > current_setting('demo.now')::timestamptz""",
    "moments that do not fit the status": """
      SELECT number FROM appointments WHERE (completed_at IS NULL) <> (status <> 'COMPLETED')
        OR (started_at IS NULL) <> (status NOT IN ('IN_PROGRESS', 'COMPLETED'))
        OR (cancelled_at IS NULL) <> (status NOT IN ('CANCELLED', 'NO_SHOW'))
        OR (eta IS NULL) <> (status <> 'ON_THE_WAY') OR (starts_at IS NULL) <> (status = 'REQUESTED')""",
    "a status that does not fit the clock": """
      SELECT number FROM appointments, (SELECT current_setting('demo.now')::timestamptz AS now) n
      WHERE status = 'IN_PROGRESS' AND now NOT BETWEEN starts_at AND ends_at
        OR status IN ('COMPLETED', 'NO_SHOW') AND ends_at > now
        OR status IN ('SCHEDULED', 'ON_THE_WAY') AND starts_at < now OR eta < now""",
    "a history that does not lead to the row": """
      SELECT a.number FROM appointments a JOIN LATERAL (
        SELECT count(*) AS events, min(occurred_at) AS first, max(occurred_at) AS last,
          (array_agg(type ORDER BY seq))[1] AS begin,
          (SELECT c ->> 'after' FROM events e, jsonb_array_elements(changes) c
           WHERE e.appointment_id = a.id AND c ->> 'field' = 'status' ORDER BY seq DESC LIMIT 1) AS status
        FROM events e WHERE e.appointment_id = a.id) h ON true
      WHERE (h.events, h.first, h.last, h.begin, h.status)
        IS DISTINCT FROM (a.version::bigint, a.created_at, a.updated_at, 'CREATED', a.status)""",
    "a gap in the stream, or out of order": """
      SELECT seq FROM (SELECT seq, occurred_at, lag(seq) OVER w AS seq_before, lag(occurred_at) OVER w AS before
        FROM events WINDOW w AS (ORDER BY seq)) e
      WHERE seq <> coalesce(seq_before, 0) + 1 OR occurred_at < before""",
    "an event to come": "SELECT seq FROM events WHERE occurred_at > current_setting('demo.now')::timestamptz",
    "a gap in the numbers, or out of order": """
      SELECT number FROM (SELECT number, created_at, lag(number) OVER w AS number_before, lag(created_at) OVER w AS before
        FROM appointments WINDOW w AS (ORDER BY number)) a
      WHERE number <> coalesce(number_before, 1000) + 1 OR created_at < before""",
    "a counter that would give a number twice": """
      SELECT name FROM tenant_counters WHERE value <> CASE name
        WHEN 'event' THEN (SELECT max(seq) FROM events)
        WHEN 'appointment' THEN (SELECT max(number) FROM appointments) - 1000 END""",
    "a message that would be sent": "SELECT id FROM messages WHERE state IN ('QUEUED', 'SENDING')",
    "a message of the future, or with holes": """
      SELECT id FROM messages WHERE updated_at > current_setting('demo.now')::timestamptz OR sent_at > updated_at
        OR (sent_at IS NULL) <> (state NOT IN ('SENT', 'DELIVERED')) OR body LIKE '%{%' OR body LIKE '%None%'""",
    "a message after an opt-out": """
      SELECT m.id FROM messages m JOIN customers c ON c.id = m.customer_id
      WHERE m.sent_at IS NOT NULL AND (m.channel = 'SMS' AND c.sms_opted_out_at IS NOT NULL
        OR m.channel = 'EMAIL' AND c.email_opted_out_at IS NOT NULL)""",
    "a visit before the first call": """
      SELECT a.number FROM appointments a JOIN customers c ON c.id = a.customer_id WHERE a.created_at < c.created_at""",
    "a number or address that two share": """
      SELECT reached FROM (SELECT phone AS reached FROM customers UNION ALL SELECT email FROM customers
        UNION ALL SELECT phone FROM technicians UNION ALL SELECT phone FROM tenants) p
      WHERE reached IS NOT NULL GROUP BY reached HAVING count(*) > 1""",
    "an address off the map": "SELECT id FROM customer_addresses WHERE latitude IS NULL OR region <> 'TX'",
}


@pytest.mark.parametrize("rule", BROKEN)
def test_nothing_in_it_contradicts_itself(ask: Ask, rule: str) -> None:
    assert ask(BROKEN[rule]) == []


def test_people_are_reached_by_valid_numbers_and_addresses_that_are_nobodys(ask: Ask) -> None:
    for row in ask("SELECT phone, email FROM customers UNION ALL SELECT phone, email FROM technicians"):
        assert contact.phone(row["phone"]) == row["phone"]
        assert contact.email(row["email"]) == row["email"]
        # 555-0100 to 555-0199 are kept for fiction, example.com and .example for documentation (RFC 2606).
        assert row["phone"] is None or row["phone"][5:10] == "55501"
        assert row["email"] is None or row["email"].rpartition("@")[2].startswith(("example.", "demo.example"))


def test_everybody_lives_in_the_service_area() -> None:
    areas = []
    for place in LOCATIONS:
        assert place.address.point
        centre = GeoPoint(place.address.point.latitude, place.address.point.longitude)
        areas.append(ServiceArea(center=centre, radius_km=place.radius_km))
    for customer in demo_customers():
        for home in customer.addresses:
            assert areas[home.north].covers(GeoPoint(home.point.latitude, home.point.longitude), None)


async def test_customers_are_found_as_if_somebody_had_entered_them(seeded_url: str) -> None:
    async with opened(seeded_url) as database:
        async with database.anonymous() as session:
            found = await look_up_log_in(session, DEMO_EMAIL)
        assert found
        async with database.tenant(found.tenant_id) as session:
            customers = await all_of(session, Customer, Customer.name)
            for customer in customers[::10]:
                assert customer.search == await customer_search_text(session, customer)


def test_the_password_is_no_weaker_than_sign_up_demands() -> None:
    known = [BUSINESS, *BUSINESS.split(), DEMO_EMAIL, *DEMO_EMAIL.split("@")]
    assert zxcvbn(DEMO_PASSWORD, user_inputs=known)["score"] >= WEAKEST_SCORE
