-- name: expect_turns(sources, waits)!
-- These sources have something to ship: their next turn comes within this time.
insert into source_turns as t (source, due_at)
select u.source, now() + u.wait from unnest(:sources::text[], :waits::interval[]) as u (source, wait)
on conflict (source) do update set due_at = least(t.due_at, excluded.due_at);

-- name: hint_turn(source, wait)$
-- Something may have been shipped: the next turn comes within this time; hints in between are one.
insert into source_turns as t (source, due_at) values (:source, now() + :wait::interval)
on conflict (source) do update set due_at = least(t.due_at, excluded.due_at),
    wanted_again = t.wanted_again or coalesce(t.lease_until > now(), false)
returning source;

-- name: poll_now(source)$
insert into source_turns as t (source, due_at) values (:source, now())
on conflict (source) do update set due_at = now(), wanted_again = coalesce(t.lease_until > now(), false)
returning source;

-- name: lock_turn(source, token)^
select cursor, wanted_again from source_turns where source = :source and lease_token = :token for update;

-- name: watching(source)^
select (select min(known_at) from watches where source = :source and shipped_at is null
        and state in ('PROCESSED', 'ACKNOWLEDGED')) is not null as unshipped,
    (select max(shipped_at) from watches where source = :source and shipped_at is not null) as last_shipped_at;

-- name: open_requests(source, sweep_for, young, young_every, middle, middle_every, old_every, sweep_at_most)
-- All unshipped ones, and of the others those whose sweep is longest overdue, measured by what their age allows.
(select number, platform_id, fr_id, true as unshipped from watches
 where source = :source and shipped_at is null and state in ('PROCESSED', 'ACKNOWLEDGED'))
union all
(select number, platform_id, fr_id, false from (
    select w.*, extract(epoch from now() - coalesce(swept_at, shipped_at))
        / extract(epoch from case when shipped_at > now() - :young::interval then :young_every::interval
            when shipped_at > now() - :middle::interval then :middle_every::interval
            else :old_every::interval end) as overdue
    from watches w where source = :source and shipped_at > now() - :sweep_for::interval) as due
 where overdue >= 1 order by overdue desc, fr_id limit :sweep_at_most);

-- name: swept(fr_ids)!
update watches set swept_at = now() where fr_id = any(:fr_ids::text[]);

-- name: finish_turn(attempts, cursor, wait, read_whole, source, token)!
update source_turns set lease_token = null, lease_until = null, attempts = :attempts, cursor = :cursor,
    turned_at = now(), wanted_again = false, due_at = now() + :wait::interval,
    read_at = case when :read_whole::boolean then now() else read_at end
where source = :source and lease_token = :token;

-- name: waiting_shipments()
select state, coalesce(reason ->> 'code', '') as code, count(*) as count from shipments
where state in ('refused', 'conflict', 'waiting_for_label') group by 1, 2;

-- name: waiting_syncs()
-- By channel, with the slow lane: a channel that is down is looked at by one call at a time, next at `next_look_at`.
select y.channel, y.state, coalesce(y.reason ->> 'code', '') as code, count(*) as count, min(y.changed_at) as since,
    coalesce(min(h.state), 'ok') as health, min(h.cause) as cause, min(h.probe_at) as next_look_at
from syncs y left join connection_health h on h.connection_id = y.channel and h.state <> 'ok'
where y.state = 'failed' or y.due_at is not null group by 1, 2, 3;

-- name: waiting_early()$
select count(*) from early_shipments;

-- name: late_turns(sweep_for)
-- When each source was last read to its end (never: since its first FR is known here, or shipped). `unshipped`: of those
-- with something unshipped; the others have shipped something so lately that it may still be corrected.
select t.source, greatest(t.read_at, w.since) as read_at, true as unshipped, now() as now, h.state as health, h.cause
from source_turns t left join connection_health h on h.connection_id = t.source
    cross join lateral (select min(known_at) as since from watches w where w.source = t.source
        and w.shipped_at is null and w.state in ('PROCESSED', 'ACKNOWLEDGED')) w
where w.since is not null
union all
select t.source, greatest(t.read_at, w.since), false, now(), h.state, h.cause
from source_turns t left join connection_health h on h.connection_id = t.source
    cross join lateral (select min(shipped_at) as since from watches w where w.source = t.source
        and w.shipped_at > now() - :sweep_for::interval) w
where w.since is not null;

-- name: open_alerts(pattern)
select key from open_alerts where key like :pattern;

-- name: only_one(name)$
-- One replica does it; the lock ends with the transaction.
select pg_try_advisory_xact_lock(hashtextextended(current_schema() || :name, 0));

-- name: turns()
select source, due_at, turned_at, cursor, attempts from source_turns order by source;
