-- Webhooks can be ended: without an address nothing is wanted any more. `leaving`: addresses where the platform still
-- posts, and shall not. The column is named as in shipment-poller, which has the same table for its sources.
alter table webhooks rename column channel to connection;
alter table webhooks alter column address drop not null;
alter table webhooks add column leaving text[] not null default '{}';
