-- When a connection is looked at for what it can do: when it is configured, and every day after.
create table probes (
    entity text primary key,                -- channel/<id> or source/<id>
    version bigint not null,                -- of the configuration that was, or is to be, looked at
    due_at timestamptz,
    lease_token uuid,
    lease_until timestamptz,
    attempts int not null default 0,
    probed_at timestamptz,
    found jsonb                             -- version of the platform, and findings
);
create index probes_due on probes (due_at) where due_at is not null;
