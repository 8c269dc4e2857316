"""Measures Waybill against bare yardsticks: `make bench`. What each goal means: docs/performance.md."""
