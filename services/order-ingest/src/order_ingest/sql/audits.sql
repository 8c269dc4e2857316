-- name: ask_audit(id, channel, kind, since, until, asked_by)^
-- Since null: from the channel's start. One that waits for the same window is that one.
insert into audits (audit_id, channel, kind, since, until, asked_by)
select :id, c.channel_id, :kind, greatest(coalesce(:since::timestamptz, c.starts_at), '1970-01-01'),
       coalesce(:until::timestamptz, now()), :asked_by
from channels c where c.channel_id = :channel and c.active and c.polled
returning audit_id, since, until;

-- name: plan_daily(ids, reach)!
-- Each channel once a day, over what changed lately; a channel that was locked out is planned when its turn comes.
insert into audits (audit_id, channel, kind, since, until, asked_by)
select u.id, c.channel_id, 'audit', greatest(c.starts_at, now() - :reach::interval), now(), 'daily'
from (select channel_id, starts_at, row_number() over (order by channel_id) as place from channels c
      where active and polled and last_success_at is not null and not exists (
          select 1 from audits a where a.channel = c.channel_id and a.asked_by = 'daily'
            and a.asked_at > now() - interval '1 day')
      order by channel_id limit cardinality(:ids::uuid[])) c
join unnest(:ids::uuid[]) with ordinality as u (id, place) on u.place = c.place;

-- name: audit(audit_id)^
select * from audits where audit_id = :audit_id;

-- name: audits_of(channel, limit)
select * from audits where channel = :channel order by asked_at desc limit :limit;

-- name: keep_shown(audit_id, ids, healed, unlike)!
insert into audit_shown (audit_id, channel_order_id, healed, unlike)
select :audit_id, id, healed, unlike from unnest(:ids::text[], :healed::text[], :unlike::text[]) as u (id, healed, unlike)
on conflict (audit_id, channel_order_id) do update set
    healed = case when excluded.healed <> '' then excluded.healed else audit_shown.healed end, unlike = excluded.unlike;

-- name: keep_audit(audit_id, token, hold, resume_at, problems)!
update audits set lease_until = now() + :hold::interval, resume_at = :resume_at::timestamptz,
    problems = case when cardinality(problems) < 100 then problems || :problems::text[] else problems end
where audit_id = :audit_id and lease_token = :token;

-- name: copies_of(channel, ids)
-- What we have of these: to be compared with what was shown.
select channel_order_id, standing, version, body -> 'lines' as lines, baseline from orders
where channel = :channel and channel_order_id = any(:ids::text[]);

-- name: not_shown(audit_id, channel, since, until, limit)
-- Here, and changed within the window, but the channel did not show them: the other half of the comparison.
select o.order_id, o.channel_order_id, o.number, o.standing from orders o
where o.channel = :channel and o.updated_at between :since and :until and o.standing <> 'excluded'
  and not exists (select 1 from audit_shown s where s.audit_id = :audit_id and s.channel_order_id = o.channel_order_id)
order by o.channel_order_id limit :limit;

-- name: audit_counts(audit_id, channel)^
select count(*) as shown,
       count(*) filter (where o.standing = 'imported') as imported,
       count(*) filter (where o.standing = 'held') as held,
       count(*) filter (where o.standing = 'excluded') as excluded,
       count(*) filter (where o.standing = 'canceled') as canceled,
       count(*) filter (where o.standing is null or s.unlike <> '') as unexplained,
       count(*) filter (where s.healed = 'missing') as healed_missing,
       count(*) filter (where s.healed = 'changed') as healed_changed,
       count(*) filter (where s.healed = 'fresh') as fresh
from audit_shown s left join orders o on o.channel = :channel and o.channel_order_id = s.channel_order_id
where s.audit_id = :audit_id;

-- name: unexplained(audit_id, channel)
select s.channel_order_id, case when o.standing is null then 'it is not here' else s.unlike end as why
from audit_shown s left join orders o on o.channel = :channel and o.channel_order_id = s.channel_order_id
where s.audit_id = :audit_id and (o.standing is null or s.unlike <> '') order by 1 limit 20;

-- name: finish_audit(audit_id, token, result)!
update audits set state = 'done', result = :result::jsonb, ended_at = now(), last_error = null, due_at = null,
    lease_token = null, lease_until = null
where audit_id = :audit_id and lease_token = :token;

-- name: forget_shown(audit_id)!
delete from audit_shown where audit_id = :audit_id;

-- name: fail_audit(audit_id, token, due_in, used, error, most)!
-- It goes on where its committed pages end; after so many failures in a row a person is told.
update audits set attempts = attempts + :used::int, last_error = :error::text, lease_token = null, lease_until = null,
    state = case when attempts + :used::int >= :most::int then 'failed' else state end,
    ended_at = case when attempts + :used::int >= :most::int then now() end,
    due_at = case when attempts + :used::int >= :most::int then null else now() + :due_in::interval end
where audit_id = :audit_id and lease_token = :token;

-- name: forget_audits(keep)!
delete from audits where state <> 'waiting' and ended_at < now() - :keep::interval;

-- name: ask_for(channel, ids)!
-- Orders that the channel's start kept out and that somebody now asks for: the healer lets them in.
update orders set said = said || '{"asked": true}', rules_version = 0
where channel = :channel and channel_order_id = any(:ids::text[]) and standing = 'excluded' and reason = 'before_start';

-- name: open_alerts_like(prefix)
select key from open_alerts where starts_with(key, :prefix) order by key limit 1000;
