-- name: views_of(owner)
select name, narrow, owner = '' as shared, saved_by, saved_at from views
where owner in (:owner, '') order by name, owner = '';

-- name: view(owner, name)^
-- One's own before the shared one of the name.
select narrow from views where owner in (:owner, '') and name = :name order by owner = '' limit 1;

-- name: save_view(owner, name, narrow, saved_by)!
insert into views (owner, name, narrow, saved_by) values (:owner, :name, :narrow, :saved_by)
on conflict (owner, name) do update set narrow = excluded.narrow, saved_by = excluded.saved_by, saved_at = now();

-- name: remove_view(owner, name)$
delete from views where owner = :owner and name = :name returning name;
