-- name: frs_by_number(sources, numbers)
select f.fr_id, f.source, f.number from frs f
join unnest(:sources::text[], :numbers::text[]) as n (source, number) using (source, number);

-- name: take_charges(fr_ids, batch, currencies, totals, actor)!
insert into charges (fr_id, batch, currency, total, actor)
select fr_id, :batch, currency, total, :actor
from unnest(:fr_ids::text[], :currencies::text[], :totals::numeric[]) as c (fr_id, currency, total)
on conflict (fr_id) do update set batch = excluded.batch, currency = excluded.currency, total = excluded.total,
    told_at = now(), actor = excluded.actor;

-- name: charged_frs(batch, since, until, after, most)
select c.fr_id, c.currency, c.total, f.order_id, f.source, f.number, f.body->>'decision_id' as decision_id,
    f.body->'cost' as cost, f.body->'by_hand' as by_hand
from charges c join frs f using (fr_id)
where (:batch::text is null or c.batch = :batch) and c.told_at >= :since::timestamptz
    and c.told_at < :until::timestamptz and c.fr_id > :after
order by c.fr_id limit :most;

-- name: decisions_by_id(decision_ids)
select decision_id, order_id, at, config_revision, event, inputs from decisions
where decision_id = any(:decision_ids::text[]);
