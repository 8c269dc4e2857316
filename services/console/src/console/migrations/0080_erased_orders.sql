-- Which orders an erasure was carried out for, and when: what an order's time line says of it (OP-16).
create table erased_orders (
    order_id text not null,
    erasure_id text not null references erasures,
    at timestamptz not null default now(),
    primary key (order_id, erasure_id)
);
insert into erased_orders (order_id, erasure_id, at)
select unnest(order_ids), erasure_id, coalesce(done_at, asked_at) from erasures where passes > 0;
