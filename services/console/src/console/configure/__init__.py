"""The configuration: read, checked, compared, stored, published; and given back."""
