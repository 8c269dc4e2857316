-- name: upsert_entities(entities, versions, bodies, credential_versions)!
insert into config_entities as c (entity, version, body, credential_version)
select * from unnest(:entities::text[], :versions::bigint[], :bodies::jsonb[], :credential_versions::int[])
order by 1
on conflict (entity) do update
set version = excluded.version, body = excluded.body, credential_version = excluded.credential_version,
    updated_at = now()
where excluded.version > c.version;

-- name: remove_entities(entities, versions)!
-- A removal has its place among the versions: an old one that comes again removes nothing.
insert into config_entities as c (entity, version)
select * from unnest(:entities::text[], :versions::bigint[]) order by 1
on conflict (entity) do update set version = excluded.version, body = null, updated_at = now()
where excluded.version > c.version;

-- name: source_versions()
select entity, version from config_entities where entity like 'source/%' and body is not null;

-- name: source_bodies(entities)
select entity, version, credential_version, body from config_entities where entity = any(:entities::text[]);

-- name: give_back_probes(sources)!
-- The one row that was to try a source that is down made no call, another one may try.
update connection_health set probe_at = clock_timestamp()
where connection_id = any(:sources::text[]) and state = 'down';
