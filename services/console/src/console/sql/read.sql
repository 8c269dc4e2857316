-- name: tallied()
-- What is counted, as of now: what was folded and what was not yet.
select what, key, sum(n)::bigint as n
from (select what, key, n from tallies union all select what, key, n from tally_changes) counted
where what <> 'cause'
group by what, key having sum(n) <> 0 order by what, n desc, key;

-- name: oldest_by_stage(stages)
select s.stage, extract(epoch from now() - o.since)::float8 as seconds
from unnest(:stages::text[]) as s (stage)
cross join lateral (select min(stage_since) as since from orders where stage = s.stage) o
where o.since is not null;

-- name: stage_seconds(newest)^
-- Of the orders that were settled last: how fast it is now, not how fast it was over the years.
select
    percentile_cont(array[0.5, 0.95]) within group (order by extract(epoch from routed_at - imported_at)) as routed,
    percentile_cont(array[0.5, 0.95]) within group (order by extract(epoch from submitted_at - routed_at)) as submitted,
    percentile_cont(array[0.5, 0.95]) within group (order by extract(epoch from shipped_at - submitted_at)) as shipped,
    percentile_cont(array[0.5, 0.95]) within group (order by extract(epoch from settled_at - shipped_at)) as settled,
    percentile_cont(array[0.5, 0.95]) within group (order by extract(epoch from settled_at - imported_at)) as whole
from (
    select imported_at, routed_at, submitted_at, shipped_at, settled_at from orders
    where settled_at is not null order by settled_at desc limit :newest
) o;

-- name: list_orders(stores, stage, sync, fulfillment, channel, hold, number, placed, after, limit)
select o.order_id, o.store, o.channel, o.channel_order_id, o.number, o.version, o.stage, o.stage_since, o.fulfillment,
       o.sync, o.placed_at, o.updated_at, o.snapshot -> 'holds' as holds, o.snapshot ->> 'total' as total,
       o.snapshot ->> 'currency' as currency, d.routed, d.reason as unroutable, d.detail as unroutable_detail,
       d.lacks -> 0 ->> 'fix' as unroutable_fix
from newest_orders(:stores, :stage, :sync, :fulfillment, :channel, :hold, :number, :placed, :after, :limit) n
join orders o using (order_id) left join decisions d using (order_id)
order by n.placed_at desc, n.order_id desc;

-- name: search_orders(prefix, beyond, stores, stage, sync, fulfillment, channel, hold, number, placed, after, limit)
with terms as materialized (
    select array(select terms_beginning(:prefix, :beyond)) as found
)
select o.order_id, o.store, o.channel, o.channel_order_id, o.number, o.version, o.stage, o.stage_since, o.fulfillment,
       o.sync, o.placed_at, o.updated_at, o.snapshot -> 'holds' as holds, o.snapshot ->> 'total' as total,
       o.snapshot ->> 'currency' as currency, d.routed, d.reason as unroutable, d.detail as unroutable_detail,
       d.lacks -> 0 ->> 'fix' as unroutable_fix,
       (select jsonb_object_agg(s.term, s.kind) from search_terms s
        where s.term = any(t.found) and s.placed_at = n.placed_at and s.order_id = n.order_id) as matched
from terms t cross join found_orders(:prefix, :beyond, :stores, :stage, :sync, :fulfillment, :channel, :hold, :number,
                                     :placed, :after, :limit) n
join orders o using (order_id) left join decisions d using (order_id)
order by n.placed_at desc, n.order_id desc;

-- name: order_by_id(order_id)^
select o.*, d.routed, d.reason as unroutable, d.detail as unroutable_detail,
       d.lacks -> 0 ->> 'fix' as unroutable_fix, d.body as decision
from orders o left join decisions d using (order_id)
where o.order_id = :order_id;

-- name: order_version_at(order_id, at)^
select v.snapshot, v.sequence, v.at, (
        select min(w.at) from order_versions w
        where w.order_id = v.order_id and w.sequence <= v.sequence and w.sequence > coalesce((
            select max(x.sequence) from order_versions x
            where x.order_id = v.order_id and x.sequence < v.sequence
              and x.snapshot ->> 'state' <> v.snapshot ->> 'state'), 0)
    ) as state_since
from order_versions v where v.order_id = :order_id and v.at <= :at order by v.sequence desc limit 1;

-- name: versions_of(order_id)
select sequence, at, snapshot from order_versions where order_id = :order_id order by sequence;

-- name: first_version(order_id)$
select min(at) from order_versions where order_id = :order_id;

-- name: frs_by_order(order_id)
select * from frs where order_id = :order_id order by created_at, fr_id;

-- name: shipments_by_order(order_id)
select * from shipments where order_id = :order_id order by updated_at, shipment_id;

-- name: activities_by_order(order_id)
-- With who caused it, where a person or program did.
select a.event_id, a.at, a.service, a.activity, a.title, a.detail, a.fr_id, a.shipment_id, a.caused_by,
       case when c.command_id is not null then jsonb_build_object(
            'action', c.action, 'actor', c.actor, 'reason', c.reason) end as command
from activities a left join commands c on c.command_id = a.caused_by
where a.order_id = :order_id order by a.at, a.event_id;

-- name: records_by_order(order_id)
select body, at from records where order_ids @> array[:order_id::text] order by at, exchange_id;

-- name: list_frs(state, outcome, source, order_id, number, created, after, limit)
select f.*
from newest_frs(:state, :outcome, :source, :order_id, :number, :created, :after, :limit) n join frs f using (fr_id)
order by n.created_at desc, n.fr_id desc;

-- name: fr_by_id(fr_id)^
select * from frs where fr_id = :fr_id;

-- name: list_shipments(statuses, order_id, updated, after, limit)
select s.*
from newest_shipments(:statuses, :order_id, :updated, :after, :limit) n join shipments s using (shipment_id)
order by n.updated_at desc, n.shipment_id desc;

-- name: list_records(connection, log_type, outcome, order_id, since, before, after, limit)
select r.body, r.at, r.exchange_id
from newest_records(:connection, :log_type, :outcome, :order_id, :since, :before, :after, :limit) n
join records r using (exchange_id)
order by n.at desc, n.exchange_id desc;

-- name: record_by_id(exchange_id)^
select body, at from records where exchange_id = :exchange_id;

-- name: list_alerts(all)
select * from alerts where (:all::boolean or cleared_at is null) order by raised_at desc limit 500;

-- name: list_connections()
select * from connections order by connection, service;

-- name: list_excluded(channel, number, at, after, limit)
select channel, channel_order_id, store, number, reason, detail, at
from newest_excluded(:channel, :number, :at, :after, :limit);
