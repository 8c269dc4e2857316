-- name: known_ages(channels, ids)
-- What we hold of the given orders, without a lock: most of a window that is read again ends here.
select o.channel, o.channel_order_id, o.digest, o.updated_at, o.read_at, o.alike
from unnest(:channels::text[], :ids::text[]) as u (channel, id)
join orders o on o.channel = u.channel and o.channel_order_id = u.id;

-- name: touch(channels, ids, updated, read, digests)!
-- The same content under a newer platform time: remembered, so that a late older sighting does not win.
update orders o set updated_at = u.updated_at, read_at = u.read_at
from unnest(:channels::text[], :ids::text[], :updated::timestamptz[], :read::timestamptz[], :digests::bytea[])
    as u (channel, id, updated_at, read_at, digest)
where o.channel = u.channel and o.channel_order_id = u.id and o.digest = u.digest
  and (o.updated_at, o.read_at) < (u.updated_at, u.read_at);

-- name: insert_new(order_ids, stores, channels, ids, numbers, standings, versions, sequences, updated, read, digests, snapshots, bodies, baselines, reasons, details, rules, said, alikes, heres, vias, traceparents, placed)
-- The unique constraint decides who is first; rows come in key order, so that two importers cannot wait for each other.
insert into orders (order_id, store, channel, channel_order_id, number, standing, version, sequence, updated_at, read_at,
                    digest, snapshot, body, baseline, reason, detail, rules_version, said, alike, here, via, traceparent, placed_at)
select * from unnest(:order_ids::uuid[], :stores::text[], :channels::text[], :ids::text[], :numbers::text[],
                     :standings::text[], :versions::int[], :sequences::bigint[], :updated::timestamptz[],
                     :read::timestamptz[], :digests::bytea[], :snapshots::jsonb[], :bodies::jsonb[],
                     :baselines::jsonb[], :reasons::text[], :details::text[], :rules::bigint[], 
                     :said::jsonb[], :alikes::bytea[], :heres::bigint[], :vias::text[],
                     :traceparents::text[], :placed::timestamptz[])
on conflict (channel, channel_order_id) do nothing
returning order_id;

-- name: locked(channels, ids)
select o.*
from unnest(:channels::text[], :ids::text[]) as u (channel, id)
join orders o on o.channel = u.channel and o.channel_order_id = u.id
order by o.channel, o.channel_order_id
for update of o;

-- name: to_judge_again(channel, limit)
-- Held and excludable orders that older rules judged.
select order_id, alike from orders
where channel = :channel and rules_version < (select c.rules_version from channels c where c.channel_id = :channel)
  and (standing = 'held' or (standing = 'excluded' and reason not in ('ours', 'canceled')))
order by rules_version, order_id
limit :limit;

-- name: lock_to_judge(order_ids)
-- What another transaction holds, or has judged meanwhile, is left for the next turn.
select o.* from orders o join channels c on c.channel_id = o.channel
where o.order_id = any(:order_ids::uuid[]) and o.rules_version < c.rules_version
order by o.channel, o.channel_order_id
for update of o skip locked;

-- name: order_by_id(order_id)^
select * from orders where order_id = :order_id;

-- name: lock_order(order_id)^
select * from orders where order_id = :order_id for update;

-- name: cannot_judge(order_id)!
-- It stays as it is until the rules or the order change again.
update orders o set rules_version = c.rules_version from channels c
where o.order_id = :order_id and c.channel_id = o.channel;

-- name: save(order_ids, numbers, standings, versions, sequences, updated, read, digests, snapshots, bodies, baselines, reasons, details, rules, said, alikes, heres)!
update orders o set
    number = u.number, standing = u.standing, version = u.version, sequence = u.sequence, updated_at = u.updated_at,
    read_at = u.read_at, digest = u.digest, snapshot = u.snapshot, body = u.body, baseline = u.baseline,
    reason = u.reason, detail = u.detail, rules_version = u.rules_version, said = u.said, alike = u.alike, here = u.here,
    changed_at = now()
from unnest(:order_ids::uuid[], :numbers::text[], :standings::text[], :versions::int[], :sequences::bigint[],
            :updated::timestamptz[], :read::timestamptz[], :digests::bytea[], :snapshots::jsonb[], :bodies::jsonb[],
            :baselines::jsonb[], :reasons::text[], :details::text[], :rules::bigint[], :said::jsonb[], :alikes::bytea[],
            :heres::bigint[])
    as u (order_id, number, standing, version, sequence, updated_at, read_at, digest, snapshot, body, baseline, reason,
          detail, rules_version, said, alike, here)
where o.order_id = u.order_id;

-- name: record_moves(order_ids, sequences, before, standings, versions, reasons)!
insert into order_moves (order_id, sequence, standing_before, standing, version, reason)
select * from unnest(:order_ids::uuid[], :sequences::bigint[], :before::text[], :standings::text[], :versions::int[],
                     :reasons::text[]);

-- name: order_by_number(channel, number)
select order_id, store, channel, channel_order_id, number, standing, version, sequence, reason, detail, body -> 'holds' as holds,
       via, placed_at, updated_at, created_at, changed_at
from orders where channel = :channel and (number = :number or channel_order_id = :number)
order by created_at limit 10;

-- name: own_references(references)
select reference from own_references where reference = any(:references::text[]);

-- name: add_own_references(references, frs, sources)!
-- Sources that are no shops never show our requests as orders of a channel.
insert into own_references (reference, fr_id)
select u.reference, u.fr from unnest(:references::text[], :frs::text[], :sources::text[]) as u (reference, fr, source)
where not exists (select 1 from config_entities c
                  where c.entity = 'source/' || u.source and c.body -> 'source' ->> 'platform' in ('http', 'manual'))
on conflict do nothing;

-- name: placed_at(channel, ids)
select channel_order_id, placed_at from orders where channel = :channel and channel_order_id = any(:ids::text[]);

-- name: order_named(channel, names)^
select order_id, number, channel_order_id, standing, version, reason, detail, body -> 'holds' as holds, via, created_at
from orders where channel = :channel and (number = any(:names::text[]) or channel_order_id = any(:names::text[]))
order by created_at desc limit 1;

-- name: letters_of(keys)
select reason from dead_letters where state = 'open' and topic = 'orders.inbound' and key = any(:keys::bytea[])
order by id desc limit 3;
