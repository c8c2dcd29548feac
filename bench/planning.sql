-- What somebody who knows PostGIS would write for the figures and geometries of the same answers, and for what they rest on.
-- Each question by its name; run alone through psycopg, with the server's own settings.

-- nearby
select f.*, ST_AsGeoJSON(f.geom, 6) as geometry,
       ST_Distance(f.geom::geography, ST_MakePoint(2.8333, 50.4303)::geography) as metres
from territory.installations f
where ST_DWithin(f.geom::geography, ST_MakePoint(2.8333, 50.4303)::geography, 50000)
order by metres, f.id limit 1000;

-- coverage
with s as (
  select i.id, i.geom, exists (
    select from territory.places p
    where p.category in ('monument', 'culture', 'trailhead', 'station', 'carpool', 'brownfield', 'other')
      and ST_DWithin(p.geom::geography, i.geom::geography, 1000)) as covered
  from territory.installations i)
select count(*), count(*) filter (where covered),
       (select ST_AsGeoJSON(ST_Collect(geom), 7) from (select geom from s where not covered limit 10000) rest)
from s;
select position, count(*), max(position_accuracy_m), count(*) - count(position_accuracy_m) from territory.installations group by 1;
select position, count(*), max(position_accuracy_m), count(*) - count(position_accuracy_m) from territory.places
where category in ('monument', 'culture', 'trailhead', 'station', 'carpool', 'brownfield', 'other') group by 1;

-- overlay-points
select f.id, f.name, f.technology, ST_AsGeoJSON(f.geom, 7) as geometry
from territory.installations f
where f.id in (select i.id from territory.heritage h
               cross join lateral (select n.id from territory.installations n where ST_Intersects(h.geom, n.geom) offset 0) i
               where h.position <> 'schematic')
order by f.id;
select position, count(*), max(position_accuracy_m), count(*) - count(position_accuracy_m) from territory.installations group by 1;
select position, count(*), max(position_accuracy_m), count(*) - count(position_accuracy_m) from territory.heritage group by 1;

-- overlay-areas
with pieces as (
  select c.id, c.name, ST_Intersection(c.geom, ST_Union(h.geom)) as g
  from territory.communes c join territory.heritage h on ST_Intersects(c.geom, h.geom)
  where c.position <> 'schematic' and h.position <> 'schematic' group by c.id)
select id, name, ST_Area(g::geography) as area_m2, ST_AsGeoJSON(g, 7) as geometry from pieces order by id;
select position, count(*), max(position_accuracy_m), count(*) - count(position_accuracy_m), sum(ST_NPoints(geom)) from territory.communes group by 1;
select position, count(*), max(position_accuracy_m), count(*) - count(position_accuracy_m), sum(ST_NPoints(geom)) from territory.heritage group by 1;

-- summary-year
select coalesce(year, extract(year from since)::integer) as year, count(*), {sums} from territory.installations group by 1 order by 1;
select position, count(*), max(position_accuracy_m), count(*) - count(position_accuracy_m) from territory.installations group by 1;

-- summary-commune
select s.*, c.name, ST_AsGeoJSON(c.geom, 6) as geometry
from (select commune, count(*), {sums} from territory.installations group by 1) s
left join territory.communes c on c.insee = s.commune order by s.commune;
select position, count(*), max(position_accuracy_m), count(*) - count(position_accuracy_m) from territory.installations group by 1;

-- summary-cells
select y, x, n, {names}, ST_AsGeoJSON(ST_Transform(ST_MakeEnvelope(x, y, x + 1000, y + 1000, 3035), 4326), 7) as geometry
from (
  select floor(ST_Y(g) / 1000) * 1000 as y, floor(ST_X(g) / 1000) * 1000 as x, count(*) as n, {sums}
  from (select *, ST_Transform(geom, 3035) as g from territory.installations
        where ST_Intersects(geom, ST_SetSRID(ST_GeomFromGeoJSON(%(area)s), 4326)) offset 0) f
  where position_accuracy_m is null or position_accuracy_m <= 1000 group by 1, 2) cells order by y, x;
select position, count(*), max(position_accuracy_m), count(*) - count(position_accuracy_m) from territory.installations
where ST_Intersects(geom, ST_SetSRID(ST_GeomFromGeoJSON(%(area)s), 4326)) group by 1;

-- summary-areas
select s.*, c.name, ST_AsGeoJSON(c.geom, 6) as geometry
from (select c.id, count(*), {sums} from territory.communes c join territory.installations f on ST_Intersects(c.geom, f.geom)
      where c.position <> 'schematic' group by c.id) s
join territory.communes c using (id) order by c.id;
select position, count(*), max(position_accuracy_m), count(*) - count(position_accuracy_m) from territory.installations group by 1;
-- Each item that lies in some area, once: what the figures rest on.
select position, count(*), max(position_accuracy_m), count(*) - count(position_accuracy_m)
from (select distinct f.id, f.position, f.position_accuracy_m from territory.communes c
      cross join lateral (select i.id, i.position, i.position_accuracy_m from territory.installations i
                          where ST_Intersects(c.geom, i.geom) offset 0) f
      where c.position <> 'schematic') found group by 1;
select position, count(*), max(position_accuracy_m), count(*) - count(position_accuracy_m), sum(ST_NPoints(geom)) from territory.communes group by 1;

-- scenario
select c.id, c.name, ST_Area(ST_Intersection(c.geom, p.g)::geography), ST_AsGeoJSON(ST_Intersection(c.geom, p.g), 7)
from territory.communes c, (select ST_SetSRID(ST_GeomFromGeoJSON(%(added)s), 4326) as g) p where ST_Intersects(c.geom, p.g);
select i.id, i.name, ST_AsGeoJSON(i.geom, 7)
from territory.installations i, (select ST_SetSRID(ST_GeomFromGeoJSON(%(added)s), 4326) as g) p where ST_Intersects(i.geom, p.g);
select c.id, c.name, ST_Distance(c.geom::geography, ST_GeomFromGeoJSON(%(added)s)::geography) from territory.communes c
where ST_DWithin(c.geom::geography, ST_GeomFromGeoJSON(%(added)s)::geography, 50000) order by 3, 1 limit 1;
select i.id, i.name, ST_Distance(i.geom::geography, ST_GeomFromGeoJSON(%(added)s)::geography) from territory.installations i
where ST_DWithin(i.geom::geography, ST_GeomFromGeoJSON(%(added)s)::geography, 50000) order by 3, 1 limit 1;
with s as (
  select exists (
           select from territory.places p
           where p.category in ('monument', 'culture', 'trailhead', 'station', 'carpool', 'brownfield', 'other')
             and ST_DWithin(p.geom::geography, i.geom::geography, 1000)) as before,
         ST_DWithin(ST_GeomFromGeoJSON(%(added)s)::geography, i.geom::geography, 1000) as added
  from territory.installations i)
select count(*), count(*) filter (where before), count(*) filter (where before or added) from s;
select position, count(*), max(position_accuracy_m), count(*) - count(position_accuracy_m) from territory.installations group by 1;
select position, count(*), max(position_accuracy_m), count(*) - count(position_accuracy_m), sum(ST_NPoints(geom)) from territory.communes group by 1;
select position, count(*), max(position_accuracy_m), count(*) - count(position_accuracy_m) from territory.places
where category in ('monument', 'culture', 'trailhead', 'station', 'carpool', 'brownfield', 'other') group by 1
