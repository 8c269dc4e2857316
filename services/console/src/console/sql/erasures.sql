-- name: add_erasure(erasure_id, asked_by, reason, asked_as, whose)!
insert into erasures (erasure_id, asked_by, reason, asked_as, whose)
values (:erasure_id, :asked_by, :reason, :asked_as, :whose) on conflict (asked_as) do nothing;

-- name: erasure(erasure_id)^
select erasure_id, asked_at, asked_by, reason, state, order_ids, under_way, rows, last_error, done_at
from erasures where erasure_id = :erasure_id;

-- name: erasures(before, after, limit)
select erasure_id, asked_at, asked_by, reason, state, order_ids, under_way, rows, last_error, done_at
from erasures
where (:before::timestamptz is null or (asked_at, erasure_id) < (:before, :after::text))
order by asked_at desc, erasure_id desc limit :limit;

-- name: take_erasure()^
-- Whoever takes it has ten minutes; after that another replica begins again, which changes nothing twice.
update erasures set due_at = now() + interval '10 minutes'
where erasure_id = (select erasure_id from erasures where state = 'waiting' and due_at <= now()
                    order by due_at limit 1 for update skip locked)
returning erasure_id, whose, order_ids, passes, rows;

-- name: keep_whose(erasure_id, whose)!
update erasures set whose = :whose where erasure_id = :erasure_id;

-- name: note_erased(erasure_id, order_ids, under_way, rows, passes, done)!
update erasures set order_ids = :order_ids, under_way = :under_way, rows = :rows, passes = :passes, last_error = '',
    state = case when :done then 'done' else 'waiting' end, whose = case when :done then null else whose end,
    done_at = case when :done then now() end,
    due_at = now() + case when cardinality(:under_way::text[]) = 0 then interval '2 seconds' else interval '1 minute' end
where erasure_id = :erasure_id;

-- name: note_erased_orders(erasure_id, order_ids)!
-- At the end of its first pass; the second one finds what was in flight.
insert into erased_orders (order_id, erasure_id) select unnest(:order_ids::text[]), :erasure_id on conflict do nothing;

-- name: erasures_of_order(order_id)
select o.erasure_id, o.at, e.asked_at, e.asked_by
from erased_orders o join erasures e using (erasure_id) where o.order_id = :order_id order by o.at, o.erasure_id;

-- name: note_not_erased(erasure_id, error)!
update erasures set last_error = :error, due_at = now() + interval '10 seconds' where erasure_id = :erasure_id;

-- name: closed_orders(order_ids)
select order_id from orders where order_id = any(:order_ids::text[]) and stage in ('settled', 'canceled');

-- name: forget_customer_terms(order_ids)!
delete from search_terms where order_id = any(:order_ids::text[]) and kind = 'customer';

-- name: erased_of(order_ids)
select key from erased_keys where key = any(:order_ids::text[]);

-- name: orders_past_keeping(days, limit)
select o.order_id from orders o
where o.stage in ('settled', 'canceled') and o.stage_since < now() - :days::float8 * interval '1 day'
  and not exists (select 1 from erased_keys k where k.key = o.order_id)
order by o.stage_since limit :limit;

-- name: prune_records(days)!
-- Few at a time: the table is not held up.
delete from records where exchange_id in (
    select exchange_id from records where at < now() - :days::float8 * interval '1 day' order by at limit 10000);
