"""A search for settings that make one figure better: trials are ordinary runs, each in a process of its own."""
