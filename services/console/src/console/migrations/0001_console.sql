-- The read model: what every topic said, folded by aggregate. Nothing here is the truth of another service; all of it
-- can be built again from the topics.

create table orders (
    order_id text primary key,
    store text not null,
    channel text not null,
    channel_order_id text not null,
    number text not null,
    version int not null,
    sequence bigint not null,               -- newest fact of order-ingest applied
    state text not null,
    snapshot jsonb not null,                -- the order as of `sequence`
    traceparent text,
    placed_at timestamptz not null,
    updated_at timestamptz not null,
    -- derived from this row and its frs, shipments and decision (project/standing.py)
    stage text not null default 'imported',
    stage_since timestamptz not null,
    fulfillment text not null default 'unfulfilled',
    sync text not null default 'not_needed',
    imported_at timestamptz,
    routed_at timestamptz,
    submitted_at timestamptz,
    shipped_at timestamptz,
    settled_at timestamptz
);
create index orders_by_channel on orders (channel, channel_order_id);
create index orders_by_stage on orders (stage, stage_since);
create index orders_by_number on orders (number);
create index orders_newest on orders (placed_at desc, order_id desc);

-- The router's newest answer about an order.
create table decisions (
    order_id text primary key,
    sequence bigint not null,
    routed boolean not null,
    reason text,                            -- why it is not routed
    detail text not null default '',
    body jsonb not null,
    at timestamptz not null
);

create table excluded_orders (
    channel text not null,
    channel_order_id text not null,
    store text not null,
    number text not null,
    reason text not null,
    detail text not null default '',
    sequence bigint not null,
    at timestamptz not null,
    primary key (channel, channel_order_id)
);

create table frs (
    fr_id text primary key,
    order_id text not null,
    source text not null default '',
    number text not null default '',
    body jsonb,                             -- null: heard of it from push alone so far
    state text not null default 'UNPROCESSED',
    outcome text not null default 'none',
    recall text not null default 'none',
    attempt int not null default 0,
    reason jsonb,
    platform_id text,
    submitted_at timestamptz,
    push_sequence bigint not null default 0,
    router_sequence bigint not null default 0,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index frs_by_order on frs (order_id);
create index frs_by_state on frs (state);
create index frs_by_number on frs (number);

create table shipments (
    shipment_id text primary key,
    order_id text not null,
    fr_id text not null,
    source text not null,
    sequence bigint not null,
    status text not null,                   -- recorded | refused | conflicted | synced | sync_failed | withdrawn
    body jsonb not null,
    reason jsonb,
    fulfillment_ids text[] not null default '{}',
    attempts int not null default 0,
    notes text[] not null default '{}',
    recorded_at timestamptz,
    synced_at timestamptz,
    updated_at timestamptz not null
);
create index shipments_by_order on shipments (order_id);
create index shipments_by_status on shipments (status);

-- One thing that happened to one order. `event_id` is the ce_id: the same event twice is one activity.
create table activities (
    id bigint generated always as identity primary key,
    event_id text not null unique,
    order_id text not null,
    at timestamptz not null,
    service text not null,
    activity text not null,
    title text not null,
    detail jsonb not null default '{}',
    fr_id text,
    shipment_id text
);
create index activities_by_order on activities (order_id, at, id);

-- Transaction records (OP-3).
create table records (
    exchange_id text primary key,
    connection text not null,
    service text not null,
    log_type text not null,
    outcome text not null,
    attempt int not null,
    status int,
    duration_ms real not null,
    at timestamptz not null,
    order_ids text[] not null default '{}',
    body jsonb not null
);
create index records_newest on records (at desc, exchange_id desc);
create index records_by_connection on records (connection, at desc);
create index records_by_order on records using gin (order_ids);

create table alerts (
    alert text primary key,
    title text not null,
    detail text not null default '',
    action text not null default '',
    raised_at timestamptz not null,
    cleared_at timestamptz,
    times int not null default 1
);

create table connections (
    connection text not null,
    service text not null,
    state text not null,
    detail text not null default '',
    at timestamptz not null,
    primary key (connection, service)
);

-- Configuration: the console owns it. Credentials are sealed; `env:` names are kept so that export can give them back.
create table config_entities (
    entity text primary key,                -- channel/<id>, source/<id>, routing, store/<id>
    version bigint not null,                -- grows with each change of this entity
    body jsonb not null,                    -- as in the file, credentials left out
    credentials jsonb not null default '{}',-- name -> sealed text
    credential_names jsonb not null default '{}', -- name -> env:NAME as it was given
    credential_version int not null default 1,
    starts_at timestamptz,
    position int not null default 0,        -- order in the file
    removed boolean not null default false
);

create table config_versions (
    version bigint primary key,
    at timestamptz not null default now(),
    actor text not null,
    changes jsonb not null                  -- [{entity, action, before, after}]
);

create table config_receipts (
    service text not null,
    entity text not null,
    version bigint not null,
    at timestamptz not null,
    primary key (service, entity)
);

create table stock_levels (
    source text not null,
    sku text not null,
    level jsonb not null,
    sequence bigint not null default 1,
    primary key (source, sku)
);

create table api_keys (
    key_id text primary key,
    name text not null,
    digest bytea not null unique,           -- SHA-256 of a key with 256 random bits
    role text not null check (role in ('viewer', 'operator', 'admin')),
    created_at timestamptz not null default now(),
    created_by text not null,
    last_used_at timestamptz,
    revoked_at timestamptz
);

create table sessions (
    digest bytea primary key,
    key_id text not null references api_keys (key_id) on delete cascade,
    expires_at timestamptz not null
);

create table idempotency_keys (
    key text not null,
    actor text not null,
    route text not null,
    request_digest bytea not null,
    answer jsonb not null,
    status int not null,
    created_at timestamptz not null default now(),
    primary key (actor, route, key)
);
