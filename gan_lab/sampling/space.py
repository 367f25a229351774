"""Where what an image is made of lies, and how it is moved there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from gan_lab.engine.engine import Engine
from gan_lab.engine.tf32 import without_tf32
from gan_lab.errors import ConfigError


class Space(ABC):
    """Codes of a trained generator, `(N, ..., dim)` on the CPU: latents z, or styles w where it has them.

    `layers`: in how many places of the network a code enters, each of which can have another's. `curve`: how one goes
    from code to code, lerp or slerp (see `Latent`). `num_classes`: how many classes images of codes are asked for with;
    0 where there are none, and where a code knows its class.
    """

    name: ClassVar[str]
    AT_ONCE: ClassVar[int] = 64  # images

    def __init__(self, network: nn.Module, engine: Engine, dim: int, layers: int, curve: str, num_classes: int) -> None:
        self.network, self.engine = network, engine
        self.dim, self.layers, self.curve, self.num_classes = dim, layers, curve, num_classes

    @abstractmethod
    def codes(self, n: int, seed: int, label: Tensor | None = None) -> Tensor:
        """`n` codes that a seed gives; `label` `(n,)`: of the classes that they are to know."""

    @abstractmethod
    def made(self, codes: Tensor, label: Tensor | None = None) -> Tensor:
        """`(N, C, H, W)` of codes and labels on the device, as the network makes them; a gradient flows back."""

    @abstractmethod
    def beginnings(self, n: int, seed: int, label: Tensor | None = None) -> tuple[Tensor, float]:
        """Where a search for `n` codes begins, and how far codes lie from there: 0 where each begins at a draw of its
        own. What is found is made images of by `made`."""

    @abstractmethod
    def nearest(self, codes: Tensor) -> Tensor:
        """Codes moved to where codes lie."""

    @abstractmethod
    def whole(self, codes: Tensor) -> Tensor:
        """What a search has found as codes."""

    @abstractmethod
    def swapped(self, codes: Tensor, others: Tensor, layers: Sequence[int]) -> Tensor:
        """Codes that are others in these layers. Raises ConfigError for a layer that there is not."""

    @torch.no_grad()
    def images(self, codes: Tensor, label: Tensor | None = None) -> Tensor:
        """`(N, C, H, W)` in [-1, 1] on the CPU; `label` `(N,)`, where images are asked for with one."""
        device, made = self.engine.device, []
        for start in range(0, len(codes), self.AT_ONCE):
            part = slice(start, start + self.AT_ONCE)
            condition = None if label is None else label[part].to(device)
            with without_tf32():
                images = self.made(codes[part].to(device), condition)
            made.append(images.float().cpu().contiguous().clamp(-1, 1))
        return torch.cat(made)

    def moved(self, codes: Tensor, by: Tensor, layers: Sequence[int] | None = None) -> Tensor:
        """Codes moved `by` `(dim,)` in these layers; None: in all."""
        moved = codes + by
        return moved if layers is None else self.swapped(codes, moved, layers)

    def require_layers(self, layers: Sequence[int]) -> None:
        """Raise ConfigError for numbers that are not those of layers."""
        wrong = [
            each
            for each in layers
            if isinstance(each, bool) or not isinstance(each, int) or not 0 <= each < self.layers
        ]
        if self.layers == 1:
            raise ConfigError("layers: what this generator starts from enters it in one place; leave layers out")
        if wrong or not layers:
            raise ConfigError(
                f"layers: {list(layers)} are not some of the {self.layers} that there are, 0 to {self.layers - 1}"
            )

    @torch.no_grad()
    def weights(self, layers: Sequence[int] | None = None) -> Tensor:
        """`(rows, dim)` in float64 on the CPU: from codes to the first features, in these layers or all of them, one
        below the other. Raises ConfigError for a network that does not say its `latent_weights`."""
        declared = getattr(self.network, "latent_weights", None)
        if declared is None:
            raise ConfigError(
                f"method=sefa: {type(self.network).__name__} does not say by `latent_weights()` what it makes of its "
                "latents; method=pca asks its images"
            )
        found = declared()
        if layers is not None:
            self.require_layers(layers)
            found = [found[layer] for layer in layers]
        whole = torch.cat([each.detach().double().cpu() for each in found])
        if not len(whole):
            raise ConfigError("layers: what enters there is noise beside a picture, without weights of its own")
        return whole

    def vectors(self, codes: Tensor) -> Tensor:
        """`(N, dim)` of codes: of several layers their mean."""
        return codes.flatten(1, -2).mean(1) if codes.dim() > 2 else codes
