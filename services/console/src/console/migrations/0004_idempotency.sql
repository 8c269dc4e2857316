-- A POST that is under way has its key taken, and no answer yet.

alter table idempotency_keys alter column answer drop not null;
alter table idempotency_keys alter column status drop not null;
create index idempotency_keys_by_age on idempotency_keys (created_at);
