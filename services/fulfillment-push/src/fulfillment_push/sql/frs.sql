-- name: upsert_orders(order_ids, sequences, versions, states, bodies)
-- Newer copies replace older ones; returns the orders that changed here.
insert into orders as o (order_id, sequence, version, state, body)
select * from unnest(:order_ids::text[], :sequences::bigint[], :versions::int[], :states::text[], :bodies::jsonb[])
order by 1
on conflict (order_id) do update
set sequence = excluded.sequence, version = excluded.version, state = excluded.state, body = excluded.body,
    updated_at = now()
where excluded.sequence > o.sequence
returning order_id;

-- name: insert_missing(fr_ids, order_ids, traceparents)!
-- Rows for FRs that are heard of for the first time, whatever was heard.
insert into frs (fr_id, order_id, traceparent)
select * from unnest(:fr_ids::text[], :order_ids::text[], :traceparents::text[])
order by 1
on conflict (fr_id) do nothing;

-- name: lock_frs(with_body, fr_ids)
-- Locked in the order of their ids; `now` is the clock of the database.
select fr_id, order_id, clock_timestamp() as now, source, number, state, outcome, recall, known, auto_process,
       router_sequence, sequence, order_version, attempts, asks, void_reason, platform_id, reason, canceled, last_fact,
       fact_at, waiting, waiting_detail, waiting_since, due_at, lease_token, lease_until, lease_ended, first_missing,
       handle, shipping, shipped, sent_at, recalled_at, traceparent, case when :with_body then body end as body
from frs
where fr_id = any(:fr_ids::text[])
order by fr_id
for update;

-- name: frs_of_orders(order_ids)
select fr_id from frs where order_id = any(:order_ids::text[]);

-- name: wake_configured(sources)!
-- The configuration of these sources came or changed, look again at what waits for it.
update frs set due_at = now()
where fr_id in (
    select fr_id from frs
    where source = any(:sources::text[]) and waiting in ('not_configured', 'manual') and state = 'PROCESSING'
    order by fr_id for update
);

-- name: orders_by_id(with_body, order_ids)
select order_id, version, state, case when :with_body then body end as body
from orders where order_id = any(:order_ids::text[]);

-- name: save_frs(fr_ids, sources, numbers, states, outcomes, recalls, knowns, auto_processes, router_sequences, sequences, order_versions, attempts, asks, void_reasons, platform_ids, reasons, canceled, last_facts, fact_ats, waitings, waiting_details, waiting_sinces, due_ats, lease_tokens, lease_untils, lease_endeds, first_missings, handles, shippings, shipped, sent_ats, recalled_ats, bodies)!
update frs f set
    source = v.source, number = v.number, state = v.state, outcome = v.outcome, recall = v.recall, known = v.known,
    auto_process = v.auto_process, router_sequence = v.router_sequence, sequence = v.sequence,
    order_version = v.order_version, attempts = v.attempts, asks = v.asks, void_reason = v.void_reason,
    platform_id = v.platform_id, reason = v.reason, canceled = v.canceled, last_fact = v.last_fact,
    fact_at = v.fact_at, waiting = v.waiting, waiting_detail = v.waiting_detail, waiting_since = v.waiting_since,
    due_at = v.due_at, lease_token = v.lease_token, lease_until = v.lease_until, lease_ended = v.lease_ended,
    first_missing = v.first_missing, handle = v.handle, shipping = v.shipping, shipped = v.shipped,
    sent_at = v.sent_at, recalled_at = v.recalled_at, body = coalesce(v.body, f.body), updated_at = now()
