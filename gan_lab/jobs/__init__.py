"""Work in other processes: jobs of a sweep, trainings of a search."""
