"""How Waybill talks to each outside system: ports and one folder per platform."""
