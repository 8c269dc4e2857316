-- What people said about an order (asked for it, holds, releases, a cancellation): kept beside what its channel shows.
alter table orders add column said jsonb not null default '{}';

-- Orders placed by hand: the same key with the same order is the same order; with another one it is refused.
create table placed_orders (
    idempotency_key text primary key,
    digest bytea not null,
    channel text not null,
    number text not null,
    at timestamptz not null default now()
);
create index placed_orders_by_age on placed_orders (at);
