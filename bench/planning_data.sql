-- What planners ask about beside the installations: real outlines, real brownfields, the zones around real monuments,
-- real ways. Stands on bench.communes (code, nom, geom), bench.points (what, key, name, lon, lat), bench.ways (key, name, wkb).

truncate territory.communes, territory.places, territory.heritage, territory.areas, territory.paths restart identity cascade;

insert into territory.communes (insee, source_key, name, source, licence, position, position_accuracy_m, geom)
select code, 'bench:' || code, nom, 'fr_communes_2018', 'Licence Ouverte', 'digitised', 50, ST_Multi(ST_CollectionExtract(geom, 3))
from (select * from (select distinct on (code) * from bench.communes order by code) one order by md5(code) limit :polygons) chosen
order by geom;

insert into territory.places (category, source_key, name, source, licence, position, geom)
select 'brownfield', 'bench:' || key, name, 'Cartofriches', 'Licence Ouverte', 'approximate', ST_SetSRID(ST_MakePoint(lon, lat), 4326) as geom
from bench.points where what = 'brownfield' and lat between 41 and 52 and lon between -6 and 10 order by geom;

-- The zone of 500 m around a listed monument, within which an architect of the State has a say.
insert into territory.heritage (category, source_key, name, source, licence, position, position_accuracy_m, geom)
select 'perimeter', 'bench:' || key, name, 'Mérimée', 'Licence Ouverte', 'approximate', 100,
       ST_Multi(ST_Buffer(ST_SetSRID(ST_MakePoint(lon, lat), 4326)::geography, 500)::geometry) as geom
from (select * from bench.points where what = 'monument' and lat between 41 and 52 and lon between -6 and 10
      order by md5(key) limit 10000) chosen
order by geom;

insert into territory.paths (category, source_key, name, source, licence, position, position_accuracy_m, geom)
select 'track', 'bench:' || key, name, 'OpenStreetMap', 'ODbL', 'digitised', 5, ST_Multi(ST_SetSRID(wkb::geometry, 4326)) as geom
from bench.ways order by geom;

drop schema bench cascade;
vacuum analyze
