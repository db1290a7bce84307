"""Events and messages by quarter: what is older than is kept is detached and dropped, not deleted row by row.

The table that exists becomes the first partition, whole. What takes long (an index, a look at each row) is done beforehand,
beside the old code's reads and writes; the exchange itself is one short transaction that gives up after a second of waiting
and tries again, so that nobody queues behind it. See docs/decisions/0018.
"""
# ruff: noqa: S608 (what is put together here are constants of this file)

import time
from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import DBAPIError, IntegrityError

from models.row_security import open_to_look_ups, protect

revision = "0010"
down_revision = "0009"

ATTEMPTS, PAUSE_S = 120, 1.0
# What both exchanges lock, in the order in which a change of an appointment does.
REFERENCED = "tenants, customers, appointments"

# Every function runs in UTC, and reads bounds as PostgreSQL prints them then.
_SET = "SET search_path = public, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO'"
FUNCTIONS = (
    # Where a moment cuts the table. Ids are UUIDv7: the first 48 bits are the milliseconds of the Unix time.
    f"""
    CREATE FUNCTION partition_bound(parent text, moment timestamptz) RETURNS text
    LANGUAGE sql STABLE {_SET} AS $$
      SELECT CASE parent WHEN 'messages'
        THEN rpad(lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0'), 32, '0')::uuid::text
        ELSE moment::text END
    $$
    """,
    f"""
    CREATE FUNCTION partitions_of(parent text)
    RETURNS TABLE (name text, starts_at timestamptz, ends_at timestamptz, is_default boolean)
    LANGUAGE sql STABLE {_SET} AS $$
      WITH bounds AS (
        SELECT c.relname::text AS name, pg_get_expr(c.relpartbound, c.oid) AS bound
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = format('public.%I', parent)::regclass
      ), cut AS (
        SELECT b.name, b.bound = 'DEFAULT' AS is_default, substring(b.bound FROM $re$FROM \\('([^']+)'\\)$re$) AS lowest,
          substring(b.bound FROM $re$TO \\('([^']+)'\\)$re$) AS highest
        FROM bounds b
      )
      SELECT c.name,
        CASE WHEN parent <> 'messages' THEN c.lowest::timestamptz
          ELSE to_timestamp(('x0000' || left(replace(c.lowest, '-', ''), 12))::bit(64)::bigint / 1000.0) END,
        CASE WHEN parent <> 'messages' THEN c.highest::timestamptz
          ELSE to_timestamp(('x0000' || left(replace(c.highest, '-', ''), 12))::bit(64)::bigint / 1000.0) END,
        c.is_default
      FROM cut c
    $$
    """,
    # Runs as whoever calls it, and so is of no use to the app's role, which can create nothing.
    f"""
    CREATE FUNCTION add_partition(parent text, starts_at timestamptz, ends_at timestamptz) RETURNS text
    LANGUAGE plpgsql VOLATILE {_SET} AS $$
    DECLARE
      made text := parent || to_char(starts_at, '"_y"YYYY"q"Q');
      key text := CASE parent WHEN 'messages' THEN 'id' ELSE 'occurred_at' END;
      lowest text := partition_bound(parent, starts_at);
      highest text := partition_bound(parent, ends_at);
      each record;
    BEGIN
      EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', made, parent);
      -- The keys come before the rows: checked for each, they see what row-level security hides from a check of all.
      FOR each IN SELECT c.conname, pg_get_constraintdef(c.oid) AS def FROM pg_constraint c
                  WHERE c.conrelid = parent::regclass AND c.contype = 'f' LOOP
        EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I %s', made, each.conname, each.def);
      END LOOP;
      -- What came while there was no partition for it waits in the default one, which must not hold it any more.
      EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', parent || '_default');
      EXECUTE format('WITH moved AS (DELETE FROM %1$I WHERE %2$I >= %3$L AND %2$I < %4$L RETURNING *)'
                     ' INSERT INTO %5$I SELECT * FROM moved', parent || '_default', key, lowest, highest, made);
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, made, lowest, highest);
      PERFORM hide_partition(made);
      RETURN made;
    END $$
    """,
    # Whoever reads a partition by its own name passes by its parent's policies and rights: it has policies of its own, and
    # nobody but its owner has rights, whatever the default privileges are.
    f"""
    CREATE FUNCTION hide_partition(partition text) RETURNS void
    LANGUAGE plpgsql VOLATILE {_SET} AS $$
    DECLARE
      each record;
    BEGIN
      FOR each IN SELECT DISTINCT a.grantee FROM pg_class c, aclexplode(c.relacl) a
                  WHERE c.oid = partition::regclass AND a.grantee <> c.relowner LOOP
        EXECUTE format('REVOKE ALL ON %I FROM %s', partition,
                       CASE each.grantee WHEN 0 THEN 'PUBLIC' ELSE each.grantee::regrole::text END);
      END LOOP;
      FOR each IN SELECT p.polname FROM pg_policy p WHERE p.polrelid = partition::regclass LOOP
        EXECUTE format('DROP POLICY %I ON %I', each.polname, partition);
      END LOOP;
      EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', partition);
      EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', partition);
      EXECUTE format('CREATE POLICY tenant ON %I USING (tenant_id = (SELECT nullif(current_setting(''app.tenant_id'', true),'
                     ' '''')::uuid)) WITH CHECK (tenant_id = (SELECT nullif(current_setting(''app.tenant_id'', true),'
                     ' '''')::uuid))', partition);
    END $$
    """,
    # One step at a time, each a transaction of its own, since it holds its locks until the commit. They are waited for for
    # less than deadlock_timeout, so that of two that wait for each other it is always this one that gives way.
    f"""
    CREATE FUNCTION tend_partitions(parent text, kept_months integer)
    RETURNS TABLE (done text, partition text, astray bigint)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER {_SET} SET lock_timeout = '500ms' AS $$
    DECLARE
      top timestamptz;
      oldest timestamptz := now() - make_interval(months => kept_months);
      each record;
      waits boolean;
    BEGIN
      IF parent NOT IN ('events', 'messages') THEN
        RAISE EXCEPTION 'no partitioned table: %', parent;
      END IF;
      -- The least is the database's, so that nobody who has got hold of the app's role can take away more.
      IF kept_months <> 0 AND kept_months < 13 OR kept_months IS NULL THEN
        RAISE EXCEPTION 'at least 13 months are kept, or all: %', kept_months;
      END IF;
      astray := 0;
      IF NOT pg_try_advisory_xact_lock(hashtextextended('partitions of ' || parent, 0)) THEN
        done := 'elsewhere';
        RETURN NEXT;
        RETURN;
      END IF;
      BEGIN
        EXECUTE format('SELECT count(*) FROM (SELECT FROM %I LIMIT 1000) d', parent || '_default') INTO astray;
        SELECT max(p.ends_at) INTO top FROM partitions_of(parent) p;
        top := coalesce(top, date_trunc('quarter', now()));
        IF top < now() + interval '3 months' THEN
          LOCK TABLE {REFERENCED} IN SHARE ROW EXCLUSIVE MODE;
          partition := add_partition(parent, top, date_trunc('quarter', top) + interval '3 months');
          done := 'made';
          RETURN NEXT;
          RETURN;
        END IF;
        IF kept_months > 0 THEN
          FOR each IN SELECT * FROM partitions_of(parent) p WHERE p.ends_at <= oldest ORDER BY p.ends_at LOOP
            waits := false;
            IF parent = 'messages' THEN
              -- Made long ago, and to be sent yet, or sent so late that it counts as young: for its bill, and by its time.
              SELECT EXISTS (SELECT FROM messages m
                             WHERE m.id < partition_bound(parent, each.ends_at)::uuid
                               AND (each.starts_at IS NULL OR m.id >= partition_bound(parent, each.starts_at)::uuid)
                               AND (m.state IN ('QUEUED', 'SENDING') OR m.sent_at >= oldest)) INTO waits;
            END IF;
            CONTINUE WHEN waits;
            -- Dropping a foreign key locks what it refers to.
            EXECUTE format('LOCK TABLE {REFERENCED}, %I IN ACCESS EXCLUSIVE MODE', parent);
            EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', parent, each.name);
            EXECUTE format('DROP TABLE %I', each.name);
            done := 'dropped';
            partition := each.name;
            RETURN NEXT;
            RETURN;
          END LOOP;
        END IF;
        -- Autovacuum looks at partitions alone, and joins are planned by what is known of the whole.
        IF NOT EXISTS (SELECT FROM pg_stat_user_tables s WHERE s.relid = parent::regclass
                       AND s.last_analyze > now() - interval '1 day') THEN
          EXECUTE format('ANALYZE %I', parent);
          done := 'analyzed';
        END IF;
      EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
        done := 'busy';
        partition := NULL;
      END;
      RETURN NEXT;
    END $$
    """,
    # For those who watch: a partition was not made in time, or a clock was wrong.
    f"""
    CREATE FUNCTION rows_astray() RETURNS TABLE (parent text, astray bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER {_SET} AS $$
    BEGIN
      RETURN QUERY SELECT 'events', count(*) FROM (SELECT FROM events_default LIMIT 1000) d
        UNION ALL SELECT 'messages', count(*) FROM (SELECT FROM messages_default LIMIT 1000) d;
    END $$
    """,
    # A row's place within its table (ctid) is a place within its partition: each is emptied by itself.
    """
    CREATE OR REPLACE FUNCTION purge_rows(wanted text, room integer) RETURNS integer
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      ours uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
      each regclass;
      taken integer;
      gone integer := 0;
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
      FOR each IN SELECT format('public.%I', wanted)::regclass
                  WHERE NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = format('public.%I', wanted)::regclass)
                  UNION ALL
                  SELECT i.inhrelid::regclass FROM pg_inherits i WHERE i.inhparent = format('public.%I', wanted)::regclass
      LOOP
        EXECUTE format('DELETE FROM %1$s WHERE tenant_id = $1 AND ctid = ANY (ARRAY('
                       'SELECT ctid FROM %1$s WHERE tenant_id = $1 LIMIT $2))', each) USING ours, room - gone;
        GET DIAGNOSTICS taken = ROW_COUNT;
        gone := gone + taken;
        EXIT WHEN gone >= room;
      END LOOP;
      RETURN gone;
    END $$
    """,
)


