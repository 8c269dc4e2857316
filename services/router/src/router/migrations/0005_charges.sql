-- What a source really charged for an FR (RT-16). The newest word about an FR counts.
create table charges (
    fr_id text primary key,
    batch text not null,                    -- the file, or the call, that it came with
    currency text not null,
    total numeric(18, 6) not null,
    told_at timestamptz not null default now(),
    actor text not null
);
create index charges_by_batch on charges (batch, fr_id);
create index charges_by_time on charges (told_at);
