-- name: waiting_for_names(channel, reason)
-- Names of a channel that held orders wait for, the one that holds most first.
select value as name, count(*) as orders, min(since) as since
from troubles where kind = 'held' and channel = :channel and code = :reason
group by 1 order by 2 desc, 1 limit 500;
