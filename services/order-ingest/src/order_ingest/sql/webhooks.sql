-- name: ask_webhooks(channel, address, asked_by)^
-- Due now. Who is registering another address at this moment writes nothing more.
insert into webhooks (channel, address, asked_by, due_at) values (:channel, :address, :asked_by, now())
on conflict (channel) do update set
    address = excluded.address, asked_by = excluded.asked_by, asked_at = now(), due_at = now(), attempts = 0,
    topics = '{}', warning = '', checked_at = null, last_error = null,
    lease_token = case when webhooks.address = excluded.address then webhooks.lease_token end,
    lease_until = case when webhooks.address = excluded.address then webhooks.lease_until end
returning *;

-- name: webhooks_of(channel)^
select * from webhooks where channel = :channel;

-- name: keep_webhooks(channel, token, topics, warning, due_in)!
update webhooks set topics = :topics::text[], warning = :warning, checked_at = now(), last_error = null, attempts = 0,
    due_at = now() + :due_in::interval, lease_token = null, lease_until = null
where channel = :channel and lease_token = :token;

-- name: fail_webhooks(channel, token, error, due_in)!
update webhooks set last_error = :error::text, attempts = attempts + 1,
    due_at = now() + :due_in::interval, lease_token = null, lease_until = null
where channel = :channel and lease_token = :token;

-- name: forget_webhooks(channel, token)!
delete from webhooks where channel = :channel and lease_token = :token;
