"""Recipes, what was measured of each, and whether a run of today reaches it."""
