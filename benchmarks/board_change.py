"""The two mutations written by hand: functions that do the same row writes as the product, for the ceiling and for PostGraphile.

Each locks the appointment and then its technician, checks version, status and time off, writes the appointment, plans the messages of the
location's rules into the ledger, numbers and writes the event, and signals both; all in one statement of the caller's transaction. Two
things are simpler than ours: a text is made by replacing words, and the link in it is signed by nobody.
"""

from collections.abc import Sequence

import psycopg

from benchmarks.board_data import Business

_CLOCK = "'FMHH12:MI AM'"
# Ours writes UTC as Z in an event's changes, and leaves out a fraction that is nought.
_MOMENT = """'YYYY-MM-DD"T"HH24:MI:SS'"""

FUNCTIONS = f"""
CREATE FUNCTION bench_moment(moment timestamptz) RETURNS text STABLE LANGUAGE sql AS $$
  SELECT to_char(moment AT TIME ZONE 'UTC', {_MOMENT})
    || CASE WHEN moment = date_trunc('second', moment) THEN '' ELSE to_char(moment, '.US') END || 'Z'
$$;
CREATE FUNCTION bench_window(low timestamptz, high timestamptz) RETURNS jsonb STABLE LANGUAGE sql AS $$
  SELECT jsonb_build_object('start', bench_moment(low), 'end', bench_moment(high))
$$;
CREATE FUNCTION bench_words(template text, words jsonb) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$
DECLARE word record;
BEGIN
  FOR word IN SELECT key, value FROM jsonb_each_text(words) LOOP
    template := replace(template, '{{{{ ' || word.key || ' }}}}', word.value);
  END LOOP;
  RETURN template;
END $$;
CREATE FUNCTION bench_lock(visit uuid, expected_version int) RETURNS appointments VOLATILE LANGUAGE plpgsql AS $$
DECLARE a appointments;
BEGIN
  SELECT * INTO a FROM appointments WHERE id = visit FOR NO KEY UPDATE;
  IF a.version IS DISTINCT FROM expected_version OR a.status <> 'SCHEDULED' THEN
    RAISE EXCEPTION 'VERSION_CONFLICT';
  END IF;
  PERFORM FROM technicians t WHERE t.id = a.technician_id AND t.active FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'TECHNICIAN_UNAVAILABLE';
  END IF;
  RETURN a;
END $$;
CREATE FUNCTION bench_tell(a appointments, stale text[], told text[]) RETURNS void VOLATILE LANGUAGE plpgsql AS $$
DECLARE sent text; words jsonb;
BEGIN
  UPDATE messages SET state = 'SUPPRESSED', reason = 'SUPERSEDED', updated_at = now()
    WHERE appointment_id = a.id AND state = 'QUEUED' AND event = ANY (stale);
  SELECT jsonb_build_object('business_name', b.name, 'number', a.number, 'customer_name', c.name,
      'technician_name', split_part(t.name, ' ', 1),
      'date', to_char(a.arrival_starts_at AT TIME ZONE l.time_zone, 'FMDay, FMMonth FMDD'),
      'window', to_char(a.arrival_starts_at AT TIME ZONE l.time_zone, {_CLOCK}) || ' to '
        || to_char(a.arrival_ends_at AT TIME ZONE l.time_zone, {_CLOCK}),
      'eta', coalesce('at ' || to_char(a.eta AT TIME ZONE l.time_zone, {_CLOCK}), 'soon'),
      'tracking_url', 'http://localhost:8000/track/' || encode(sha256(uuid_send(a.id)), 'hex') || encode(uuid_send(a.id), 'hex'))
    INTO words
    FROM customers c, technicians t, tenants b, locations l
    WHERE c.id = a.customer_id AND t.id = a.technician_id AND b.id = a.tenant_id AND l.id = a.location_id;
  WITH made AS (
    INSERT INTO messages (tenant_id, id, appointment_id, customer_id, event, channel, state, reason, occasion_at, recipient, subject,
      body, segments, send_at, next_attempt_at, relay_at)
    SELECT a.tenant_id, gen_random_uuid(), a.id, a.customer_id, r.event, w.channel,
      CASE WHEN w.why IS NULL THEN 'QUEUED' ELSE 'SUPPRESSED' END, w.why,
      CASE r.event WHEN 'ON_THE_WAY' THEN a.on_the_way_at ELSE a.arrival_starts_at END, coalesce(w.recipient, ''),
      CASE w.channel WHEN 'EMAIL' THEN bench_words(r.email_subject, words) END, x.body,
      CASE w.channel WHEN 'SMS' THEN CASE WHEN length(x.body) <= 160 THEN 1 ELSE ceil(length(x.body) / 153.0) END END,
      w.due, w.due, w.due
    FROM customers c JOIN notification_settings s ON s.location_id = a.location_id
      JOIN notification_rules r ON r.location_id = a.location_id AND r.event = ANY (told),
      LATERAL (SELECT CASE r.event WHEN 'REMINDER' THEN a.arrival_starts_at - make_interval(mins => r.offset_minutes)
        ELSE clock_timestamp() END AS due) AS d,
      LATERAL (
        SELECT 'SMS' AS channel, c.phone AS recipient, d.due, CASE WHEN c.phone IS NULL THEN 'NO_RECIPIENT'
          WHEN c.sms_opted_out_at IS NOT NULL OR texts_opted_out(c.phone) THEN 'OPTED_OUT' END AS why WHERE r.sms AND s.sms_enabled
        UNION ALL
        SELECT 'EMAIL', c.email, d.due, CASE WHEN c.email IS NULL THEN 'NO_RECIPIENT'
          WHEN c.email_opted_out_at IS NOT NULL THEN 'OPTED_OUT' END WHERE r.email AND s.email_enabled) AS w,
      LATERAL (SELECT bench_words(CASE w.channel WHEN 'SMS' THEN r.sms_template ELSE r.email_template END, words) AS body) AS x
    WHERE c.id = a.customer_id AND (r.event <> 'REMINDER' OR s.reminders_enabled AND d.due > now())
    RETURNING id)
  SELECT string_agg(id::text, ',') INTO sent FROM made;
  IF sent IS NOT NULL THEN
    PERFORM pg_notify('sps_messages', a.tenant_id || ':' || sent);
  END IF;
END $$;
CREATE FUNCTION bench_record(a appointments, kind text, changed jsonb) RETURNS void VOLATILE LANGUAGE plpgsql AS $$
DECLARE number bigint;
BEGIN
  INSERT INTO tenant_counters AS c (tenant_id, name, value) VALUES (a.tenant_id, 'event', 1)
    ON CONFLICT (tenant_id, name) DO UPDATE SET value = c.value + 1 RETURNING value INTO number;
  INSERT INTO events (tenant_id, seq, type, appointment_id, actor, changes)
    VALUES (a.tenant_id, number, kind, a.id, 'Partner (API key)', changed);
  PERFORM pg_notify('sps_events', a.tenant_id || ':' || number);
END $$;
CREATE FUNCTION bench_schedule(visit uuid, expected_version int, starts_at timestamptz, ends_at timestamptz) RETURNS appointments
VOLATILE LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE was appointments; a appointments;
BEGIN
  was := bench_lock(visit, expected_version);
  IF EXISTS (SELECT FROM time_off o WHERE o.technician_id = was.technician_id AND o.starts_at < $4 AND o.ends_at > $3) THEN
    RAISE EXCEPTION 'TECHNICIAN_UNAVAILABLE';
  END IF;
  UPDATE appointments v SET starts_at = $3, ends_at = $4, arrival_starts_at = $3,
    arrival_ends_at = $3 + make_interval(mins => l.arrival_window_minutes), version = v.version + 1, updated_at = now()
    FROM locations l WHERE v.id = was.id AND l.id = v.location_id RETURNING v.* INTO a;
  PERFORM bench_tell(a, ARRAY['CONFIRMATION', 'REMINDER', 'RESCHEDULED'], ARRAY['RESCHEDULED', 'REMINDER']);
  PERFORM bench_record(a, 'RESCHEDULED', jsonb_build_array(
    jsonb_build_object('field', 'scheduled', 'before', bench_window(was.starts_at, was.ends_at),
      'after', bench_window(a.starts_at, a.ends_at)),
    jsonb_build_object('field', 'arrivalWindow', 'before', bench_window(was.arrival_starts_at, was.arrival_ends_at),
      'after', bench_window(a.arrival_starts_at, a.arrival_ends_at))));
  RETURN a;
END $$;
CREATE FUNCTION bench_leave(visit uuid, expected_version int, eta_minutes int) RETURNS appointments VOLATILE LANGUAGE plpgsql AS $$
DECLARE was appointments; a appointments;
BEGIN
  was := bench_lock(visit, expected_version);
  UPDATE appointments v SET status = 'ON_THE_WAY', on_the_way_at = clock_timestamp(),
    eta = clock_timestamp() + make_interval(mins => eta_minutes), version = v.version + 1, updated_at = now()
    WHERE v.id = was.id RETURNING v.* INTO a;
  PERFORM bench_tell(a, ARRAY['REMINDER', 'ON_THE_WAY'], ARRAY['ON_THE_WAY']);
  PERFORM bench_record(a, 'ON_THE_WAY', jsonb_build_array(
    jsonb_build_object('field', 'status', 'before', was.status, 'after', a.status),
    jsonb_build_object('field', 'eta', 'before', NULL, 'after', bench_moment(a.eta))));
  RETURN a;
END $$;
"""

