"""Points are kept in the order of the z-order curve, and of their ids where they share a key: pages go along it."""

from alembic import op

revision = "0007"
down_revision = "0006"

KEYS = """
create or replace procedure territory.make_keys(kind text, carried text[]) language plpgsql as $body$
begin
  execute format('alter table territory.%1$I add column if not exists key22 bigint generated always as (territory.key22(geom)) stored', kind);
  execute format('create index %2$I on territory.%1$I (ORDER) %3$s', kind, kind || '_key22_idx',
    (select 'include (' || string_agg(quote_ident(c), ', ') || ')' from unnest(carried) c having count(*) > 0));
end $body$;

drop index territory.places_key22_idx, territory.buildings_key22_idx, territory.installations_key22_idx, territory.detections_key22_idx;
call territory.make_keys('places', array[]::text[]);
call territory.make_keys('buildings', array[]::text[]);
call territory.make_keys('installations', array['technology', 'power_kw', 'area_m2', 'annual_mwh', 'position']);
call territory.make_keys('detections', array['count', 'power_kw']);
"""


def upgrade() -> None:
    """Build the indexes anew."""
    op.get_bind().connection.cursor().execute(KEYS.replace("ORDER", "key22, id"))


def downgrade() -> None:
    """Build them as they were."""
    op.get_bind().connection.cursor().execute(KEYS.replace("ORDER", "key22"))
