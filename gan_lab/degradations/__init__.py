"""What makes the input of a pair out of its image."""
