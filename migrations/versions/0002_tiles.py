"""Points know their place on the z-order curve, and mass kinds keep sums of their cells, so that low zooms are quick."""

from alembic import op

revision = "0002"
down_revision = "0001"

UP = """
-- The tile of zoom 22 that a point lies in, as one number: the bits of x and y interleaved. A tile of zoom z holds
-- exactly the keys that share its first 2z bits, so each point belongs to one tile and each cell to one tile.
-- plpgsql, for nested SQL functions cost 6 to 55 times as much; qualified, for a dump must restore.
create function territory.key22(place public.geometry) returns bigint
language plpgsql immutable strict parallel safe as $body$
declare
  lat double precision := greatest(-85.0511287, least(85.0511287, public.ST_Y(place)));
  x bigint := greatest(0, least(4194303, floor((public.ST_X(place) + 180) / 360 * 4194304)));
  -- A latitude of 1e-310 would be an underflow; what is nearer to the equator than 1e-15 is on it for any double.
  y bigint := greatest(0, least(4194303, floor((1 - asinh(tan(radians(case when abs(lat) < 1e-15 then 0 else lat end))) / pi()) / 2 * 4194304)));
begin
  x := (x | (x << 16)) & 281470681808895;   -- 0000ffff0000ffff
  x := (x | (x << 8)) & 71777214294589695;  -- 00ff00ff00ff00ff
  x := (x | (x << 4)) & 1085102592571150095; -- 0f0f0f0f0f0f0f0f
  x := (x | (x << 2)) & 3689348814741910323; -- 3333333333333333
  x := (x | (x << 1)) & 6148914691236517205; -- 5555555555555555
  y := (y | (y << 16)) & 281470681808895;
  y := (y | (y << 8)) & 71777214294589695;
  y := (y | (y << 4)) & 1085102592571150095;
  y := (y | (y << 2)) & 3689348814741910323;
  y := (y | (y << 1)) & 6148914691236517205;
  return x | (y << 1);
end $body$;

-- The bits at even places, pushed together: the column (or, shifted by one, the row) that a key stands for.
create function territory.even_bits(key bigint) returns bigint
language plpgsql immutable strict parallel safe as $body$
declare
  v bigint := key & 6148914691236517205;
begin
  v := (v | (v >> 1)) & 3689348814741910323;
  v := (v | (v >> 2)) & 1085102592571150095;
  v := (v | (v >> 4)) & 71777214294589695;
  v := (v | (v >> 8)) & 281470681808895;
  v := (v | (v >> 16)) & 4294967295;
  return v;
end $body$;

-- The square that an INSPIRE cell's name stands for, in EPSG:3035.
create function territory.cell_square(cell text) returns public.geometry
language sql immutable strict parallel safe
return (select public.ST_SetSRID(public.ST_MakeEnvelope(c.x, c.y, c.x + c.side, c.y + c.side), 3035)
        from (select m[1]::double precision as side, m[2]::double precision as y, m[3]::double precision as x
              from regexp_match(cell, '^CRS3035RES([0-9]+)mN([0-9]+)E([0-9]+)$') m) c);

-- Gives a table of points its keys. `carried` columns ride in the index, so that cells are counted from it alone.
create procedure territory.make_keys(kind text, carried text[]) language plpgsql as $body$
begin
  execute format('alter table territory.%1$I add column key22 bigint generated always as (territory.key22(geom)) stored', kind);
  execute format('create index %2$I on territory.%1$I (key22) %3$s', kind, kind || '_key22_idx',
    (select 'include (' || string_agg(quote_ident(c), ', ') || ')' from unnest(carried) c having count(*) > 0));
end $body$;

-- Keeps, for a mass kind, count and sums by cell of a zoom and by class. Sums are whole thousandths: floating sums
-- depend on the order of rows and would make equal tiles differ.
create procedure territory.make_cells(kind text, zoom integer, class text, sums text[]) language plpgsql as $body$
declare
  cells text := kind || '_cells' || zoom;
  shift integer := 2 * (22 - zoom);
  columns text := (select string_agg(quote_ident(s), ', ') from unnest(sums) s);
  row_of text := format('r.key22 >> %s as cell, %s as class', shift, case when class is null then '''''::text' else format('r.%I', class) end);
  plus text := (select string_agg(format('coalesce(round(r.%1$I * 1000)::bigint, 0) as %1$I', s), ', ') from unnest(sums) s);
  minus text := (select string_agg(format('-coalesce(round(r.%1$I * 1000)::bigint, 0) as %1$I', s), ', ') from unnest(sums) s);
  came text := format('select %s, 1 as n, %s from new_rows r', row_of, plus);
  went text := format('select %s, -1 as n, %s from old_rows r', row_of, minus);
  -- All changes of a statement in one pass and in the order of the key, so that two writers of the same cells wait for
  -- each other instead of deadlocking. What changes no sum writes nothing.
  upsert text := format($sql$
        insert into territory.%1$I as t (cell, class, n, %2$s)
        select c.cell, c.class, sum(c.n), %3$s from (%%s) c group by 1, 2 having sum(c.n) <> 0 or %4$s order by 1, 2
        on conflict (cell, class) do update set n = t.n + excluded.n, %5$s$sql$, cells, columns,
    (select string_agg(format('sum(c.%I)', s), ', ') from unnest(sums) s),
    (select string_agg(format('sum(c.%I) <> 0', s), ' or ') from unnest(sums) s),
    (select string_agg(format('%1$I = t.%1$I + excluded.%1$I', s), ', ') from unnest(sums) s));
begin
  execute format('create table territory.%I (cell bigint not null, class text not null, n bigint not null, %s, primary key (cell, class))',
    cells, (select string_agg(quote_ident(s) || ' bigint not null', ', ') from unnest(sums) s));
  execute format('grant select on territory.%I to gohelle_reader', cells);
  execute format($ddl$
    create function territory.%1$I() returns trigger language plpgsql security definer
    set search_path = pg_catalog, territory, public, pg_temp as $trigger$
    begin
      if tg_op = 'TRUNCATE' then
        truncate territory.%2$I;
        return null;
      elsif tg_op = 'INSERT' then
        %3$s;
        return null;
      elsif tg_op = 'UPDATE' then
        %4$s;
      else
        %5$s;
      end if;
      delete from territory.%2$I t using (select distinct r.key22 >> %6$s as cell from old_rows r) o
      where t.cell = o.cell and t.n = 0;
      return null;
    end $trigger$
  $ddl$, 'keep_' || cells, cells, format(upsert, came), format(upsert, came || ' union all ' || went), format(upsert, went), shift);
  execute format('create trigger %3$I after insert on territory.%1$I referencing new table as new_rows for each statement execute function territory.%2$I()', kind, 'keep_' || cells, 'cells' || zoom || '_insert');
  execute format('create trigger %3$I after update on territory.%1$I referencing old table as old_rows new table as new_rows for each statement execute function territory.%2$I()', kind, 'keep_' || cells, 'cells' || zoom || '_update');
  execute format('create trigger %3$I after delete on territory.%1$I referencing old table as old_rows for each statement execute function territory.%2$I()', kind, 'keep_' || cells, 'cells' || zoom || '_delete');
  execute format('create trigger %3$I after truncate on territory.%1$I execute function territory.%2$I()', kind, 'keep_' || cells, 'cells' || zoom || '_truncate');
  execute format(upsert, format('select %s, 1 as n, %s from territory.%I r', row_of, plus, kind));
end $body$;

call territory.make_keys('places', array[]::text[]);
call territory.make_keys('buildings', array[]::text[]);
call territory.make_keys('installations', array['technology', 'power_kw', 'area_m2', 'annual_mwh', 'position']);
call territory.make_keys('detections', array['count', 'power_kw']);
call territory.make_cells('installations', 11, 'technology', array['power_kw', 'area_m2', 'annual_mwh']);
call territory.make_cells('installations', 14, 'technology', array['power_kw', 'area_m2', 'annual_mwh']);
call territory.make_cells('detections', 11, null, array['count', 'power_kw']);
call territory.make_cells('detections', 14, null, array['count', 'power_kw']);

-- Squares that stand for homes are searched by their middles, some way around a tile.
create index installations_squares_idx on territory.installations using gist (geom_3857) where position = 'cell';
"""

DOWN = """
do $body$
declare
  kind text;
  zoom integer;
begin
  foreach kind in array array['installations', 'detections'] loop
    foreach zoom in array array[11, 14] loop
      execute format('drop function territory.%I() cascade', 'keep_' || kind || '_cells' || zoom);
      execute format('drop table territory.%I', kind || '_cells' || zoom);
    end loop;
  end loop;
  drop index territory.installations_squares_idx;
  foreach kind in array array['places', 'buildings', 'installations', 'detections'] loop
    execute format('alter table territory.%I drop column key22', kind);
  end loop;
end $body$;
drop procedure territory.make_cells(text, integer, text, text[]);
drop procedure territory.make_keys(text, text[]);
drop function territory.cell_square(text);
drop function territory.even_bits(bigint);
drop function territory.key22(public.geometry);
"""


def upgrade() -> None:
    """Add keys and cells; tables of points are written anew."""
    op.get_bind().connection.cursor().execute(UP)


def downgrade() -> None:
    """Take them away again."""
    op.get_bind().connection.cursor().execute(DOWN)
