-- What waits for a person, kept instead of looked for (decision 0052): one row for each order and cause, written with the
-- order's standing (console/project/standing.py), so that failures by cause and lists by hold read only what is wrong.
create table troubles (
    order_id text not null,
    kind text not null,                     -- held | unroutable | fr_failed | fr_outcome_unknown | shipment_<status>
    code text not null,                     -- the hold's, the router's, or the reason's
    at text not null,                       -- the channel or source; '' where it is neither's
    value text,                             -- what is not known there, of holds and couriers
    action text not null,                   -- what mends it, where whoever failed says so
    message text not null,
    number text not null,                   -- the order's; of FRs theirs
    since timestamptz not null,
    things text[] not null default '{}',    -- the FRs or shipments
    store text not null,                    -- the order's, with its moment: what it is listed by
    channel text not null,
    placed_at timestamptz not null,
    cause text generated always as (
        md5(kind || chr(31) || code || chr(31) || at || chr(31) || coalesce(value, chr(30)))) stored,
    primary key (order_id, cause)
);
create index troubles_by_cause on troubles (cause, since, order_id);
create index troubles_by_hold on troubles (code, channel, store, placed_at desc, order_id desc) where kind = 'held';

-- So that only orders that have, or had, trouble are looked at again.
alter table orders add column troubled boolean not null default false;

insert into troubles (order_id, kind, code, at, value, action, message, number, since, things, store, channel, placed_at)
select order_id, kind, code, at, value, max(action), max(message), min(t.number), min(since),
       array_remove(array_agg(thing order by since, thing), null), o.store, o.channel, o.placed_at
from (
    select 'held' as kind, hold ->> 'reason' as code, o.channel as at, hold ->> 'value' as value,
           coalesce(hold ->> 'fix', '') as action, '' as message, o.order_id, o.number, o.stage_since as since,
           null::text as thing
    from orders o, jsonb_array_elements(o.snapshot -> 'holds') as hold
    where o.stage = 'held'
    union all
    select 'unroutable', o.unrouted_reason, '', null, '', '', o.order_id, o.number, d.at, null
    from orders o join decisions d using (order_id)
    where o.unrouted_reason is not null
    union all
    select case f.outcome when 'unknown' then 'fr_outcome_unknown' else 'fr_failed' end,
           coalesce(f.reason ->> 'code', lower(f.state)), f.source, null, coalesce(f.reason ->> 'action', ''),
           coalesce(f.reason ->> 'message', ''), f.order_id, f.number, f.updated_at, f.fr_id
    from frs f
    where f.state = 'FAILED' or (f.outcome = 'unknown' and f.state not in ('CANCELED', 'VOIDED'))
    union all
    select 'shipment_' || s.status, coalesce(s.reason ->> 'code', s.status),
           case s.status when 'sync_failed' then o.channel else s.source end,
           case s.reason ->> 'code' when 'COURIER_NOT_MAPPED' then s.body ->> 'carrier' end,
           coalesce(s.reason ->> 'action', ''), coalesce(s.reason ->> 'message', ''), s.order_id, o.number,
           s.updated_at, s.shipment_id
    from shipments s join orders o using (order_id)
    where s.status in ('sync_failed', 'refused', 'conflicted')
) t join orders o using (order_id)
group by order_id, kind, code, at, value, o.store, o.channel, o.placed_at;

update orders o set troubled = true from (select distinct order_id from troubles) t where t.order_id = o.order_id;
drop index orders_by_hold;

-- How many orders wait for each cause is kept as the other counts are (decision 0036).
create function tally_trouble() returns trigger language plpgsql set search_path from current as $$
begin
    insert into tally_changes (what, key, n)
    select 'cause', old.cause, -1 where tg_op <> 'INSERT' union all select 'cause', new.cause, 1 where tg_op <> 'DELETE';
    return null;
end $$;
create trigger tally_added_or_gone after insert or delete on troubles for each row execute function tally_trouble();
create trigger tally_moved after update on troubles for each row when (old.cause <> new.cause)
    execute function tally_trouble();
insert into tallies (what, key, n) select 'cause', cause, count(*) from troubles group by 2;

-- How one order stands is read from its key, where a list or a search comes upon it by something else.
alter table orders drop constraint orders_pkey;
alter table orders add constraint orders_pkey primary key (order_id) include (stage, sync, fulfillment);

-- Of orders, as `list_orders` takes it; null does not narrow. `before` and `behind` are the last row of the page before.
create function newest_orders(of_stores text[], of_stage text, of_sync text, of_fulfillment text, of_channel text,
                              of_hold text, of_number text, before timestamptz, behind text, most bigint)
