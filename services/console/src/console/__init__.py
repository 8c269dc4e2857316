"""API, page and command line."""
