-- What a platform gave in exchange for the credentials of the applied file, sealed, beside them: it wins where names are
-- alike, and the file applied again still finds what it said.
alter table config_entities add column renewed jsonb not null default '{}';

-- One row for each connection whose access token we can renew.
create table token_renewals (
    entity text primary key,                -- channel/<id>, source/<id>
    credential_version int not null,        -- of the credentials that this row is about
    renewed_at timestamptz,
    expires_at timestamptz,
    due_at timestamptz,                     -- null: when a service is refused
    early int not null default 0,           -- renewals in a row because a service was refused
    failures int not null default 0,        -- in a row
    last_error text not null default ''
);
create index token_renewals_due on token_renewals (due_at);
