-- What a change of a channel's settings was said to let go on, before it was saved (IN-11).
create table release_previews (
    token uuid primary key,
    channel text not null,
    config_version int not null,            -- of the channel when it was counted
    at timestamptz not null default now()
);
create table release_preview_orders (
    token uuid not null references release_previews on delete cascade,
    order_id uuid not null,
    primary key (token, order_id)
);
