-- name: ask_outward(id, channel, since, until, asked_by)^
insert into outward_audits (audit_id, channel, since, until, asked_by)
values (:id, :channel, coalesce(:since::timestamptz, '1970-01-01'), coalesce(:until::timestamptz, now()), :asked_by)
returning audit_id, since, until;

-- name: plan_outward(ids, channels, reach)!
-- Each of these once a day, over what was owed lately.
insert into outward_audits (audit_id, channel, since, until, asked_by)
select u.id, u.channel, now() - :reach::interval, now(), 'daily'
from unnest(:ids::uuid[], :channels::text[]) as u (id, channel)
where not exists (select from outward_audits a where a.channel = u.channel and a.asked_by = 'daily'
    and a.asked_at > now() - interval '1 day');

-- name: outward_audits_of(channel, limit)
select * from outward_audits where channel = :channel order by asked_at desc limit :limit;

-- name: outward_audit(audit_id)^
select * from outward_audits where audit_id = :audit_id;

-- name: outward_page(channel, since, until, after_at, after_id, asked_at, daily, most)
-- The next owed fulfillments. `look`: the order was not looked at in this walk; by the day, when its age has nearly
-- doubled since it was: after 1, 2 and 4 days.
select y.shipment_id, y.order_id, y.owed_at,
    c.checked_at is null or (c.checked_at < :asked_at::timestamptz and (not :daily::boolean
        or clock_timestamp() - y.owed_at >= 1.8 * (c.checked_at - y.owed_at))) as look
from syncs y left join outward_checks c using (order_id)
where y.channel = :channel and y.owed_at between :since and :until
    and (y.owed_at, y.shipment_id) > (:after_at::timestamptz, :after_id::text)
order by y.owed_at, y.shipment_id limit :most;

-- name: outward_orders(order_ids)
-- As `pushes_to_do`, with what an audit needs besides.
select o.order_id, o.channel, o.channel_order_id, o.body ->> 'number' as number, o.traceparent,
    clock_timestamp() as now,
    exists (select from push_turns t where t.order_id = o.order_id and t.due_at is not null) as turn,
    (select jsonb_agg(jsonb_build_object('shipment_id', y.shipment_id, 'wanted', y.wanted, 'revision', y.revision,
        'state', y.state, 'attempts', y.attempts, 'looks', y.looks, 'tries', y.tries, 'notified', y.notified,
        'fr_id', s.fr_id, 'source', s.source, 'due', false, 'round', y.round, 'code', y.reason ->> 'code',
        'waits', y.due_at is not null) order by s.position)
     from syncs y join shipments s using (shipment_id) where y.order_id = o.order_id) as syncs,
    null::jsonb as intents,
    (select jsonb_agg(jsonb_build_object('fulfillment_id', f.fulfillment_id, 'shipment_id', f.shipment_id,
        'sent', f.sent, 'adopted', f.adopted, 'shown', f.shown) order by f.bound_at)
     from fulfillments f where f.order_id = o.order_id and f.live) as fulfillments
from orders o where o.order_id = any(:order_ids::text[]);

-- name: push_again(ids)!
-- What is owed and that nobody minds any more, or that the channel shows again: a new round, which reads back first.
update syncs set state = 'pending', attempts = 0, looks = 0, round = round + 1, due_at = now(), changed_at = now(),
    asked_at = now()
where shipment_id = any(:ids::text[]) and state <> 'synced' and state <> 'not_needed';

-- name: keep_checks(order_ids)!
insert into outward_checks (order_id, checked_at)
select id, clock_timestamp() from unnest(:order_ids::text[]) as u (id) order by id
on conflict (order_id) do update set checked_at = excluded.checked_at;

-- name: keep_outward(audit_id, token, after_at, after_id, counts, problems)$
-- One page further; the walk is due again at once.
update outward_audits set after_at = :after_at, after_id = :after_id, attempts = 0, last_error = null, due_at = now(),
    counts = (select coalesce(jsonb_object_agg(key, total), '{}') from (
        select key, sum(value::bigint) as total from (
            select * from jsonb_each_text(counts) union all select * from jsonb_each_text(:counts::jsonb)) all_counts
        group by key) summed),
    problems = case when cardinality(problems) < 50 then problems || :problems::text[] else problems end,
    lease_token = null, lease_until = null
where audit_id = :audit_id and lease_token = :token
returning audit_id;

-- name: owed_without_sync(channel, since, until, most)
-- Recorded within the window, and nothing says that the channel is to be told of it.
select distinct s.order_id from shipments s join orders o using (order_id)
where s.recorded_at between :since and :until and s.state = 'recorded' and o.channel = :channel
    and not exists (select from syncs y where y.shipment_id = s.shipment_id)
limit :most;

-- name: syncs_of(order_ids)
select shipment_id, order_id from syncs where order_id = any(:order_ids::text[]);

-- name: finish_outward(audit_id)!
update outward_audits set state = 'done', ended_at = now(), due_at = null where audit_id = :audit_id;

-- name: fail_outward(audit_id, token, due_in, used, error, most)^
-- The walk goes on at its place; after so many failures in a row a person is told.
update outward_audits set attempts = attempts + :used::int, last_error = :error, lease_token = null, lease_until = null,
    state = case when attempts + :used::int >= :most::int then 'failed' else state end,
    ended_at = case when attempts + :used::int >= :most::int then now() end,
    due_at = case when attempts + :used::int >= :most::int then null else now() + :due_in::interval end
where audit_id = :audit_id and lease_token = :token
returning state;

-- name: drifted_at(channel)^
select count(*) as shipments, count(distinct order_id) as orders from syncs
where channel = :channel and state = 'failed' and reason ->> 'code' = 'drifted';

-- name: forget_outward(keep)!
with checks as (delete from outward_checks where checked_at < now() - :keep::interval)
delete from outward_audits where state <> 'waiting' and ended_at < now() - :keep::interval;
