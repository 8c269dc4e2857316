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

-- name: raise_revision()$
update rulebook set revision = revision + 1 returning revision;

-- name: keep_config(entities, revision)!
-- What each entity became at this revision: kept for good, so that any version can be planned by again (RT-15).
insert into config_history (entity, revision, version, body)
select entity, :revision, version, body from config_entities where entity = any(:entities::text[])
on conflict (entity, revision) do update set version = excluded.version, body = excluded.body;

-- name: config_at(revision)
select distinct on (entity) entity, version, body from config_history where revision <= :revision
order by entity, revision desc;

-- name: rulebook_versions(most)
select revision, min(at) as at, array_agg(entity order by entity) as changed,
    bool_or(body is null) as removes from config_history
group by revision order by revision desc limit :most;

-- name: revision()$
select revision from rulebook;

-- name: hold_revision()$
select revision from rulebook for share;
