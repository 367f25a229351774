"""How fast a round is, against what tutorials teach and against what the machine can do."""
