"""What Waybill's services say to each other: events, topics, values."""
