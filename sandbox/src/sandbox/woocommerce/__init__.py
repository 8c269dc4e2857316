"""An emulated WooCommerce store (REST wc/v3), as measured on real ones from 7.9 to 11.0."""
