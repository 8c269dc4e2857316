-- Saved views (OP-1): filters of orders by name, of one person or program, or shared by operators.

create table views (
    owner text not null,                    -- key or user; empty: shared
    name text not null,
    narrow jsonb not null,                  -- the filter, as GET /orders takes it
    saved_by text not null,
    saved_at timestamptz not null default now(),
    primary key (owner, name)
);
