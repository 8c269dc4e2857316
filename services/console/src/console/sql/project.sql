-- name: upsert_orders(snapshots, traceparents, times)!
insert into orders (order_id, store, channel, channel_order_id, number, version, sequence, state, snapshot, traceparent,
                    placed_at, updated_at, stage_since, imported_at)
select u.snapshot ->> 'order_id', u.snapshot ->> 'store', u.snapshot ->> 'channel', u.snapshot ->> 'channel_order_id',
       u.snapshot ->> 'number', (u.snapshot ->> 'version')::int, (u.snapshot ->> 'sequence')::bigint,
       u.snapshot ->> 'state', u.snapshot, u.traceparent, (u.snapshot ->> 'placed_at')::timestamptz, u.at, u.at, u.at
from unnest(:snapshots::jsonb[], :traceparents::text[], :times::timestamptz[]) as u (snapshot, traceparent, at)
on conflict (order_id) do update
set version = excluded.version, sequence = excluded.sequence, state = excluded.state, snapshot = excluded.snapshot,
    number = excluded.number
where orders.sequence < excluded.sequence;

-- name: keep_versions(snapshots, traceparents, times)!
insert into order_versions (order_id, sequence, at, snapshot, traceparent)
select u.snapshot ->> 'order_id', (u.snapshot ->> 'sequence')::bigint, u.at, u.snapshot, u.traceparent
from unnest(:snapshots::jsonb[], :traceparents::text[], :times::timestamptz[]) as u (snapshot, traceparent, at)
on conflict (order_id, sequence) do nothing;

-- name: forget_excluded(channels, channel_order_ids)!
delete from excluded_orders e
using unnest(:channels::text[], :channel_order_ids::text[]) as u (channel, channel_order_id)
where e.channel = u.channel and e.channel_order_id = u.channel_order_id;

-- name: upsert_excluded(channels, channel_order_ids, stores, numbers, reasons, details, sequences, times)!
insert into excluded_orders (channel, channel_order_id, store, number, reason, detail, sequence, at)
select u.channel, u.channel_order_id, u.store, u.number, u.reason, u.detail, u.sequence, u.at
from unnest(:channels::text[], :channel_order_ids::text[], :stores::text[], :numbers::text[], :reasons::text[],
            :details::text[], :sequences::bigint[], :times::timestamptz[])
    as u (channel, channel_order_id, store, number, reason, detail, sequence, at)
where not exists (select from orders o where o.channel = u.channel and o.channel_order_id = u.channel_order_id)
on conflict (channel, channel_order_id) do update
set reason = excluded.reason, detail = excluded.detail, sequence = excluded.sequence, at = excluded.at
where excluded_orders.sequence < excluded.sequence;

-- name: upsert_decisions(order_ids, sequences, routed, reasons, details, lacks, bodies, times)!
insert into decisions (order_id, sequence, routed, reason, detail, lacks, body, at)
select u.order_id, u.sequence, u.routed, u.reason, u.detail, u.lacks::jsonb, u.body, u.at
from unnest(:order_ids::text[], :sequences::bigint[], :routed::boolean[], :reasons::text[], :details::text[],
            :lacks::text[], :bodies::jsonb[], :times::timestamptz[])
    as u (order_id, sequence, routed, reason, detail, lacks, body, at)
on conflict (order_id) do update
set sequence = excluded.sequence, routed = excluded.routed, reason = excluded.reason, detail = excluded.detail,
    lacks = excluded.lacks, body = excluded.body, at = excluded.at
where decisions.sequence < excluded.sequence;

-- name: upsert_created_frs(bodies, sequences, times)!
insert into frs (fr_id, order_id, source, number, body, router_sequence, created_at, updated_at)
select u.body ->> 'fr_id', u.body ->> 'order_id', u.body ->> 'source', u.body ->> 'number', u.body, u.sequence, u.at, u.at
from unnest(:bodies::jsonb[], :sequences::bigint[], :times::timestamptz[]) as u (body, sequence, at)
on conflict (fr_id) do update
set body = excluded.body, source = excluded.source, number = excluded.number,
    router_sequence = greatest(frs.router_sequence, excluded.router_sequence),
    created_at = least(frs.created_at, excluded.created_at);

