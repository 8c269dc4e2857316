-- name: stock_of_skus(skus)
select source, sku, on_hand - reserved as free, unit_cost, weight_g from stock where sku = any(:skus::text[]);

-- name: stock_of_source(source, after, most)
select source, sku, on_hand, reserved, uncovered, unit_cost, weight_g, counted_at from stock
where source = :source and sku > :after order by sku limit :most;

-- name: hold_skus(skus)!
select pg_advisory_xact_lock(hashtextextended(k.key, 0)) from (
    select distinct 'router/sku/' || s.sku as key from unnest(:skus::text[]) as s (sku) order by 1) as k;

-- name: share_skus(skus)!
select pg_advisory_xact_lock_shared(hashtextextended(k.key, 0)) from (
    select distinct 'router/sku/' || s.sku as key from unnest(:skus::text[]) as s (sku) order by 1) as k;

-- name: add_missing_stock(sources, skus)!
insert into stock (source, sku) select distinct * from unnest(:sources::text[], :skus::text[]) order by 1, 2
on conflict do nothing;

-- name: lock_stock(sources, skus)
select s.source, s.sku, s.on_hand, s.reserved, s.uncovered, s.unit_cost, s.weight_g, s.counted_at from stock s
where (s.source, s.sku) in (select * from unnest(:sources::text[], :skus::text[]))
order by s.source, s.sku for update;

-- name: reserve(sources, skus, units)!
update stock s set reserved = s.reserved + r.units, updated_at = now()
from unnest(:sources::text[], :skus::text[], :units::int[]) as r (source, sku, units)
where s.source = r.source and s.sku = r.sku;

-- name: write_stock(sources, skus, on_hand, reserved, uncovered, unit_costs, weights, counted_at)!
update stock s set on_hand = w.on_hand, reserved = w.reserved, uncovered = w.uncovered, unit_cost = w.unit_cost,
    weight_g = w.weight_g, counted_at = w.counted_at, updated_at = now()
from unnest(:sources::text[], :skus::text[], :on_hand::int[], :reserved::int[], :uncovered::int[],
    :unit_costs::numeric[], :weights::int[], :counted_at::timestamptz[])
    as w (source, sku, on_hand, reserved, uncovered, unit_cost, weight_g, counted_at)
where s.source = w.source and s.sku = w.sku;

-- name: new_adjustments(ids, sources, skus, deltas, ats)
insert into adjustments (adjustment_id, source, sku, delta, at)
select * from unnest(:ids::text[], :sources::text[], :skus::text[], :deltas::int[], :ats::timestamptz[])
on conflict do nothing returning adjustment_id;

-- name: moved_since(sources, skus, counted_at)
-- What left and came after each count: it does not know of them.
select c.source, c.sku,
    coalesce((select sum(l.quantity) from shipment_lines l
        where l.source = c.source and l.sku = c.sku and l.shipped_at > c.counted_at), 0)::int as shipped,
    coalesce((select sum(a.delta) from adjustments a
        where a.source = c.source and a.sku = c.sku and a.at > c.counted_at), 0)::int as adjusted
from unnest(:sources::text[], :skus::text[], :counted_at::timestamptz[]) as c (source, sku, counted_at);
