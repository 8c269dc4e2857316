-- What partners are to be told of shipments that were taken back or corrected (SP-5): kept until their webhook took it.
create table partner_news (
    position bigint generated always as identity primary key,
    event_id text not null unique,          -- told again after a rebuild, it is the same
    order_id text not null,
    event text not null,                    -- shipment.withdrawn, shipment.corrected
    body jsonb not null,
    at timestamptz not null,
    told_at timestamptz
);
create index partner_news_untold on partner_news (position) where told_at is null;
create index partner_news_by_age on partner_news (at);
