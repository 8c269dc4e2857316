-- The second axis of an FR (what of it has shipped), and the moments that deadlines are counted from.
alter table frs
    add column shipping text not null default 'awaiting',  -- awaiting, partial, shipped, canceled
    add column shipped jsonb not null default '{"total": []}',  -- units: [[line id, SKU, units], ...]
    add column sent_at timestamptz,                        -- since when its source has it
    add column recalled_at timestamptz;                    -- since when it is asked back

-- What was shipped of our FRs, as the poller told it last; none of `units` when it was withdrawn.
create table fr_shipments (
    shipment_id text primary key,
    fr_id text not null,
    sequence bigint not null,
    units jsonb not null                    -- {"units": [[line id, SKU, units], ...]}
);
create index fr_shipments_of_fr on fr_shipments (fr_id);

update frs set sent_at = coalesce(fact_at, updated_at) where state in ('PROCESSED', 'ACKNOWLEDGED');
update frs set recalled_at = coalesce(fact_at, updated_at) where recall = 'requested';

create index frs_resting on frs (source, sent_at) where state = 'PROCESSED' and shipping = 'awaiting';
create index frs_asked_back on frs (recalled_at) where recall = 'requested';
create index frs_unanswered on frs (source, recalled_at) where recall = 'unanswered';
