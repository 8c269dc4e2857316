-- What fulfillment-push knows: our copies of orders, one row an FR with all that is due about it, and its history.

create table orders (
    order_id text primary key,
    sequence bigint not null,               -- order-ingest's; only a newer one is applied
    version int not null,
    state text not null,
    body jsonb not null,                    -- the whole order, as fr.submitted hands it on
    updated_at timestamptz not null default now()
);

create table frs (
    fr_id text primary key,
    order_id text not null,
    source text not null default '',        -- '' for a tombstone: voided before it was heard of
    number text not null default '',        -- also the reference at the source; never reused
    state text not null default 'UNPROCESSED',
    outcome text not null default 'none',
    recall text not null default 'none',
    known boolean not null default false,   -- fr.created was applied
    auto_process boolean not null default true,
    router_sequence bigint not null default 0,
    sequence bigint not null default 0,     -- of our own facts about it
    order_version int not null default 1,   -- confirmed for this version of the order
    attempts int not null default 0,        -- sends of this round
    asks int not null default 0,
    void_reason text,                       -- set: the router wants it no more
    platform_id text,                       -- the source's id of the request
    reason jsonb,
    canceled jsonb not null default '{"lines": []}',  -- what the source will not ship: told last, in total
    last_fact text,
    fact_at timestamptz,
    waiting text,                           -- what it waits for, null = nothing
    waiting_detail text,
    waiting_since timestamptz,
    due_at timestamptz,                     -- when something is to be done about it, null = an event or a person wakes it
    lease_token uuid,
    lease_until timestamptz,
    lease_ended timestamptz,                -- when the holder of the open intent surely stopped
    first_missing timestamptz,              -- first read-back that found nothing
    traceparent text,
    body jsonb,                             -- the request; null until fr.created
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
) with (fillfactor = 80);

create index frs_of_order on frs (order_id);
create index frs_due on frs (source, due_at) where due_at is not null;
create index frs_waiting on frs (waiting, source) where waiting is not null;
-- A reference never names two requests, and nothing at a source belongs to two of our FRs.
create unique index frs_reference on frs (source, number) where number <> '';
create unique index frs_platform_id on frs (source, platform_id) where platform_id is not null;

create table fr_history (
    id bigint generated always as identity primary key,
    fr_id text not null,
    at timestamptz not null,
    from_state text,                        -- null: it came into being
    to_state text not null,
    who text not null,
    why text not null,
    attempt int not null
);
create index fr_history_of_fr on fr_history (fr_id, id);

create table config_entities (
    entity text primary key,
    version bigint not null,
    body jsonb,                             -- null: removed
    credential_version int not null default 0,
    updated_at timestamptz not null default now()
);
