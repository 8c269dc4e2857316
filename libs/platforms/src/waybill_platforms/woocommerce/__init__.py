"""WooCommerce (REST wc/v3, 7.9 to 11.0) as channel and source. README.md says what it needs, costs and does oddly."""
