-- name: kind_of_connection(connection)$
select split_part(entity, '/', 1) from config_entities
where entity in ('channel/' || :connection, 'source/' || :connection) and not removed;
