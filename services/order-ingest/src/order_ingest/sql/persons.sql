-- name: orders_named(channel, order_ids, channel_order_ids)
select order_id, channel, number, standing, snapshot, body, updated_at from orders
where order_id = any(:order_ids::uuid[])
union
select order_id, channel, number, standing, snapshot, body, updated_at from orders
where channel = :channel and channel_order_id = any(:channel_order_ids::text[]);

-- name: orders_of_email(channel, email)
-- Reads all orders: it is asked once for each person who wants to be forgotten.
select order_id, channel, number, standing, snapshot, body, updated_at from orders
where (:channel = '' or channel = :channel)
  and (lower(snapshot ->> 'email') = :email or exists (
        select 1 from jsonb_array_elements(snapshot -> 'addresses') a where lower(a ->> 'email') = :email));

-- name: facts_of_orders(order_ids)
select value from facts where key = any(:order_ids::text[]);

-- name: stamp(order_ids, digests)!
-- A likeness is made of an address: it goes with it.
update orders o set digest = u.digest, alike = null
from unnest(:order_ids::uuid[], :digests::bytea[]) as u (order_id, digest)
where o.order_id = u.order_id;

-- name: erased_among(channels, ids)
select o.order_id, o.channel, o.channel_order_id
from unnest(:channels::text[], :ids::text[]) as u (channel, id)
join orders o on o.channel = u.channel and o.channel_order_id = u.id
join erased_keys k on k.key = o.order_id::text;
