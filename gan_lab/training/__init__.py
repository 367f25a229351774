"""A run: from a configuration to its last round."""