# Each was changed once, and its event says how.
_BACK = """UPDATE appointments a SET version = 1, status = 'SCHEDULED', on_the_way_at = NULL, eta = NULL,
    starts_at = a.starts_at - moved.by, ends_at = a.ends_at - moved.by,
    arrival_starts_at = a.arrival_starts_at - moved.by, arrival_ends_at = a.arrival_ends_at - moved.by
  FROM (SELECT tenant_id, appointment_id, CASE type WHEN 'RESCHEDULED' THEN interval '1 hour' ELSE interval '0' END AS by
    FROM events WHERE tenant_id = ANY (%s)) AS moved
  WHERE a.tenant_id = moved.tenant_id AND a.id = moved.appointment_id"""


def changed(superuser_url: str, businesses: Sequence[Business]) -> int:
    """How many appointments have been changed, once each."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        found = connection.execute(
            """SELECT count(*) FROM appointments a JOIN events e ON e.tenant_id = a.tenant_id AND e.appointment_id = a.id
            WHERE a.tenant_id = ANY (%s) AND a.version = 2""",
            ([each.tenant_id for each in businesses],),
        ).fetchone()
    return int(found[0]) if found else 0


def restore(superuser_url: str, businesses: Sequence[Business]) -> None:
    """Put back what mutations changed, so that the next ones find the rows as they were; statistics and dead rows too."""
    tenants = [each.tenant_id for each in businesses]
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        # Foreign keys' triggers would look each of the rows up.
        connection.execute("SET session_replication_role = replica")
        connection.execute(_BACK, (tenants,))
        connection.execute("DELETE FROM messages WHERE tenant_id = ANY (%s)", (tenants,))
        connection.execute("DELETE FROM events WHERE tenant_id = ANY (%s)", (tenants,))
        connection.execute("VACUUM (ANALYZE) appointments, messages, events, tenant_counters, technicians")
