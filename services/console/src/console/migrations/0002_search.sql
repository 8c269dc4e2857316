-- What an order can be found by (OP-1): one row a word, in one order for a scan of exactly the newest matches.

create table search_terms (
    term text collate "C" not null,         -- as console/search.py writes it: folded, without a leading #
    placed_at timestamptz not null,         -- the order's, so that one word's matches come newest first from the index
    order_id text not null,
    kind text not null,                     -- number | sku | customer | fr | tracking
    primary key (term, placed_at, order_id)
);

-- Of the terms that are stored for the order: written again only when they change.
alter table orders add column terms_digest bigint not null default 0;
