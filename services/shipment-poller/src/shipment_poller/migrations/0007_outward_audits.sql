-- The audit's outward half (IN-14): what a channel was told against what it shows now.

-- What a fresh read showed when it was called synced: what drift is measured by. Null: settled before this was kept.
alter table fulfillments add column shown jsonb;

-- When the shipment first had something to be shown: what an audit's window is about. Never updated.
alter table syncs add column owed_at timestamptz not null default now();
create index syncs_by_owed on syncs (channel, owed_at, shipment_id);
create index shipments_by_recording on shipments (recorded_at);

create table outward_audits (
    audit_id uuid primary key,
    channel text not null,
    since timestamptz not null,
    until timestamptz not null,
    asked_by text not null,                 -- a person, or `daily`
    state text not null default 'waiting' check (state in ('waiting', 'done', 'failed')),
    after_at timestamptz not null default '-infinity',  -- the walk goes on behind this place
    after_id text not null default '',
    counts jsonb not null default '{}',     -- so far; `problems` beside them: some of them in sentences
    problems text[] not null default '{}',
    last_error text,
    asked_at timestamptz not null default now(),
    ended_at timestamptz,
    due_at timestamptz default now(),
    lease_token uuid,
    lease_until timestamptz,
    attempts int not null default 0
);
create index outward_audits_due on outward_audits (channel, due_at) where due_at is not null;
create index outward_audits_by_channel on outward_audits (channel, asked_at desc);

-- When an order was last looked at by an audit.
create table outward_checks (
    order_id text primary key,
    checked_at timestamptz not null
);
create index outward_checks_by_time on outward_checks (checked_at);
