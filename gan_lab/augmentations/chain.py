"""Several augmentations, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn


class Chain(nn.Module):
    """Named parts, applied in the order they are named in; a part set to None is left out, and no part at all is the
    identity. A part is reached by its name (`chain.instance_noise.std`), so its numbers can be scheduled.

    Raises ValueError for a part that is no module and for a name that cannot be an attribute.
    """

    def __init__(self, **parts: nn.Module | None) -> None:
        super().__init__()
        for name, part in parts.items():
            if part is None:
                continue
            if not isinstance(part, nn.Module):
                raise ValueError(f"{name}: an augmentation is a torch.nn.Module, not {type(part).__name__}")
            try:
                self.add_module(name, part)
            except KeyError as error:
                raise ValueError(f"{name!r} cannot name an augmentation; choose another word") from error

    def forward(self, images: Tensor) -> Tensor:
        for part in self.children():
            images = part(images)
        return images

    def adapt(self, real_scores: Tensor) -> None:
        """Tell every part that adapts what the discriminator said about real images."""
        for adapt in self._each("adapt"):
            adapt(real_scores)

    @property
    def figures(self) -> dict[str, Tensor]:
        """What the parts have to report, as 0-d tensors."""
        return {name: value for figures in self._each("figures") for name, value in figures.items()}

    def _each(self, attribute: str) -> Iterator[Any]:
        return (getattr(part, attribute) for part in self.children() if hasattr(part, attribute))
