"""The last layer of a conditional discriminator: a linear score plus a projection on the class."""

from __future__ import annotations

from torch import Tensor, nn

from gan_lab.layers.labels import LabelTable, require_label


class ClassProjection(nn.Module):
    """Features (N, C) and labels to scores (N,): <w, h> + b + <v_y, h> (Miyato & Koyama 2018, arXiv:1802.05637,
    equation 3), of attributes with their rows' sum as v. With `num_classes` 0 there is no v. A product and a sum, so
    that the scores stay fp32 under autocast."""

    def __init__(self, channels: int, num_classes: int = 0) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.linear = nn.Linear(channels, 1)
        self.embedding = LabelTable(num_classes, channels) if num_classes else None

    def forward(self, features: Tensor, label: Tensor | None = None) -> Tensor:
        label, weight = require_label(label, self.num_classes), self.linear.weight  # (1, C)
        if self.embedding is not None:
            weight = weight + self.embedding(label)  # (N, C)
        return (features * weight).sum(1) + self.linear.bias
