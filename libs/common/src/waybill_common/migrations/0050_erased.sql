-- Keys (of records and rows) whose documents hold no person's data any more, and shall not again (OP-16).
create table erased_keys (
    key text primary key,
    at timestamptz not null default now()
);

-- Facts that were appended about them since: redacted within seconds.
create table erase_again (
    position bigint primary key
);
