"""Planners' questions that take long: who asked what, how far it is, and what came out."""

from alembic import op

revision = "0008"
down_revision = "0007"

UP = """
create table register.planning_jobs (
  id uuid primary key default gen_random_uuid(),
  staff uuid not null references register.staff (id) on delete cascade,
  process text not null check (process ~ '^[a-z_]{1,40}$'),
  request text not null,  -- JSON in ASCII: jsonb takes neither NUL nor half of a surrogate pair
  language text,
  state text not null default 'accepted' check (state in ('accepted', 'running', 'successful', 'failed', 'dismissed')),
  answer text,
  media_type text,
  problem jsonb,
  created_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  check ((state = 'successful') = (answer is not null)),
  check ((state = 'failed') = (problem is not null))
);
create index on register.planning_jobs (staff, created_at);
create index on register.planning_jobs (created_at);
"""


def run(sql: str) -> None:
    """Hand the text to the driver itself: SQLAlchemy would take a % for a parameter."""
    op.get_bind().connection.cursor().execute(sql)


def upgrade() -> None:
    """Make the table."""
    run(UP)


def downgrade() -> None:
    """What was asked and answered is lost; it can be asked again."""
    run("drop table register.planning_jobs")
