"""The command line `waybill` (OP-8): tables for people, `--json` for programs, exit code 1 for a refusal."""

from console.cli.program import main

__all__ = ["main"]
