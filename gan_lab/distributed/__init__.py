"""Several processes that play one game."""
