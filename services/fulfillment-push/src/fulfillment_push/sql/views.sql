-- name: waiting_frs(source, code, after, after_id, limit)
-- FRs that wait, oldest first, after the given one.
select fr_id, order_id, source, number, state, outcome, recall, waiting, waiting_detail, waiting_since, due_at, attempts,
       reason
from frs
where waiting is not null and (waiting <> 'source_progress' or :code::text is not null)
  and (:source::text is null or source = :source)
  and (:code::text is null or waiting = :code)
  and (:after::timestamptz is null or (waiting_since, fr_id) > (:after::timestamptz, :after_id::text))
order by waiting_since, fr_id
limit :limit::int;

-- name: waiting_counts()
select source, waiting, count(*) as frs, min(waiting_since) as since, min(due_at) as next
from frs where waiting is not null group by source, waiting order by source, waiting;

-- name: one_fr(fr_id)^
select fr_id, order_id, source, number, state, outcome, recall, shipping, sent_at, recalled_at, order_version, router_sequence, sequence, attempts,
       void_reason, platform_id, reason, waiting, waiting_detail, waiting_since, due_at, body, created_at, updated_at
from frs where fr_id = :fr_id;

-- name: history_of(fr_id)
select at, from_state, to_state, who, why, attempt from fr_history where fr_id = :fr_id order by id;
