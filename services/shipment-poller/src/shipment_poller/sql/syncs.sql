-- name: save_syncs(shipment_ids, order_ids, channels, wanted)!
-- What the channel shall show has changed: a new round for these, due now.
insert into syncs as y (shipment_id, order_id, channel, wanted, state, due_at)
select u.*, 'pending', now() from unnest(:shipment_ids::text[], :order_ids::text[], :channels::text[], :wanted::jsonb[])
    as u (shipment_id, order_id, channel, wanted)
on conflict (shipment_id) do update set wanted = excluded.wanted, revision = y.revision + 1, state = 'pending',
    due_at = now(), attempts = 0, looks = 0, round = y.round + 1, reason = null, changed_at = now(), asked_at = now();

-- name: arm_pushes(order_ids)!
insert into push_turns as t (order_id, channel, due_at)
select o.order_id, o.channel, now() from orders o where o.order_id = any(:order_ids::text[])
on conflict (order_id) do update set due_at = least(t.due_at, now());

-- name: pushes_to_do(order_ids)
-- Everything a try needs about these orders, in one round trip.
select o.order_id, o.channel, o.channel_order_id, o.traceparent, clock_timestamp() as now,
    (select jsonb_agg(jsonb_build_object('shipment_id', y.shipment_id, 'wanted', y.wanted, 'revision', y.revision,
        'state', y.state, 'attempts', y.attempts, 'looks', y.looks, 'tries', y.tries, 'fr_id', s.fr_id, 'source', s.source,
        'notified', y.notified or (n.any_told and exists (
            -- of these units the buyer was told under another shipment, which was taken back
            select from jsonb_to_recordset(s.lines) as mine (line_id text, sku text, quantity int)
            join jsonb_to_recordset(o.body -> 'lines') as line (line_id text, quantity int, components jsonb)
                on line.line_id = mine.line_id
            cross join jsonb_to_recordset(line.components) as part (sku text, quantity int)
            where part.sku = mine.sku and line.quantity * part.quantity < mine.quantity + (
                select coalesce(sum(told.quantity), 0) from syncs z join shipments t using (shipment_id)
                cross join jsonb_to_recordset(t.lines) as told (line_id text, sku text, quantity int)
                where z.order_id = o.order_id and z.notified and z.shipment_id <> y.shipment_id
                    and told.line_id = mine.line_id and told.sku = mine.sku))),
        'due', y.due_at is not null and y.due_at <= clock_timestamp()) order by s.position)
     from syncs y join shipments s using (shipment_id)
     cross join (select coalesce(bool_or(notified), false) as any_told from syncs where order_id = o.order_id) n
     where y.order_id = o.order_id) as syncs,
    (select jsonb_agg(jsonb_build_object('intent_id', i.intent_id, 'shipment_id', i.shipment_id, 'content', i.content,
        'ended_at', i.ended_at, 'missing_at', i.missing_at) order by i.opened_at)
     from intents i join syncs y using (shipment_id) where y.order_id = o.order_id and i.state = 'open') as intents,
    (select jsonb_agg(jsonb_build_object('fulfillment_id', f.fulfillment_id, 'shipment_id', f.shipment_id,
        'sent', f.sent, 'adopted', f.adopted) order by f.bound_at)
     from fulfillments f where f.order_id = o.order_id and f.live) as fulfillments
from orders o where o.order_id = any(:order_ids::text[]);

-- name: begin_work(shipment_ids, revisions, states, notified)!
-- The step a shipment is in, before the call is made.
update syncs y set state = u.state, notified = y.notified or u.notified
from unnest(:shipment_ids::text[], :revisions::int[], :states::text[], :notified::boolean[])
    as u (shipment_id, revision, state, notified)
where y.shipment_id = u.shipment_id and y.revision = u.revision;

-- name: not_notified(shipment_ids)!
-- The call that would have told the buyer surely had no effect.
update syncs set notified = false where shipment_id = any(:shipment_ids::text[]);

-- name: open_intents(intent_ids, shipment_ids, contents, ended)!
insert into intents (intent_id, shipment_id, content, ended_at)
select * from unnest(:intent_ids::text[], :shipment_ids::text[], :contents::jsonb[], :ended::timestamptz[]);

-- name: close_intents(intent_ids, states)!
update intents i set state = u.state
from unnest(:intent_ids::text[], :states::text[]) as u (intent_id, state)
where i.intent_id = u.intent_id and i.state = 'open';

