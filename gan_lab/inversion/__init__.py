"""From images back to what a trained generator makes them of."""
