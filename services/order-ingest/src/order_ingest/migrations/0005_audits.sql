-- Walks over a window of a channel that somebody, or the day, asked for: audits and imports of past windows.
create table audits (
    audit_id uuid primary key,
    channel text not null,
    kind text not null check (kind in ('audit', 'window')),
    since timestamptz not null,             -- audit: platform time of the last change; window: when it was placed
    until timestamptz not null,
    asked_by text not null,                 -- a person, or `daily`
    state text not null default 'waiting' check (state in ('waiting', 'done', 'failed')),
    resume_at timestamptz,                  -- platform time up to which the pages are committed
    problems text[] not null default '{}',  -- orders that could not be read or stored
    result jsonb,                           -- the counts, once it is done
    last_error text,
    asked_at timestamptz not null default now(),
    ended_at timestamptz,
    due_at timestamptz default now(),
    lease_token uuid,
    lease_until timestamptz,
    attempts int not null default 0
);
create index audits_due on audits (channel, due_at) where state = 'waiting';
create index audits_by_channel on audits (channel, asked_at desc);

-- What an audit was shown, so that sets are compared by the database and memory stays small.
create table audit_shown (
    audit_id uuid not null references audits on delete cascade,
    channel_order_id text not null,
    healed text not null default '',        -- missing: it was not here; changed: it was, with other content; fresh: not due yet
    unlike text not null default '',        -- what still differs after it was taken in
    primary key (audit_id, channel_order_id)
);

create index orders_by_change on orders (channel, updated_at);
