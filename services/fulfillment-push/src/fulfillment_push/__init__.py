"""A fulfillment request is accepted by its source, once."""
