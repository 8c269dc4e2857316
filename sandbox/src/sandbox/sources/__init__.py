"""Sources that speak the generic HTTP contract: suppliers that accept, ship by themselves, and can be difficult."""
