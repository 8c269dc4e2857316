-- name: wish(fr_id, wish)!
update frs set wish = :wish where fr_id = :fr_id;

-- name: ask_for_more(order_id, asked_by)!
-- A person wants what is missing planned now, also where the channel does not generate by itself.
update orders set generate = true, asked_by = :asked_by::jsonb, revision = revision + 1, due_at = clock_timestamp()
where order_id = :order_id;

-- name: note_by_hand(order_id, fr_id, action, actor, reason)!
insert into by_hand (order_id, fr_id, action, actor, reason)
values (:order_id, :fr_id, :action, :actor, :reason);

-- name: by_hand_of(order_id)
select at, fr_id, action, actor, reason from by_hand where order_id = :order_id order by id;
