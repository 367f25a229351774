"""What the files of runs and sweeps tell."""
