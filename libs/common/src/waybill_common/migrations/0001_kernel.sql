-- What every service's schema holds beside its own tables: what it said, what is still to be sent, what nobody has
-- confirmed yet, what could not be read, and where consuming stood.

-- The append-only log of all events of this service, kept for the retention time; the bytes exist here only.
create sequence facts_position;
create table facts (
    position bigint primary key default nextval('facts_position'),
    id text not null,                       -- ce_id; the same event sent again keeps its id
    topic text not null,
    key text not null,
    headers json not null,
    value bytea,                            -- null = tombstone
    created_at timestamptz not null default now()
);
alter sequence facts_position owned by facts.position;
create index facts_by_age on facts using brin (created_at);

-- Positions that the relay has still to send. A row leaves when the broker has answered for it.
create table outbox (
    position bigint primary key
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- Events for which somebody owes us a receipt; swept until settled.
create table receipts_due (
    position bigint primary key,
    subject text not null,
    sequence bigint not null,
    next_at timestamptz not null,
    attempts int not null default 0         -- how often it was sent again
);
create index receipts_due_by_subject on receipts_due (subject, sequence);
create index receipts_due_by_time on receipts_due (next_at);

-- What could not be taken in (direction 'in') or sent (direction 'out'), with everything needed to try again.
create table dead_letters (
    id bigint generated always as identity primary key,
    direction text not null check (direction in ('in', 'out')),
    topic text not null,
    partition int,                          -- null for 'out'
    "offset" bigint,                        -- null for 'out'
    key bytea,
    value bytea,
    headers jsonb not null,
    reason text not null,
    stack text,
    state text not null default 'open' check (state in ('open', 'replayed', 'discarded')),
    fact_position bigint,                   -- of an 'out' letter
    created_at timestamptz not null default now(),
    resolved_at timestamptz,
    resolved_reason text,
    replays int not null default 0,
    digest bytea not null                   -- of key and value: offsets start again on a new broker
);
create unique index dead_letters_once_in on dead_letters (topic, partition, "offset", digest) where direction = 'in';
create unique index dead_letters_once_out on dead_letters (fact_position) where direction = 'out' and state = 'open';
create index dead_letters_open on dead_letters (id) where state = 'open';

-- Where consuming stands, and how often the record at `next_offset` was begun: stored before the try, together with the
-- work before it, so that a record that kills the process is known by its next start.
create table consumer_progress (
    topic text not null,
    partition int not null,
    next_offset bigint not null,
    attempts int not null,
    updated_at timestamptz not null default now(),
    primary key (topic, partition)
);

-- The broker that this schema last talked to. Another one has none of what the old one kept.
create table broker_identity (
    only_one boolean primary key default true check (only_one),
    cluster_id text not null,
    seen_at timestamptz not null default now()
);

-- Alerts that this service has raised and not cleared yet.
create table open_alerts (
    key text primary key,
    title text not null,
    detail text not null,
    raised_at timestamptz not null default now()
);
