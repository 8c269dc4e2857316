-- name: want_live_reads(patience, ids, channels, numbers, refs, vias, traceparents)!
insert into live_reads (live_read_id, channel, number, order_ref, via, traceparent, give_up_at, due_at)
select live_read_id, channel, number, order_ref, via, traceparent, now() + :patience::interval, now()
from unnest(:ids::uuid[], :channels::text[], :numbers::text[], :refs::text[], :vias::text[], :traceparents::text[])
    as u (live_read_id, channel, number, order_ref, via, traceparent)
on conflict (channel, number) do update set due_at = now(), give_up_at = excluded.give_up_at, attempts = 0;

-- name: end_live_read(id, token, give_up_at)$
-- Gone, unless it was asked for again while it was being read: then it stays due.
with ended as (
    delete from live_reads where live_read_id = :id and lease_token = :token and give_up_at = :give_up_at returning 1
), freed as (
    update live_reads set lease_token = null, lease_until = null
    where live_read_id = :id and lease_token = :token and give_up_at <> :give_up_at
)
select count(*) from ended;

-- name: postpone_live_read(due_in, id, token)!
update live_reads set lease_token = null, lease_until = null, attempts = attempts + 1, due_at = now() + :due_in::interval
where live_read_id = :id and lease_token = :token;