def upgrade() -> None:
    ends_at = _end_of_next_quarter(datetime.now(UTC))
    bounds = {"events": ("occurred_at", ends_at.isoformat()), "messages": ("id", str(_first_id(ends_at)))}
    clean = {}
    with op.get_context().autocommit_block():
        # Not in the way of anybody; one that an interrupted migration has left is not whole.
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS events_first_key")
        op.execute("CREATE UNIQUE INDEX CONCURRENTLY events_first_key ON events (tenant_id, seq, occurred_at)")
        for table, (column, bound) in bounds.items():
            op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS before_the_next")
            clean[table] = _all_before(table, column, bound)
    for function in FUNCTIONS:
        op.execute(function)
    for name in ("partition_bound(text, timestamptz)", "partitions_of(text)", "hide_partition(text)"):
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
    op.execute("REVOKE ALL ON FUNCTION add_partition(text, timestamptz, timestamptz) FROM PUBLIC")
    op.execute("REVOKE ALL ON FUNCTION tend_partitions(text, integer) FROM PUBLIC")
    _lock()
    op.execute("ALTER TABLE events DROP CONSTRAINT pk_events")
    op.execute("ALTER TABLE events ADD CONSTRAINT pk_events PRIMARY KEY USING INDEX events_first_key")
    for table, (column, bound) in bounds.items():
        _exchange(table, column)
        if not clean[table]:
            _move_later(table, column, bound)
        op.execute(f"ALTER TABLE {table} ATTACH PARTITION {table}_first FOR VALUES FROM (MINVALUE) TO ('{bound}')")
        op.execute(f"ALTER TABLE {table}_first DROP CONSTRAINT IF EXISTS before_the_next")
        op.execute(f"SELECT hide_partition('{table}_first')")
        op.execute(f"SELECT hide_partition('{table}_default')")
        # For the owner's own function, which moves rows out of it.
        op.execute(f"CREATE POLICY tend ON {table}_default TO CURRENT_USER USING (true)")
        op.execute(f"ANALYZE {table}")


