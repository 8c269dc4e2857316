-- A term says whose order it names, so that a search of few stores or one channel passes the others' by in the index.
set local maintenance_work_mem = '256MB';

alter table search_terms rename to search_terms_before;
create table search_terms (
    term text collate "C" not null,         -- as console/search.py writes it: folded, without a leading #
    placed_at timestamptz not null,         -- the order's, so that one word's matches come newest first from the index
    order_id text not null,
    kind text not null,                     -- number | sku | customer | fr | tracking
    store text not null,
    channel text not null
);
insert into search_terms select t.term, t.placed_at, t.order_id, t.kind, o.store, o.channel
from search_terms_before t join orders o using (order_id) order by t.term, t.placed_at, t.order_id;
drop table search_terms_before;
alter table search_terms add constraint search_terms_pkey
    primary key (term, placed_at, order_id) include (kind, store, channel);

-- The words that begin so, 20 at most: of each the next one, by one probe.
create function terms_beginning(prefix text, beyond text) returns setof text language sql stable rows 20
set search_path from current as $$
    with recursive found as (
        (select term from search_terms where term >= prefix and term < beyond order by term limit 1)
        union all
        select (select s.term from search_terms s where s.term > f.term and s.term < beyond order by s.term limit 1)
        from found f where f.term is not null
    )
    select term from found where term is not null limit 20
$$;

-- Which of these orders one of the terms names, each looked up under each term.
create function looked_up(moments timestamptz[], ids text[], terms text[], most bigint)
returns table (placed_at timestamptz, order_id text) language plpgsql stable rows 50 set search_path from current as $$
#variable_conflict use_column
begin
    return query
    select n.placed_at, n.order_id
    from (select * from unnest(moments, ids) n (placed_at, order_id) order by 1 desc, 2 desc offset 0) n
    where (select true from unnest(terms) t (term) cross join lateral (
                select from search_terms s
                where s.term = t.term and s.placed_at = n.placed_at and s.order_id = n.order_id offset 0) s
           limit 1)
    limit most;  -- in their order, and no further than the page is long
end $$;

-- The same for many orders: their list is compared with each term's. No estimate knows how long these are, so the plan is
-- settled here: each list is read once, in its index.
create function compared(ids text[], terms text[], before timestamptz, behind text, most bigint)
returns table (placed_at timestamptz, order_id text) language plpgsql stable rows 50
set search_path from current set enable_nestloop = off set enable_mergejoin = off set enable_seqscan = off as $$
#variable_conflict use_column
begin
    return query
    select distinct s.placed_at, s.order_id from unnest(ids) n (order_id) join (
        select s.placed_at, s.order_id from unnest(terms) t (term) cross join lateral (
            select s.placed_at, s.order_id from search_terms s
            where s.term = t.term and (s.placed_at, s.order_id) < (before, behind) offset 0) s
    ) s using (order_id)
    order by 1 desc, 2 desc limit most;
end $$;

-- Orders that a term names which begins so, narrowed as `newest_orders` narrows. Some of the newest that the filters leave
-- are looked up (2,000 looks: 100 orders under 20 terms); if that does not fill the page, the rest is compared where it is
-- 50,000 at most, else each term's list is read from its newest on.
create function found_orders(prefix text, beyond text, of_stores text[], of_stage text, of_sync text, of_fulfillment text,
                             of_channel text, of_hold text, of_number text, before timestamptz, behind text, most bigint)
returns table (placed_at timestamptz, order_id text) language plpgsql stable rows 50 set search_path from current as $$
#variable_conflict use_column
declare
    many constant int := 50000;
    stands constant boolean := coalesce(of_stage, of_sync, of_fulfillment, of_hold, of_number) is not null;
    terms constant text[] := array(select terms_beginning(prefix, beyond));
    few constant int := 2000 / greatest(cardinality(terms), 1);
    moments timestamptz[];
    ids text[];
    full_by int;
begin
    before := coalesce(before, 'infinity');
    behind := coalesce(behind, '');
    if terms = '{}' then
        return;
    end if;
    if stands or of_stores is not null or of_channel is not null then
        select array_agg(n.placed_at), array_agg(n.order_id) into moments, ids
        from newest_orders(of_stores, of_stage, of_sync, of_fulfillment, of_channel, of_hold, of_number, before, behind, few) n;
        return query select * from looked_up(moments, ids, terms, most);
        get diagnostics full_by = row_count;
        most := most - full_by;
        if most <= 0 or coalesce(cardinality(ids), 0) < few then
            return;
        end if;
        before := moments[few];
        behind := ids[few];
    end if;
    if stands then
        ids := array(select n.order_id from newest_orders(
            of_stores, of_stage, of_sync, of_fulfillment, of_channel, of_hold, of_number, before, behind, many + 1) n);
        if cardinality(ids) <= many then
            return query select * from compared(ids, terms, before, behind, most);
            return;
        end if;
    end if;
    return query
    select distinct s.placed_at, s.order_id from unnest(terms) t (term) cross join lateral (
        select s.placed_at, s.order_id from search_terms s
        where s.term = t.term and (s.placed_at, s.order_id) < (before, behind)
          and (of_stores is null or s.store = any(of_stores)) and (of_channel is null or s.channel = of_channel)
          and (coalesce(of_stage, of_sync, of_fulfillment) is null or (
                select true from orders o where o.order_id = s.order_id
                  and (of_stage is null or o.stage = of_stage) and (of_sync is null or o.sync = of_sync)
                  and (of_fulfillment is null or o.fulfillment = of_fulfillment)))
          and (of_hold is null or (
                select true from troubles t where t.order_id = s.order_id and t.kind = 'held' and t.code = of_hold limit 1))
          and (of_number is null or (select o.number in (of_number, '#' || of_number) from orders o
                                     where o.order_id = s.order_id))
        order by s.placed_at desc, s.order_id desc limit most) s
    order by 1 desc, 2 desc limit most;
end $$;
