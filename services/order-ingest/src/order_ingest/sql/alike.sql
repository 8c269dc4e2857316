-- name: lock_alike(keys)!
-- Orders alike are judged one after the other, in one lock order for everybody; held until the transaction ends.
select pg_advisory_xact_lock(k) from (select distinct k from unnest(:keys::bigint[]) as u (k) order by k) as sorted;

-- name: twins(alikes, channels, ids, heres, placed, within)
-- For each order the first one alike that was here before it and is still wanted, if any.
select u.channel, u.id, t.number
from unnest(:alikes::bytea[], :channels::text[], :ids::text[], :heres::bigint[],
            :placed::timestamptz[], :within::interval[])
    as u (alike, channel, id, here, placed, within)
cross join lateral (
    select o.number from orders o
    where o.channel = u.channel and o.alike = u.alike and o.here < u.here and o.standing in ('held', 'imported')
      and o.channel_order_id <> u.id
      and o.placed_at between u.placed - u.within and u.placed + u.within
    order by o.here limit 1
) t;

-- name: next_here(count)
select nextval('orders_here') as here from generate_series(1, :count::int);

-- name: judge_alike_again(order_ids)!
-- Orders that are held because of one of these, which is no longer wanted: the healer looks at them again.
update orders o set rules_version = 0
from (select w.order_id from orders g
      join orders w on w.channel = g.channel and w.alike = g.alike and w.order_id <> g.order_id
      where g.order_id = any(:order_ids::uuid[]) and g.alike is not null and w.standing = 'held'
      order by w.order_id for update of w) as waiting
where o.order_id = waiting.order_id;
