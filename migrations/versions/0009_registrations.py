"""What the national register says of a commune's installations: one by one, or many in one row. It has no places."""

from alembic import op

revision = "0009"
down_revision = "0008"

UP = """
create table territory.registrations (
  commune text not null check (commune <> ''),
  technology text not null check (technology in ('photovoltaic', 'solar_thermal', 'heat_pump', 'high_performance_building',
    'biomass', 'storage', 'wind', 'hydro', 'biogas', 'other')),
  count integer not null check (count > 0),
  power_kw double precision check (power_kw >= 0 and power_kw < 'infinity'),
  commissioned_on date,
  commissioned_on_precision text check (commissioned_on_precision in ('year', 'month', 'day')),
  regime text
);
call territory.make_kind('registrations', null);
call territory.make_searchable('registrations');

-- The statistics rest on it, whether or not a pack shows it as a collection.
create function territory.touch_registrations() returns trigger language plpgsql security definer
set search_path = pg_catalog, territory, pg_temp as $body$
declare
  changed boolean := tg_op = 'TRUNCATE';
begin
  if tg_op = 'DELETE' then
    changed := exists (select from old_rows);
  elsif tg_op <> 'TRUNCATE' then
    changed := exists (select from new_rows);  -- an import of the same file inserts nothing, and fires all the same
  end if;
  if changed then
    insert into territory.touched (collection) values ('registrations') on conflict do nothing;
  end if;
  return null;
end $body$;
create trigger touch_kind_insert after insert on territory.registrations referencing new table as new_rows
for each statement execute function territory.touch_registrations();
create trigger touch_kind_update after update on territory.registrations referencing new table as new_rows
for each statement execute function territory.touch_registrations();
create trigger touch_kind_delete after delete on territory.registrations referencing old table as old_rows
for each statement execute function territory.touch_registrations();
create trigger touch_kind_truncate after truncate on territory.registrations
for each statement execute function territory.touch_registrations();
"""

DOWN = """
drop table territory.registrations;
drop function territory.touch_registrations();
"""


def run(sql: str) -> None:
    """Hand the text to the driver itself: SQLAlchemy would take a % for a parameter."""
    op.get_bind().connection.cursor().execute(sql)


def upgrade() -> None:
    """Make the kind's table."""
    run(UP)


def downgrade() -> None:
    """What was imported is lost; it can be imported again."""
    run(DOWN)
