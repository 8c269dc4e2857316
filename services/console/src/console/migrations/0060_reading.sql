-- What makes reading cheap however many orders there are (decision 0036): an index for each way in which a list is
-- narrowed, newest first, and counts that are kept instead of counted.

-- Why it waits for a source: while it is at `imported`, and the router's newest decision found none.
alter table orders add column unrouted_reason text;
update orders o set unrouted_reason = coalesce(d.reason, '')
from decisions d where d.order_id = o.order_id and o.stage = 'imported' and not d.routed;

create index orders_open_newest on orders (stage, placed_at desc, order_id desc)
    where stage not in ('settled', 'canceled');
create index orders_unsynced_newest on orders (sync, placed_at desc, order_id desc) where sync in ('pending', 'failed');
create index orders_partial_newest on orders (fulfillment, placed_at desc, order_id desc)
    where fulfillment in ('partial', 'canceled');
create index orders_by_hold on orders using gin ((snapshot -> 'holds') jsonb_path_ops) where stage = 'held';
create index orders_settled_newest on orders (settled_at desc)
    include (imported_at, routed_at, submitted_at, shipped_at) where settled_at is not null;
create index orders_unrouted on orders (order_id) where unrouted_reason is not null;
create index excluded_orders_newest on excluded_orders (at desc, channel_order_id desc);
create index excluded_orders_by_number on excluded_orders (number);
create index frs_newest on frs (created_at desc, fr_id desc);
create index frs_unknown on frs (outcome, created_at desc, fr_id desc) where outcome = 'unknown';
create index records_in_trouble on records (outcome, at desc, exchange_id desc) where outcome <> 'ok';
create index records_by_log_type on records (log_type, connection, at desc, exchange_id desc);

-- How many rows have what is counted: `tallies` and the changes that were not added to it yet. A change is one more row,
-- so writers never wait for each other; console/tallies.py folds them.
create table tallies (
    what text not null,                     -- stage | sync | hold | unrouted | excluded | fr | retry
    key text not null,
    n bigint not null,
    primary key (what, key)
);
create table tally_changes (
    what text not null,
    key text not null,
    n int not null
);

create function reasons_held(stage text, snapshot jsonb) returns setof text language sql immutable as $$
    select distinct hold ->> 'reason' from jsonb_array_elements(snapshot -> 'holds') hold where stage = 'held'
$$;

create function tally_order() returns trigger language plpgsql set search_path from current as $$
begin
    insert into tally_changes (what, key, n)
    select what, key, sum(n) from (
        select 'stage' as what, old.stage as key, -1 as n where tg_op <> 'INSERT'
        union all select 'sync', old.sync, -1 where tg_op <> 'INSERT'
        union all select 'unrouted', old.unrouted_reason, -1 where tg_op <> 'INSERT'
        union all select 'hold', reason, -1 from reasons_held(old.stage, old.snapshot) reason where tg_op <> 'INSERT'
        union all select 'stage', new.stage, 1 where tg_op <> 'DELETE'
        union all select 'sync', new.sync, 1 where tg_op <> 'DELETE'
        union all select 'unrouted', new.unrouted_reason, 1 where tg_op <> 'DELETE'
        union all select 'hold', reason, 1 from reasons_held(new.stage, new.snapshot) reason where tg_op <> 'DELETE'
    ) counted where key is not null group by what, key having sum(n) <> 0;
    return null;
end $$;
create trigger tally_added_or_gone after insert or delete on orders for each row execute function tally_order();
create trigger tally_moved after update on orders for each row
    when (old.stage <> new.stage or old.sync <> new.sync or old.unrouted_reason is distinct from new.unrouted_reason
          or (new.stage = 'held' and old.snapshot -> 'holds' is distinct from new.snapshot -> 'holds'))
    execute function tally_order();

create function tally_fr() returns trigger language plpgsql set search_path from current as $$
begin
    insert into tally_changes (what, key, n)
    select 'fr', old.state, -1 where tg_op <> 'INSERT' union all select 'fr', new.state, 1 where tg_op <> 'DELETE';
    return null;
end $$;
create trigger tally_added_or_gone after insert or delete on frs for each row execute function tally_fr();
create trigger tally_moved after update on frs for each row when (old.state <> new.state) execute function tally_fr();

create function tally_excluded() returns trigger language plpgsql set search_path from current as $$
begin
    insert into tally_changes (what, key, n)
    select 'excluded', old.reason, -1 where tg_op <> 'INSERT'
    union all select 'excluded', new.reason, 1 where tg_op <> 'DELETE';
    return null;
end $$;
create trigger tally_added_or_gone after insert or delete on excluded_orders for each row
    execute function tally_excluded();
create trigger tally_moved after update on excluded_orders for each row when (old.reason <> new.reason)
    execute function tally_excluded();

-- Records never change; those of a first attempt are not counted.
create function tally_retry() returns trigger language plpgsql set search_path from current as $$
begin
    insert into tally_changes (what, key, n)
    select 'retry', old.log_type, -1 where tg_op = 'DELETE' union all select 'retry', new.log_type, 1 where tg_op = 'INSERT';
    return null;
end $$;
create trigger tally_added after insert on records for each row when (new.attempt > 1) execute function tally_retry();
create trigger tally_gone after delete on records for each row when (old.attempt > 1) execute function tally_retry();

-- What is there already.
insert into tallies (what, key, n)
select 'stage', stage, count(*) from orders group by 2
union all select 'sync', sync, count(*) from orders group by 2
union all select 'hold', reason, count(*) from orders, reasons_held(stage, snapshot) reason group by 2
union all select 'unrouted', unrouted_reason, count(*) from orders where unrouted_reason is not null group by 2
union all select 'fr', state, count(*) from frs group by 2
union all select 'excluded', reason, count(*) from excluded_orders group by 2
union all select 'retry', log_type, count(*) from records where attempt > 1 group by 2;
