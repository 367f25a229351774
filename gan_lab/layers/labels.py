"""Labels on their way into a conditional network: a class (N,), or attributes (N, A) of 0 and 1.

A network reads a class by a table with a vector for each: it takes the row of the class, which is what a linear layer
makes of a one-hot vector. Attributes go through the same table, of a row for each of them, by the same linear layer:
the rows of those that an image has are added, the rows of those that it has not are taken away, and the sum is divided
by sqrt(A), so that it is about as large as one row. (For a layer with a bias, and for a projection beside an
unconditional one, that says the same as adding those that are there; a network with neither would be told nothing of an
image without any.) So every network that reads classes here reads attributes too, and has the same parameters."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, one_hot


def require_label(label: Tensor | None, num_classes: int) -> Tensor | None:
    """The labels where there are classes or attributes, None where there are none. Raises ValueError when they are
    missing."""
    if not num_classes:
        return None
    if label is None:
        raise ValueError(f"this network knows {num_classes} classes: call it with a label for every sample")
    return label


def look_up(label: Tensor, table: Tensor, start: float = 0.0) -> Tensor:
    """What a table (K, D) says of labels: (N, D). Of a class its row; of attributes the sum that is described above, of
    what the rows differ from `start`, the value that they all began with."""
    if label.dim() == 1:
        return embedding(label, table)
    with torch.autocast(table.device.type, enabled=False):
        return start + signs(label, table.dtype) @ (table - start) / math.sqrt(label.shape[1])


def as_vectors(label: Tensor, num_classes: int, dtype: torch.dtype) -> Tensor:
    """Labels as vectors (N, K) for a layer to read: one-hot classes, or 1 for each attribute that is there and -1 for
    each that is not."""
    return one_hot(label, num_classes).to(dtype) if label.dim() == 1 else signs(label, dtype)


def signs(label: Tensor, dtype: torch.dtype) -> Tensor:
    """Attributes as 1 and -1."""
    return (2 * label - 1).to(dtype)


class LabelTable(nn.Embedding):
    """A table of vectors (`num_embeddings`, `embedding_dim`) that classes look up, and attributes too."""

    def forward(self, label: Tensor) -> Tensor:
        return look_up(label, self.weight)
