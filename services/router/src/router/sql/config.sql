-- name: apply_config(entities, versions, bodies)
insert into config_entities as e (entity, version, body)
select * from unnest(:entities::text[], :versions::int[], :bodies::jsonb[])
on conflict (entity) do update set version = excluded.version, body = excluded.body, applied_at = now()
where e.version < excluded.version
returning entity;

-- name: remove_config(entities, versions)
-- A removal has its place among the versions: an old one that comes again removes nothing.
insert into config_entities as e (entity, version)
select * from unnest(:entities::text[], :versions::int[])
on conflict (entity) do update set version = excluded.version, body = null, applied_at = now()
where e.version < excluded.version
returning entity;

-- name: config_entities()
select entity, version, body from config_entities where body is not null;

-- name: raise_revision()!
update rulebook set revision = revision + 1;

-- name: revision()$
select revision from rulebook;

-- name: hold_revision()$
select revision from rulebook for share;
