-- name: failures(per_group)
-- What waits for a person, one row a cause: how many orders, since when, and some of them to look at.
with troubles as (
    select 'held' as kind, hold ->> 'reason' as code, o.channel as at, hold ->> 'value' as value,
           hold ->> 'field' as field, hold ->> 'fix' as action, '' as message, o.order_id, o.number, o.stage_since as since,
           null::text as thing
    from orders o, jsonb_array_elements(o.snapshot -> 'holds') as hold
    where o.stage = 'held'
    union all
    select 'unroutable', o.unrouted_reason, '', null, null, '', '', o.order_id, o.number, d.at, null
    from orders o join decisions d using (order_id)
    where o.unrouted_reason is not null
    union all
    select case f.outcome when 'unknown' then 'fr_outcome_unknown' else 'fr_failed' end,
           coalesce(f.reason ->> 'code', lower(f.state)), f.source, null, null, coalesce(f.reason ->> 'action', ''),
           coalesce(f.reason ->> 'message', ''), f.order_id, f.number, f.updated_at, f.fr_id
    from frs f
    where f.state = 'FAILED' or (f.outcome = 'unknown' and f.state not in ('CANCELED', 'VOIDED'))
    union all
    select 'shipment_' || s.status, coalesce(s.reason ->> 'code', s.status),
           case s.status when 'sync_failed' then coalesce(o.channel, '') else s.source end,
           case s.reason ->> 'code' when 'COURIER_NOT_MAPPED' then s.body ->> 'carrier' end, null,
           coalesce(s.reason ->> 'action', ''), coalesce(s.reason ->> 'message', ''), s.order_id, coalesce(o.number, ''),
           s.updated_at, s.shipment_id
    from shipments s left join orders o using (order_id)
    where s.status in ('sync_failed', 'refused', 'conflicted')
)
select kind, code, at, value, max(action) as action, max(message) as message, count(distinct order_id) as orders,
       min(since) as since, (array_agg(number order by since))[1 : :per_group] as numbers,
       (array_agg(order_id order by since))[1 : :per_group] as order_ids,
       array_remove((array_agg(thing order by since))[1 : 1000], null) as things
from troubles group by kind, code, at, value
order by orders desc, since;
