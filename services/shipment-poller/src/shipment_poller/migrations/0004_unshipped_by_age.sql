-- Whether a source has something unshipped, and since when: one step into the index, however many there are, or none.
drop index watches_unshipped;
create index watches_unshipped on watches (source, known_at)
    where shipped_at is null and state in ('PROCESSED', 'ACKNOWLEDGED');
