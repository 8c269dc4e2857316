-- name: note_read_until(instance, read_until)!
insert into readers (instance, read_until) values (:instance, :read_until)
on conflict (instance) do update set read_until = excluded.read_until, heard_at = now();

-- name: others_read_until(instance)^
-- A replica that has not been heard of for half a minute has lost its partitions to another one.
select min(read_until) filter (where heard_at > now() - interval '30 seconds') as now, max(read_until) as last
from readers where instance <> :instance;

-- name: forget_reader(instance)!
delete from readers where instance = :instance or heard_at < now() - interval '1 day';
