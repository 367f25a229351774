"""Whether a run is well: what is looked at, and what it means."""
