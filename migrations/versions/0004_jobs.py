"""Jobs in PostgreSQL, the letters that wait to be sent, and what was spent of each limit."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"

QUEUE = Path(__file__).with_name("0004_procrastinate.sql")

# Whoever writes a job, through the service or psql, runs the queue's triggers: they find their tables by themselves.
PATHS = """
do $paths$
declare
  one text;
begin
  for one in select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
             where n.nspname = 'jobs' order by 1 loop
    execute format('alter function %s set search_path = jobs, pg_temp', one);
  end loop;
end $paths$;
"""

OUTBOX = """
-- A letter that somebody is to get. It is written in the transaction that gives the reason for it, with the job that
-- sends it; the words are made when it is sent, and so are the keys in its links: none of them lies here.
create table register.outbox (
  id uuid primary key default gen_random_uuid(),
  letter text not null check (letter ~ '^[a-z_]{1,40}$'),
  declaration uuid references register.declarations (id) on delete cascade,
  staff uuid,
  subject uuid,  -- whom or what the key in the letter's link is for
  address text check (length(address) <= 320),  -- emptied when the letter is sent
  language text not null,
  details jsonb not null default '{}' check (jsonb_typeof(details) = 'object'),
  state text not null default 'waiting' check (state in ('waiting', 'sending', 'sent', 'failed')),
  message_id text,  -- the same at each attempt, so that a repeat can be told
  attempts integer not null default 0,
  failure text check (length(failure) <= 80),  -- a code; a server's own words may quote the address
  queued_at timestamptz not null,
  tried_at timestamptz,
  sent_at timestamptz
);
create index on register.outbox (state, queued_at);
create index on register.outbox (declaration);
"""

# Unlogged: what was spent is kept for a day, in no backup and on no other server; a crash begins the day anew.
LIMITS = """
create unlogged table register.salts (
  day date primary key,
  salt bytea not null
);
create unlogged table register.spent (
  what text not null,
  who bytea not null,  -- a salted hash
  until timestamptz not null,
  times integer not null,
  primary key (what, who, until)
);
create index on register.spent (until);
"""


def run(sql: str) -> None:
    """Hand the text to the driver itself: SQLAlchemy would take the % of format() for a parameter."""
    op.get_bind().connection.cursor().execute(sql)


def upgrade() -> None:
    """Make the queue in a schema of its own, the outbox and the limits."""
    run("create schema jobs; set local search_path = jobs, public;")
    run(QUEUE.read_text("utf-8"))
    run(PATHS)
    run("set local search_path = default;")
    run(OUTBOX)
    run(LIMITS)


def downgrade() -> None:
    """What waits to be sent is lost."""
    run("drop table register.outbox, register.salts, register.spent; drop schema jobs cascade;")
