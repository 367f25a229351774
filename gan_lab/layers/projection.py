"""The two ends of a convolutional GAN, where a map is 1x1 on one side, written as products of matrices."""

from __future__ import annotations

from torch import Tensor, nn


class Projection(nn.Linear):
    """Latent (N, D) to the first map (N, C, H, W): a transposed convolution with an HxW kernel on a 1x1 input.

    The same layer as `nn.ConvTranspose2d(D, C, (H, W))`, but a matrix product is faster, and with its rows in the order
    height, width, channels the map comes out in channels_last for free.
    """

    def __init__(self, latent_dim: int, channels: int, height: int, width: int, bias: bool = False) -> None:
        super().__init__(latent_dim, height * width * channels, bias)
        self.map_shape = (height, width, channels)

    def forward(self, latent: Tensor) -> Tensor:
        features = super().forward(latent)  # (N, HWC)
        return features.view(-1, *self.map_shape).permute(0, 3, 1, 2)  # (N, C, H, W)


class Score(nn.Linear):
    """Features (N, D) to one score (N,), as a product and a sum: `nn.Linear` with its single output is slower on a CPU,
    and here the weights stay fp32 under autocast, and so do the scores."""

    def __init__(self, features: int, bias: bool = True) -> None:
        super().__init__(features, 1, bias)

    def forward(self, features: Tensor) -> Tensor:
        scores = (features * self.weight).sum(1)  # (N,)
        return scores if self.bias is None else scores + self.bias


class Readout(Score):
    """The last map (N, C, H, W) to one score (N,): a convolution with an HxW kernel and no padding.

    The same layer as `nn.Conv2d(C, 1, (H, W))`, with the map in the order height, width, channels (a view of a
    channels_last map). On a CPU, map and batch of DCGAN-64, forward and backward: 3 ms against 7 ms in fp32 and 3
    against 7 in bf16, where `nn.Linear` takes 9.
    """

    def __init__(self, channels: int, height: int, width: int, bias: bool = False) -> None:
        super().__init__(height * width * channels, bias)
        self.map_size = (height, width)

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features.permute(0, 2, 3, 1).flatten(1))
