-- name: tallied()
-- What is counted, as of now: what was folded and what was not yet.
select what, key, sum(n)::bigint as n
from (select what, key, n from tallies union all select what, key, n from tally_changes) counted
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
       o.snapshot ->> 'currency' as currency, d.routed, d.reason as unroutable, d.detail as unroutable_detail
from orders o left join decisions d using (order_id)
where (:stores::text[] is null or o.store = any(:stores))
  and (:stage::text is null or o.stage = :stage)
  and (:sync::text is null or o.sync = :sync)
  and (:fulfillment::text is null or o.fulfillment = :fulfillment)
  and (:channel::text is null or o.channel = :channel)
  and (:hold::text is null or (
        o.stage = 'held' and o.snapshot -> 'holds' @> jsonb_build_array(jsonb_build_object('reason', :hold::text))))
  and (:number::text is null or o.number = :number or o.number = '#' || :number::text)
  and (:placed::timestamptz is null or (o.placed_at, o.order_id) < (:placed, :after::text))
order by o.placed_at desc, o.order_id desc
limit :limit;

-- name: search_orders(prefix, beyond, stores, stage, sync, fulfillment, channel, hold, placed, after, limit)
-- At most 20 terms begin so: of each the newest matches, by an index alone, then the newest of these.
with recursive found as (
    (select term from search_terms where term >= :prefix and term < :beyond order by term limit 1)
    union all
    select (select s.term from search_terms s where s.term > f.term and s.term < :beyond order by s.term limit 1)
    from found f where f.term is not null
), matched as (
    select m.* from (select term from found where term is not null limit 20) t cross join lateral (
        select s.order_id, s.placed_at, s.term, s.kind
        from search_terms s join orders o using (order_id)
        where s.term = t.term
          and (:placed::timestamptz is null or (s.placed_at, s.order_id) < (:placed, :after::text))
          and (:stores::text[] is null or o.store = any(:stores))
          and (:stage::text is null or o.stage = :stage)
          and (:sync::text is null or o.sync = :sync)
          and (:fulfillment::text is null or o.fulfillment = :fulfillment)
          and (:channel::text is null or o.channel = :channel)
          and (:hold::text is null or (
                o.stage = 'held' and o.snapshot -> 'holds' @> jsonb_build_array(jsonb_build_object('reason', :hold::text))))
        order by s.placed_at desc, s.order_id desc limit :limit
    ) m
), newest as (
    select order_id, min(placed_at) as placed_at, jsonb_object_agg(term, kind) as matched from matched
    group by order_id order by 2 desc, 1 desc limit :limit
)
select o.order_id, o.store, o.channel, o.channel_order_id, o.number, o.version, o.stage, o.stage_since, o.fulfillment,
       o.sync, n.placed_at, o.updated_at, o.snapshot -> 'holds' as holds, o.snapshot ->> 'total' as total,
       o.snapshot ->> 'currency' as currency, d.routed, d.reason as unroutable, d.detail as unroutable_detail, n.matched
from newest n join orders o using (order_id) left join decisions d using (order_id)
order by n.placed_at desc, o.order_id desc;

-- name: search_among(prefix, beyond, stores, stage, sync, fulfillment, channel, hold, placed, after, limit)
-- Where few orders are asked for: these first, then which of them a term names, by the index alone; `search_orders` would
-- look at each order of a common word to find few. What kind of word it is, is read for the orders that are given.
with recursive found as (
    (select term from search_terms where term >= :prefix and term < :beyond order by term limit 1)
    union all
    select (select s.term from search_terms s where s.term > f.term and s.term < :beyond order by s.term limit 1)
    from found f where f.term is not null
), narrowed as materialized (
    select o.order_id, o.placed_at from orders o
    where (:stores::text[] is null or o.store = any(:stores))
      and (:stage::text is null or o.stage = :stage)
      and (:sync::text is null or o.sync = :sync)
      and (:fulfillment::text is null or o.fulfillment = :fulfillment)
      and (:channel::text is null or o.channel = :channel)
      and (:hold::text is null or (
            o.stage = 'held' and o.snapshot -> 'holds' @> jsonb_build_array(jsonb_build_object('reason', :hold::text))))
      and (:placed::timestamptz is null or (o.placed_at, o.order_id) < (:placed, :after::text))
), hits as materialized (
    select s.term, s.placed_at, s.order_id
    from (select term from found where term is not null limit 20) t
    join search_terms s on s.term = t.term
    join narrowed n on n.order_id = s.order_id and n.placed_at = s.placed_at
), newest as (
    select s.order_id, s.placed_at, jsonb_object_agg(s.term, s.kind) as matched
    from (select order_id, placed_at from hits group by 1, 2 order by 2 desc, 1 desc limit :limit) n
    join hits h using (order_id, placed_at)
    join search_terms s on s.term = h.term and s.placed_at = h.placed_at and s.order_id = h.order_id
    group by s.order_id, s.placed_at
)
select o.order_id, o.store, o.channel, o.channel_order_id, o.number, o.version, o.stage, o.stage_since, o.fulfillment,
       o.sync, n.placed_at, o.updated_at, o.snapshot -> 'holds' as holds, o.snapshot ->> 'total' as total,
       o.snapshot ->> 'currency' as currency, d.routed, d.reason as unroutable, d.detail as unroutable_detail, n.matched
from newest n join orders o using (order_id) left join decisions d using (order_id)
order by n.placed_at desc, o.order_id desc;

-- name: order_by_id(order_id)^
select o.*, d.routed, d.reason as unroutable, d.detail as unroutable_detail, d.body as decision
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
select * from frs
where (:state::text is null or state = :state)
  and (:outcome::text is null or outcome = :outcome)
  and (:source::text is null or source = :source)
  and (:order_id::text is null or order_id = :order_id)
  and (:number::text is null or number = :number)
  and (:created::timestamptz is null or (created_at, fr_id) < (:created, :after::text))
order by created_at desc, fr_id desc limit :limit;

-- name: fr_by_id(fr_id)^
select * from frs where fr_id = :fr_id;

-- name: list_shipments(statuses, order_id, updated, after, limit)
select * from shipments
where (:statuses::text[] is null or status = any(:statuses))
  and (:order_id::text is null or order_id = :order_id)
  and (:updated::timestamptz is null or (updated_at, shipment_id) < (:updated, :after::text))
order by updated_at desc, shipment_id desc limit :limit;

-- name: list_records(connection, log_type, outcome, order_id, since, before, after, limit)
select body, at, exchange_id from records
where (:connection::text is null or connection = :connection)
  and (:log_type::text is null or log_type = :log_type)
  and (:outcome::text is null or outcome = :outcome)
  and (:order_id::text is null or order_ids @> array[:order_id::text])
  and (:since::timestamptz is null or at >= :since)
  and (:before::timestamptz is null or (at, exchange_id) < (:before, :after::text))
order by at desc, exchange_id desc limit :limit;

-- name: record_by_id(exchange_id)^
select body, at from records where exchange_id = :exchange_id;

-- name: list_alerts(all)
select * from alerts where (:all::boolean or cleared_at is null) order by raised_at desc limit 500;

-- name: list_connections()
select * from connections order by connection, service;

-- name: list_excluded(channel, number, at, after, limit)
select channel, channel_order_id, store, number, reason, detail, at from excluded_orders
where (:channel::text is null or channel = :channel)
  and (:number::text is null or number = :number or number = '#' || :number::text)
  and (:at::timestamptz is null or (at, channel_order_id) < (:at, :after::text))
order by at desc, channel_order_id desc limit :limit;