-- name: upsert_fr_progress(fr_ids, order_ids, sources, numbers, states, outcomes, recalls, attempts, reasons, platform_ids, submitted, sequences, times, shippings)!
insert into frs (fr_id, order_id, source, number, state, outcome, recall, attempt, reason, platform_id, submitted_at,
                 push_sequence, created_at, updated_at, shipping)
select u.fr_id, u.order_id, u.source, u.number, u.state, u.outcome, u.recall, u.attempt, u.reason, u.platform_id,
       u.submitted_at, u.sequence, u.at, u.at, u.shipping
from unnest(:fr_ids::text[], :order_ids::text[], :sources::text[], :numbers::text[], :states::text[], :outcomes::text[],
            :recalls::text[], :attempts::int[], :reasons::jsonb[], :platform_ids::text[],
            :submitted::timestamptz[], :sequences::bigint[], :times::timestamptz[], :shippings::text[])
    as u (fr_id, order_id, source, number, state, outcome, recall, attempt, reason, platform_id, submitted_at,
          sequence, at, shipping)
on conflict (fr_id) do update
set push_sequence = greatest(frs.push_sequence, excluded.push_sequence),
    submitted_at = least(frs.submitted_at, excluded.submitted_at),
    platform_id = case when excluded.push_sequence > frs.push_sequence
                       then coalesce(excluded.platform_id, frs.platform_id)
                       else coalesce(frs.platform_id, excluded.platform_id) end,
    state = case when excluded.push_sequence > frs.push_sequence then excluded.state else frs.state end,
    outcome = case when excluded.push_sequence > frs.push_sequence then excluded.outcome else frs.outcome end,
    recall = case when excluded.push_sequence > frs.push_sequence then excluded.recall else frs.recall end,
    shipping = case when excluded.push_sequence > frs.push_sequence then excluded.shipping else frs.shipping end,
    attempt = case when excluded.push_sequence > frs.push_sequence then excluded.attempt else frs.attempt end,
    reason = case when excluded.push_sequence > frs.push_sequence then excluded.reason else frs.reason end,
    updated_at = case when excluded.push_sequence > frs.push_sequence then excluded.updated_at else frs.updated_at end
where frs.push_sequence < excluded.push_sequence
   or (excluded.submitted_at is not null and frs.submitted_at is distinct from excluded.submitted_at)
   or (excluded.platform_id is not null and frs.platform_id is null);

-- name: upsert_shipments(bodies, sequences, statuses, reasons, fulfillment_ids, attempts, notes, times, recorded)!
insert into shipments (shipment_id, order_id, fr_id, source, sequence, status, body, reason, fulfillment_ids, attempts,
                       notes, recorded_at, synced_at, updated_at)
select u.body ->> 'shipment_id', u.body ->> 'order_id', u.body ->> 'fr_id', u.body ->> 'source', u.sequence, u.status,
       u.body, u.reason, array(select jsonb_array_elements_text(u.fulfillment_ids::jsonb)), u.attempts,
       array(select jsonb_array_elements_text(u.notes::jsonb)), u.recorded,
       case when u.status in ('synced', 'not_needed') then u.at end, u.at
from unnest(:bodies::jsonb[], :sequences::bigint[], :statuses::text[], :reasons::jsonb[], :fulfillment_ids::text[],
            :attempts::int[], :notes::text[], :times::timestamptz[], :recorded::timestamptz[])
    as u (body, sequence, status, reason, fulfillment_ids, attempts, notes, at, recorded)
