-- name: lock_orders(order_ids)
select order_id, sequence, answered, revision from orders where order_id = any(:order_ids::text[])
order by order_id for update;

-- name: take_orders(order_ids, sequences, versions, bodies, traces)
-- The newest fact wins; returns those that were news.
insert into orders as o (order_id, sequence, version, body, traceparent, due_at)
select *, clock_timestamp()
from unnest(:order_ids::text[], :sequences::bigint[], :versions::int[], :bodies::jsonb[], :traces::text[])
on conflict (order_id) do update set
    sequence = excluded.sequence, version = excluded.version, body = excluded.body, revision = o.revision + 1,
    traceparent = coalesce(o.traceparent, excluded.traceparent), due_at = excluded.due_at
where o.sequence < excluded.sequence
returning order_id;

-- name: touch_orders(order_ids)!
-- Something that their plans depend on has changed: they are due.
update orders set revision = revision + 1, due_at = clock_timestamp() where order_id = any(:order_ids::text[]);

-- name: release_lease(order_ids, token)!
update orders set lease_token = null, lease_until = null where order_id = any(:order_ids::text[])
and lease_token = :token::uuid;

-- name: hold_orders(order_ids, revisions, token)
-- Those whose plan is still about what is stored now, locked.
select o.order_id from orders o
join unnest(:order_ids::text[], :revisions::bigint[]) as p (order_id, revision) using (order_id)
where o.lease_token = :token::uuid and o.revision = p.revision
order by o.order_id for update of o;

-- name: settle_orders(order_ids, standings, reasons, answered, decisions, frs, asked, killed, versions)!
-- Who asked for more is remembered while what they asked for is not free yet.
update orders o set
    standing = s.standing, reason = s.reason, answered = greatest(o.answered, s.answered), due_at = null,
    decisions = s.decisions, frs_made = o.frs_made + s.frs, lease_token = null, lease_until = null, attempts = 0,
    generate = o.generate and (s.standing <> 'routed' or s.asked),
    asked_by = case when s.asked then o.asked_by end, killed = s.killed,
    told_version = greatest(o.told_version, s.version)
from unnest(:order_ids::text[], :standings::text[], :reasons::text[], :answered::bigint[], :decisions::int[],
    :frs::int[], :asked::boolean[], :killed::jsonb[], :versions::int[])
    as s (order_id, standing, reason, answered, decisions, frs, asked, killed, version)
where o.order_id = s.order_id;

-- name: set_aside(wait, order_id, token)!
-- It cannot be planned: tried again later, and at once when something about it changes.
update orders set standing = 'waiting', reason = 'cannot_be_planned', attempts = attempts + 1, lease_token = null,
    lease_until = null, due_at = clock_timestamp() + :wait::interval
where order_id = :order_id and lease_token = :token::uuid;

-- name: forget_waits(order_ids)!
delete from order_waits where order_id = any(:order_ids::text[]);

-- name: add_waits(keys, order_ids, needs)!
insert into order_waits (key, order_id, needs)
select * from unnest(:keys::text[], :order_ids::text[], :needs::int[])
on conflict do nothing;

-- name: add_wakes(keys)!
insert into wakes (key) select unnest(:keys::text[]);

-- name: hold_wakes(most)
select id, key, after, woken from wakes order by id limit :most for update skip locked;

-- name: still_due(order_ids)
select order_id from orders where order_id = any(:order_ids::text[]) and due_at <= clock_timestamp();

-- name: waiters(keys, afters, rooms, most)
-- The oldest first (ids grow with time), after those that were woken before; none that needs more than there is.
select w.order_id, k.key from unnest(:keys::text[], :afters::text[], :rooms::int[]) as k (key, after, room)
cross join lateral (
    select order_id from order_waits
    where key = k.key and order_id > k.after and needs <= k.room order by order_id limit least(k.room, :most)
) w;

-- name: forget_wakes(ids)!
delete from wakes where id = any(:ids::bigint[]);

-- name: note_woken(ids, afters, woken)!
update wakes w set after = n.after, woken = string_to_array(n.woken, ' ')
from unnest(:ids::bigint[], :afters::text[], :woken::text[]) as n (id, after, woken) where w.id = n.id;

-- name: wake_orders(order_ids)
-- Locked in the order that everybody locks orders in.
with woken as (
    select o.order_id from orders o where o.order_id = any(:order_ids::text[]) and o.due_at is null
    order by o.order_id for update
)
update orders o set due_at = clock_timestamp() from woken where o.order_id = woken.order_id returning o.order_id;

-- name: last_decisions(order_ids)
select o.order_id, o.traceparent, d.type, d.event::text as event from orders o
join decisions d on d.order_id = o.order_id and d.sequence = o.decisions
where o.order_id = any(:order_ids::text[]);

-- name: add_decisions(decision_ids, order_ids, sequences, ats, types, versions, revisions, events, inputs, stages)!
insert into decisions (decision_id, order_id, sequence, at, type, order_version, config_revision, event, inputs, stages)
select d.decision_id, d.order_id, d.sequence, d.at, d.type, d.order_version, d.config_revision, d.event::json, d.inputs,
    d.stages::json
from unnest(:decision_ids::text[], :order_ids::text[], :sequences::int[], :ats::timestamptz[], :types::text[],
    :versions::int[], :revisions::bigint[], :events::text[], :inputs::jsonb[],
    :stages::text[])
    as d (decision_id, order_id, sequence, at, type, order_version, config_revision, event, inputs, stages);

-- name: order_of(order_id)^
select * from orders where order_id = :order_id;

-- name: decisions_of(order_id)
select decision_id, sequence, at, type, order_version, config_revision, event, inputs, stages from decisions
where order_id = :order_id order by sequence;

-- name: decisions_in(since, until)^
select count(*) as decisions, count(distinct order_id) as orders from decisions
where at >= :since::timestamptz and at < :until::timestamptz;

-- name: decisions_between(until, at, after, most)
select decision_id, order_id, at, config_revision, event, inputs from decisions
where (at, decision_id) > (:at::timestamptz, :after) and at < :until::timestamptz
order by at, decision_id limit :most;

-- name: decisions_to_rerun(order_id)
select decision_id, order_id, at, config_revision, event, inputs from decisions
where order_id = :order_id order by sequence;

-- name: waiting_counts()
select reason, count(*) as orders from orders where standing = 'waiting' group by reason order by reason;

-- name: prune_decisions(days, most)$
-- How many were forgotten. What an order still waits for is kept: its newest decision says why.
with forgotten as (
    delete from decisions where decision_id in (
        select d.decision_id from decisions d left join orders o using (order_id)
        where d.at < now() - :days::float8 * interval '1 day'
            and not (o.standing is not distinct from 'waiting' and o.decisions = d.sequence)
        order by d.at limit :most
    ) returning 1
)
select count(*)::int from forgotten;
