-- People (OP-10): a name, a password as Argon2 keeps it, a role, and perhaps only some stores.

create table users (
    user_id text primary key,
    name text not null unique,
    password text not null,                 -- Argon2id, with its parameters and salt
    role text not null check (role in ('viewer', 'operator', 'admin')),
    stores text[],                          -- null: all
    created_at timestamptz not null default now(),
    created_by text not null,
    disabled_at timestamptz,
    signed_in_at timestamptz
);

alter table api_keys add column stores text[];
alter table sessions alter column key_id drop not null;
alter table sessions add column user_id text references users (user_id) on delete cascade;
alter table sessions add constraint sessions_of_one check ((key_id is null) <> (user_id is null));

-- Attempts that failed, for as long as they count.
create table failed_sign_ins (
    who text not null,
    at timestamptz not null default now()
);
create index failed_sign_ins_by_who on failed_sign_ins (who, at);
