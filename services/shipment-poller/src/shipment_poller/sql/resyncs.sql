-- name: begin_resync(resync_id, actor, reason)!
insert into resyncs (resync_id, actor, reason) values (:resync_id, :actor, :reason);

-- name: resync_parts(resync_id, ids, channel, code)^
-- These shipments, or all that failed (of one channel, for one cause). Those that are under way settle by themselves.
with chosen as (
    insert into resync_parts (resync_id, shipment_id, order_id)
    select :resync_id, shipment_id, order_id from syncs
    where case when :ids::text[] is null then state = 'failed' else shipment_id = any(:ids::text[]) end
        and state <> 'not_needed'
        and (:channel::text is null or channel = :channel)
        and (:code::text is null or reason ->> 'code' = :code)
    returning order_id)
select count(*) as shipments, count(distinct order_id) as orders from chosen;

-- name: claim_resync()^
select resync_id from resyncs where armed_at is null and canceled_at is null order by asked_at
limit 1 for update skip locked;

-- name: next_parts(resync_id, most)
select shipment_id, order_id from resync_parts where resync_id = :resync_id and round is null and not canceled
order by order_id limit :most;

-- name: arm_parts(resync_id, ids)!
-- A new round for each, due now; one that is being worked on keeps its round and settles by itself.
with found as (
    select y.shipment_id, y.state, y.reason from syncs y where y.shipment_id = any(:ids::text[])
), again as (
    update syncs y set state = 'pending', attempts = 0, looks = 0, round = y.round + 1, due_at = now(),
        changed_at = now(), asked_at = now()
    from found f where y.shipment_id = f.shipment_id and f.state in ('failed', 'synced', 'pending')
    returning y.shipment_id, y.round
)
update resync_parts p set round = coalesce(a.round, 0), was_state = f.state, was_reason = f.reason
from found f left join again a using (shipment_id)
where p.resync_id = :resync_id and p.shipment_id = f.shipment_id;

-- name: all_armed(resync_id)!
update resyncs set armed_at = now() where resync_id = :resync_id;

-- name: resync_of(resync_id)^
select resync_id, asked_at, actor, reason, armed_at, canceled_at, canceled_by, clock_timestamp() as now
from resyncs where resync_id = :resync_id;

-- name: resync_progress(resync_id)
-- By channel: what has ended how, and what is still to come.
select y.channel,
    count(*) as shipments,
    count(*) filter (where p.canceled) as canceled,
    count(*) filter (where not p.canceled and p.round is null) as waiting,
    count(*) filter (where p.round is not null and not p.canceled and y.due_at is not null) as pending,
    count(*) filter (where p.round is not null and not p.canceled and y.due_at is null and y.state = 'synced') as synced,
    count(*) filter (where p.round is not null and not p.canceled and y.due_at is null and y.state = 'failed') as failed,
    count(*) filter (where p.round is not null and not p.canceled and y.due_at is null and y.state = 'not_needed')
        as not_needed,
    max(y.changed_at) filter (where y.due_at is null and p.round is not null) as last_settled_at,
    min(h.state) as health, min(h.cause) as cause, min(b.per_second) as per_second,
    min(b.updated_at) > clock_timestamp() or min(b.available) < 1 as spent
from resync_parts p join syncs y using (shipment_id)
    left join connection_health h on h.connection_id = y.channel
    left join rate_budgets b on b.connection_id = y.channel
where p.resync_id = :resync_id group by y.channel order by y.channel;

-- name: resync_failures(resync_id)
select y.reason ->> 'code' as code, min(y.reason ->> 'message') as example, min(y.reason ->> 'action') as action,
    count(*) as shipments
from resync_parts p join syncs y using (shipment_id)
where p.resync_id = :resync_id and p.round is not null and not p.canceled and y.due_at is null and y.state = 'failed'
group by 1 order by 4 desc, 1;

-- name: cancel_resync(resync_id, actor)$
update resyncs set canceled_at = now(), canceled_by = :actor where resync_id = :resync_id and canceled_at is null
returning resync_id;

-- name: cancel_waiting(resync_id)!
update resync_parts set canceled = true where resync_id = :resync_id and round is null;

-- name: cancelable_parts(resync_id, most)
-- Begun, but no try of it was made yet.
select p.shipment_id, p.order_id from resync_parts p join syncs y using (shipment_id)
where p.resync_id = :resync_id and not p.canceled and p.round = y.round and y.state = 'pending' and y.attempts = 0
    and y.looks = 0 and p.was_state in ('failed', 'synced')
    and not exists (select from intents i where i.shipment_id = y.shipment_id and i.state = 'open')
    and not exists (select from push_turns t where t.order_id = y.order_id and t.lease_token is not null)
order by p.order_id limit :most;

-- name: put_back(resync_id, ids)!
-- As they were before.
with back as (
    update syncs y set state = p.was_state, due_at = null, reason = p.was_reason, changed_at = now()
    from resync_parts p
    where p.resync_id = :resync_id and p.shipment_id = y.shipment_id and y.shipment_id = any(:ids::text[])
        and y.state = 'pending' and y.round = p.round
    returning y.shipment_id
)
update resync_parts p set canceled = true from back b where p.resync_id = :resync_id and p.shipment_id = b.shipment_id;

-- name: drop_old_resyncs(keep)!
delete from resyncs where asked_at < now() - :keep::interval;
