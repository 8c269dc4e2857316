"""Who ships what, at the lowest landed cost."""
