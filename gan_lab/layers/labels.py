"""Class labels on their way into a conditional network."""

from __future__ import annotations

from torch import Tensor


def require_label(label: Tensor | None, num_classes: int) -> Tensor | None:
    """The labels (N,) where there are classes, None where there are none. Raises ValueError when they are missing."""
    if not num_classes:
        return None
    if label is None:
        raise ValueError(f"this network knows {num_classes} classes: call it with a label for every sample")
    return label
