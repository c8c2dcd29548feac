"""Two schemas: what anybody may see (`territory`) and what residents entrust to the town (`register`)."""

from alembic import op

revision = "0001"
down_revision = None

ROLES = """
do $roles$
begin
  -- Roles belong to the cluster, not to the database: made if missing, never dropped.
  perform pg_advisory_xact_lock(hashtext('gohelle roles'));
  if not exists (select from pg_roles where rolname = 'gohelle_reader') then
    create role gohelle_reader login;
    alter role gohelle_reader set default_transaction_read_only = on;
    alter role gohelle_reader set default_transaction_isolation = 'repeatable read';
    alter role gohelle_reader set statement_timeout = '30s';
  end if;
end $roles$;
"""

TERRITORY = """
create schema territory;
grant usage on schema territory to gohelle_reader;

-- Who the territory is: one row, written by `gohelle seed`.
create table territory.about (
  only_row boolean primary key default true check (only_row),
  pack text not null,
  body jsonb not null check (jsonb_typeof(body) = 'object'),
  updated_at timestamptz not null default now()
);

-- What the world sees: a title and an equality filter over one kind.
create table territory.collections (
  id text primary key check (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  kind text not null,
  filter jsonb not null default '{}' check (jsonb_typeof(filter) = 'object'),
  title jsonb not null check (jsonb_typeof(title) = 'object'),
  description jsonb not null default '{}' check (jsonb_typeof(description) = 'object'),
  colour text not null default '#555555' check (colour ~ '^#[0-9a-f]{6}$'),
  visible boolean not null default true,
  rank integer not null default 0
);

-- One number a collection, raised at each commit that changed what the collection shows. The row 'catalogue' stands
-- for the list of collections and the territory's own description. Numbers start from the clock, so that a database
-- made anew never repeats the versions of the one that it replaces.
create table territory.version (
  collection text primary key,
  version bigint not null,
  changed_at timestamptz not null
);

create table territory.touched (
  xid xid8 not null default pg_current_xact_id(),
  collection text not null,
  primary key (xid, collection)
);

-- Notes which collections of a kind a statement touched: those whose filter some old or new row meets.
create function territory.touch() returns trigger language plpgsql security definer
set search_path = pg_catalog, territory, pg_temp as $body$
declare
  candidate record;
  condition text;
  hit boolean;
begin
  for candidate in select c.id, c.filter from territory.collections c where c.kind = tg_table_name order by c.id loop
    select coalesce(string_agg(format('r.%I::text = any (array(select jsonb_array_elements_text(%L::jsonb)))', key,
                               case jsonb_typeof(value) when 'array' then value else jsonb_build_array(value) end), ' and '), 'true')
      into condition from jsonb_each(candidate.filter);
    if tg_op = 'TRUNCATE' then
      hit := true;
    elsif tg_op = 'INSERT' then
      execute 'select exists (select from new_rows r where ' || condition || ')' into hit;
    elsif tg_op = 'DELETE' then
      execute 'select exists (select from old_rows r where ' || condition || ')' into hit;
    else
      execute 'select exists (select from new_rows r where ' || condition ||
              ') or exists (select from old_rows r where ' || condition || ')' into hit;
    end if;
    if hit then
      insert into territory.touched (collection) values (candidate.id) on conflict do nothing;
    end if;
  end loop;
  return null;
end $body$;

-- A collection's own definition changed: its items and the catalogue did.
create function territory.touch_definition() returns trigger language plpgsql security definer
set search_path = pg_catalog, territory, pg_temp as $body$
begin
  insert into territory.touched (collection) values ('catalogue') on conflict do nothing;
  if tg_table_name = 'about' then  -- languages, licence, attribution: every answer shows some of it
    insert into territory.touched (collection) select c.id from territory.collections c on conflict do nothing;
  end if;
  if tg_table_name = 'collections' then
    if tg_op <> 'INSERT' then
      insert into territory.touched (collection) values (old.id) on conflict do nothing;
    end if;
    if tg_op <> 'DELETE' then
      insert into territory.touched (collection) values (new.id) on conflict do nothing;
    end if;
  end if;
  return null;
end $body$;

-- Raises the versions at commit, in name order: raised inside the statement, they would block every other writer of
-- the collection until commit, and two writers of two collections could deadlock.
create function territory.settle() returns trigger language plpgsql security definer
set search_path = pg_catalog, territory, pg_temp as $body$
declare
  one text;
  raised bigint;
begin
  for one in select t.collection from territory.touched t where t.xid = pg_current_xact_id() order by t.collection loop
    insert into territory.version as v (collection, version, changed_at)
    values (one, floor(extract(epoch from clock_timestamp()) * 1000), clock_timestamp())
    on conflict (collection) do update
      set version = greatest(v.version + 1, excluded.version), changed_at = excluded.changed_at
    returning v.version into raised;
    perform pg_notify('territory', one || ' ' || raised);
  end loop;
  delete from territory.touched t where t.xid = pg_current_xact_id();
  return null;
end $body$;

create constraint trigger settle after insert on territory.touched deferrable initially deferred
for each row execute function territory.settle();
create trigger touch after insert or update or delete on territory.collections
for each row execute function territory.touch_definition();
create trigger touch after insert or update or delete on territory.about
for each row execute function territory.touch_definition();

create function territory.stamp() returns trigger language plpgsql as $body$
begin
  new.updated_at := pg_catalog.now();
  return new;
end $body$;
"""

