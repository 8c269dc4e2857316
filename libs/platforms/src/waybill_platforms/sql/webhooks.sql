-- name: ask_webhooks(connection, address, asked_by)^
-- Due now, or when whoever is at it has ended. Another address than before: the former one is left.
insert into webhooks as w (connection, address, asked_by, due_at) values (:connection, :address, :asked_by, now())
on conflict (connection) do update set
    address = excluded.address, asked_by = excluded.asked_by, asked_at = now(), due_at = now(), attempts = 0,
    leaving = array_remove(array_remove(w.leaving || w.address, excluded.address), null),
    topics = '{}', warning = '', checked_at = null, last_error = null
returning *;

-- name: end_webhooks(connection, leaving, asked_by)^
-- Everything that was registered is left, and what is named besides.
insert into webhooks as w (connection, leaving, asked_by, due_at) values (:connection, :leaving::text[], :asked_by, now())
on conflict (connection) do update set
    leaving = array_remove(w.leaving || w.address || excluded.leaving, null), address = null,
    asked_by = excluded.asked_by, asked_at = now(), due_at = now(), attempts = 0,
    topics = '{}', warning = '', checked_at = null, last_error = null
returning *;

-- name: webhooks_of(connection)^
select * from webhooks where connection = :connection;

-- name: keep_webhooks(connection, token, address, topics, warning, due_in)^
-- None: something else was asked for meanwhile.
update webhooks set topics = :topics::text[], warning = :warning, checked_at = now(), last_error = null, attempts = 0,
    leaving = '{}', due_at = now() + :due_in::interval, lease_token = null, lease_until = null
where connection = :connection and lease_token = :token and address = :address::text
returning connection;

-- name: fail_webhooks(connection, token, address, error, due_in)^
update webhooks set last_error = :error::text, attempts = attempts + 1,
    due_at = now() + :due_in::interval, lease_token = null, lease_until = null
where connection = :connection and lease_token = :token and address is not distinct from :address::text
returning connection;

-- name: forget_webhooks(connection, token, address)^
delete from webhooks
where connection = :connection and lease_token = :token and address is not distinct from :address::text
returning connection;
