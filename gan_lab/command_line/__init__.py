"""Between the words that a user types and Hydra: flags, overrides, resume, completion, and errors in one line."""
