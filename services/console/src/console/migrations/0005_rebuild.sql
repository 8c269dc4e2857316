-- The last time that the read model was built anew.

create table rebuilds (
    only_one boolean primary key default true check (only_one),
    started_at timestamptz not null default now(),
    actor text not null,
    events jsonb not null default '{}'      -- service -> how many events it sends again
);
