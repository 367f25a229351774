"""Networks that see: images to features."""
