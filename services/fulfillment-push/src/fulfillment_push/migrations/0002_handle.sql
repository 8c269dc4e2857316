-- What was prepared at a source that keeps no reference of ours (a cart's id): stored before it is placed.
alter table frs add column handle text;
