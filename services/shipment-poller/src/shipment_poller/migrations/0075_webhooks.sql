-- Sources whose platform posts to us because somebody asked for it. Registered again each day: platforms switch off
-- what they could not deliver for a while.
create table webhooks (
    connection text primary key,            -- the source
    address text,                           -- none: nothing is wanted any more
    leaving text[] not null default '{}',   -- addresses where the platform still posts, and shall not
    asked_by text not null,
    asked_at timestamptz not null default now(),
    topics text[] not null default '{}',    -- that are on, in the platform's own words
    warning text not null default '',       -- why nothing may come all the same
    checked_at timestamptz,                 -- when the platform last said that they are on
    last_error text,                        -- why it could not be done; it is tried again
    due_at timestamptz,
    lease_token uuid,
    lease_until timestamptz,
    attempts int not null default 0
);
create index webhooks_due on webhooks (due_at);
