"""The order of moves in one round."""
