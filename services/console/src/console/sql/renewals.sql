-- name: enrol_renewal(entity, credential_version, at_once)!
-- Credentials that a person gave anew begin anew.
insert into token_renewals as r (entity, credential_version, due_at)
values (:entity, :credential_version, case when :at_once then now() end)
on conflict (entity) do update
set credential_version = excluded.credential_version, due_at = excluded.due_at, expires_at = null, early = 0,
    failures = 0, last_error = ''
where r.credential_version <> excluded.credential_version;

-- name: dismiss_renewals(entities)
delete from token_renewals where entity <> all(:entities::text[]) returning entity;

-- name: claim_renewal()^
-- A connection that is due, in no other replica's hands; or one that a service was refused at since its newest renewal.
-- Renewals of that kind keep a distance that doubles, because no new token mends e.g. a missing scope.
select r.entity, r.failures, r.early, coalesce(r.due_at <= now(), false) as due
from token_renewals r join config_entities e on e.entity = r.entity and not e.removed
where r.due_at <= now()
   or (r.failures = 0
       and now() >= coalesce(r.renewed_at + interval '1 minute' * 2 ^ least(r.early, 10), '-infinity')
       and exists (select from connections c
                   where c.connection = split_part(r.entity, '/', 2) and c.state = 'unauthorized'
                     and c.at > coalesce(r.renewed_at, '-infinity')))
order by r.due_at nulls first limit 1 for update of r skip locked;

-- name: note_renewal(entity, credential_version, expires_at, due_at, early)!
update token_renewals
set credential_version = :credential_version, renewed_at = now(), expires_at = :expires_at, due_at = :due_at,
    early = :early, failures = 0, last_error = ''
where entity = :entity;

-- name: put_off_renewal(entity, wait, failures, last_error)!
update token_renewals set due_at = now() + :wait::interval, failures = :failures, last_error = :last_error
where entity = :entity;
