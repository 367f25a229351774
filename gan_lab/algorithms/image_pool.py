"""Generated images of earlier rounds, shown again to the discriminator."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gan_lab.distributed.world import world


class ImagePool:
    """The latest `size` images, more or less (Shrivastava et al. 2016, arXiv:1612.07828, section 2.3; 50 in Zhu et al.
    2017, arXiv:1703.10593).

    Until it is full every image is kept and returned. Then, with probability 1/2 each, an image takes the place of one
    that was drawn from the pool, which is returned in its stead; otherwise it is returned itself. Images of one batch
    draw different places. All of it stays on the device, so a round with a pool can be captured. `size` 0 returns what
    comes. Raises ValueError for a batch that is larger than the pool.
    """

    def __init__(self, size: int = 50) -> None:
        self.size = size
        self._state: dict[str, Tensor] = {}

    def exchange(self, images: Tensor) -> Tensor:
        """`(N, C, H, W)` in, as many out, without gradients. Several processes have one pool, of the images of all."""
        together, images = world(), images.detach()
        if self.size == 0:
            return images
        if together.size == 1:
            return self._exchange(images)
        with together.rows(0):  # what is drawn is for all
            whole = self._exchange(together.gather(images))
        return together.share(whole)

    def _exchange(self, images: Tensor) -> Tensor:
        n = len(images)
        if n > self.size:
            raise ValueError(f"a batch of {n} images does not fit a pool of {self.size}")
        if not self._state:
            kept = images.new_zeros(self.size, *images.shape[1:])
            self._state = {"images": kept, "count": torch.zeros((), dtype=torch.int64, device=images.device)}
        self._state = {name: tensor.to(images.device) for name, tensor in self._state.items()}  # from a checkpoint
        pool, count = self._state["images"], self._state["count"]
        full = count + n > self.size
        order = torch.arange(self.size, device=images.device)
        drawn = torch.rand(self.size, device=images.device).masked_fill(order >= count, -1.0).topk(n).indices
        places = torch.where(full, drawn, (count + order[:n]) % self.size)
        swapped = (torch.rand(n, device=images.device) < 0.5).view(-1, *[1] * (images.dim() - 1))
        there = pool[places]
        pool[places] = torch.where(full & ~swapped, there, images)
        count.add_(~full * n)
        return torch.where(full & swapped, there, images)

    def state_dict(self) -> dict[str, Tensor]:
        """The images, and how many there are."""
        return dict(self._state)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore `state_dict()`. Raises ValueError for a pool of another size."""
        if "images" in state and len(state["images"]) != self.size:
            raise ValueError(f"a pool of {len(state['images'])} images does not go on as one of {self.size}")
        self._state = {name: tensor.clone() for name, tensor in state.items()}
