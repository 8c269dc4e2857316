-- Our copy of each order after each fact of order-ingest: an order can be shown as it was (OP-13).

create table order_versions (
    order_id text not null,
    sequence bigint not null,
    at timestamptz not null,
    snapshot jsonb not null,
    traceparent text,
    primary key (order_id, sequence)
);
