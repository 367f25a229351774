"""What there is to see in a store."""
