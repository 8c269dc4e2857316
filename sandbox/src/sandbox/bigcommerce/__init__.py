"""An emulated BigCommerce store: Orders V2, and V3 for hooks, catalogue and inventory, as its documentation says."""
