"""The service's named queries (`sql/*.sql`), read when they are first needed."""

from functools import cache

from waybill_common.db import Queries, queries


@cache
def q() -> Queries:
    """All named queries of this service."""
    return queries("order_ingest")
