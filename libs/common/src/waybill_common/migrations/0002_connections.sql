-- What this service knows about its connections to other systems, shared by its replicas.

-- The circuit breaker. No row = ok and never failed.
create table connection_health (
    connection_id text primary key,
    state text not null default 'ok' check (state in ('ok', 'down', 'unauthorized')),
    failures int not null default 0,              -- transient ones in a row
    probe_at timestamptz,                         -- when `down`: not before then may one call try again
    probing boolean not null default false,       -- somebody has claimed that call
    credential_version int not null default 0,    -- the newest one that this service was told of
    cause text,
    since timestamptz not null default now()
);

-- The rate budget: a bucket that fills by itself. `available` is what was there at `updated_at`, which lies in the
-- future while the other side's Retry-After runs.
create table rate_budgets (
    connection_id text primary key,
    available double precision not null,          -- units of cost; below zero = promised to callers that wait
    updated_at timestamptz not null,
    per_second double precision,                  -- the whole connection's refill as the platform stated it, if it did
    capacity double precision                     -- the whole connection's, as the platform stated it, if it did
);
