"""The coarse-to-fine generator of pix2pixHD (Wang et al. 2017, arXiv:1711.11585, section 3.2): a global generator at
half of the size, and a local enhancer around it."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from gan_lab.errors import ConfigError
from gan_lab.layers.image_norm import normalization_of
from gan_lab.models.dcgan import initialise
from gan_lab.models.translator import Generator as GlobalGenerator
from gan_lab.models.translator import Residual


class Generator(nn.Module):
    """Inputs (N, C', H, W) to images (N, C, H, W) in [-1, 1], both of one size, sides multiples of `multiple`.

    The global generator, `2 * width` wide, sees the input at half of the size; its last map is added to the enhancer's
    own of that size, before `local_blocks` residual blocks lead to the image. `blocks` and `halvings` (None: 4, or what
    images this small have room for) are those of the global generator. Deviation: both are trained from the start; the
    paper begins with the global one at half of the size. Raises ConfigError for other sizes.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        input_shape: Sequence[int],
        width: int = 32,
        blocks: int = 9,
        halvings: int | None = None,
        local_blocks: int = 3,
        normalization: str = "instance",
    ) -> None:
        super().__init__()
        sides = tuple(image_shape[1:])
        if halvings is None:
            halvings = max((n for n in range(1, 5) if all(side % 2 ** (n + 1) == 0 for side in sides)), default=1)
            halvings = max(min(halvings, min(sides).bit_length() - 3), 1)  # two pixels are left
        self.multiple = 2 ** (halvings + 1)
        if tuple(input_shape[1:]) != sides or any(side % self.multiple for side in sides):
            raise ConfigError(
                f"model.generator: makes images of the size of their inputs, sides multiples of {self.multiple}; here "
                f"are images of {sides[0]}x{sides[1]} from {input_shape[1]}x{input_shape[2]}; set dataset.image_shape"
            )
        norm, bias = normalization_of(normalization), normalization != "batch"
        half = [side // 2 for side in sides]
        whole = GlobalGenerator(
            (image_shape[0], *half), (input_shape[0], *half), 2 * width, blocks, normalization, halvings=halvings
        )
        self.global_layers = whole.layers[:-3]  # without the last padding, convolution and Tanh
        self.down = nn.Sequential(
            *(nn.ReflectionPad2d(3), nn.Conv2d(input_shape[0], width, 7, bias=bias), norm(width), nn.ReLU()),
            *(nn.Conv2d(width, 2 * width, 3, stride=2, padding=1, bias=bias), norm(2 * width), nn.ReLU()),
        )
        self.up = nn.Sequential(
            *(Residual(2 * width, norm, bias, 0.0) for _ in range(local_blocks)),
            nn.ConvTranspose2d(2 * width, width, 3, stride=2, padding=1, output_padding=1, bias=bias),
            *(norm(width), nn.ReLU(), nn.ReflectionPad2d(3), nn.Conv2d(width, image_shape[0], 7), nn.Tanh()),
        )
        self.apply(initialise)

    def forward(self, input: Tensor, label: Tensor | None = None) -> Tensor:
        small = avg_pool2d(input, 3, 2, 1, count_include_pad=False)
        images: Tensor = self.up(self.down(input) + self.global_layers(small))
        return images
