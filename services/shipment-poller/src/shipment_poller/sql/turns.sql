-- name: expect_turns(sources, waits)!
-- These sources have something to ship: their next turn comes within this time.
insert into source_turns as t (source, due_at)
select u.source, now() + u.wait from unnest(:sources::text[], :waits::interval[]) as u (source, wait)
on conflict (source) do update set due_at = least(t.due_at, excluded.due_at);

-- name: poll_now(source)$
insert into source_turns as t (source, due_at) values (:source, now())
on conflict (source) do update set due_at = now(), wanted_again = coalesce(t.lease_until > now(), false)
returning source;

-- name: lock_turn(source, token)^
select cursor, wanted_again from source_turns where source = :source and lease_token = :token for update;

-- name: watching(source)^
select exists (select from watches where source = :source and shipped_at is null
        and state in ('PROCESSED', 'ACKNOWLEDGED')) as unshipped,
    (select max(shipped_at) from watches where source = :source and shipped_at is not null) as last_shipped_at;

-- name: open_requests(source, sweep_for, sweep_every, sweep_at_most)
-- All unshipped ones, and some of the others whose sweep is due.
(select number, platform_id, fr_id, true as unshipped from watches
 where source = :source and shipped_at is null and state in ('PROCESSED', 'ACKNOWLEDGED'))
union all
(select number, platform_id, fr_id, false from watches
 where source = :source and shipped_at > now() - :sweep_for::interval
     and (swept_at is null or swept_at < now() - :sweep_every::interval)
 order by swept_at nulls first, shipped_at limit :sweep_at_most);

-- name: swept(fr_ids)!
update watches set swept_at = now() where fr_id = any(:fr_ids::text[]);

-- name: finish_turn(attempts, cursor, wait, source, token)!
update source_turns set lease_token = null, lease_until = null, attempts = :attempts, cursor = :cursor,
    turned_at = now(), wanted_again = false, due_at = now() + :wait::interval
where source = :source and lease_token = :token;

-- name: waiting_shipments()
select state, coalesce(reason ->> 'code', '') as code, count(*) as count from shipments
where state in ('refused', 'conflict', 'waiting_for_label') group by 1, 2;

-- name: waiting_syncs()
select channel, state, coalesce(reason ->> 'code', '') as code, count(*) as count, min(changed_at) as since from syncs
where state = 'failed' or due_at is not null group by 1, 2, 3;

-- name: waiting_early()$
select count(*) from early_shipments;

-- name: turns()
select source, due_at, turned_at, cursor, attempts from source_turns order by source;
