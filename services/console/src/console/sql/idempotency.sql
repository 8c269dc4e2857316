-- name: take_idempotency_key(actor, route, key, digest)^
-- Takes a free key, or one whose call was begun a minute ago and never answered. No row: it is taken.
insert into idempotency_keys as i (actor, route, key, request_digest) values (:actor, :route, :key, :digest)
on conflict (actor, route, key) do update set created_at = now()
where i.status is null and i.created_at < now() - interval '1 minute' and i.request_digest = excluded.request_digest
returning i.key;

-- name: idempotency_answer(actor, route, key)^
select request_digest, answer, status from idempotency_keys where actor = :actor and route = :route and key = :key;

-- name: store_idempotency_answer(answer, status, actor, route, key)!
update idempotency_keys set answer = :answer, status = :status
where actor = :actor and route = :route and key = :key;

-- name: free_idempotency_key(actor, route, key)!
delete from idempotency_keys where actor = :actor and route = :route and key = :key;

-- name: prune_idempotency_keys()!
delete from idempotency_keys where created_at < now() - interval '2 days';
