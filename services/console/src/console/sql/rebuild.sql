-- name: forget_read_model()!
-- What is folded from topics. Kept: what the console itself owns, and states that only their newest fact tells.
truncate orders, order_versions, search_terms, decisions, excluded_orders, frs, shipments, activities, records, troubles,
         tallies, tally_changes;

-- name: note_rebuild(actor)!
insert into rebuilds (actor) values (:actor)
on conflict (only_one) do update set started_at = now(), actor = excluded.actor, events = '{}';

-- name: note_reemission(service, events)!
update rebuilds set events = events || jsonb_build_object(:service::text, :events::bigint);

-- name: last_rebuild()^
select started_at, actor, events from rebuilds;

-- name: read_model_size()^
select (select count(*) from orders) as orders, (select count(*) from activities) as activities,
       (select count(*) from records) as records;
