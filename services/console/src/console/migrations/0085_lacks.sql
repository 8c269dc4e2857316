-- Why an order cannot be routed, cause by cause: what `failures` groups by (OP-5), beside the whole decision.
alter table decisions add column lacks jsonb not null default '[]'; -- of {code, source, sku, fix}
