"""What filters and searches calculate by: folding of case and accents, arithmetic without errors, an index of words."""

from alembic import op

revision = "0006"
down_revision = "0005"

UP = """
-- Case folded as Unicode has it, whatever the database's own locale: ß and SS are one, and so are the two small sigmas.
create function territory.casei(words text) returns text language sql immutable strict parallel safe
return replace(lower(upper(words collate pg_catalog."und-x-icu") collate pg_catalog."und-x-icu"), 'ς', 'σ');

-- Letters without their marks, and the letters that are two or have a stroke as people type them.
create function territory.accenti(words text) returns text language sql immutable strict parallel safe
return normalize(regexp_replace(normalize(
  replace(replace(replace(replace(translate(words, 'øØłŁđĐ', 'oOlLdD'), 'œ', 'oe'), 'Œ', 'OE'), 'æ', 'ae'), 'Æ', 'AE'),
  NFD), '[\\u0300-\\u036f]', '', 'g'), NFC);

-- Arithmetic of filters. PostgreSQL raises an error over a division by zero or a result out of range, for whichever row
-- it meets first; here such a result is null, as of anything that is not known, and what is too small is zero.
-- plpgsql, for a SQL function that uses an argument twice calculates it twice, and nested ones at every depth.
create function territory.plus(a double precision, b double precision) returns double precision
language plpgsql immutable strict parallel safe as $body$
begin
  return case when abs(a) < 8e307 and abs(b) < 8e307 then a + b end;
end $body$;

create function territory.minus(a double precision, b double precision) returns double precision
language plpgsql immutable strict parallel safe as $body$
begin
  return case when abs(a) < 8e307 and abs(b) < 8e307 then a - b end;
end $body$;

create function territory.times(a double precision, b double precision) returns double precision
language plpgsql immutable strict parallel safe as $body$
declare
  size double precision;
begin
  if a = 0 or b = 0 then
    return 0;
  end if;
  size := ln(abs(a)) + ln(abs(b));
  return case when size < -740 then 0 when size < 709 then a * b end;
end $body$;

create function territory.over(a double precision, b double precision) returns double precision
language plpgsql immutable strict parallel safe as $body$
declare
  size double precision;
begin
  if a = 0 or b = 0 then
    return case when b <> 0 then 0 end;
  end if;
  size := ln(abs(a)) - ln(abs(b));
  return case when size < -740 then 0 when size < 709 then a / b end;
end $body$;

create function territory.power(a double precision, b double precision) returns double precision
language plpgsql immutable strict parallel safe as $body$
declare
  size double precision;
begin
  if a = 0 then
    return case when b > 0 then 0 when b = 0 then 1 end;
  elsif a < 0 and b <> floor(b) then
    return null;
  end if;
  size := ln(abs(a)) * greatest(-1e300, least(1e300, b));
  return case when size < -740 then 0 when size < 709 then pg_catalog.power(a, b) end;
end $body$;

-- Whole numbers are divided as such: 9007199254740991 / 2 as doubles would round up.
create function territory.quotient(a double precision, b double precision) returns double precision
language plpgsql immutable strict parallel safe as $body$
begin
  if a = trunc(a) and b = trunc(b) and b <> 0 and abs(a) < 9e15 and abs(b) < 9e15 then
    return a::bigint / b::bigint;
  end if;
  return trunc(territory.over(a, b));
end $body$;

create function territory.remainder(a double precision, b double precision) returns double precision
language plpgsql immutable strict parallel safe as $body$
begin
  if a = trunc(a) and b = trunc(b) and b <> 0 and abs(a) < 9e15 and abs(b) < 9e15 then
    return a::bigint % b::bigint;
  end if;
  return territory.minus(a, territory.times(b, territory.quotient(a, b)));
end $body$;

-- Words alone, folded: what is between them is one blank.
create function territory.bare(words text) returns text language sql immutable strict parallel safe
return regexp_replace(territory.casei(territory.accenti(words)) collate pg_catalog."und-x-icu", '[^[:alnum:]]+', ' ', 'g');

-- The words of a row's name and description in every language that it has them in.
create function territory.searchable(name text, description text, translations jsonb) returns tsvector
language sql immutable parallel safe
return to_tsvector('pg_catalog.simple', territory.bare(left(
  coalesce(name, '') || ' ' || coalesce(description, '') || ' ' || coalesce(
    (select string_agg(t.said #>> '{}', ' ')
     from jsonb_path_query(translations, 'lax $.*.keyvalue() ? (@.key == "name" || @.key == "description").value') as t (said)),
    ''), 100000)));

-- What `q` asks for: every one of the words, each as the beginning of one.
create function territory.sought(words text) returns tsquery language sql immutable strict parallel safe
return case when trim(territory.bare(words)) = '' then ''::tsquery
  else to_tsquery('pg_catalog.simple', replace(trim(territory.bare(words)), ' ', ':* & ') || ':*') end;

-- A later migration that makes a kind calls this after make_kind.
create procedure territory.make_searchable(kind text) language plpgsql as $body$
begin
  execute format('create index %2$I on territory.%1$I using gin (territory.searchable(name, description, translations))',
                 kind, kind || '_words_idx');
end $body$;

do $body$
declare
  kind text;
begin
  foreach kind in array array['communes', 'areas', 'paths', 'places', 'heritage', 'buildings', 'installations',
                              'detections', 'figures', 'milestones', 'documents'] loop
    call territory.make_searchable(kind);
  end loop;
end $body$;
"""

DOWN = """
do $body$
declare
  index text;
begin
  for index in select c.relname from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
               where n.nspname = 'territory' and c.relkind = 'i' and c.relname like '%\\_words\\_idx' loop
    execute format('drop index territory.%I', index);
  end loop;
end $body$;
drop procedure territory.make_searchable(text);
drop function territory.sought(text);
drop function territory.searchable(text, text, jsonb);
drop function territory.bare(text);
drop function territory.remainder(double precision, double precision);
drop function territory.quotient(double precision, double precision);
drop function territory.power(double precision, double precision);
drop function territory.over(double precision, double precision);
drop function territory.times(double precision, double precision);
drop function territory.minus(double precision, double precision);
drop function territory.plus(double precision, double precision);
drop function territory.accenti(text);
drop function territory.casei(text);
"""


def upgrade() -> None:
    """Add the functions and the indexes."""
    op.get_bind().connection.cursor().execute(UP)


def downgrade() -> None:
    """Take them away again."""
    op.get_bind().connection.cursor().execute(DOWN)
