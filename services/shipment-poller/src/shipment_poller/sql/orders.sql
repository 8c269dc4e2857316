-- name: upsert_orders(order_ids, sequences, channels, channel_order_ids, bodies, traceparents)
-- Newer snapshots only; answers the orders that changed. The first trace stays.
insert into orders as o (order_id, sequence, channel, channel_order_id, body, traceparent)
select * from unnest(:order_ids::text[], :sequences::bigint[], :channels::text[], :channel_order_ids::text[],
    :bodies::jsonb[], :traceparents::text[]) as u (order_id, sequence, channel, channel_order_id, body, traceparent)
order by u.order_id
on conflict (order_id) do update set sequence = excluded.sequence, body = excluded.body
where excluded.sequence > o.sequence
returning order_id, fulfillment, exists (select from shipments s where s.order_id = o.order_id) as has_shipments;

-- name: upsert_watches(fr_ids, order_ids, sources, numbers, platform_ids, states, outcomes, recalls, sequences, frs)
-- Newer facts of fulfillment-push only; the FR's content is taken from whichever fact brings it first.
insert into watches as w (fr_id, order_id, source, number, platform_id, state, outcome, recall, push_sequence, fr)
select * from unnest(:fr_ids::text[], :order_ids::text[], :sources::text[], :numbers::text[], :platform_ids::text[],
    :states::text[], :outcomes::text[], :recalls::text[], :sequences::bigint[], :frs::jsonb[])
    as u (fr_id, order_id, source, number, platform_id, state, outcome, recall, push_sequence, fr)
order by u.fr_id
on conflict (fr_id) do update set
    state = case when excluded.push_sequence > w.push_sequence then excluded.state else w.state end,
    outcome = case when excluded.push_sequence > w.push_sequence then excluded.outcome else w.outcome end,
    recall = case when excluded.push_sequence > w.push_sequence then excluded.recall else w.recall end,
    platform_id = case when excluded.platform_id <> '' then excluded.platform_id else w.platform_id end,
    fr = coalesce(w.fr, excluded.fr),
    push_sequence = greatest(w.push_sequence, excluded.push_sequence)
returning fr_id, order_id, source, state, outcome, push_sequence,
    exists (select from shipments s where s.order_id = w.order_id) as has_shipments;

-- name: stopped_for(fr_ids, instead)
-- The router asked these back, because the others shipped after all.
update watches w set stopped_for = u.instead from unnest(:fr_ids::text[], :instead::text[]) as u (fr_id, instead)
where w.fr_id = u.fr_id and w.stopped_for is distinct from u.instead
returning w.order_id;

-- name: lock_orders(order_ids)!
select 1 from orders where order_id = any(:order_ids::text[]) order by order_id for update;

-- name: orders_for_review(order_ids)
select order_id, channel, body, traceparent, fulfillment, sync, completions from orders
where order_id = any(:order_ids::text[]) order by order_id for update;

-- name: watches_for_review(order_ids)
select fr_id, order_id, source, state, outcome, recall, stopped_for, fr, shipped_at from watches
where order_id = any(:order_ids::text[]);

-- name: save_orders(order_ids, fulfillments, syncs, completions)!
update orders o set fulfillment = u.fulfillment, sync = u.sync, completions = u.completions
from unnest(:order_ids::text[], :fulfillments::text[], :syncs::text[], :completions::bigint[])
    as u (order_id, fulfillment, sync, completions)
where o.order_id = u.order_id;

-- name: save_done(fr_ids, done)!
update watches w set shipped_at = case when u.done then coalesce(w.shipped_at, now()) end
from unnest(:fr_ids::text[], :done::boolean[]) as u (fr_id, done)
where w.fr_id = u.fr_id;
