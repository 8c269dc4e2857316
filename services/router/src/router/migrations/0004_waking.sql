-- Waking costs what it gains: waiters are woken in portions, and only those that what is free could serve (RT-7).
alter table order_waits add column needs int not null default 1; -- units of the SKU without which nothing of it goes
create index order_waits_by_needs on order_waits (key, order_id) include (needs);

-- A key whose waiters are being woken: up to where, and which of them were woken last.
alter table wakes add column after text;
alter table wakes add column woken text[];
