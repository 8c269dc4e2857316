-- name: fold_tallies()!
-- A reader sees all of a change in one place or in the other: both move in one transaction.
with taken as (
    delete from tally_changes returning what, key, n
)
insert into tallies (what, key, n)
select what, key, sum(n) from taken group by what, key order by what, key
on conflict (what, key) do update set n = tallies.n + excluded.n;

-- name: forget_empty_tallies()!
-- Causes come and go: one that nothing waits for any more needs no row.
delete from tallies where what = 'cause' and n = 0;
