"""BigCommerce (Orders V2; V3 for hooks, catalogue, stock) as channel and as source. README.md says what it needs."""
