"""What every platform's words are translated into: orders, requests, shipments and fulfillments, neutral and frozen.

Promises: amounts are `Decimal` in the currency named beside them, times are aware and in UTC, quantities are whole
pieces. A value that the platform spelled in a way we do not know is `unknown` (or stands in `problems`), never a guess.
Cannot promise that an order is complete enough to ship: that is order-ingest's decision.
"""
