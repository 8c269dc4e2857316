-- name: expect_stock(sources)!
-- These sources' stock is read from their platforms: now, because something about them changed.
insert into stock_turns as t (source, due_at) select u.source, now() from unnest(:sources::text[]) as u (source)
on conflict (source) do update set due_at = now();

-- name: drop_stock_turns(sources)!
delete from stock_turns where source = any(:sources::text[]);

-- name: read_stock_now(source)!
-- Nothing where the source's stock is not read from its platform.
update stock_turns set due_at = now() where source = :source;

-- name: hold_stock_turn(source, token)$
select source from stock_turns where source = :source and lease_token = :token for update;

-- name: requests_at(source, skus, age)
-- What we asked of the source, for these of its SKUs: units that have not left yet, and a digest of all requests that are
-- open or came within this age. The digest changes with each request that comes, ends, or is shipped in part.
with asked as (
    select w.fr_id, w.order_id, w.state, w.shipped_at is null and w.state in ('PROCESSED', 'ACKNOWLEDGED') as open,
        l ->> 'line_id' as line_id, l ->> 'sku' as sku, l ->> 'source_sku' as source_sku,
        (l ->> 'quantity')::bigint as quantity
    from watches w cross join lateral jsonb_array_elements(w.fr -> 'lines') l
    where w.source = :source and l ->> 'source_sku' = any(:skus::text[]) and ((w.shipped_at is null and w.state in ('PROCESSED', 'ACKNOWLEDGED'))
        or w.known_at > now() - :age::interval)
), counted as (
    select a.*, coalesce((
        select sum((l ->> 'quantity')::bigint) from shipments s cross join lateral jsonb_array_elements(s.lines) l
        where s.order_id = a.order_id and s.fr_id = a.fr_id and s.state in ('recorded', 'waiting_for_label')
            and l ->> 'line_id' = a.line_id and l ->> 'sku' = a.sku), 0) as shipped
    from asked a
)
select source_sku, coalesce(sum(greatest(quantity - shipped, 0)) filter (where open), 0)::bigint as open,
    md5(string_agg(concat_ws(' ', fr_id, line_id, state, shipped), ',' order by fr_id, line_id, sku)) as requests
from counted group by source_sku;

-- name: tell_stock(source, skus, on_hands, requests, again)
-- Keeps and answers what is news: another figure, other requests than then, or told too long ago.
insert into stock_told as t (source, sku, on_hand, requests, sequence, told_at)
select :source, u.sku, u.on_hand, u.requests, 1, now()
from unnest(:skus::text[], :on_hands::int[], :requests::text[]) as u (sku, on_hand, requests)
on conflict (source, sku) do update set on_hand = excluded.on_hand, requests = excluded.requests,
    sequence = t.sequence + 1, told_at = now()
where (t.on_hand, t.requests) is distinct from (excluded.on_hand, excluded.requests)
    or t.told_at < now() - :again::interval
returning sku, on_hand, sequence;

-- name: finish_stock_turn(source, token, was_due, wait, attempts, read_whole)!
-- Asked for meanwhile: the next one comes at once.
update stock_turns set lease_token = null, lease_until = null, attempts = :attempts,
    due_at = case when due_at > :was_due then now() else now() + :wait::interval end,
    turned_at = case when :read_whole::boolean then now() else turned_at end
where source = :source and lease_token = :token;

-- name: stock_turns()
select source, due_at, turned_at, attempts from stock_turns order by source;
