"""Shopify (Admin GraphQL 2026-10) as a channel. README.md says what it needs, costs and does oddly."""
