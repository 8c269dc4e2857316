-- One role for each service, owner of its own schema and of nothing else: what DESIGN means by "nobody reads another's
-- schema", held by the database. Run once as an administrator, then give each service its own WAYBILL_DATABASE_URL.
--   psql -v password="'...'" -f deploy/postgres/roles.sql waybill
\set ON_ERROR_STOP on

create role waybill_order_ingest login password :password;
create role waybill_router login password :password;
create role waybill_fulfillment_push login password :password;
create role waybill_shipment_poller login password :password;
create role waybill_console login password :password;

create schema order_ingest authorization waybill_order_ingest;
create schema router authorization waybill_router;
create schema fulfillment_push authorization waybill_fulfillment_push;
create schema shipment_poller authorization waybill_shipment_poller;
create schema console authorization waybill_console;
