"""What watches a run; none steers it."""
