-- name: upsert_channels(ids, polled, stores, starts, versions, credentials, every, passes)!
-- Changed settings take effect now: a new channel and one with new credentials are due at once.
insert into channels (channel_id, active, polled, store, starts_at, config_version, credential_version, poll_every,
                      passes, due_at)
select channel_id, true, polled, store, starts_at, config_version, credential_version, poll_every, passes,
       case when polled then now() end
from unnest(:ids::text[], :polled::bool[], :stores::text[], :starts::timestamptz[], :versions::int[],
            :credentials::int[], :every::interval[], :passes::bool[])
    as u (channel_id, polled, store, starts_at, config_version, credential_version, poll_every, passes)
on conflict (channel_id) do update set
    active = true, polled = excluded.polled, store = excluded.store, starts_at = excluded.starts_at,
    config_version = excluded.config_version, credential_version = excluded.credential_version,
    poll_every = excluded.poll_every, passes = excluded.passes, rules_version = channels.rules_version + 1,
    -- an earlier start: what lies before the cursor has not been looked at
    cursor_at = case when excluded.starts_at < channels.starts_at then null else channels.cursor_at end,
    cursor_id = case when excluded.starts_at < channels.starts_at then null else channels.cursor_id end,
    resume_at = case when excluded.starts_at < channels.starts_at then null else channels.resume_at end,
    -- and a turn under way must not put the cursor behind it: its lease ends here, so it writes nothing more
    lease_token = case when excluded.starts_at < channels.starts_at then null else channels.lease_token end,
    lease_until = case when excluded.starts_at < channels.starts_at then null else channels.lease_until end,
    again = excluded.starts_at >= channels.starts_at
        and (channels.again or coalesce(channels.lease_until > now(), false)),
    attempts = 0,
    due_at = case when not excluded.polled then null
                  when channels.lease_until > now() and excluded.starts_at >= channels.starts_at then channels.due_at
                  else now() end;

-- name: remove_channels(ids, versions)!
update channels set active = false, due_at = null, config_version = u.version
from unnest(:ids::text[], :versions::int[]) as u (id, version)
where channel_id = u.id;

-- name: bump_passing()!
-- A name became ours: channels that pass unmapped names may release orders now.
update channels set rules_version = rules_version + 1 where passes and active;

-- name: channel_heads(ids)
select channel_id, active, polled, store, starts_at, config_version, rules_version, passes
from channels where channel_id = any(:ids::text[]) and active;

-- name: channels_to_judge()
select c.channel_id, c.rules_version from channels c
where c.active and exists (
    select 1 from orders o
    where o.channel = c.channel_id and o.rules_version < c.rules_version
      and (o.standing = 'held' or (o.standing = 'excluded' and o.reason not in ('ours', 'canceled'))));

-- name: listing(channel)
select c.*, h.state as health
from channels c left join connection_health h on h.connection_id = c.channel_id
where :channel::text is null or c.channel_id = :channel
order by c.channel_id;

-- name: ask_pull(channel)^
-- Run now: one that is running is followed by another.
update channels set
    again = coalesce(lease_until > now(), false),
    due_at = case when lease_until > now() then due_at else now() end
where channel_id = :channel and active and polled
returning channel_id, coalesce(lease_until > now(), false) as running;

-- name: keep_turn(hold, resume_at, channel, token)!
-- The turn goes on: its lease is extended, unless somebody else has it by now.
update channels set lease_until = now() + :hold::interval, resume_at = :resume_at::timestamptz
where channel_id = :channel and lease_token = :token;

-- name: finish_pull(cursor_at, cursor_id, deep, counts, channel, token)!
update channels set
    cursor_at = :cursor_at::timestamptz, cursor_id = :cursor_id::text, deep_at = case when :deep::bool then now() else deep_at end,
    due_at = case when not active then null when again then now() else now() + poll_every end,
    resume_at = null, again = false, attempts = 0, lease_token = null, lease_until = null,
    last_pull_at = now(), last_success_at = now(), last_error = null, last_counts = :counts::jsonb
where channel_id = :channel and lease_token = :token;

-- name: fail_pull(due_in, used, error, channel, token)!
-- The cursor stays where it is (IN-2). due_in null: the channel waits for a person.
update channels set
    due_at = case when not active then null when again then now() else now() + :due_in::interval end,
    again = false, attempts = attempts + :used::int, lease_token = null, lease_until = null,
    last_pull_at = now(), last_error = :error::text
where channel_id = :channel and lease_token = :token;
