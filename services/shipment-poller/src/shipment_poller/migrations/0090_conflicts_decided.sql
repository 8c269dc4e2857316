-- What a person decided about a parcel that left although its FR was over, and what was asked for in its place came to.
alter table shipments add column decided jsonb;          -- waybill_contracts.shipment_synced.Decided
alter table watches add column recall text not null default 'none';
alter table watches add column stopped_for text;         -- the FR that shipped after all, and made this one too much
