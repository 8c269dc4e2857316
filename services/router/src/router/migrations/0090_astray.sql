-- A parcel that left although its FR was over, and of which a person decided that it does not count for its order:
-- its units are asked for again. They are part of what was shipped (they left the shelf), and named beside it.
alter table allocations add column astray int not null default 0;
alter table shipments add column astray boolean not null default false;