returns table (placed_at timestamptz, order_id text) language plpgsql stable rows 50
set search_path from current as $$
#variable_conflict use_column
begin
    before := coalesce(before, 'infinity');
    behind := coalesce(behind, '');
    if of_number is not null then
        return query
        with few as materialized (select * from orders o where o.number in (of_number, '#' || of_number))
        select o.placed_at, o.order_id from few o
        where (of_stores is null or o.store = any(of_stores)) and (of_channel is null or o.channel = of_channel)
          and (of_stage is null or o.stage = of_stage) and (of_sync is null or o.sync = of_sync)
          and (of_fulfillment is null or o.fulfillment = of_fulfillment)
          and (of_hold is null or (
                select true from troubles t where t.order_id = o.order_id and t.kind = 'held' and t.code = of_hold limit 1))
          and (o.placed_at, o.order_id) < (before, behind)
        order by 1 desc, 2 desc limit most;
    elsif of_hold is not null then
        return query
        with recursive places as (
            (select t.channel, t.store from troubles t where t.kind = 'held' and t.code = of_hold order by 1, 2 limit 1)
            union all
            select n.* from places p cross join lateral (
                select t.channel, t.store from troubles t
                where t.kind = 'held' and t.code = of_hold and (t.channel, t.store) > (p.channel, p.store)
                order by 1, 2 limit 1) n
        )
        select m.* from places p cross join lateral (
            select distinct t.placed_at, t.order_id from troubles t  -- one order, two values: once
            where t.kind = 'held' and t.code = of_hold and t.channel = p.channel and t.store = p.store
              and (t.placed_at, t.order_id) < (before, behind)
              and (coalesce(of_stage, of_sync, of_fulfillment) is null or (
                    select true from orders o where o.order_id = t.order_id
                      and (of_stage is null or o.stage = of_stage) and (of_sync is null or o.sync = of_sync)
                      and (of_fulfillment is null or o.fulfillment = of_fulfillment)))
            order by 1 desc, 2 desc limit most) m
        where (of_stores is null or p.store = any(of_stores)) and (of_channel is null or p.channel = of_channel)
        order by 1 desc, 2 desc limit most;
    elsif of_stores is not null or of_channel is not null then
        return query
        with recursive places as (
            (select store, channel from orders order by 1, 2 limit 1)
            union all
            select n.* from places p cross join lateral (
                select o.store, o.channel from orders o where (o.store, o.channel) > (p.store, p.channel)
                order by 1, 2 limit 1) n
        ), groups as (
            select p.store, p.channel, n.* from places p cross join lateral (
                select o.stage, o.sync, o.fulfillment from orders o where o.store = p.store and o.channel = p.channel
                order by 1, 2, 3 limit 1) n
            where (of_stores is null or p.store = any(of_stores)) and (of_channel is null or p.channel = of_channel)
            union all
            select g.store, g.channel, n.* from groups g cross join lateral (
                select o.stage, o.sync, o.fulfillment from orders o
                where o.store = g.store and o.channel = g.channel
                  and (o.stage, o.sync, o.fulfillment) > (g.stage, g.sync, g.fulfillment) order by 1, 2, 3 limit 1) n
        )
        select m.* from groups g cross join lateral (
            select o.placed_at, o.order_id from orders o
            where o.store = g.store and o.channel = g.channel
              and o.stage = g.stage and o.sync = g.sync and o.fulfillment = g.fulfillment
              and (o.placed_at, o.order_id) < (before, behind)
            order by o.placed_at desc, o.order_id desc limit most) m
        where (of_stage is null or g.stage = of_stage) and (of_sync is null or g.sync = of_sync)
          and (of_fulfillment is null or g.fulfillment = of_fulfillment)
        order by 1 desc, 2 desc limit most;
    elsif coalesce(of_stage, of_sync, of_fulfillment) is not null then
        return query
        with recursive groups as (
            (select stage, sync, fulfillment from orders order by 1, 2, 3 limit 1)
            union all
            select n.* from groups g cross join lateral (
                select o.stage, o.sync, o.fulfillment from orders o
                where (o.stage, o.sync, o.fulfillment) > (g.stage, g.sync, g.fulfillment) order by 1, 2, 3 limit 1) n
        )
        select m.* from groups g cross join lateral (
            select o.placed_at, o.order_id from orders o
            where o.stage = g.stage and o.sync = g.sync and o.fulfillment = g.fulfillment
              and (o.placed_at, o.order_id) < (before, behind)
            order by o.placed_at desc, o.order_id desc limit most) m
        where (of_stage is null or g.stage = of_stage) and (of_sync is null or g.sync = of_sync)
          and (of_fulfillment is null or g.fulfillment = of_fulfillment)
        order by 1 desc, 2 desc limit most;
    else
        return query
        select o.placed_at, o.order_id from orders o where (o.placed_at, o.order_id) < (before, behind)
        order by o.placed_at desc, o.order_id desc limit most;
    end if;
end $$;
