-- name: store_command(command_id, action, target, service, path, body, timeout, actor, reason)^
-- No row: it is known, and was not refused. One that was refused is tried anew under its id.
-- Who stores it sends it at once; should they die before that, it is due for everybody in a moment.
insert into commands as c (command_id, action, target, service, path, body, timeout_s, actor, reason, due_at)
values (:command_id, :action, :target, :service, :path, :body, :timeout, :actor, :reason, now() + interval '5 seconds')
on conflict (command_id) do update
set action = excluded.action, target = excluded.target, service = excluded.service, path = excluded.path,
    body = excluded.body, timeout_s = excluded.timeout_s, reason = excluded.reason, state = 'stored', created_at = now(),
    sent_at = null, ended_at = null, attempts = 0, due_at = excluded.due_at, trouble = '', status = null, answer = null, told = 0,
    refusal = null
where c.state = 'refused'
returning c.command_id;

-- name: begin_sending(command_id)^
-- This one, or the one that is due for longest. Its next try is due when this one is surely over.
update commands c
set state = 'sent', sent_at = coalesce(c.sent_at, now()), attempts = c.attempts + 1,
    due_at = now() + (c.timeout_s + 5) * interval '1 second'
where c.command_id = (
    select d.command_id from commands d
    where d.due_at is not null and case when :command_id::text is null then d.due_at <= now()
                                        else d.command_id = :command_id end
    order by d.due_at limit 1 for update skip locked)
returning c.*;

-- name: answer_command(command_id, state, status, answer, told, refusal)!
update commands set state = :state, status = :status, answer = :answer, told = :told, refusal = :refusal,
    ended_at = now(), due_at = null, trouble = '', body = null
where command_id = :command_id and due_at is not null;

-- name: put_off_command(command_id, wait, trouble)!
update commands set due_at = now() + :wait::interval, trouble = :trouble
where command_id = :command_id and due_at is not null;

-- name: command(command_id)^
select * from commands where command_id = :command_id;

-- name: list_commands(state, target, actor, at, after, limit)
select * from commands
where (:state::text is null or state = :state)
  and (:target::text is null or target = :target)
  and (:actor::text is null or actor = :actor)
  and (:at::timestamptz is null or (created_at, command_id) < (:at, :after::text))
order by created_at desc, command_id desc limit :limit;

-- name: effects(command_id, limit)
-- What the read model has of it; `all` counts beyond the limit.
select at, service, activity, title, order_id, fr_id, shipment_id, count(*) over () as all
from activities where caused_by = :command_id order by at, event_id limit :limit;

-- name: target_known(kind, id)$
select case :kind::text
    when 'order' then exists (select from orders where order_id = :id)
    when 'fr' then exists (select from frs where fr_id = :id)
    when 'shipment' then exists (select from shipments where shipment_id = :id)
    else false end;

-- name: prune_commands()!
delete from commands where created_at < now() - interval '90 days';
