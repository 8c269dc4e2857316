-- Webhook deliveries that were taken, so that a repetition is not read again.
create table hook_deliveries (
    channel text not null,
    delivery_id text not null,
    at timestamptz not null default now(),
    primary key (channel, delivery_id)
);
create index hook_deliveries_by_age on hook_deliveries (at);
