"""When an entry of the register changed is public to the day: to the second it would tell which decision it came from."""

from alembic import op

revision = "0010"
down_revision = "0009"

DAYS = """
create function territory.stamp_day() returns trigger language plpgsql as $body$
begin
  new.updated_at := pg_catalog.date_trunc('day', new.updated_at, 'UTC');
  return new;
end $body$;

-- Triggers run in the order of their names: after stamp.
create trigger stamp_day before insert or update on territory.installations
for each row when (new.dataset = 'register') execute function territory.stamp_day();

alter table territory.installations disable trigger stamp;
update territory.installations set updated_at = updated_at where dataset = 'register';
alter table territory.installations enable trigger stamp;
"""


def upgrade() -> None:
    """Write days, also for what is public already."""
    op.get_bind().connection.cursor().execute(DAYS)


def downgrade() -> None:
    """Write moments from now on; those that were are known no more."""
    op.execute("drop trigger stamp_day on territory.installations")
    op.execute("drop function territory.stamp_day()")
