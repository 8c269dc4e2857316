-- name: note_placed(key, digest, channel, number)^
-- What the key stands for already; nothing the first time. A second one waits here until the first is committed.
with mine as (
    insert into placed_orders (idempotency_key, digest, channel, number) values (:key, :digest, :channel, :number)
    on conflict (idempotency_key) do update set at = placed_orders.at
    returning idempotency_key, digest, channel, number, xmax = 0 as first
)
select digest, channel, number from mine where not first;
