select setseed(0.62528);
insert into register.contributors (email, language, created_at)
select 'resident' || n || '@example.org', 'fr', now() from generate_series(1, :rows) n;
insert into register.declarations (state, technology, power_kw, year, owner_kind, location, precision, language, received_at,
                                   acted_at, contributor, words)
select 'confirmed', (array['photovoltaic', 'solar_thermal', 'heat_pump', 'storage'])[1 + n % 4], 1 + n % 20, 2005 + n % 20,
       'private_person', ST_SetSRID(ST_MakePoint(2.76 + random() * 0.06, 50.43 + random() * 0.04), 4326), 'cell_200m', 'fr',
       now() - n * interval '1 minute', now() - n * interval '1 minute', c.id,
       case when n % 10 = 0 then 'Très contents, venez voir au 12 rue Hoche' end
from (select id, row_number() over (order by email) as n from register.contributors) c;
analyze register.declarations;
analyze register.contributors
