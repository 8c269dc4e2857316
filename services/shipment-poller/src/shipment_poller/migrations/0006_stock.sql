-- One row for each source whose stock is read from its platform: when it is read next (RT-1).
create table stock_turns (
    source text primary key,
    due_at timestamptz,
    lease_token uuid,
    lease_until timestamptz,
    attempts int not null default 0,
    turned_at timestamptz                   -- when all levels were read to the end
);

-- What the router was told last of each SKU (ours), so that what has not changed is no event.
create table stock_told (
    source text not null,
    sku text not null,
    on_hand int not null,
    requests text not null,                 -- a digest of our own requests for it then
    sequence bigint not null,
    told_at timestamptz not null,
    primary key (source, sku)
);

-- The requests of the last day at a source.
create index watches_by_source on watches (source, known_at);
