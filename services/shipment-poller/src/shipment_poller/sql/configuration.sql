-- name: apply_configuration(entities, versions, bodies)
-- Newer versions only; answers which version counts now.
insert into config_entities as c (entity, version, body)
select * from unnest(:entities::text[], :versions::bigint[], :bodies::jsonb[])
on conflict (entity) do update set version = excluded.version, body = excluded.body, applied_at = now()
where excluded.version > c.version
returning entity;

-- name: remove_configuration(entities, versions)!
-- A removal has its place among the versions: an old one that comes again removes nothing.
insert into config_entities as c (entity, version)
select * from unnest(:entities::text[], :versions::bigint[])
on conflict (entity) do update set version = excluded.version, body = null, applied_at = now()
where excluded.version > c.version;

-- name: configuration_versions()
select entity, version from config_entities
where body is not null and (entity like 'channel/%' or entity like 'source/%');

-- name: configuration_bodies(entities)
select entity, version, body from config_entities where entity = any(:entities::text[]) and body is not null;

-- name: orders_with_unmapped_couriers(sources)
select distinct order_id from shipments where source = any(:sources::text[]) and not courier_known;

-- name: couriers_failed_for(channel, codes)
-- Which of our couriers a channel's shipments failed for, and in how many orders.
select wanted ->> 'carrier' as carrier, count(*) as shipments, count(distinct order_id) as orders from syncs
where channel = :channel and state = 'failed' and reason ->> 'code' = any(:codes::text[])
    and wanted is not null and (wanted ->> 'courier_known')::boolean
group by 1 order by 3 desc, 1;

-- name: orders_failed_for(channel, carriers, codes)
select distinct order_id from syncs
where channel = :channel and state = 'failed' and reason ->> 'code' = any(:codes::text[])
    and wanted ->> 'carrier' = any(:carriers::text[]) and (wanted ->> 'courier_known')::boolean;

-- name: rearm_failed(order_ids, carriers, codes)!
-- What failed for this reason begins a new round now.
update syncs set state = 'pending', attempts = 0, looks = 0, round = round + 1, due_at = now(), changed_at = now(),
    asked_at = now()
where order_id = any(:order_ids::text[]) and state = 'failed' and reason ->> 'code' = any(:codes::text[])
    and wanted ->> 'carrier' = any(:carriers::text[]);

-- name: wake_pushes(channels)!
-- Rows that waited for configuration or credentials are looked at now.
update push_turns set due_at = now() where channel = any(:channels::text[]) and due_at > now() and lease_token is null;
