"""Pictures unlike those that a run was trained on: their scores, what these are worth, and a threshold."""
