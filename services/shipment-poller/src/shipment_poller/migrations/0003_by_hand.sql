-- What a person entered, by the key under which they did: the same key gives the same shipment.
create table hand_shipments (
    key text primary key,
    order_id text not null,
    shipment_id text not null,
    content text not null,                  -- JSON, to tell another request under the same key apart
    entered_at timestamptz not null default now()
);
