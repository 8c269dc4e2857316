-- A list that is narrowed is read group by group (decision 0052): an index has what the list can be narrowed by, then its
-- order, newest first. The page is the newest of the groups that match, so what it costs is a matter of how many groups
-- there are and how long the page is, never of how many rows. Which groups there are, the index itself tells: one probe each.
-- `newest_...` are the one place where a filter is written; lists and search both read through them.
set local maintenance_work_mem = '256MB';

create index orders_by_standing on orders (stage, sync, fulfillment, placed_at desc, order_id desc);
create index orders_by_place on orders (store, channel, stage, sync, fulfillment, placed_at desc, order_id desc);
drop index orders_open_newest, orders_unsynced_newest, orders_partial_newest;

create index frs_by_group on frs (source, state, outcome, created_at desc, fr_id desc);
drop index frs_by_state, frs_unknown;

create index shipments_by_group on shipments (status, updated_at desc, shipment_id desc);
drop index shipments_by_status;

create index records_by_group on records (connection, log_type, outcome, at desc, exchange_id desc);
drop index records_by_connection, records_in_trouble, records_by_log_type;

create index excluded_orders_by_channel on excluded_orders (channel, at desc, channel_order_id desc);
create index alerts_newest on alerts (raised_at desc);
create index alerts_open on alerts (raised_at desc) where cleared_at is null;

-- Of FRs, as `list_frs` takes it; null does not narrow. `before` and `behind` are the last row of the page before.
create function newest_frs(of_state text, of_outcome text, of_source text, of_order text, of_number text,
                           before timestamptz, behind text, most bigint)
returns table (created_at timestamptz, fr_id text) language plpgsql stable rows 50
set search_path from current as $$
#variable_conflict use_column
begin
    before := coalesce(before, 'infinity');
    behind := coalesce(behind, '');
    if of_order is not null or of_number is not null then
        return query
        with few as materialized (
            select * from frs f where of_order is not null and f.order_id = of_order
            union all select * from frs f where of_order is null and f.number = of_number
        )
        select f.created_at, f.fr_id from few f
        where (of_number is null or f.number = of_number) and (of_state is null or f.state = of_state)
          and (of_outcome is null or f.outcome = of_outcome) and (of_source is null or f.source = of_source)
          and (f.created_at, f.fr_id) < (before, behind)
        order by 1 desc, 2 desc limit most;
    elsif coalesce(of_state, of_outcome, of_source) is null then
        return query
        select f.created_at, f.fr_id from frs f where (f.created_at, f.fr_id) < (before, behind)
        order by f.created_at desc, f.fr_id desc limit most;
    else
        return query
        with recursive groups as (
            (select source, state, outcome from frs order by 1, 2, 3 limit 1)
            union all
            select n.* from groups g cross join lateral (
                select f.source, f.state, f.outcome from frs f
                where (f.source, f.state, f.outcome) > (g.source, g.state, g.outcome) order by 1, 2, 3 limit 1) n
        )
        select m.* from groups g cross join lateral (
            select f.created_at, f.fr_id from frs f
            where f.source = g.source and f.state = g.state and f.outcome = g.outcome
              and (f.created_at, f.fr_id) < (before, behind)
            order by f.created_at desc, f.fr_id desc limit most) m
        where (of_source is null or g.source = of_source) and (of_state is null or g.state = of_state)
          and (of_outcome is null or g.outcome = of_outcome)
        order by 1 desc, 2 desc limit most;
    end if;
end $$;

