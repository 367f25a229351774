"""Where and how the arithmetic is done."""
