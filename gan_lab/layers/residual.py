"""The residual blocks of SNGAN and its descendants, SAGAN and BigGAN."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, relu


class UpBlock(nn.Module):
    """Norm, ReLU, double, convolve; norm, ReLU, convolve; plus the shortcut, 1x1 and doubled. (N, C_out, 2H, 2W).

    `norm(channels)` makes a layer called with (features, condition). The shortcut is convolved before it is doubled,
    the papers' after: the same function for a quarter of the work.
    """

    def __init__(self, channels: int, out_channels: int, norm: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.norm1, self.norm2 = norm(channels), norm(out_channels)
        self.conv1 = nn.Conv2d(channels, out_channels, 3, padding=1)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.shortcut = nn.Conv2d(channels, out_channels, 1)

    def forward(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        residual: Tensor = self.conv1(double(relu(self.norm1(features, condition), inplace=True)))
        residual = self.conv2(relu(self.norm2(residual, condition), inplace=True))
        return residual + double(self.shortcut(features))


class DownBlock(nn.Module):
    """ReLU, convolve; ReLU, convolve; plus the shortcut, 1x1 where anything changes. Halves the resolution if `down`.

    `hidden` channels lie between the convolutions. The `first` block has no ReLU on the image itself. The shortcut is
    pooled before it is convolved, in the papers' later blocks after: the same function for a quarter of the work.
    """

    def __init__(self, channels: int, hidden: int, out_channels: int, down: bool, first: bool = False) -> None:
        super().__init__()
        self.down, self.first = down, first
        self.conv1 = nn.Conv2d(channels, hidden, 3, padding=1)
        self.conv2 = nn.Conv2d(hidden, out_channels, 3, padding=1)
        self.shortcut = nn.Conv2d(channels, out_channels, 1) if down or channels != out_channels else None

    def forward(self, features: Tensor) -> Tensor:
        residual: Tensor = self.conv1(features if self.first else relu(features))
        residual = self.conv2(relu(residual, inplace=True))
        if self.down:
            residual, features = avg_pool2d(residual, 2), avg_pool2d(features, 2)
        return residual + (features if self.shortcut is None else self.shortcut(features))


def double(features: Tensor) -> Tensor:
    return interpolate(features, scale_factor=2.0, mode="nearest")
