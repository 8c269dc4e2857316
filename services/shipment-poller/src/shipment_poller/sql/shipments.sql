-- name: shipments_for_review(order_ids)
select s.shipment_id, s.order_id, s.fr_id, s.source, s.said, s.state, s.lines, s.carrier, s.courier_known, s.reason,
    s.sequence, s.decided, y.state as sync, y.wanted
from shipments s left join syncs y using (shipment_id)
where s.order_id = any(:order_ids::text[]) order by s.position;

-- name: stored_words(source, ids)
select source_shipment_id, fr_id, order_id, said from shipments
where source = :source and source_shipment_id = any(:ids::text[]);

-- name: standing_words(source, references)
-- What this source said that it shipped of these requests, and did not take back.
select s.said from watches w join shipments s on s.order_id = w.order_id and s.fr_id = w.fr_id and s.source = w.source
where w.source = :source and w.number = any(:references::text[]) and s.said ->> 'status' <> 'canceled';

-- name: watches_by_reference(source, references, platform_ids)
select fr_id, order_id, number, platform_id, state, outcome, fr is not null as known from watches
where source = :source and (number = any(:references::text[])
    or (platform_id <> '' and platform_id = any(:platform_ids::text[])));

-- name: fulfillments_of_ours(channels, ids)
-- Which of these ids are fulfillments that we wrote ourselves, at a channel that is the same shop (IN-7).
select fulfillment_id from fulfillments where channel = any(:channels::text[]) and fulfillment_id = any(:ids::text[]);

-- name: save_shipments(shipment_ids, order_ids, fr_ids, sources, source_shipment_ids, said, states, lines, carriers, known, reasons, sequences)!
insert into shipments (shipment_id, order_id, fr_id, source, source_shipment_id, said, state, lines, carrier,
    courier_known, reason, sequence)
select u.id, u.order_id, u.fr_id, u.source, u.theirs, u.said, u.state, u.lines -> 'lines', u.carrier, u.known, u.reason,
    u.sequence
from unnest(:shipment_ids::text[], :order_ids::text[], :fr_ids::text[], :sources::text[],
    :source_shipment_ids::text[], :said::jsonb[], :states::text[], :lines::jsonb[], :carriers::text[],
    :known::boolean[], :reasons::jsonb[], :sequences::bigint[])
    as u (id, order_id, fr_id, source, theirs, said, state, lines, carrier, known, reason, sequence)
on conflict (shipment_id) do update set said = excluded.said, state = excluded.state, lines = excluded.lines,
    carrier = excluded.carrier, courier_known = excluded.courier_known, reason = excluded.reason,
    sequence = excluded.sequence;

-- name: save_history(shipment_ids, sequences, states, syncs, reasons)!
insert into shipment_history (shipment_id, sequence, state, sync, reason)
select * from unnest(:shipment_ids::text[], :sequences::bigint[], :states::text[], :syncs::text[], :reasons::jsonb[])
on conflict do nothing;

-- name: keep_early(source, keep, ids, references, platform_ids, said)!
insert into early_shipments as e (source, source_shipment_id, reference, platform_id, said, deadline)
select :source, u.id, u.reference, u.platform_id, u.said, now() + :keep
from unnest(:ids::text[], :references::text[], :platform_ids::text[], :said::jsonb[])
    as u (id, reference, platform_id, said)
on conflict (source, source_shipment_id) do update set said = excluded.said
where (excluded.said ->> 'updated_at') >= (e.said ->> 'updated_at');

-- name: lock_early(source)^
-- Whoever keeps an early word and whoever makes its FR known see each other.
select pg_advisory_xact_lock(hashtextextended(current_schema() || '/early/' || :source, 0));

-- name: early_for_frs(fr_ids)
-- What came before these FRs were known to be with their source.
select e.source, e.source_shipment_id, e.said, w.fr_id, w.order_id
from watches w join early_shipments e on e.source = w.source
    and (e.reference = w.number or (w.platform_id <> '' and e.platform_id = w.platform_id))
where w.fr_id = any(:fr_ids::text[]) and w.fr is not null
    and (w.state in ('PROCESSED', 'ACKNOWLEDGED', 'VOIDED', 'CANCELED', 'FAILED') or w.outcome = 'unknown');

-- name: drop_early(sources, ids)!
delete from early_shipments e using unnest(:sources::text[], :ids::text[]) as u (source, id)
where e.source = u.source and e.source_shipment_id = u.id;

-- name: early_overdue()
update early_shipments set told = true
where (source, source_shipment_id) in (
    select source, source_shipment_id from early_shipments where deadline < now() and not told
    limit 100 for update skip locked)
returning source, source_shipment_id, reference;

-- name: one_shipment(shipment_id)^
select s.shipment_id, s.order_id, s.fr_id, s.source, s.source_shipment_id, s.said, s.state, s.lines, s.carrier, s.reason,
    s.decided, s.recorded_at, y.channel, y.state as sync, y.wanted, y.due_at, y.attempts as attempts_of_this_round, y.tries, y.round,
    y.reason as sync_reason
from shipments s left join syncs y using (shipment_id) where s.shipment_id = :shipment_id;

-- name: decide(shipment_id, decided)!
update shipments set decided = :decided where shipment_id = :shipment_id;

-- name: history_of(shipment_id)
select sequence, at, state, sync, reason from shipment_history where shipment_id = :shipment_id order by sequence;

-- name: hand_shipment(key)^
select order_id, shipment_id, content from hand_shipments where key = :key;

-- name: save_hand_shipment(key, order_id, shipment_id, content)!
insert into hand_shipments (key, order_id, shipment_id, content) values (:key, :order_id, :shipment_id, :content);
