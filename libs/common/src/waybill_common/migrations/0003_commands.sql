-- Commands that this service has done: the same id again is answered as before, and changes nothing.
create table commands_taken (
    command_id text primary key,
    answer jsonb,
    told int not null default 0,            -- facts that name it, now or soon
    taken_at timestamptz not null default now()
);
create index commands_taken_by_age on commands_taken using brin (taken_at);
