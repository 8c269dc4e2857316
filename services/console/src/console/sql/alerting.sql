-- name: claim_way(way)^
-- The way, while nobody else tells by it; no row when it is not due, or in another replica's hands.
select way, failures from alert_ways where way = :way and due_at <= now() for update skip locked;

-- name: know_way(way)!
insert into alert_ways (way) values (:way) on conflict (way) do nothing;

-- name: untold_changes(way, limit)
-- What a day ago was news is none any more.
select id, alert, raised, title, detail, action, at from alert_changes
where at > now() - interval '1 day' and not told @> array[:way::text] order by id limit :limit;

-- name: note_told(way, ids)!
update alert_changes set told = array_append(told, :way) where id = any(:ids::bigint[]);

-- name: note_way(way, failures, wait, last_error)!
update alert_ways set failures = :failures, due_at = now() + :wait::interval, last_error = :last_error where way = :way;

-- name: list_ways()
select way, failures, last_error, due_at from alert_ways order by way;

-- name: prune_alert_changes()!
delete from alert_changes where at < now() - interval '90 days';

-- name: late(stage, seconds)^
-- Orders that stand at a stage for longer than is promised; what waits for a person or for stock has its own place.
select count(*) as orders, min(o.stage_since) as since, (array_agg(o.number order by o.stage_since))[1 : 5] as numbers
from orders o
where o.stage = :stage and o.stage_since < now() - make_interval(secs => :seconds)
  and (o.stage <> 'imported' or (
        coalesce((select d.routed from decisions d where d.order_id = o.order_id), true)
        and (o.snapshot ->> 'auto_generate')::boolean))
  and (o.stage <> 'routed' or exists (
        select from frs f where f.order_id = o.order_id and f.state in ('UNPROCESSED', 'PROCESSING')
            and (f.body ->> 'auto_process')::boolean))
  and (o.stage <> 'shipped' or not exists (
        select from shipments s where s.order_id = o.order_id and s.status in ('sync_failed', 'refused', 'conflicted')));