-- name: leave_intents(intent_ids, ended, missing)!
-- Their outcome stays open; what is known about it now.
update intents i set ended_at = least(i.ended_at, coalesce(u.ended_at, i.ended_at)),
    missing_at = coalesce(i.missing_at, u.missing_at)
from unnest(:intent_ids::text[], :ended::timestamptz[], :missing::timestamptz[])
    as u (intent_id, ended_at, missing_at)
where i.intent_id = u.intent_id and i.state = 'open';

-- name: bind_fulfillments(channels, fulfillment_ids, shipment_ids, order_ids, sent, adopted, shown)
-- One of theirs belongs to one of ours, ever; answers those that are bound as asked.
insert into fulfillments as f (channel, fulfillment_id, shipment_id, order_id, sent, adopted, shown)
select * from unnest(:channels::text[], :fulfillment_ids::text[], :shipment_ids::text[], :order_ids::text[],
    :sent::jsonb[], :adopted::boolean[], :shown::jsonb[])
on conflict (channel, fulfillment_id) do update set sent = excluded.sent, live = true,
    shown = coalesce(excluded.shown, f.shown)
where f.shipment_id = excluded.shipment_id
returning fulfillment_id;

-- name: unbind_fulfillments(channels, fulfillment_ids)!
update fulfillments f set live = false
from unnest(:channels::text[], :fulfillment_ids::text[]) as u (channel, fulfillment_id)
where f.channel = u.channel and f.fulfillment_id = u.fulfillment_id;

-- name: finish_syncs(shipment_ids, revisions, states, due_in, attempts, looks, tries, reasons)
-- Only what was worked on: a newer revision stays due as it is. Answers what the events need.
with done as (
    update syncs y set state = u.state, due_at = now() + u.due_in, attempts = u.attempts, looks = u.looks,
        tries = y.tries + u.tries, reason = u.reason, changed_at = now()
    from unnest(:shipment_ids::text[], :revisions::int[], :states::text[], :due_in::interval[], :attempts::int[],
        :looks::int[], :tries::int[], :reasons::jsonb[])
        as u (shipment_id, revision, state, due_in, attempts, looks, tries, reason)
    where y.shipment_id = u.shipment_id and y.revision = u.revision
    returning y.shipment_id, y.tries, y.round, y.state, y.reason, u.tries > 0 as tried
), noted as (
    insert into sync_attempts (shipment_id, number, round, state, reason)
    select shipment_id, tries, round, state, reason from done where tried
)
select d.shipment_id, d.tries, (
        select max(p.resync_id) from resync_parts p
        where p.shipment_id = d.shipment_id and p.round = d.round and not p.canceled) as resync_id
from done d;

-- name: finish_pushes(order_ids, tokens)!
update push_turns t set lease_token = null, lease_until = null,
    due_at = (select min(y.due_at) from syncs y where y.order_id = t.order_id)
from unnest(:order_ids::text[], :tokens::uuid[]) as u (order_id, token)
where t.order_id = u.order_id and t.lease_token = u.token;

-- name: next_sequences(shipment_ids)
update shipments s set sequence = s.sequence + 1 where s.shipment_id = any(:shipment_ids::text[])
returning s.*;

-- name: axes_of(order_ids)
-- What the second axis of these orders is made of.
select o.order_id, o.fulfillment, o.sync as was, s.state, y.state as sync
from orders o join shipments s using (order_id) left join syncs y using (shipment_id)
where o.order_id = any(:order_ids::text[]);

-- name: save_axes(order_ids, syncs)!
update orders o set sync = u.sync from unnest(:order_ids::text[], :syncs::text[]) as u (order_id, sync)
where o.order_id = u.order_id and o.sync <> u.sync;

-- name: attempts_of(shipment_id)
select number, round, at, state, reason from sync_attempts where shipment_id = :shipment_id order by number;

-- name: late_syncs(after)
-- What is pending for longer than this since it was asked for, by channel.
select y.channel, count(*) as count, min(y.asked_at) as since, min(h.state) as health, min(h.cause) as cause,
    mode() within group (order by y.reason ->> 'message') as reason, min(b.per_second) as per_second
from syncs y left join connection_health h on h.connection_id = y.channel
    left join rate_budgets b on b.connection_id = y.channel
where y.due_at is not null and y.asked_at < now() - :after::interval
group by y.channel;
