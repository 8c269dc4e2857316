"""What was shipped, and telling the channel, once."""
