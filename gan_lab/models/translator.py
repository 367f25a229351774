"""The residual generator of CycleGAN (Zhu et al. 2017, arXiv:1703.10593, appendix 7.2; after Johnson et al. 2016,
arXiv:1603.08155): two halvings, residual blocks at a quarter of the size, and back. With four halvings and nine blocks
it is the global generator of pix2pixHD (Wang et al. 2017, arXiv:1711.11585, section 3.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from gan_lab.errors import ConfigError
from gan_lab.layers.dropout import UseDropout
from gan_lab.layers.image_norm import normalization_of
from gan_lab.models.dcgan import initialise

LARGE = 256  # pixels from which on there are 9 blocks


class Generator(nn.Module):
    """Inputs (N, C', H, W) to images (N, C, H, W) in [-1, 1], both of one size, whose sides are multiples of
    `multiple`, 2 to the power of `halvings`.

    `width` channels at the whole size, twice as many at each halving. `blocks`: residual blocks; None: 9 from 256
    pixels on, else 6, as in the paper. `dropout` is in the blocks, 0 for none. `normalization` is "instance", "batch"
    or "none". Raises ConfigError for other sizes.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        input_shape: Sequence[int],
        width: int = 64,
        blocks: int | None = None,
        normalization: str = "instance",
        dropout: float = 0.0,
        halvings: int = 2,
    ) -> None:
        super().__init__()
        self.multiple = 2**halvings
        sides = tuple(image_shape[1:])
        if (
            tuple(input_shape[1:]) != sides
            or any(side % self.multiple for side in sides)
            or min(sides) < 2 * self.multiple
        ):
            raise ConfigError(
                f"model.generator: makes images of the size of their inputs, sides multiples of {self.multiple} from "
                f"{2 * self.multiple} on; here are images of {sides[0]}x{sides[1]} from "
                f"{input_shape[1]}x{input_shape[2]}; set dataset.image_shape"
            )
        if blocks is None:
            blocks = 9 if min(sides) >= LARGE else 6
        norm, bias = normalization_of(normalization), normalization != "batch"

        def block(convolution: nn.Module, channels: int) -> list[nn.Module]:
            return [convolution, norm(channels), nn.ReLU()]

        self.layers = nn.Sequential(
            nn.ReflectionPad2d(3), *block(nn.Conv2d(input_shape[0], width, 7, bias=bias), width)
        )
        widths = [width * 2**level for level in range(halvings)]
        for wide in widths:
            self.layers.extend(block(nn.Conv2d(wide, 2 * wide, 3, stride=2, padding=1, bias=bias), 2 * wide))
        self.layers.extend(Residual(self.multiple * width, norm, bias, dropout) for _ in range(blocks))
        for wide in reversed(widths):
            up = nn.ConvTranspose2d(2 * wide, wide, 3, stride=2, padding=1, output_padding=1, bias=bias)
            self.layers.extend(block(up, wide))
        self.layers.extend([nn.ReflectionPad2d(3), nn.Conv2d(width, image_shape[0], 7), nn.Tanh()])
        self.apply(initialise)

    def forward(self, input: Tensor, label: Tensor | None = None) -> Tensor:
        images: Tensor = self.layers(input)
        return images


class Residual(nn.Module):
    """Two convolutions whose result is added to what they were given; nothing follows the sum."""

    def __init__(self, channels: int, norm: Callable[[int], nn.Module], bias: bool, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3, bias=bias),
            norm(channels),
            nn.ReLU(),
            *([UseDropout(dropout)] if dropout else []),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3, bias=bias),
            norm(channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = features + self.layers(features)
        return out
