-- The newest shipments first, whatever their status: most of them are synced.
create index shipments_newest on shipments (updated_at desc, shipment_id desc);
