-- name: failures(per_group, limit)
-- What waits for a person, one row a cause: how many orders, since when, and those that wait longest to look at.
with counted as materialized (
    select key as cause, sum(n)::bigint as orders
    from (
        select key, n from tallies where what = 'cause' union all select key, n from tally_changes where what = 'cause'
    ) kept
    group by key having sum(n) > 0
), first as materialized (
    select c.cause, c.orders, t.kind, t.code, t.at, t.value, t.since
    from counted c cross join lateral (
        select * from troubles t where t.cause = c.cause order by t.since, t.order_id limit 1) t
    order by c.orders desc, t.since, c.cause limit :limit
)
select f.*, e.action, e.message, e.numbers, e.order_ids, case f.kind when 'shipment_sync_failed' then array(
        select unnest(t.things)
        from (select things from troubles where cause = f.cause order by since, order_id limit 1000) t
    ) end as things
from first f cross join lateral (
    select max(t.action) as action, max(t.message) as message, array_agg(t.number order by t.since, t.order_id) as numbers,
           array_agg(t.order_id order by t.since, t.order_id) as order_ids
    from (select * from troubles t where t.cause = f.cause order by t.since, t.order_id limit :per_group) t
) e
order by f.orders desc, f.since, f.cause;

-- name: causes()$
-- How many there are, whether they are shown or not.
select count(*) from (
    select from (
        select key, n from tallies where what = 'cause' union all select key, n from tally_changes where what = 'cause'
    ) kept group by key having sum(n) > 0) c;
