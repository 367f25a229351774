"""Readers: where images come from."""
