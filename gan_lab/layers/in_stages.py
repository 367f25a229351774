"""Networks that grow (Karras et al. 2017, arXiv:1710.10196, section 2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from gan_lab.layers.first_map import FirstMap


class InStages(nn.Module):
    """A network, or the part of one, that has all its layers from the start and uses those of `level` doublings of its
    first map. While it is `fading`, what the latest doubling brought counts by `share`, from 0 to 1, a number on the
    device; the layers before it by the rest.

    It begins whole, and whoever plays says by `grow` where it stands. That is in its state, so that weights alone tell
    what they make.
    """

    share: Tensor

    def __init__(self, first: FirstMap) -> None:
        super().__init__()
        self.first = first
        self.register_buffer("share", torch.ones(()))
        self._stands = torch.tensor([first.blocks, 0])  # for the state, always the same tensor
        self.level, self.fading = first.blocks, False

    def grow(self, level: int, fading: bool) -> None:
        """From now on so many doublings, the latest of which may be fading in."""
        self.level, self.fading = level, fading

    def get_extra_state(self) -> Tensor:
        return self._stands.copy_(torch.tensor([self.level, int(self.fading)]))

    def set_extra_state(self, state: Tensor) -> None:
        level, fading = state.tolist()
        self.grow(level, bool(fading))

    @property
    def behind(self) -> int:
        """How many doublings it lacks."""
        return self.first.blocks - self.level

    def blend(self, old: Tensor, new: Tensor) -> Tensor:
        """`old` at a share of 0, `new` at 1, exactly."""
        return torch.lerp(old, new, self.share.to(new.dtype))

    def view(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) as this stage has them: smaller, by means of blocks, and while the latest doubling fades
        in as blurred as what is generated is."""
        if self.behind:
            images = avg_pool2d(images, 2**self.behind)
        return self.blend(enlarge(avg_pool2d(images, 2)), images) if self.fading else images


def enlarge(images: Tensor, times: int = 2) -> Tensor:
    """(N, C, H, W), every pixel repeated in a block of `times` x `times`."""
    return images if times == 1 else interpolate(images, scale_factor=float(times))
