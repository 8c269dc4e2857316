-- name: waiting_for_names(channel, reason)
-- Names of a channel that held orders wait for, the one that holds most first.
select hold ->> 'value' as name, count(distinct o.order_id) as orders, min(o.stage_since) as since
from orders o, jsonb_array_elements(o.snapshot -> 'holds') as hold
where o.stage = 'held' and o.channel = :channel and hold ->> 'reason' = :reason
group by 1 order by 2 desc, 1 limit 500;
