-- What this stage knows. Ids are those of the events, as text. A row with due_at is work; a lease fences it.

-- The newest configuration of each channel and source, as the event carried it.
create table config_entities (
    entity text primary key,                -- channel/<id>, source/<id>, routing
    version bigint not null,
    body jsonb,                             -- null: removed
    applied_at timestamptz not null default now()
);

-- Our own copy of each order, and its two axes as this stage sees them.
create table orders (
    order_id text primary key,
    sequence bigint not null,               -- newest fact of order-ingest that was applied
    channel text not null,
    channel_order_id text not null,
    body jsonb not null,                    -- waybill_contracts.values.Order
    traceparent text,
    fulfillment text not null default 'unfulfilled',
    sync text not null default 'not_needed',
    completions bigint not null default 0   -- sequence of order.shipped: grows with each completion
);
create index orders_by_channel on orders (channel);

-- The FRs, as fulfillment-push told them. Without fr: only facts without content have come so far (a tombstone too).
create table watches (
    fr_id text primary key,
    order_id text not null,
    source text not null,
    number text not null,                   -- the reference under which the source knows it
    platform_id text not null default '',
    state text not null,
    outcome text not null default 'none',
    push_sequence bigint not null,
    fr jsonb,
    shipped_at timestamptz,                 -- all that was asked has left (or nothing is wanted any more)
    swept_at timestamptz                    -- last time it was looked at after that
);
create index watches_by_order on watches (order_id);
create index watches_by_reference on watches (source, number);
create index watches_by_platform_id on watches (source, platform_id) where platform_id <> '';
create index watches_unshipped on watches (source) where shipped_at is null and state in ('PROCESSED', 'ACKNOWLEDGED');
create index watches_shipped on watches (source, shipped_at) where shipped_at is not null;

-- One row a source: its turn, and how far its list of changes was read to the end.
create table source_turns (
    source text primary key,
    due_at timestamptz,
    lease_token uuid,
    lease_until timestamptz,
    attempts int not null default 0,
    cursor timestamptz,
    turned_at timestamptz,
    wanted_again boolean not null default false   -- asked for while the turn was under way
);

-- What sources said they shipped. `said` is their newest word, raw; the rest is what the rules make of it.
create table shipments (
    shipment_id text primary key,
    position bigint generated always as identity unique,    -- the order in which they came
    order_id text not null,
    fr_id text not null,
    source text not null,
    source_shipment_id text not null,
    said jsonb not null,
    state text not null,
    lines jsonb not null,
    carrier text not null,                  -- our courier name (theirs while it is not mapped)
    courier_known boolean not null,
    reason jsonb,
    sequence bigint not null default 0,     -- of the newest fact about it
    recorded_at timestamptz not null default now(),
    unique (source, source_shipment_id)
);
create index shipments_by_order on shipments (order_id, position);
create index shipments_listed on shipments (state) where state in ('refused', 'conflict', 'waiting_for_label');

create table shipment_history (
    shipment_id text not null,
    sequence bigint not null,
    at timestamptz not null default now(),
    state text not null,
    sync text not null,
    reason jsonb,
    primary key (shipment_id, sequence)
);

-- Words that came before their FR was known to be with the source: kept until the deadline.
create table early_shipments (
    source text not null,
    source_shipment_id text not null,
    reference text not null,
    platform_id text not null,
    said jsonb not null,
    seen_at timestamptz not null default now(),
    deadline timestamptz not null,
    told boolean not null default false,    -- an alert was raised at the deadline
    primary key (source, source_shipment_id)
);
create index early_by_reference on early_shipments (source, reference);
create index early_by_deadline on early_shipments (deadline) where not told;

-- One row a shipment that the channel shall show (or shall show no more: wanted is null).
create table syncs (
    shipment_id text primary key references shipments,
    order_id text not null,
    channel text not null,
    wanted jsonb,
    revision int not null default 1,        -- grows when wanted changes
    state text not null,
    due_at timestamptz,
    attempts int not null default 0,        -- failed calls of this round (SP-8)
    looks int not null default 0,           -- failed reads in a row
    tries int not null default 0,           -- all tries so far
    round int not null default 1,
    notified boolean not null default false,
    reason jsonb,
    changed_at timestamptz not null default now()
);
create index syncs_by_order on syncs (order_id);
create index syncs_failed on syncs (channel, (reason ->> 'code')) where state = 'failed';
create index syncs_pending on syncs (channel) where due_at is not null;

-- The unit of work at a channel is the order: its shipments are pushed one after the other, orders beside each other.
create table push_turns (
    order_id text primary key,
    channel text not null,
    due_at timestamptz,
    lease_token uuid,
    lease_until timestamptz,
    attempts int not null default 0
) with (fillfactor = 70);
create index push_turns_due on push_turns (channel, due_at) where due_at is not null;

-- Every create is announced here before it is sent; an open one is settled by reading back.
create table intents (
    intent_id text primary key,
    shipment_id text not null,
    content jsonb not null,
    state text not null default 'open' check (state in ('open', 'done', 'dropped', 'forgotten')),
    opened_at timestamptz not null default now(),
    ended_at timestamptz not null,          -- end of its lease, or when the call was given up
    missing_at timestamptz
);
create index intents_open on intents (shipment_id) where state = 'open';

-- Which fulfillment at the channel is whose: one of theirs belongs to one of ours, ever.
create table fulfillments (
    channel text not null,
    fulfillment_id text not null,
    shipment_id text not null,
    order_id text not null,
    sent jsonb not null,
    adopted boolean not null,
    live boolean not null default true,
    bound_at timestamptz not null default now(),
    primary key (channel, fulfillment_id)
);
create index fulfillments_by_order on fulfillments (order_id);
