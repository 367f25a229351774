"""Generated images beside real ones: for classes that have too few, and whether a classifier learns more by them."""
