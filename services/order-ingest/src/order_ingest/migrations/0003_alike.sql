-- Orders alike (same channel, address and items): the one that was here first is never the suspect.
create sequence orders_here;
alter table orders
    add column alike bytea,                 -- null where likeness says nothing
    add column here bigint;                 -- its place among those that came, given when it came (not while excluded)
create index orders_alike on orders (channel, alike, here) where alike is not null;
