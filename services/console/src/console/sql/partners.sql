-- name: add_partner_news(event_ids, order_ids, events, bodies, times)!
-- What is too old to be news is left out: a rebuild sends old facts again.
insert into partner_news (event_id, order_id, event, body, at)
select u.* from unnest(:event_ids::text[], :order_ids::text[], :events::text[], :bodies::jsonb[], :times::timestamptz[])
    as u (event_id, order_id, event, body, at)
where u.at > now() - interval '30 days'
on conflict (event_id) do nothing;

-- name: untold_partner_news(way, limit)
-- In the order in which they came.
select n.position as id, n.event_id, n.event, n.order_id, n.body, n.at, o.number, o.channel, o.store, o.channel_order_id
from partner_news n left join orders o using (order_id)
where n.told_at is null and :way::text is not null order by n.position limit :limit;

-- name: note_partner_told(way, ids)!
update partner_news set told_at = now() where position = any(:ids::bigint[]) and :way::text is not null;

-- name: prune_partner_news()!
delete from partner_news where at < now() - interval '90 days';
