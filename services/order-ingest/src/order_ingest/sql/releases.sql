-- name: waiting_orders(channel, after, limit)
-- Held and excludable orders, page by page.
select * from orders
where channel = :channel and order_id > :after
  and (standing = 'held' or (standing = 'excluded' and reason not in ('ours', 'canceled')))
order by order_id limit :limit;

-- name: add_preview(token, channel, version)!
insert into release_previews (token, channel, config_version) values (:token, :channel, :version);

-- name: add_preview_orders(token, order_ids)!
insert into release_preview_orders (token, order_id) select :token, id from unnest(:order_ids::uuid[]) as u (id);

-- name: preview(token)^
select p.token, p.channel, p.config_version, c.config_version as version_now,
       count(*) filter (where o.order_id is not null) as promised,
       count(*) filter (where o.standing in ('imported', 'canceled')) as gone_on,
       count(*) filter (where o.standing in ('held', 'excluded') and o.rules_version < c.rules_version) as waiting
from release_previews p
left join channels c on c.channel_id = p.channel
left join release_preview_orders r on r.token = p.token
left join orders o on o.order_id = r.order_id
where p.token = :token group by p.token, c.config_version;

-- name: not_released(token)
-- Promised, judged by the settings as they now are, and still not going on.
select o.number, o.standing, o.reason, o.body -> 'holds' as holds
from release_previews p join release_preview_orders r on r.token = p.token join orders o on o.order_id = r.order_id
join channels c on c.channel_id = p.channel
where p.token = :token and o.standing in ('held', 'excluded') and o.rules_version >= c.rules_version
order by o.number limit 100;

-- name: forget_previews(keep)!
delete from release_previews where at < now() - :keep::interval;