def _end_of_next_quarter(now: datetime) -> datetime:
    quarters = now.year * 4 + (now.month - 1) // 3 + 2
    return datetime(quarters // 4, quarters % 4 * 3 + 1, 1, tzinfo=UTC)


def _first_id(moment: datetime) -> UUID:
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def _all_before(table: str, column: str, bound: str) -> bool:
    # With a constraint that has been checked beside everybody's writes, the exchange need not look at a single row.
    op.execute("SET lock_timeout = '1s'")
    for attempt in range(ATTEMPTS):
        try:
            op.execute(f"ALTER TABLE {table} ADD CONSTRAINT before_the_next CHECK ({column} < '{bound}') NOT VALID")
            break
        except DBAPIError as error:
            if not _is_busy(error) or attempt + 1 == ATTEMPTS:
                raise
            time.sleep(PAUSE_S)
    op.execute("RESET lock_timeout")
    try:
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT before_the_next")
    except IntegrityError:
        # A clock was wrong, or an id was not made by us.
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT before_the_next")
        return False
    return True


def _is_busy(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in {"55P03", "40P01"}


def _lock() -> None:
    connection = op.get_bind()
    op.execute("SET LOCAL lock_timeout = '1s'")
    for attempt in range(ATTEMPTS):
        try:
            with connection.begin_nested():
                connection.execute(sa.text(f"LOCK TABLE {REFERENCED} IN SHARE ROW EXCLUSIVE MODE"))
                connection.execute(sa.text("LOCK TABLE events, messages IN ACCESS EXCLUSIVE MODE"))
        except DBAPIError as error:
            if not _is_busy(error) or attempt + 1 == ATTEMPTS:
                raise
            time.sleep(PAUSE_S)
        else:
            return


def _exchange(table: str, column: str) -> None:
    """Rename the table and its indexes, and make the parent under its name, with the same rights."""
    first = f"{table}_first"
    op.execute(
        f"""DO $$ DECLARE each record; BEGIN
        FOR each IN SELECT i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
                    WHERE x.indrelid = '{table}'::regclass LOOP
          EXECUTE format('ALTER INDEX %I RENAME TO %I', each.relname, replace(each.relname, '{table}', '{first}'));
        END LOOP; END $$"""
    )
    op.execute(f"ALTER TABLE {table} RENAME TO {first}")
    op.execute(
        f"CREATE TABLE {table} (LIKE {first} INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE ({column})"
    )
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS before_the_next")
    _keys(table)
    for statement in protect(table):
        op.execute(statement)
    op.execute(f"CREATE POLICY usage ON {table} FOR SELECT TO CURRENT_USER USING (true)")
    if table == "messages":
        for command in ("SELECT", "UPDATE"):
            op.execute(open_to_look_ups(table, command))
    op.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")
    op.execute(
        f"""DO $$ DECLARE each record; BEGIN
        FOR each IN SELECT a.grantee, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a
                    WHERE c.oid = '{first}'::regclass AND a.grantee NOT IN (0, c.relowner) LOOP
          EXECUTE format('GRANT %s ON {table} TO %s', each.privilege_type, each.grantee::regrole);
        END LOOP; END $$"""
    )


def _keys(table: str) -> None:
    key = ["tenant_id", "seq", "occurred_at"] if table == "events" else ["tenant_id", "id"]
    op.create_primary_key(f"pk_{table}", table, key)
    op.create_foreign_key(op.f(f"fk_{table}_tenant_id"), table, "tenants", ["tenant_id"], ["id"])
    references = {"appointment_id": "appointments", "customer_id": "customers"}
    for column, target in references.items():
        if table == "events" and column == "customer_id":
            continue
        op.create_foreign_key(
            op.f(f"fk_{table}_tenant_id_{column}"),
            table,
            target,
            ["tenant_id", column],
            ["tenant_id", "id"],
            ondelete="CASCADE" if column == "appointment_id" else None,
        )
    if table == "events":
        op.create_index("ix_events_tenant_id_appointment_id_seq", table, ["tenant_id", "appointment_id", "seq"])
        op.create_index("ix_events_occurred_at", table, ["occurred_at"], postgresql_using="brin")
        return
    for columns in (["tenant_id", "appointment_id"], ["tenant_id", "customer_id"], ["tenant_id", "created_at", "id"]):
        op.create_index(f"ix_messages_{'_'.join(columns)}", table, columns)
    op.create_index("ix_messages_created_at", table, ["created_at"], postgresql_using="brin")
    for name, columns, condition in (
        ("tenant_id_sent_at", ["tenant_id", "sent_at"], "sent_at IS NOT NULL"),
        ("relay", ["relay_at"], "state IN ('QUEUED', 'SENDING')"),
        ("provider_id", ["provider_id"], "provider_id IS NOT NULL"),
    ):
        op.create_index(f"ix_messages_{name}", table, columns, postgresql_where=sa.text(condition))


def _move_later(table: str, column: str, bound: str) -> None:
    # Rows of all tenants, as the owner: neither table's policies may hide them, and both are hidden again below.
    for each in (f"{table}_first", f"{table}_default"):
        op.execute(f"ALTER TABLE {each} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        f"WITH moved AS (DELETE FROM {table}_first WHERE {column} >= '{bound}' RETURNING *)"
        f" INSERT INTO {table}_default SELECT * FROM moved"
    )
