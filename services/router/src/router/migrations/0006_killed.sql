-- What sources canceled for good (on_source_cancel: kill), by line: {"canceled": pieces, "units": {sku: units}} (FP-6).
alter table orders add column killed jsonb not null default '{}';
