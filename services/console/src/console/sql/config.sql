-- name: lock_config()!
select pg_advisory_xact_lock(hashtext('console.config'));

-- name: entities()
select e.entity, e.version, e.body, e.credentials, e.credential_names, e.credential_version, e.renewed, e.starts_at,
       e.position, v.actor, v.at
from config_entities e join config_versions v using (version)
where not e.removed order by e.position;

-- name: entity(entity)^
select e.entity, e.version, e.body, e.credentials, e.credential_names, e.credential_version, e.renewed, e.starts_at,
       e.position, v.actor, v.at
from config_entities e join config_versions v using (version)
where e.entity = :entity and not e.removed;

-- name: locked_out()
select distinct connection from connections where state = 'unauthorized';

-- name: platforms_of_channels(channels)
-- Of those of these channels that ever had an order, also ones that left the configuration since.
select c.id as channel, e.body ->> 'platform' as platform
from unnest(:channels::text[]) as c (id) join config_entities e on e.entity = 'channel/' || c.id
where exists (select 1 from orders o where o.channel = c.id)
   or exists (select 1 from excluded_orders x where x.channel = c.id);

-- name: removed_entities()
select entity, version from config_entities where removed;

-- name: next_version()$
select coalesce(max(version), 0) + 1 from config_versions;

-- name: current_version()$
select coalesce(max(version), 0) from config_versions;

-- name: add_version(version, at, actor, changes)!
insert into config_versions (version, at, actor, changes) values (:version, :at, :actor, :changes);

-- name: save_entity(entity, version, body, credentials, credential_names, credential_version, renewed, starts_at, position)!
insert into config_entities (entity, version, body, credentials, credential_names, credential_version, renewed,
                             starts_at, position)
values (:entity, :version, :body, :credentials, :credential_names, :credential_version, :renewed, :starts_at,
        :position)
on conflict (entity) do update
set version = excluded.version, body = excluded.body, credentials = excluded.credentials,
    credential_names = excluded.credential_names, credential_version = excluded.credential_version,
    renewed = excluded.renewed, starts_at = excluded.starts_at, position = excluded.position, removed = false;

-- name: move_entity(position, entity)!
update config_entities set position = :position where entity = :entity and position <> :position;

-- name: remove_entity(version, entity)!
update config_entities set removed = true, version = :version, credentials = '{}', renewed = '{}'
where entity = :entity;

-- name: save_renewed(entity, version, renewed, credential_version)!
update config_entities set version = :version, renewed = :renewed, credential_version = :credential_version
where entity = :entity;

-- name: stock_levels()
select source, sku, level, sequence from stock_levels order by source, sku;

-- name: save_stock_levels(sources, skus, levels, sequences)!
insert into stock_levels (source, sku, level, sequence)
select * from unnest(:sources::text[], :skus::text[], :levels::jsonb[], :sequences::bigint[])
on conflict (source, sku) do update set level = excluded.level, sequence = excluded.sequence;

-- name: receipts(entities)
select service, entity, version from config_receipts where entity = any(:entities::text[]);

-- name: versions(limit)
select version, at, actor, changes from config_versions order by version desc limit :limit;