KINDS = """
-- Gives a table of own columns what every kind has. A later migration writes `create table territory.x (...own columns)`
-- and calls this.
create procedure territory.make_kind(kind text, geometry_type text) language plpgsql as $body$
declare
  event text;
  transition text;
begin
  execute format($ddl$
    alter table territory.%1$I
      add column id bigint generated always as identity primary key,
      add column source_key text not null unique check (source_key <> ''),
      add column name text not null check (name <> ''),
      add column description text,
      add column translations jsonb not null default '{}' check (jsonb_typeof(translations) = 'object'),
      add column source text not null,
      add column source_url text check (source_url ~* '^https?://'),
      add column source_date date,
      add column licence text not null,
      add column dataset text,  -- which import or pack the row came from
      add column updated_at timestamptz not null default now();
    create trigger stamp before update on territory.%1$I for each row execute function territory.stamp();
    create trigger touch_truncate after truncate on territory.%1$I execute function territory.touch();
    grant select on territory.%1$I to gohelle_reader;
  $ddl$, kind);

  foreach event in array array['insert', 'update', 'delete'] loop
    transition := case event when 'insert' then 'new table as new_rows' when 'delete' then 'old table as old_rows'
                             else 'old table as old_rows new table as new_rows' end;
    execute format('create trigger touch_%2$s after %2$s on territory.%1$I referencing %3$s
                    for each statement execute function territory.touch()', kind, event, transition);
  end loop;

  if geometry_type is null then
    return;
  end if;
  execute format($ddl$
    alter table territory.%1$I
      add column since date,
      add column since_precision text check (since_precision in ('year', 'month', 'day')),
      add column until date,
      add column until_precision text check (until_precision in ('year', 'month', 'day')),
      add column commune text check (commune <> ''),
      add column commune_derived boolean not null default false,
      add column position text not null
        check (position in ('surveyed', 'digitised', 'approximate', 'schematic', 'cell')),
      add column position_accuracy_m double precision check (position_accuracy_m >= 0 and position_accuracy_m < 'infinity'),
      add column geom public.geometry(%2$s, 4326) not null,
      add column geom_3857 public.geometry(%2$s, 3857) generated always as (public.ST_Transform(geom, 3857)) stored,
      add constraint %3$I check (since <= until),
      add constraint %4$I check (
        public.ST_IsValid(geom) and not public.ST_IsEmpty(geom)
        and public.ST_XMin(geom) >= -180 and public.ST_XMax(geom) <= 180
        and public.ST_YMin(geom) >= -85.06 and public.ST_YMax(geom) <= 85.06);
    create index on territory.%1$I using gist (geom);
    create index on territory.%1$I using gist (geom_3857);
    create index on territory.%1$I using gist ((geom::public.geography));
  $ddl$, kind, geometry_type, kind || '_since_until_check', kind || '_geom_check');

  if kind <> 'communes' then
    execute format($ddl$
      create trigger locate before insert or update on territory.%1$I for each row
      when (new.commune is null or new.commune_derived) execute function territory.locate();
      create index on territory.%1$I (commune);
    $ddl$, kind);
  end if;
end $body$;

-- The commune that a geometry lies in: by a point on its surface; a surveyed outline wins over a schematic one.
create function territory.commune_at(place public.geometry) returns text language plpgsql stable as $body$
begin
  return (
    select c.insee from territory.communes c
    where c.insee is not null and public.ST_Intersects(c.geom, public.ST_PointOnSurface(place))
    order by (c.position = 'schematic'), c.insee limit 1);
end $body$;

create function territory.locate() returns trigger language plpgsql as $body$
begin
  -- A bulk load finds its communes set by set and says so, for a look-up a row costs 150 us.
  if pg_catalog.current_setting('gohelle.bulk', true) = 'on' then
    return new;
  end if;
  if tg_op = 'UPDATE' and new.commune_derived and old.commune_derived
     and new.commune is not distinct from old.commune and new.geom::bytea = old.geom::bytea then
    return new;
  end if;
  if new.commune_derived and tg_op = 'UPDATE' and new.commune is distinct from old.commune and new.commune is not null then
    new.commune_derived := false;  -- somebody states it now
    return new;
  end if;
  new.commune := territory.commune_at(new.geom);
  new.commune_derived := true;
  return new;
end $body$;

-- A changed outline finds the communes of the features that it touches anew.
create function territory.relocate() returns trigger language plpgsql security definer
set search_path = pg_catalog, territory, public, pg_temp as $body$
declare
  kind text;
  before text := coalesce(current_setting('gohelle.bulk', true), '');
  moved text := case tg_op when 'INSERT' then 'select ST_Envelope(geom) as geom from new_rows' when 'DELETE' then 'select ST_Envelope(geom) as geom from old_rows'
                           else 'select ST_Envelope(n.geom) as geom from new_rows n join old_rows o using (id)
                                   where (n.geom::bytea, n.insee, n.position) is distinct from (o.geom::bytea, o.insee, o.position)
                                 union all
                                 select ST_Envelope(o.geom) from new_rows n join old_rows o using (id)
                                   where (n.geom::bytea, n.insee, n.position) is distinct from (o.geom::bytea, o.insee, o.position)'
                      end;
begin
  perform set_config('gohelle.bulk', 'on', true);
  for kind in select c.table_name from information_schema.columns c
              where c.table_schema = 'territory' and c.column_name = 'commune_derived' and c.table_name <> 'communes'
              order by 1 loop
    -- Outline by outline, through the features' spatial index (`offset 0` keeps that order): the other way round each
    -- feature would be held against all of the outlines.
    execute format($sql$
      with moved as materialized (%2$s),
      around as materialized (
        select distinct c.id from moved m cross join lateral (
          select n.id from territory.communes n where n.insee is not null and n.geom && m.geom offset 0) c),
      found as (
        select f.id, null as insee, 2 as rank
        from moved m cross join lateral (
          select p.id from territory.%1$I p where p.commune_derived and p.geom && m.geom offset 0) f
        union all
        select f.id, c.insee, (c.position = 'schematic')::integer
        from around join territory.communes c using (id) cross join lateral (
          select p.id from territory.%1$I p
          where p.commune_derived and p.geom && c.geom and ST_Intersects(c.geom, ST_PointOnSurface(p.geom)) offset 0) f),
      again as (select id, (array_agg(insee order by rank, insee))[1] as insee from found group by id having max(rank) = 2)
      update territory.%1$I f set commune = again.insee
      from again where f.id = again.id and f.commune is distinct from again.insee
    $sql$, kind, moved);
  end loop;
  perform set_config('gohelle.bulk', before, true);
  return null;
end $body$;
"""

