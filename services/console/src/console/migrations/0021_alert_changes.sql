-- Each time that an alert was raised or cleared, and who has been told of it (OP-11).

create table alert_changes (
    id bigint generated always as identity primary key,
    alert text not null,
    raised boolean not null,                -- false: cleared
    title text not null,
    detail text not null,
    action text not null,
    at timestamptz not null,
    told text[] not null default '{}'       -- ways by which it was told: log, webhook, email
);
create index alert_changes_newest on alert_changes (at);

-- When each way is tried next, and how often in a row it failed.
create table alert_ways (
    way text primary key,
    due_at timestamptz not null default now(),
    failures int not null default 0,
    last_error text not null default ''
);
