"""The generic HTTP source: what a supplier without a shop implements (docs/http-source.openapi.yaml)."""
