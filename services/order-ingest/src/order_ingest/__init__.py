"""An order on a platform becomes our order, exactly once."""
