-- What the router knows and decides: configuration, stock, orders to plan, decisions, FRs and their allocations.
-- Locks are always taken in this order, sorted by key within each step: orders, rulebook, SKUs (advisory), stock,
-- and only then allocations. Whoever changes an allocation's `open` holds its order's row; whoever changes its
-- `uncovered` holds its stock row.

create table config_entities (
    entity text primary key,                -- channel/<id>, source/<id>, routing
    version int not null,
    body jsonb,                             -- null = removed
    applied_at timestamptz not null default now()
);

-- One row: grows with each change of configuration. Plans are made for a revision; who waits checks that it stands.
create table rulebook (
    only_one boolean primary key default true check (only_one),
    revision bigint not null default 1
);
insert into rulebook default values;

-- free = on_hand - reserved. What is asked beyond on_hand (a count came below it) is `uncovered`.
create table stock (
    source text not null,
    sku text not null,
    on_hand int not null default 0,
    reserved int not null default 0,
    uncovered int not null default 0,
    unit_cost numeric(18, 6),               -- in the source's currency; null = not known
    weight_g int,
    counted_at timestamptz,                 -- of the newest count
    updated_at timestamptz not null default now(),
    primary key (source, sku),
    constraint never_oversold check (0 <= reserved and reserved <= on_hand),
    constraint covered_first check (uncovered >= 0 and (uncovered = 0 or reserved = on_hand))
) with (fillfactor = 70);
create index stock_by_sku on stock (sku);

create table adjustments (
    adjustment_id text primary key,
    source text not null,
    sku text not null,
    delta int not null,
    at timestamptz not null
);
create index adjustments_by_stock on adjustments (source, sku, at);

-- The order as ingest last told it, and where its planning stands.
create table orders (
    order_id text primary key,
    sequence bigint not null,               -- of the newest fact of order-ingest
    version int not null,
    body jsonb not null,                    -- the order, whole
    traceparent text,
    revision bigint not null default 1,     -- grows with everything that a plan depends on, beside stock and rules
    standing text not null default 'due' check (standing in ('due', 'routed', 'waiting')),
    reason text,                            -- of 'waiting'
    answered bigint not null default 0,     -- the newest sequence that a decision answered
    decisions int not null default 0,       -- how many were made: their sequence
    frs_made int not null default 0,
    generate boolean not null default false, -- a person said "generate" (auto_generate is off)
    taken_at timestamptz not null default clock_timestamp(),
    due_at timestamptz,
    lease_token uuid,
    lease_until timestamptz,
    attempts int not null default 0
) with (fillfactor = 70);
create index orders_due on orders (due_at) where due_at is not null;
create index orders_waiting on orders (reason) where standing = 'waiting';

-- What an order waits for: sku/<our SKU>, or config.
create table order_waits (
    key text not null,
    order_id text not null,
    primary key (key, order_id)
);
create index order_waits_by_order on order_waits (order_id);

-- Keys for which something has come; the waker turns them into due orders.
create table wakes (
    id bigint generated always as identity primary key,
    key text not null
);

create table decisions (
    decision_id text primary key,
    order_id text not null,
    sequence int not null,
    at timestamptz not null,
    type text not null,
    order_version int not null,
    config_revision bigint not null,
    event json not null,                    -- as sent
    inputs jsonb not null,                  -- what it was decided from: stock rows and demands (RT-12)
    unique (order_id, sequence)
);

create table frs (
    fr_id text primary key,
    order_id text not null,
    source text not null,
    number text not null,
    sequence int not null default 1,        -- of our facts about it
    state text not null default 'live' check (state in ('live', 'void_requested', 'recall_refused', 'closed')),
    order_version int not null,             -- the newest that it is confirmed for
    push_sequence bigint not null default 0,
    body jsonb not null,                    -- the FulfillmentRequest
    created_at timestamptz not null default now(),
    constraint number_used_once unique (source, number)
);
create index frs_by_order on frs (order_id);

create table allocations (
    position bigint generated always as identity,
    fr_id text not null,
    line_id text not null,
    sku text not null,
    source text not null,
    tracked boolean not null,
    asked int not null check (asked > 0),
    open int not null check (open >= 0),
    shipped int not null default 0 check (shipped >= 0),
    released int not null default 0 check (released >= 0),
    uncovered int not null default 0,
    source_canceled int not null default 0, -- of `released`: the source said no
    killed int not null default 0,          -- of `source_canceled`: not asked for again (on_source_cancel: kill)
    primary key (fr_id, line_id, sku),
    constraint asked_is_somewhere check (asked = open + shipped + released),
    constraint uncovered_is_open check (0 <= uncovered and uncovered <= open)
) with (fillfactor = 70);
create index allocations_open on allocations (source, sku, position) where open > 0 and tracked;

-- Partial cancellations by the source are differences: each counts once.
create table fr_cancels (
    fr_id text not null,
    sequence bigint not null,
    primary key (fr_id, sequence)
);

create table shipments (
    shipment_id text primary key,
    sequence bigint not null,
    fr_id text not null,
    withdrawn boolean not null
);
create table shipment_lines (
    shipment_id text not null,
    line_id text not null,
    sku text not null,
    source text not null,
    quantity int not null,
    shipped_at timestamptz not null,
    primary key (shipment_id, line_id, sku)
);
create index shipment_lines_by_stock on shipment_lines (source, sku, shipped_at);
