-- From detections at their commune's centre to points scattered over the commune, the same for the same seed.
-- Stands on bench.communes (code, nom, geom) and bench.detections (id, dep, commune, kwp, tilt, image_year, lon, lat).

-- The commune of each name: of the same department and name, else the one around the stated centre, else the nearest.
create table bench.homes as
select d.dep, d.commune, d.lon, d.lat, coalesce(named.code, around.code, near.code) as code
from (select distinct dep, commune, lon, lat from bench.detections) d
left join lateral (
  select c.code from bench.communes c where c.nom = d.commune and c.dep = d.dep
  order by c.geom <-> ST_SetSRID(ST_MakePoint(d.lon, d.lat), 4326) limit 1) named on true
left join lateral (
  select c.code from bench.communes c where ST_Intersects(c.geom, ST_SetSRID(ST_MakePoint(d.lon, d.lat), 4326)) limit 1) around on true
left join lateral (
  select c.code from bench.communes c where named.code is null and around.code is null
  order by c.geom <-> ST_SetSRID(ST_MakePoint(d.lon, d.lat), 4326) limit 1) near on true;
analyze bench.homes;

-- Each detection as many times as the whole needs, some once more: which, is told by a hash.
create table bench.mixed as
select d.*, row_number() over (order by md5(d.id::text)) as place, count(*) over () as n from bench.detections d;
analyze bench.mixed;

set enable_nestloop = off;
create table bench.housed as
select m.id, m.kwp, m.tilt, m.image_year, h.code, h.commune, (:rows / m.n + case when m.place <= :rows % m.n then 1 else 0 end)::integer as times
from bench.mixed m join bench.homes h using (dep, commune, lon, lat);
reset enable_nestloop;

create table bench.copies as
select c.*, row_number() over (partition by c.code order by c.id, c.copy) as place
from (select h.*, generate_series(1, h.times) as copy from bench.housed h) c;
analyze bench.copies;

create table bench.points as
select t.code, (p.dump).path[1] as place, (p.dump).geom
from (select code, count(*)::integer as n from bench.copies group by code) t
join bench.communes c using (code),
     lateral (select ST_Dump(ST_GeneratePoints(c.geom, t.n, :seed + ('x' || left(md5(t.code), 6))::bit(24)::integer)) as dump) p;
analyze bench.points;

-- Rows in the order of the Hilbert curve, as an import writes them.
insert into territory.installations
  (technology, power_kw, area_m2, annual_mwh, year, source_key, name, source, licence, since, since_precision, commune, position, geom)
select case when c.kwp <= 2 and c.tilt > 35 then 'solar_thermal' else 'photovoltaic' end,
       nullif(greatest(c.kwp, 0), 0), nullif(greatest(c.kwp, 0), 0) * 6, nullif(greatest(c.kwp, 0), 0) * 1.1, c.image_year,
       'bench:' || c.id || ':' || c.copy, 'Toiture solaire ' || c.id || ', ' || c.commune, 'DeepPVMapper', 'MIT',
       make_date(c.image_year, 1, 1), 'year', c.code, 'surveyed',
       coalesce(p.geom, ST_PointOnSurface(b.geom)) -- where a polygon is so odd that a point less came of it than was asked for
from bench.copies c join bench.communes b using (code) left join bench.points p using (code, place)
order by 14, c.id, c.copy;