TABLES = """
create table territory.communes (insee text, population integer check (population >= 0), area_km2 double precision check (area_km2 >= 0 and area_km2 < 'infinity'));
call territory.make_kind('communes', 'MultiPolygon');
create unique index on territory.communes (insee);
create trigger relocate_insert after insert on territory.communes referencing new table as new_rows
for each statement execute function territory.relocate();
create trigger relocate_update after update on territory.communes referencing old table as old_rows new table as new_rows
for each statement execute function territory.relocate();
create trigger relocate_delete after delete on territory.communes referencing old table as old_rows
for each statement execute function territory.relocate();

create table territory.areas (
  category text not null check (category in ('belt', 'corridor', 'spoil_tip', 'park', 'woodland', 'protected_farmland',
                                             'organic_farmland', 'retention')),
  area_ha double precision check (area_ha >= 0 and area_ha < 'infinity'),
  access text
);
call territory.make_kind('areas', 'MultiPolygon');

create table territory.paths (
  category text not null check (category in ('greenway', 'cycleway', 'footpath', 'track', 'disused_railway')),
  length_m double precision check (length_m >= 0 and length_m < 'infinity'),
  open_to text,
  code_com_d text, ame_d text, regime_d text, sens_d text, largeur_d double precision check (largeur_d >= 0 and largeur_d < 'infinity'),
  local_d text, statut_d text, revet_d text,
  code_com_g text, ame_g text, regime_g text, sens_g text, largeur_g double precision check (largeur_g >= 0 and largeur_g < 'infinity'),
  local_g text, statut_g text, revet_g text,
  access_ame text, trafic_vit integer check (trafic_vit >= 0), lumiere boolean, reseau_loc text, nom_loc text,
  id_osm text, num_iti text,
  constraint paths_ame_check check (
    ame_d in ('PISTE CYCLABLE', 'BANDE CYCLABLE', 'DOUBLE SENS CYCLABLE PISTE', 'DOUBLE SENS CYCLABLE BANDE',
              'DOUBLE SENS CYCLABLE NON MATERIALISE', 'VOIE VERTE', 'VELO RUE', 'COULOIR BUS+VELO', 'RAMPE', 'GOULOTTE',
              'AMENAGEMENT MIXTE PIETON VELO HORS VOIE VERTE', 'CHAUSSEE A VOIE CENTRALE BANALISEE',
              'ACCOTEMENT REVETU HORS CVCB', 'AUCUN', 'AUTRE')
    and ame_g in ('PISTE CYCLABLE', 'BANDE CYCLABLE', 'DOUBLE SENS CYCLABLE PISTE', 'DOUBLE SENS CYCLABLE BANDE',
              'DOUBLE SENS CYCLABLE NON MATERIALISE', 'VOIE VERTE', 'VELO RUE', 'COULOIR BUS+VELO', 'RAMPE', 'GOULOTTE',
              'AMENAGEMENT MIXTE PIETON VELO HORS VOIE VERTE', 'CHAUSSEE A VOIE CENTRALE BANALISEE',
              'ACCOTEMENT REVETU HORS CVCB', 'AUCUN', 'AUTRE')),
  constraint paths_sens_check check (sens_d in ('UNIDIRECTIONNEL', 'BIDIRECTIONNEL') and sens_g in ('UNIDIRECTIONNEL', 'BIDIRECTIONNEL')),
  constraint paths_statut_check check (statut_d in ('EN TRAVAUX', 'EN SERVICE', 'PROVISOIRE') and statut_g in ('EN TRAVAUX', 'EN SERVICE', 'PROVISOIRE')),
  constraint paths_revet_check check (revet_d in ('LISSE', 'RUGUEUX', 'MEUBLE') and revet_g in ('LISSE', 'RUGUEUX', 'MEUBLE'))
);
call territory.make_kind('paths', 'MultiLineString');

create table territory.places (
  category text not null check (category in ('site', 'tenant', 'headframe', 'mine_shaft', 'shared_garden', 'co_designed_street',
    'fifty_fifty', 'public_meeting', 'memorial', 'cemetery', 'monument', 'culture', 'trailhead', 'station', 'carpool',
    'brownfield', 'other')),
  site text,
  organisation text,
  depth_m double precision check (depth_m >= 0 and depth_m < 'infinity'),
  height_m double precision check (height_m >= 0 and height_m < 'infinity'),
  area_m2 double precision check (area_m2 >= 0 and area_m2 < 'infinity')
);
call territory.make_kind('places', 'Point');
create index on territory.places (category);

create table territory.heritage (
  category text not null check (category in ('estate', 'building', 'spoil_tip', 'railway', 'pond', 'perimeter')),
  protection text,
  listed_on date
);
call territory.make_kind('heritage', 'MultiPolygon');

create table territory.buildings (
  category text not null check (category in ('new', 'renovation', 'demonstrator', 'public')),
  label text,
  level text,
  certified boolean,
  dwellings integer check (dwellings >= 0),
  area_m2 double precision check (area_m2 >= 0 and area_m2 < 'infinity'),
  energy_kwh_m2_year double precision check (energy_kwh_m2_year >= 0 and energy_kwh_m2_year < 'infinity'),
  rain_tank_l double precision check (rain_tank_l >= 0 and rain_tank_l < 'infinity'),
  techniques text
);
call territory.make_kind('buildings', 'Point');

create table territory.installations (
  technology text not null check (technology in ('photovoltaic', 'solar_thermal', 'heat_pump', 'high_performance_building',
    'biomass', 'storage', 'wind', 'hydro', 'biogas', 'other')),
  power_kw double precision check (power_kw >= 0 and power_kw < 'infinity'),
  area_m2 double precision check (area_m2 >= 0 and area_m2 < 'infinity'),
  annual_mwh double precision check (annual_mwh >= 0 and annual_mwh < 'infinity'),
  year integer check (year between 1800 and 2200),
  owner_kind text check (owner_kind in ('private_person', 'citizens_company', 'company', 'social_landlord', 'association',
    'municipality')),
  visitors_welcome boolean,
  words text,
  cell text
);
call territory.make_kind('installations', 'Point');
alter table territory.installations add constraint installations_cell_check check (
  (position = 'cell') = (cell is not null) and cell ~ '^CRS3035RES[0-9]+mN[0-9]+E[0-9]+$');
create index on territory.installations (technology);

create table territory.detections (
  method text,
  count integer check (count >= 0),
  power_kw double precision check (power_kw >= 0 and power_kw < 'infinity'),
  precision double precision check (precision between 0 and 1),
  recall double precision check (recall between 0 and 1)
);
call territory.make_kind('detections', 'Point');

create table territory.figures (
  indicator text not null,
  value double precision check (value > '-infinity' and value < 'infinity'),
  unit text,
  value_date date,
  value_date_precision text check (value_date_precision in ('year', 'month', 'day')),
  definition text,
  status text not null check (status in ('retained', 'contested')),
  about jsonb not null default '[]' check (jsonb_typeof(about) = 'array')
);
call territory.make_kind('figures', null);

create table territory.milestones (
  date date not null,
  date_precision text check (date_precision in ('year', 'month', 'day')),
  about jsonb not null default '[]' check (jsonb_typeof(about) = 'array')
);
call territory.make_kind('milestones', null);

create table territory.documents (
  url text check (url ~* '^https?://'),
  subject text,
  publisher text,
  published_on date,
  published_on_precision text check (published_on_precision in ('year', 'month', 'day')),
  about jsonb not null default '[]' check (jsonb_typeof(about) = 'array')
);
call territory.make_kind('documents', null);

grant select on territory.about, territory.collections, territory.version to gohelle_reader;
"""

