-- When the present round of a shipment at its channel was asked for: what its deadline is counted from.
alter table syncs add column asked_at timestamptz not null default now();

-- When a source's list was last read to its end: what the poll's deadline is counted from.
alter table source_turns add column read_at timestamptz;
alter table watches add column known_at timestamptz not null default now();

-- Each try at a channel is a row of its own (SP-8).
create table sync_attempts (
    shipment_id text not null,
    number int not null,                    -- of all tries about this shipment
    round int not null,
    at timestamptz not null default now(),
    state text not null,                    -- what it left behind
    reason jsonb,
    primary key (shipment_id, number)
);

-- Many shipments that a person asked to push again, armed piece by piece (SP-12).
create table resyncs (
    resync_id text primary key,
    asked_at timestamptz not null default now(),
    actor text not null,
    reason text not null,
    armed_at timestamptz,                   -- all of them have begun
    canceled_at timestamptz,
    canceled_by text
);
create index resyncs_open on resyncs (asked_at) where armed_at is null and canceled_at is null;

create table resync_parts (
    resync_id text not null references resyncs on delete cascade,
    shipment_id text not null,
    order_id text not null,
    round int,                              -- the round that began; null: it waits for its turn
    was_state text,
    was_reason jsonb,
    canceled boolean not null default false,
    primary key (resync_id, shipment_id)
);
create index resync_parts_waiting on resync_parts (resync_id, order_id) where round is null and not canceled;
