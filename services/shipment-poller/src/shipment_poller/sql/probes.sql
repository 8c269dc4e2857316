-- name: expect_probes(entities, versions)!
-- A new version of a connection is looked at now.
insert into probes as p (entity, version, due_at)
select u.entity, u.version, now() from unnest(:entities::text[], :versions::bigint[]) as u (entity, version)
on conflict (entity) do update set version = excluded.version, due_at = now() where excluded.version > p.version;

-- name: drop_probes(entities)!
delete from probes where entity = any(:entities::text[]);

-- name: finish_probe(entity, token, wait, attempts, found)!
update probes set lease_token = null, lease_until = null, due_at = now() + :wait::interval, attempts = :attempts,
    probed_at = case when :found::jsonb is null then probed_at else now() end, found = coalesce(:found, found)
where entity = :entity and lease_token = :token;

-- name: probe_of(entity)^
select entity, version, due_at, probed_at, found, coalesce(due_at <= now(), false) as due from probes where entity = :entity;
