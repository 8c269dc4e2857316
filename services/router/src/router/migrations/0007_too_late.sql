-- The newest version of the order that a decision answered: what an edit came too late for is told once (IN-13).
alter table orders add column told_version int not null default 0;
update orders set told_version = version where answered > 0;
