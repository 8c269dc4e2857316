-- name: add_user(user_id, name, password, role, stores, created_by)!
insert into users (user_id, name, password, role, stores, created_by)
values (:user_id, :name, :password, :role, :stores, :created_by);

-- name: user_by_name(name)^
select user_id, name, password, role, stores from users where name = :name and disabled_at is null;

-- name: list_users()
select user_id, name, role, stores, created_at, created_by, disabled_at, signed_in_at from users order by name;

-- name: change_user(user_id, role, stores, all_stores)^
update users set role = coalesce(:role, role),
    stores = case when :all_stores::boolean then null else coalesce(:stores::text[], stores) end
where user_id = :user_id and disabled_at is null
returning user_id, name, role, stores;

-- name: set_password(user_id, password)$
update users set password = :password where user_id = :user_id and disabled_at is null returning user_id;

-- name: disable_user(user_id)$
update users set disabled_at = now() where user_id = :user_id and disabled_at is null returning user_id;

-- name: end_sessions_of(user_id)!
delete from sessions where user_id = :user_id;

-- name: note_signed_in(user_id)!
update users set signed_in_at = now() where user_id = :user_id;

-- name: add_user_session(digest, user_id)!
insert into sessions (digest, user_id, expires_at) values (:digest, :user_id, now() + interval '12 hours');

-- name: actor_by_session(digest)^
-- Whoever signed in, by password or by key, as they are allowed now.
select coalesce(u.user_id, k.key_id) as key_id, coalesce(u.name, k.name) as name, coalesce(u.role, k.role) as role,
       case when u.user_id is null then k.stores else u.stores end as stores, k.scopes
from sessions s left join api_keys k on k.key_id = s.key_id and k.revoked_at is null
                left join users u on u.user_id = s.user_id and u.disabled_at is null
where s.digest = :digest and s.expires_at > now() and coalesce(u.user_id, k.key_id) is not null;

-- name: failed_lately(who)$
select count(*) from failed_sign_ins where who = :who and at > now() - interval '15 minutes';

-- name: note_failed_sign_in(who)!
insert into failed_sign_ins (who) values (:who);

-- name: forget_failed_sign_ins(who)!
delete from failed_sign_ins where who = :who;

-- name: prune_failed_sign_ins()!
delete from failed_sign_ins where at < now() - interval '1 day';
