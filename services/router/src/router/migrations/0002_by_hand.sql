-- What people do with FRs (RT-10, RT-13). `wish` is a person's word about one FR:
--   parked      taken back: its units are not asked for again until somebody says so
--   again       to be asked for again, also what its source canceled
--   overridden  its open units were planned again although it may still ship them: an admin's risk
alter table frs add column wish text check (wish in ('parked', 'again', 'overridden'));

-- Who asked for the next decision of an order: {actor, reason}; the decision names them, and forgets.
alter table orders add column asked_by jsonb;

create table by_hand (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    order_id text not null,
    fr_id text,
    action text not null,                   -- generate, create, void, regenerate, override
    actor text not null,
    reason text not null
);
create index by_hand_by_order on by_hand (order_id, id);
