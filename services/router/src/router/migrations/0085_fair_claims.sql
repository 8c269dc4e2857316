-- Due orders are claimed channel by channel in turn (docs/decisions/0046), so that one channel's flood holds up no other.
alter table orders add column channel text not null generated always as (coalesce(body ->> 'channel', '')) stored;
create index orders_due_by_channel on orders (channel, due_at) where due_at is not null;
drop index orders_due;
