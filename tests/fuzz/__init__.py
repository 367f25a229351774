"""Damaged and hostile files for every reader: `python -m tests.fuzz` plays many, `tests/test_fuzz.py` a few of each."""