on conflict (shipment_id) do update
set sequence = greatest(shipments.sequence, excluded.sequence),
    recorded_at = least(shipments.recorded_at, excluded.recorded_at),
    attempts = greatest(shipments.attempts, excluded.attempts),
    fulfillment_ids = case when excluded.fulfillment_ids = '{}' then shipments.fulfillment_ids
                           when excluded.sequence > shipments.sequence then excluded.fulfillment_ids
                           when shipments.fulfillment_ids = '{}' then excluded.fulfillment_ids
                           else shipments.fulfillment_ids end,
    status = case when excluded.sequence > shipments.sequence then excluded.status else shipments.status end,
    body = case when excluded.sequence > shipments.sequence then excluded.body else shipments.body end,
    reason = case when excluded.sequence > shipments.sequence then excluded.reason else shipments.reason end,
    notes = case when excluded.sequence > shipments.sequence then excluded.notes else shipments.notes end,
    synced_at = case when excluded.sequence > shipments.sequence then excluded.synced_at else shipments.synced_at end,
    updated_at = case when excluded.sequence > shipments.sequence then excluded.updated_at else shipments.updated_at end
where shipments.sequence < excluded.sequence or shipments.recorded_at > excluded.recorded_at;

-- name: insert_activities(event_ids, order_ids, times, services, activities, titles, details, fr_ids, shipment_ids, causes)!
insert into activities (event_id, order_id, at, service, activity, title, detail, fr_id, shipment_id, caused_by)
select * from unnest(:event_ids::text[], :order_ids::text[], :times::timestamptz[], :services::text[],
                     :activities::text[], :titles::text[], :details::jsonb[], :fr_ids::text[], :shipment_ids::text[],
                     :causes::text[])
on conflict (event_id) do update
set at = excluded.at, title = excluded.title, detail = excluded.detail, caused_by = excluded.caused_by
where excluded.at < activities.at;

-- name: insert_records(bodies, times)!
insert into records (exchange_id, connection, service, log_type, outcome, attempt, status, duration_ms, at, order_ids,
                     body)
select u.body ->> 'exchange_id', u.body ->> 'connection', u.body ->> 'service', u.body ->> 'log_type',
       u.body ->> 'outcome', (u.body ->> 'attempt')::int, (u.body ->> 'status')::int,
       (u.body ->> 'duration_ms')::real, u.at, array(select jsonb_array_elements_text(u.body -> 'order_ids')), u.body
from unnest(:bodies::jsonb[], :times::timestamptz[]) as u (body, at)
on conflict (exchange_id) do nothing;

-- name: raise_alert(alert, title, detail, action, at)!
with raised as (
    insert into alerts (alert, title, detail, action, raised_at)
    values (:alert, :title, :detail, :action, :at)
    on conflict (alert) do update
    set title = excluded.title, detail = excluded.detail, action = excluded.action, raised_at = excluded.raised_at,
        times = alerts.times + 1, cleared_at = null
    where alerts.raised_at < excluded.raised_at
    returning alert, title, detail, action, raised_at
)
insert into alert_changes (alert, raised, title, detail, action, at)
select alert, true, title, detail, action, raised_at from raised;

-- name: clear_alert(at, alert)!
with cleared as (
    update alerts set cleared_at = :at where alert = :alert and raised_at <= :at and cleared_at is null
    returning alert, title, detail, action, cleared_at
)
insert into alert_changes (alert, raised, title, detail, action, at)
select alert, false, title, detail, action, cleared_at from cleared;

-- name: upsert_connection(connection, service, state, detail, at)!
insert into connections (connection, service, state, detail, at)
values (:connection, :service, :state, :detail, :at)
on conflict (connection, service) do update
set state = excluded.state, detail = excluded.detail, at = excluded.at
where connections.at <= excluded.at;

-- name: upsert_config_receipts(services, entities, versions, times)!
insert into config_receipts (service, entity, version, at)
select u.service, u.entity, max(u.version), max(u.at)
from unnest(:services::text[], :entities::text[], :versions::bigint[], :times::timestamptz[])
    as u (service, entity, version, at)
group by u.service, u.entity
on conflict (service, entity) do update
set version = greatest(config_receipts.version, excluded.version), at = excluded.at;

-- name: lock_orders(order_ids)
-- With what all its versions together say of its times, whatever came first: since when it is in its state, too.
select o.order_id, o.snapshot, o.placed_at, o.terms_digest, o.troubled, v.imported_at, v.told_at, v.state_since, v.traceparent,
       o.updated_at