create function newest_shipments(of_statuses text[], of_order text, before timestamptz, behind text, most bigint)
returns table (updated_at timestamptz, shipment_id text) language plpgsql stable rows 50
set search_path from current as $$
#variable_conflict use_column
begin
    before := coalesce(before, 'infinity');
    behind := coalesce(behind, '');
    if of_order is not null then
        return query
        with few as materialized (select * from shipments s where s.order_id = of_order)
        select s.updated_at, s.shipment_id from few s
        where (of_statuses is null or s.status = any(of_statuses)) and (s.updated_at, s.shipment_id) < (before, behind)
        order by 1 desc, 2 desc limit most;
    elsif of_statuses is null then
        return query
        select s.updated_at, s.shipment_id from shipments s where (s.updated_at, s.shipment_id) < (before, behind)
        order by s.updated_at desc, s.shipment_id desc limit most;
    else
        return query
        select m.* from (select distinct status from unnest(of_statuses) status) g cross join lateral (
            select s.updated_at, s.shipment_id from shipments s
            where s.status = g.status and (s.updated_at, s.shipment_id) < (before, behind)
            order by s.updated_at desc, s.shipment_id desc limit most) m
        order by 1 desc, 2 desc limit most;
    end if;
end $$;

create function newest_records(of_connection text, of_type text, of_outcome text, of_order text, since timestamptz,
                               before timestamptz, behind text, most bigint)
returns table (at timestamptz, exchange_id text) language plpgsql stable rows 50
set search_path from current as $$
#variable_conflict use_column
begin
    before := coalesce(before, 'infinity');
    behind := coalesce(behind, '');
    since := coalesce(since, '-infinity');
    if of_order is not null then
        return query
        with few as materialized (select * from records r where r.order_ids @> array[of_order])
        select r.at, r.exchange_id from few r
        where (of_connection is null or r.connection = of_connection) and (of_type is null or r.log_type = of_type)
          and (of_outcome is null or r.outcome = of_outcome)
          and r.at >= since and (r.at, r.exchange_id) < (before, behind)
        order by 1 desc, 2 desc limit most;
    elsif coalesce(of_connection, of_type, of_outcome) is null then
        return query
        select r.at, r.exchange_id from records r where r.at >= since and (r.at, r.exchange_id) < (before, behind)
        order by r.at desc, r.exchange_id desc limit most;
    else
        return query
        with recursive groups as (
            (select connection, log_type, outcome from records order by 1, 2, 3 limit 1)
            union all
            select n.* from groups g cross join lateral (
                select r.connection, r.log_type, r.outcome from records r
                where (r.connection, r.log_type, r.outcome) > (g.connection, g.log_type, g.outcome)
                order by 1, 2, 3 limit 1) n
        )
        select m.* from groups g cross join lateral (
            select r.at, r.exchange_id from records r
            where r.connection = g.connection and r.log_type = g.log_type and r.outcome = g.outcome
              and r.at >= since and (r.at, r.exchange_id) < (before, behind)
            order by r.at desc, r.exchange_id desc limit most) m
        where (of_connection is null or g.connection = of_connection) and (of_type is null or g.log_type = of_type)
          and (of_outcome is null or g.outcome = of_outcome)
        order by 1 desc, 2 desc limit most;
    end if;
end $$;

create function newest_excluded(of_channel text, of_number text, before timestamptz, behind text, most bigint)
returns setof excluded_orders language plpgsql stable rows 50
set search_path from current as $$
begin
    before := coalesce(before, 'infinity');
    behind := coalesce(behind, '');
    if of_number is not null then
        return query
        with few as materialized (
            select * from excluded_orders e where e.number in (of_number, '#' || of_number)
        )
        select e.* from few e
        where (of_channel is null or e.channel = of_channel) and (e.at, e.channel_order_id) < (before, behind)
        order by e.at desc, e.channel_order_id desc limit most;
    elsif of_channel is not null then
        return query
        select e.* from excluded_orders e
        where e.channel = of_channel and (e.at, e.channel_order_id) < (before, behind)
        order by e.at desc, e.channel_order_id desc limit most;
    else
        return query
        select e.* from excluded_orders e where (e.at, e.channel_order_id) < (before, behind)
        order by e.at desc, e.channel_order_id desc limit most;
    end if;
end $$;
