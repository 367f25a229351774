"""Drills: what becomes of files where a process is killed, a disk is full, a clock jumps or two do the same at once.

Each is a function `drill(folder, count)` that does its worst `count` times in an empty folder and returns what was
lost, a line each. `python -m tests.drills` plays them; `tests/test_drills.py` plays a few of each.
"""
