-- Who was erased, at whose wish, and how many rows held something: never whose data it was (OP-16).
create table erasures (
    erasure_id text primary key,
    asked_at timestamptz not null default now(),
    asked_by text not null,                 -- a person's or key's name; channel/<id> for a shop's webhook; retention
    reason text not null,
    asked_as text unique,                   -- the webhook's delivery: a repetition is no second wish
    whose text,                             -- sealed: e-mail and the shop's ids; gone when it is done
    state text not null default 'waiting' check (state in ('waiting', 'done')),
    order_ids text[] not null default '{}', -- of whom nothing is left
    under_way text[] not null default '{}', -- orders that wait until they are settled or canceled
    passes int not null default 0,          -- over all services, for these orders
    rows jsonb not null default '{}',       -- service -> table -> rows that held something
    last_error text not null default '',
    due_at timestamptz default now(),
    done_at timestamptz
);
create index erasures_due on erasures (due_at) where state = 'waiting';
create index erasures_newest on erasures (asked_at desc, erasure_id desc);

create index records_by_age on records (at);