from unnest(
    :fr_ids::text[], :sources::text[], :numbers::text[], :states::text[], :outcomes::text[], :recalls::text[],
    :knowns::boolean[], :auto_processes::boolean[], :router_sequences::bigint[], :sequences::bigint[],
    :order_versions::int[], :attempts::int[], :asks::int[], :void_reasons::text[], :platform_ids::text[],
    :reasons::jsonb[], :canceled::jsonb[], :last_facts::text[], :fact_ats::timestamptz[], :waitings::text[],
    :waiting_details::text[], :waiting_sinces::timestamptz[], :due_ats::timestamptz[], :lease_tokens::uuid[],
    :lease_untils::timestamptz[], :lease_endeds::timestamptz[], :first_missings::timestamptz[], :handles::text[],
    :shippings::text[], :shipped::jsonb[], :sent_ats::timestamptz[], :recalled_ats::timestamptz[], :bodies::jsonb[]
) as v (
    fr_id, source, number, state, outcome, recall, known, auto_process, router_sequence, sequence, order_version,
    attempts, asks, void_reason, platform_id, reason, canceled, last_fact, fact_at, waiting, waiting_detail,
    waiting_since, due_at, lease_token, lease_until, lease_ended, first_missing, handle,
    shipping, shipped, sent_at, recalled_at, body
)
where f.fr_id = v.fr_id;

-- name: insert_history(fr_ids, ats, from_states, to_states, whos, whys, attempts)!
insert into fr_history (fr_id, at, from_state, to_state, who, why, attempt)
select * from unnest(
    :fr_ids::text[], :ats::timestamptz[], :from_states::text[], :to_states::text[], :whos::text[], :whys::text[],
    :attempts::int[]
);

-- name: bound_platform_ids(sources, platform_ids)
-- Which FR each of these things at a source belongs to.
select f.source, f.platform_id, f.fr_id
from frs f
join unnest(:sources::text[], :platform_ids::text[]) as v (source, platform_id)
  on f.source = v.source and f.platform_id = v.platform_id;

-- name: run_now(source)
-- What waits for the next run of the source is due at once; returns the FRs.
update frs set due_at = now()
where fr_id in (
    select fr_id from frs where source = :source and state = 'PROCESSING' and waiting = 'send_run' and due_at > now()
    order by fr_id for update
)
returning fr_id;

-- name: rest_shipped(order_ids)!
-- The order is shipped, nobody needs to look at its requests any more. A look under way ends before this.
update frs set waiting = null, waiting_detail = null, waiting_since = null, due_at = null
where fr_id in (
    select fr_id from frs where order_id = any(:order_ids::text[]) and waiting = 'source_progress'
    order by fr_id for update
);

-- name: upsert_shipments(shipment_ids, fr_ids, sequences, units)
-- Newer word replaces older; returns the FRs for which something is new.
insert into fr_shipments as s (shipment_id, fr_id, sequence, units)
select * from unnest(:shipment_ids::text[], :fr_ids::text[], :sequences::bigint[], :units::jsonb[])
order by 1
on conflict (shipment_id) do update
set fr_id = excluded.fr_id, sequence = excluded.sequence, units = excluded.units
where excluded.sequence > s.sequence
returning fr_id;

-- name: shipped_units(fr_ids)
select fr_id, units from fr_shipments where fr_id = any(:fr_ids::text[]);

-- name: overdue_recalls(before, limit)
select fr_id from frs where recall = 'requested' and recalled_at < now() - :before::interval
order by recalled_at limit :limit::int;

-- name: resting_unseen(sources, leads)
-- Of each source: FRs that it has not acknowledged within its lead, and the numbers of the oldest.
select l.source, r.frs, r.since, r.numbers
from unnest(:sources::text[], :leads::interval[]) as l (source, lead)
cross join lateral (
    select count(*) as frs, min(sent_at) as since, (array_agg(number order by sent_at))[1 : 5] as numbers
    from (select number, sent_at from frs
          where source = l.source and state = 'PROCESSED' and shipping = 'awaiting' and sent_at < now() - l.lead
          order by sent_at limit 1000) as oldest
) as r;

-- name: unanswered_recalls(sources)
-- Of each source: FRs that were asked back and are not answered in time.
select source, count(*) as frs, min(recalled_at) as since, (array_agg(number order by recalled_at))[1 : 5] as numbers
from frs where recall = 'unanswered' and state in ('PROCESSED', 'ACKNOWLEDGED') and source = any(:sources::text[])
group by source;
