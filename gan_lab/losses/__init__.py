"""Adversarial losses, and the regularizers that join them."""
