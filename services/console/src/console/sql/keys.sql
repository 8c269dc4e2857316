-- name: key_by_digest(digest)^
-- Its last use is known to the half minute: a write with each read would cost more than most reads.
with used as (
    update api_keys set last_used_at = now()
    where digest = :digest and revoked_at is null
      and (last_used_at is null or last_used_at < now() - interval '30 seconds')
)
select key_id, name, role, stores, scopes from api_keys where digest = :digest and revoked_at is null;

-- name: add_session(digest, key_id)!
insert into sessions (digest, key_id, expires_at) values (:digest, :key_id, now() + interval '12 hours');

-- name: end_session(digest)!
delete from sessions where digest = :digest or expires_at < now();

-- name: add_key(key_id, name, digest, role, stores, scopes, created_by)!
insert into api_keys (key_id, name, digest, role, stores, scopes, created_by)
values (:key_id, :name, :digest, :role, :stores, :scopes, :created_by)
on conflict (digest) do update
set revoked_at = null, role = excluded.role, stores = excluded.stores, scopes = excluded.scopes;

-- name: revoke_key(key_id)$
update api_keys set revoked_at = now() where key_id = :key_id and revoked_at is null returning key_id;

-- name: list_keys()
select key_id, name, role, stores, scopes, created_at, created_by, last_used_at, revoked_at from api_keys order by created_at, key_id;

-- name: prune_sessions()!
delete from sessions where expires_at < now();