from orders o left join lateral (
    select min(w.at) as imported_at, (array_agg(w.at order by w.sequence desc))[1] as told_at,
           min(w.at) filter (where w.sequence > coalesce((
               select max(x.sequence) from order_versions x
               where x.order_id = o.order_id and x.snapshot ->> 'state' <> o.state), 0)) as state_since,
           (array_agg(w.traceparent order by w.sequence) filter (where w.traceparent is not null))[1] as traceparent
    from order_versions w where w.order_id = o.order_id
) v on true
where o.order_id = any(:order_ids::text[]) order by o.order_id for update of o;

-- name: frs_of(order_ids)
-- Lines are null while the router has not told of it.
select order_id, fr_id, number, source, state, outcome, reason, body -> 'lines' as lines, submitted_at, created_at,
       updated_at
from frs where order_id = any(:order_ids::text[]);

-- name: shipments_of(order_ids)
select order_id, shipment_id, source, status, reason, body -> 'lines' as lines, body ->> 'carrier' as carrier,
       body -> 'tracking_numbers' as tracking_numbers, recorded_at, synced_at, updated_at
from shipments where order_id = any(:order_ids::text[]);

-- name: decisions_of(order_ids)
select order_id, routed, reason, lacks, at from decisions where order_id = any(:order_ids::text[]);

-- name: save_standings(order_ids, stages, fulfillments, syncs, since, routed, submitted, shipped, settled, imported, told, traceparents, unrouted, troubled)!
-- Everything derived from rows that no order of arrival changes, so that a rebuilt model is the same one.
update orders o
set stage = u.stage, stage_since = u.since, fulfillment = u.fulfillment, sync = u.sync, routed_at = u.routed_at,
    submitted_at = u.submitted_at, shipped_at = u.shipped_at, settled_at = u.settled_at, imported_at = u.imported_at,
    updated_at = u.told_at, traceparent = coalesce(u.traceparent, o.traceparent),
    unrouted_reason = u.unrouted_reason, troubled = u.troubled
from unnest(:order_ids::text[], :stages::text[], :fulfillments::text[], :syncs::text[], :since::timestamptz[],
            :routed::timestamptz[], :submitted::timestamptz[], :shipped::timestamptz[], :settled::timestamptz[],
            :imported::timestamptz[], :told::timestamptz[], :traceparents::text[], :unrouted::text[],
            :troubled::boolean[])
    as u (order_id, stage, fulfillment, sync, since, routed_at, submitted_at, shipped_at, settled_at, imported_at,
          told_at, traceparent, unrouted_reason, troubled)
where o.order_id = u.order_id;

-- name: forget_troubles(order_ids)!
delete from troubles where order_id = any(:order_ids::text[]);

-- name: add_troubles(order_ids, stores, channels, placed, kinds, codes, at, values, actions, messages, numbers, since, things)!
insert into troubles (order_id, store, channel, placed_at, kind, code, at, value, action, message, number, since, things)
select u.order_id, u.store, u.channel, u.placed_at, u.kind, u.code, u.at, u.value, u.action, u.message, u.number, u.since,
       array(select jsonb_array_elements_text(u.things))
from unnest(:order_ids::text[], :stores::text[], :channels::text[], :placed::timestamptz[], :kinds::text[], :codes::text[],
            :at::text[], :values::text[], :actions::text[], :messages::text[], :numbers::text[], :since::timestamptz[],
            :things::jsonb[])
    as u (order_id, store, channel, placed_at, kind, code, at, value, action, message, number, since, things);

-- name: add_terms(terms, times, order_ids, kinds, stores, channels)!
insert into search_terms (term, placed_at, order_id, kind, store, channel)
select * from unnest(:terms::text[], :times::timestamptz[], :order_ids::text[], :kinds::text[], :stores::text[],
                     :channels::text[])
on conflict (term, placed_at, order_id) do nothing;

-- name: note_terms(order_ids, digests)!
update orders o set terms_digest = u.digest
from unnest(:order_ids::text[], :digests::bigint[]) as u (order_id, digest) where o.order_id = u.order_id;
