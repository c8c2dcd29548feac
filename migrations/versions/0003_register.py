"""What residents entrust: facts by technology, addresses, keys, amendments, photos, consents; and what is public of it."""

from alembic import op

revision = "0003"
down_revision = "0002"

PUBLIC = """
alter table territory.installations
  add column status text check (status in ('planned', 'operating', 'stopped')),
  add column heat_pump_kind text check (heat_pump_kind in ('air_air', 'air_water', 'water_water', 'brine_water',
    'ground_water', 'water_heater', 'hybrid')),
  add column fuel text check (fuel in ('logs', 'pellets', 'chips', 'other')),
  add column label text,
  add column level text,
  add column assurance text check (assurance in ('declared', 'certified')),
  add column energy_kwh_m2_year double precision check (energy_kwh_m2_year >= 0 and energy_kwh_m2_year < 'infinity'),
  add column place text check (place in ('roof', 'facade', 'ground', 'balcony', 'carport')),
  add column orientation text check (orientation in ('north', 'north_east', 'east', 'south_east', 'south', 'south_west',
    'west', 'north_west', 'east_west', 'tracking')),
  add column storage_kwh double precision check (storage_kwh >= 0 and storage_kwh < 'infinity'),
  add column gain text,
  add column advice text,
  add column photo text check (photo ~ '^/photos/[0-9a-f-]{36}$');

-- The pictures that anybody may see; they go with their entry.
create table territory.photos (
  id uuid primary key,
  installation bigint not null references territory.installations (id) on delete cascade,
  large bytea not null,
  small bytea not null,
  width integer not null,
  height integer not null
);
create index on territory.photos (installation);

-- What was public and is gone for good: harvesters learn it from the number alone.
create table territory.tombstones (
  kind text not null,
  id bigint not null,
  primary key (kind, id)
);

-- Residents who want to be counted and not shown: one sum by technology and commune, never less than five together.
create table territory.declared_sums (
  technology text not null,
  commune text not null,
  count integer not null check (count >= 5),
  power_kw double precision check (power_kw >= 0 and power_kw < 'infinity'),
  primary key (technology, commune)
);
create function territory.touch_sums() returns trigger language plpgsql security definer
set search_path = pg_catalog, territory, pg_temp as $body$
begin
  insert into territory.touched (collection) values ('declared-sums') on conflict do nothing;
  return null;
end $body$;
create trigger touch after insert or update or delete or truncate on territory.declared_sums
for each statement execute function territory.touch_sums();
create trigger touch after insert or update or delete or truncate on territory.tombstones
for each statement execute function territory.touch_sums();
grant select on territory.photos, territory.tombstones, territory.declared_sums to gohelle_reader;
"""

PRIVATE = """
-- Whom the town may write to about what they declared.
create table register.contributors (
  id uuid primary key default gen_random_uuid(),
  email text not null unique check (email = lower(email) and length(email) between 3 and 254),
  language text not null,
  created_at timestamptz not null
);

alter table register.declarations
  add column contributor uuid references register.contributors (id) on delete set null,
  add column status text not null default 'operating' check (status in ('planned', 'operating', 'stopped')),
  add column month integer check (month between 1 and 12),
  add column facts jsonb not null default '{}' check (jsonb_typeof(facts) = 'object'),
  add column gain text check (length(gain) <= 1000),
  add column advice text check (length(advice) <= 1000),
  add column located_by text not null default 'pin' check (located_by in ('pin', 'address', 'place')),
  add column public_id bigint unique,
  add column acted_at timestamptz,
  add column asked_at timestamptz,
  add column counted boolean not null default false;
update register.declarations set acted_at = received_at;
alter table register.declarations alter column acted_at set not null;
create index on register.declarations (contributor);
create index on register.declarations (state, acted_at);
create index on register.declarations (precision) where precision = 'statistics';

-- What an owner wants to change of an entry that is public: it waits here, and the public row stays meanwhile.
create table register.amendments (
  declaration uuid primary key references register.declarations (id) on delete cascade,
  draft jsonb not null check (jsonb_typeof(draft) = 'object'),
  at timestamptz not null
);
create index on register.amendments (at);

-- Keys that were mailed: only their hashes, each for one purpose and one subject.
create table register.tokens (
  hash bytea primary key check (length(hash) = 32),
  purpose text not null,
  subject uuid not null,
  issued_at timestamptz not null,
  expires_at timestamptz,
  used_at timestamptz
);
create index on register.tokens (subject);
create index on register.tokens (expires_at);

-- Each text that somebody agreed to, word for word, by its hash; and who agreed, and when it was taken back.
create table register.consent_texts (
  version text primary key,
  purpose text not null,
  texts jsonb not null check (jsonb_typeof(texts) = 'object')
);
create table register.consents (
  declaration uuid not null references register.declarations (id) on delete cascade,
  purpose text not null,
  version text not null references register.consent_texts (version),
  given_at timestamptz not null,
  revoked_at timestamptz,
  primary key (declaration, purpose, given_at)
);

-- The months in which the sums of those who are only counted were told.
create table register.sums_told (month text primary key);

-- Photos as we wrote them anew; `waiting` ones belong to an amendment that is not decided yet.
create table register.photos (
  id uuid primary key default gen_random_uuid(),
  declaration uuid not null references register.declarations (id) on delete cascade,
  waiting boolean not null,
  large bytea not null,
  small bytea not null,
  width integer not null,
  height integer not null,
  at timestamptz not null,
  unique (declaration, waiting)
);
"""

DOWN = """
drop table register.photos, register.sums_told, register.consents, register.consent_texts, register.tokens, register.amendments;
alter table register.declarations
  drop column contributor, drop column status, drop column month, drop column facts, drop column gain,
  drop column advice, drop column located_by, drop column public_id, drop column acted_at, drop column asked_at,
  drop column counted;
drop table register.contributors;
drop table territory.declared_sums, territory.tombstones, territory.photos;
drop function territory.touch_sums();
alter table territory.installations
  drop column status, drop column heat_pump_kind, drop column fuel, drop column label, drop column level,
  drop column assurance, drop column energy_kwh_m2_year, drop column place, drop column orientation,
  drop column storage_kwh, drop column gain, drop column advice, drop column photo;
"""


def run(sql: str) -> None:
    """Hand the text to the driver itself, which takes several statements at once."""
    op.get_bind().connection.cursor().execute(sql)


def upgrade() -> None:
    """Add the public columns and tables, then the private ones."""
    run(PUBLIC)
    run(PRIVATE)


def downgrade() -> None:
    """Take both away again."""
    run(DOWN)
