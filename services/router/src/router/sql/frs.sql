-- name: frs_of_orders(order_ids)
select fr_id, order_id, source, number, sequence, state, order_version, push_sequence, body, wish from frs
where order_id = any(:order_ids::text[]) order by created_at, fr_id;

-- name: orders_of_frs(fr_ids)
select fr_id, order_id from frs where fr_id = any(:fr_ids::text[]);

-- name: frs_by_id(fr_ids)
select fr_id, order_id, source, sequence, state, push_sequence, wish from frs where fr_id = any(:fr_ids::text[]);

-- name: allocations_of_frs(fr_ids)
select fr_id, line_id, sku, source, tracked, asked, open, shipped, released, source_canceled, killed, astray
from allocations
where fr_id = any(:fr_ids::text[]) order by position;

-- name: numbers_taken(sources, numbers)
select source, number from frs
where (source, number) in (select * from unnest(:sources::text[], :numbers::text[]));

-- name: add_frs(fr_ids, order_ids, sources, numbers, versions, bodies)!
insert into frs (fr_id, order_id, source, number, order_version, body)
select * from unnest(:fr_ids::text[], :order_ids::text[], :sources::text[], :numbers::text[], :versions::int[],
    :bodies::jsonb[]);

-- name: add_allocations(fr_ids, line_ids, skus, sources, tracked, quantities)!
insert into allocations (fr_id, line_id, sku, source, tracked, asked, open)
select a.fr_id, a.line_id, a.sku, a.source, a.tracked, a.quantity, a.quantity
from unnest(:fr_ids::text[], :line_ids::text[], :skus::text[], :sources::text[], :tracked::boolean[], :quantities::int[])
    with ordinality as a (fr_id, line_id, sku, source, tracked, quantity, place)
order by a.place;

-- name: speak_of_frs(fr_ids, sequences, states, versions)!
-- Confirmed or asked back: our next fact about each.
update frs f set sequence = s.sequence, state = s.state, order_version = s.version
from unnest(:fr_ids::text[], :sequences::int[], :states::text[], :versions::int[]) as s (fr_id, sequence, state, version)
where f.fr_id = s.fr_id;

-- name: note_push(fr_ids, sequences, states)!
update frs f set push_sequence = greatest(f.push_sequence, s.push_sequence), state = s.state
from unnest(:fr_ids::text[], :sequences::bigint[], :states::text[]) as s (fr_id, push_sequence, state)
where f.fr_id = s.fr_id;

-- name: new_cancels(fr_ids, sequences)
insert into fr_cancels (fr_id, sequence) select * from unnest(:fr_ids::text[], :sequences::bigint[])
on conflict do nothing returning fr_id, sequence;

-- name: move_allocations(fr_ids, line_ids, skus, open, shipped, released, source_canceled, killed, astray)!
update allocations a set
    open = m.open, shipped = m.shipped, released = m.released, uncovered = least(a.uncovered, m.open),
    source_canceled = m.source_canceled, killed = m.killed, astray = m.astray
from unnest(:fr_ids::text[], :line_ids::text[], :skus::text[], :open::int[], :shipped::int[], :released::int[],
    :source_canceled::int[], :killed::int[], :astray::int[])
    as m (fr_id, line_id, sku, open, shipped, released, source_canceled, killed, astray)
where a.fr_id = m.fr_id and a.line_id = m.line_id and a.sku = m.sku;

-- name: spread_cover(sources, skus)!
-- What is on hand covers the oldest allocations first; the newest are uncovered (RT-6).
with asked as (
    select a.fr_id, a.line_id, a.sku, a.open, s.on_hand,
        sum(a.open) over (partition by a.source, a.sku order by a.position) - a.open as before
    from allocations a join stock s on s.source = a.source and s.sku = a.sku
    where (a.source, a.sku) in (select * from unnest(:sources::text[], :skus::text[])) and a.open > 0 and a.tracked
)
update allocations a set uncovered = asked.open - greatest(0, least(asked.open, asked.on_hand - asked.before))
from asked where a.fr_id = asked.fr_id and a.line_id = asked.line_id and a.sku = asked.sku;

-- name: uncovered(most)
select a.source, a.sku, a.fr_id, f.order_id, f.number, a.line_id, a.uncovered from allocations a
join frs f using (fr_id) where a.uncovered > 0 order by a.position desc limit :most;

-- name: known_shipments(shipment_ids)
select s.shipment_id, s.sequence, s.withdrawn, s.astray, l.line_id, l.sku, l.quantity, l.shipped_at from shipments s
left join shipment_lines l using (shipment_id) where s.shipment_id = any(:shipment_ids::text[]);

-- name: take_shipments(shipment_ids, sequences, fr_ids, withdrawn, astray)!
insert into shipments as s (shipment_id, sequence, fr_id, withdrawn, astray)
select * from unnest(:shipment_ids::text[], :sequences::bigint[], :fr_ids::text[], :withdrawn::boolean[],
    :astray::boolean[])
on conflict (shipment_id) do update set sequence = excluded.sequence, withdrawn = excluded.withdrawn,
    astray = excluded.astray
where s.sequence < excluded.sequence;

-- name: forget_shipment_lines(shipment_ids)!
delete from shipment_lines where shipment_id = any(:shipment_ids::text[]);

-- name: add_shipment_lines(shipment_ids, line_ids, skus, sources, quantities, shipped_at)!
insert into shipment_lines (shipment_id, line_id, sku, source, quantity, shipped_at)
select * from unnest(:shipment_ids::text[], :line_ids::text[], :skus::text[], :sources::text[], :quantities::int[],
    :shipped_at::timestamptz[]);
