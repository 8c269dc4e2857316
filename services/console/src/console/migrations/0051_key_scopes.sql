-- What a key may do of what its role may: orders:read, frs:write, ... (OP-10). Null: all of it.
alter table api_keys add column scopes text[];
