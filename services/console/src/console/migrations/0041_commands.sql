-- What people and programs asked for: stored before it is sent, sent again under its id until its owner has answered.

create table commands (
    command_id text primary key,
    action text not null,                   -- order.hold, fr.void, ... (DESIGN section 3)
    target text not null,                   -- order/<id>, fr/<id>, shipment/<id>, channel/<id>, source/<id>; or how many
    service text not null,                  -- the owner that answers it
    path text not null,                     -- of its internal HTTP
    body jsonb,                             -- as the owner is sent it; forgotten once it is answered
    timeout_s real not null,
    actor text not null,
    reason text not null default '',
    state text not null default 'stored' check (state in ('stored', 'sent', 'done', 'refused')),
    created_at timestamptz not null default now(),
    sent_at timestamptz,                    -- the first time
    ended_at timestamptz,
    attempts int not null default 0,
    due_at timestamptz,                     -- when it is sent (again); null: it is answered
    trouble text not null default '',       -- why it is not answered yet
    status int,                             -- of the answer
    answer jsonb,
    told int not null default 0,            -- facts that name it, now or soon
    refusal jsonb                           -- {reason, remedy, code}
);
create index commands_due on commands (due_at) where due_at is not null;
create index commands_newest on commands (created_at desc, command_id desc);
create index commands_by_target on commands (target, created_at desc);

-- The command that led to it.
alter table activities add column caused_by text;
create index activities_by_cause on activities (caused_by) where caused_by is not null;
