"""The ceiling of a booking page's windows: a bare endpoint that only reads the rows that they are worked out from, in one statement.

It works nothing out: which windows somebody can make, travel included, is what the product does with these rows. It runs under the same
row-level security, and answers the calendar as JSON that PostgreSQL makes.
"""

from starlette.applications import Starlette

from benchmarks.board_ceiling import serve

CALENDAR = """SELECT row_to_json(d)::text FROM (SELECT
  (SELECT row_to_json(l) FROM (SELECT time_zone, opening_hours, closures, arrival_window_minutes, minimum_notice_minutes, latitude,
    longitude, service_radius_km FROM locations WHERE id = p.id) AS l) AS location,
  (SELECT row_to_json(s) FROM (SELECT duration_minutes, required_skills, price FROM services WHERE id = %(service)s) AS s) AS service,
  (SELECT array_to_json(array_agg(row_to_json(t))) FROM (SELECT id, skills, home_latitude, home_longitude, working_hours, lunch
    FROM technicians WHERE active AND location_id = p.id) AS t) AS technicians,
  (SELECT array_to_json(array_agg(row_to_json(o))) FROM (SELECT technician_id, starts_at, ends_at FROM time_off
    WHERE starts_at < p.high AND ends_at > p.low) AS o) AS "timeOff",
  (SELECT array_to_json(array_agg(row_to_json(v))) FROM (SELECT a.technician_id, a.starts_at, a.ends_at, a.arrival_starts_at,
      a.arrival_ends_at, c.latitude, c.longitude
    FROM appointments a JOIN customer_addresses c ON c.tenant_id = a.tenant_id AND c.id = a.address_id
    WHERE a.location_id = p.id AND a.active AND a.starts_at < p.high AND a.starts_at > p.low - interval '1 day' AND a.ends_at > p.low
    ORDER BY a.technician_id, a.starts_at) AS v) AS visits
  FROM (SELECT id, now() AS low, now() + make_interval(days => %(days)s) AS high FROM locations WHERE slug = %(slug)s) AS p) AS d"""


def create_app(database_url: str) -> Starlette:
    """The application: POST /windows with {"tenant", "slug", "service", "days"}."""
    return serve(database_url, {"windows": CALENDAR})
