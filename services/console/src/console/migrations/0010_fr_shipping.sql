-- How much of an FR has shipped: an axis of its own beside its state (FP-1).
alter table frs add column shipping text not null default 'awaiting';
