-- name: note_delivery(channel, delivery)!
-- Once for each delivery: a second one waits here until the first is committed.
insert into hook_deliveries (channel, delivery_id) values (:channel, :delivery) on conflict do nothing;

-- name: forget_deliveries(keep)!
-- Platforms repeat a delivery for two days at most. Few at a time: the table is not held up.
delete from hook_deliveries where (channel, delivery_id) in (
    select channel, delivery_id from hook_deliveries where at < now() - :keep::interval order by at limit 10000);

-- name: forget_placed(keep)!
delete from placed_orders where idempotency_key in (
    select idempotency_key from placed_orders where at < now() - :keep::interval order by at limit 10000);
