"""What a fresh sandbox holds: goods, stock and orders, the same for the same seed."""
