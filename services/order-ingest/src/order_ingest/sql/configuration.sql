-- name: apply_entities(entities, versions, bodies)
-- Only newer versions count; the answer lists what was news.
insert into config_entities (entity, version, body)
select * from unnest(:entities::text[], :versions::int[], :bodies::jsonb[])
on conflict (entity) do update set version = excluded.version, body = excluded.body
where config_entities.version < excluded.version
returning entity;

-- name: entity_bodies(entities)
select entity, version, body from config_entities where entity = any(:entities::text[]) and body is not null;

-- name: forget_names(origins)!
delete from known_names where origin = any(:origins::text[]);

-- name: learn_names(kinds, names, origins)
-- Names that are news, whoever said them before us.
with u as (
    select distinct * from unnest(:kinds::text[], :names::text[], :origins::text[]) as u (kind, name, origin)
), before as (
    select distinct kind, name from known_names k where exists (select 1 from u where u.kind = k.kind and u.name = k.name)
), added as (
    insert into known_names (kind, name, origin) select kind, name, origin from u order by 1, 2, 3 on conflict do nothing
    returning kind, name
)
select kind, name from added where (kind, name) not in (select kind, name from before);

-- name: known_names(skus, methods)
select distinct kind, name from known_names
where (kind = 'sku' and name = any(:skus::text[])) or (kind = 'method' and name = any(:methods::text[]));
