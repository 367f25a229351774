"""Files that are whole or absent, checkpoints, locks."""
