"""The command line on a small set of stand-in configs and tasks."""
