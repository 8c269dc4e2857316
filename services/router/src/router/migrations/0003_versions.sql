-- Groups, rules and costs as they were at each revision (RT-15), and decisions by time, for dry runs over a window (RT-14).
create table config_history (
    entity text not null,                   -- channel/<id>, source/<id>, routing
    revision bigint not null,
    version int not null,                   -- of the entity
    body jsonb,                             -- null = removed
    at timestamptz not null default now(),
    primary key (entity, revision)
);
create index config_history_by_revision on config_history (revision);
insert into config_history (entity, revision, version, body, at)
select entity, (select revision from rulebook), version, body, applied_at from config_entities;

create index decisions_by_time on decisions (at, decision_id);

-- What was done, stage by stage: routed, fr_added, strategies_applied, done (RT-12).
alter table decisions add column stages json;
