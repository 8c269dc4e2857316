-- Until when each replica has read the topics: an answer is as fresh as the stalest of them.
create table readers (
    instance text primary key,
    read_until timestamptz not null,
    heard_at timestamptz not null default now()
);
