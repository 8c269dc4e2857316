-- Orders as their channels show them and as we copied them; channels with their turn; configuration; names that are ours.

create table orders (
    order_id uuid primary key,
    store text not null,
    channel text not null,
    channel_order_id text not null,
    number text not null,
    standing text not null check (standing in ('excluded', 'held', 'imported', 'canceled')),
    version int not null,                   -- 0 while it is excluded
    sequence bigint not null,               -- of the newest fact about it
    updated_at timestamptz not null,        -- platform time, reading time and digest: the age of what we hold
    read_at timestamptz not null,
    digest bytea not null,
    snapshot jsonb not null,                -- the order as the channel showed it, to be judged again when rules change
    body jsonb,                             -- our copy as other services know it; null while it is excluded
    baseline jsonb not null,                -- pieces a line that had left before the first import
    reason text not null default '',        -- why it is excluded or canceled
    detail text not null default '',
    rules_version bigint not null,          -- of the rules that judged it
    via text not null,
    traceparent text not null,
    placed_at timestamptz not null,
    created_at timestamptz not null default now(),
    changed_at timestamptz not null default now(),
    unique (channel, channel_order_id)      -- IN-6: each order is imported once, and the database decides it
);
create index orders_by_number on orders (channel, number);
-- What a change of rules may release: held orders, and excluded ones whose reason a setting can remove.
create index orders_to_judge_again on orders (channel, rules_version, order_id)
    where standing = 'held' or (standing = 'excluded' and reason not in ('ours', 'canceled'));

-- Every move of an order along the table in lifecycle.py.
create table order_moves (
    order_id uuid not null,
    sequence bigint not null,
    standing_before text,                   -- null at the first sight
    standing text not null,
    version int not null,
    reason text not null,
    at timestamptz not null default now(),
    primary key (order_id, sequence)
);

-- The newest configuration of each entity, as the console sent it.
create table config_entities (
    entity text primary key,
    version int not null,
    body jsonb                              -- null: removed
);

-- One row a channel: its settings' digest for this service, its cursor, its turn (a lease), how the last pull went.
create table channels (
    channel_id text primary key,
    active boolean not null,                -- false: removed from the configuration
    polled boolean not null,                -- false: it has no API to pull from (platform events)
    store text not null,
    starts_at timestamptz not null,
    config_version int not null,
    credential_version int not null,
    poll_every interval not null,
    passes boolean not null,                -- it takes unmapped names that are ours: new names may release its orders
    rules_version bigint not null default 1,
    cursor_at timestamptz,                  -- newest (updated_at, id) of the last complete window, before any filter
    cursor_id text,
    resume_at timestamptz,                  -- platform time up to which the pages of an unfinished window are committed
    deep_at timestamptz,                    -- when a window last reached back by the long overlap
    due_at timestamptz,
    lease_token uuid,
    lease_until timestamptz,
    attempts int not null default 0,        -- failed pulls in a row
    again boolean not null default false,   -- asked for while a pull was running
    last_pull_at timestamptz,
    last_success_at timestamptz,
    last_error text,
    last_counts jsonb
);
create index channels_due on channels (due_at) where active and polled;

-- SKUs and shipping methods that are ours, and who says so; `unmapped: pass` takes only these (IN-9).
create table known_names (
    kind text not null check (kind in ('sku', 'method')),
    name text not null,
    origin text not null,                   -- source/<id>, channel/<id>, stock
    primary key (kind, name, origin)
);
create index known_names_by_origin on known_names (origin);

-- References of FRs that go to shops: an order that carries one is our own (IN-7).
create table own_references (
    reference text primary key,
    fr_id text not null
);

-- Orders to be read live at their channel, because something second-hand (an event, later a webhook) told of them.
create table live_reads (
    live_read_id uuid primary key,
    channel text not null,
    number text not null,                   -- what the order is looked up by
    order_ref text,                         -- the channel's own id of it, where it was told
    via text not null,
    traceparent text,
    give_up_at timestamptz not null,        -- an index may lag; after this a person is told
    due_at timestamptz,
    lease_token uuid,
    lease_until timestamptz,
    attempts int not null default 0,
    unique (channel, number)
);
create index live_reads_due on live_reads (channel, due_at);
