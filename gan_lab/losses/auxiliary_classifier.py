"""A discriminator that also tells the class (AC-GAN, Odena et al. 2016, arXiv:1610.09585, section 3)."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from gan_lab.errors import ConfigError
from gan_lab.layers.critique import Critique
from gan_lab.losses.regularizers import Regularizer, Turn


class AuxiliaryClassifier(Regularizer):
    """-L_C of the paper's equation 3: the cross-entropy of the class logits with the labels, each term a batch mean. Of
    attributes that is the sum over them of each one's, as they are independent of one another given the image.

    The discriminator pays on real and on generated images; the generator on its own images only, since the other term
    does not depend on it. A generated image has the label that it was made from. Raises ConfigError for a
    discriminator without class logits and for data without labels.
    """

    def __init__(self, weight: float = 1.0, every: int = 1, player: str = "discriminator") -> None:
        super().__init__(weight, every)
        self.player = player

    def __call__(self, turn: Turn) -> Tensor:
        on_fake = _cross_entropy(turn.fake_critique, turn.labels)
        if self.player == "generator":
            return on_fake
        return _cross_entropy(turn.real_critique, turn.labels) + on_fake


def _cross_entropy(critique: Critique | None, labels: Tensor | None) -> Tensor:
    if critique is None or critique.class_logits is None:
        raise ConfigError(
            "loss.regularizers: an auxiliary classifier needs a discriminator with class logits, e.g. model=acgan"
        )
    if labels is None:
        raise ConfigError("loss.regularizers: an auxiliary classifier needs labels: choose a dataset with classes")
    if labels.dim() == 2:
        logits = critique.class_logits
        return binary_cross_entropy_with_logits(logits, labels.to(logits.dtype), reduction="sum") / len(labels)
    return cross_entropy(critique.class_logits, labels)
