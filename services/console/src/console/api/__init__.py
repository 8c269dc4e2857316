"""REST: `/api/v1`, problem details, keyset paging, one scope for each route (DESIGN section 7)."""