REGISTER = """
create schema register;

-- The INSPIRE grid: square cells of the equal-area projection EPSG:3035, named by their lower left corner.
create function register.cell_centre(place public.geometry, size integer) returns public.geometry
language sql immutable strict parallel safe
return (select public.ST_Transform(public.ST_SetSRID(public.ST_MakePoint(
                 (floor(public.ST_X(q.g) / size) + 0.5) * size, (floor(public.ST_Y(q.g) / size) + 0.5) * size), 3035), 4326)
        from (select public.ST_Transform(place, 3035) as g) q);

create function register.cell_name(place public.geometry, size integer) returns text
language sql immutable strict parallel safe
return (select 'CRS3035RES' || size || 'mN' || (floor(public.ST_Y(q.g) / size) * size)::bigint
               || 'E' || (floor(public.ST_X(q.g) / size) * size)::bigint
        from (select public.ST_Transform(place, 3035) as g) q);

-- What a resident says now. What was last approved of it is a row of territory.installations, its source_key being
-- 'declaration:' and the public key; that row alone is public.
create table register.declarations (
  id uuid primary key default gen_random_uuid(),
  public_key uuid not null unique default gen_random_uuid(),
  state text not null check (state in ('draft', 'confirmed', 'published', 'rejected', 'returned', 'withdrawn', 'hidden', 'erased')),
  technology text not null check (technology in ('photovoltaic', 'solar_thermal', 'heat_pump', 'high_performance_building',
    'biomass', 'storage', 'wind', 'hydro', 'biogas', 'other')),
  power_kw double precision check (power_kw > 0 and power_kw < 'infinity'),
  area_m2 double precision check (area_m2 > 0 and area_m2 < 'infinity'),
  annual_mwh double precision check (annual_mwh > 0 and annual_mwh < 'infinity'),
  year integer check (year between 1800 and 2200),
  owner_kind text not null check (owner_kind in ('private_person', 'citizens_company', 'company', 'social_landlord',
    'association', 'municipality')),
  visitors_welcome boolean not null default false,
  words text check (length(words) <= 1000),
  address text check (length(address) <= 300),
  location public.geometry(Point, 4326) not null check (public.ST_IsValid(location) and not public.ST_IsEmpty(location)),
  precision text not null check (precision in ('cell_200m', 'cell_1km', 'statistics', 'exact')),
  language text not null,
  received_at timestamptz not null,
  decided_at timestamptz
);
create index on register.declarations (state, received_at);

-- Every act on a declaration, in order; never changed.
create table register.audit (
  id bigint generated always as identity primary key,
  declaration uuid not null,
  act text not null,
  actor text not null,
  reason text,
  at timestamptz not null
);
create index on register.audit (declaration, id);

-- A client that sends the same declaration again under the same key gets the same receipt.
create table register.idempotency (
  key_hash bytea primary key,
  body_hash bytea not null,
  declaration uuid not null references register.declarations (id) on delete cascade,
  at timestamptz not null
);
create index on register.idempotency (at);
"""

DOWN = """
drop schema register cascade;
drop schema territory cascade;
"""


def run(sql: str) -> None:
    """Hand the text to the driver itself: SQLAlchemy would take the % of format() for a parameter."""
    op.get_bind().connection.cursor().execute(sql)


def upgrade() -> None:
    """Make both schemas and every kind's table."""
    for part in (ROLES, TERRITORY, KINDS, TABLES, REGISTER):
        run(part)


def downgrade() -> None:
    """Leave the database as it was found; roles stay, for they belong to the cluster."""
    run(DOWN)
