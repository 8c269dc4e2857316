-- What comes of a shipment names the resync that had it pushed again.
create index resync_parts_by_shipment on resync_parts (shipment_id, round);
