"""Folding events into the read model: batch-wise, newest sequence wins, the same event twice changes nothing."""
