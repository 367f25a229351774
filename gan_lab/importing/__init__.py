"""Runs out of files that others have trained."""
