"""A Shopify shop: Admin GraphQL 2026-10, the part of it that order hubs use."""
