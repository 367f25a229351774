"""The networks of CUT (Park et al. 2020, arXiv:2007.15651, appendix C): CycleGAN's, which halve and double with a
low-pass filter, and the projections of patches that are compared.

At 256 pixels: reflection and a 7x7 convolution to 64 channels, two 3x3 convolutions to 128 and 256 that are blurred
down, nine residual blocks, two times (blurred up, a 3x3 convolution), reflection and a 7x7 convolution, Tanh; each but
the last with an instance norm without weights, and ReLU. Against a PatchGAN whose 4x4 convolutions are of stride 1 and
blurred down. Weights as in the authors' code: Xavier's normal ones times 0.02, biases 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import normalize, pad, relu

from gan_lab.errors import ConfigError
from gan_lab.layers.blur import BlurDown, BlurUp
from gan_lab.layers.critique import Critique
from gan_lab.layers.instance_norm import InstanceNorm2d, instance_norm
from gan_lab.models.translator import LARGE, Residual

EPS = 1e-7  # of a length that is divided by
DEPTH = 3  # halvings of the discriminator


class Generator(nn.Module):
    """Images (N, C, H, W) to images (N, C, H, W) in [-1, 1], for sides that are multiples of 4 of at least 8.

    `translate` gives what its encoder saw on the way as well, `features` only that: the reflected image itself, both
    maps before they are blurred down and before their norms, and the maps after the first and the fifth residual block
    (the last, where there are fewer). `blocks`: how many of these; None: 9 from 256 pixels on, else 6. What is made is
    encoded too: raises ConfigError where it has another shape than inputs, and ValueError for other sides.
    """

    def __init__(
        self, image_shape: Sequence[int], input_shape: Sequence[int], width: int = 64, blocks: int | None = None
    ) -> None:
        super().__init__()
        check_shapes(image_shape, input_shape)
        blocks = blocks_for(input_shape) if blocks is None else blocks
        self.first = nn.Conv2d(input_shape[0], width, 7)
        self.down = nn.ModuleList([nn.Conv2d(width * n, width * 2 * n, 3, padding=1) for n in (1, 2)])
        self.blur = BlurDown()
        self.blocks = nn.ModuleList([Residual(4 * width, InstanceNorm2d, True, 0.0) for _ in range(blocks)])
        self.up = nn.Sequential(*doubled(4 * width), *doubled(2 * width))
        self.last = nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(width, image_shape[0], 7), nn.Tanh())
        self.apply(initialise)

    def forward(self, images: Tensor, label: Tensor | None = None) -> Tensor:
        return self.translate(images)[0]

    def translate(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """What is made of images, and what the encoder saw of them."""
        maps, seen = self._encode(images, len(self.blocks))
        made: Tensor = self.last(self.up(maps))
        return made, seen

    def features(self, images: Tensor) -> list[Tensor]:
        """What the encoder sees of images, `(N, C, H, W)` each, of as many channels as `encoded` says; nothing is
        decoded."""
        return self._encode(images, looks(len(self.blocks))[-1] if self.blocks else 0)[1]

    def _encode(self, images: Tensor, blocks: int) -> tuple[Tensor, list[Tensor]]:
        """The maps after so many residual blocks, and what was seen up to there."""
        seen = [pad(images, (3, 3, 3, 3), mode="reflect")]
        maps = normed(self.first(seen[0]))
        for convolution in self.down:
            seen.append(convolution(maps))
            maps = self.blur(normed(seen[-1]))
        for number, block in enumerate(self.blocks[:blocks], 1):
            maps = block(maps)
            if number in looks(len(self.blocks)):
                seen.append(maps)
        return maps, seen


class Discriminator(nn.Module):
    """Images (N, C, H, W) to a map of scores (N, 1, h, w), one for each patch; 30 x 30 of them at 256 pixels.

    `width` channels first, twice as many with each of `depth` halvings up to 8 `width`; then two 4x4 convolutions.
    None: 3 halvings, or what small images have room for. Raises ValueError for images too small for so many.
    """

    def __init__(self, image_shape: Sequence[int], width: int = 64, depth: int | None = None) -> None:
        super().__init__()
        if depth is None:
            depth = max((n for n in range(1, DEPTH + 1) if min(image_shape[1:]) >= 3 * 2**n), default=1)
        if min(image_shape[1:]) < 3 * 2**depth:
            raise ValueError(
                f"with depth {depth} the sides of images must be at least {3 * 2**depth}, not "
                f"{image_shape[1]} x {image_shape[2]}"
            )
        layers: list[nn.Module] = []
        channels = image_shape[0]
        for level in range(depth + 1):
            after = width * min(2**level, 8)
            layers += [nn.Conv2d(channels, after, 4, padding=1), *([InstanceNorm2d(after)] if level else [])]
            layers += [nn.LeakyReLU(0.2, inplace=True), *([BlurDown()] if level < depth else [])]
            channels = after
        self.layers = nn.Sequential(*layers)
        self.to_score = nn.Conv2d(channels, 1, 4, padding=1)
        self.apply(initialise)

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Critique:
        features: Tensor = self.layers(images)
        return Critique(self.to_score(features), features)


class Projector(nn.Module):
    """Patches of what the encoder sees to points on a sphere: for each of its maps a perceptron with one hidden layer.

    It is built for `encoded` channels, which the authors' code finds out in the first round.
    """

    def __init__(self, input_shape: Sequence[int], width: int = 64, blocks: int | None = None, dim: int = 256) -> None:
        super().__init__()
        blocks = blocks_for(input_shape) if blocks is None else blocks
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(channels, dim), nn.ReLU(inplace=True), nn.Linear(dim, dim))
            for channels in encoded(input_shape[0], width, blocks)
        )
        self.apply(initialise)

    def forward(self, maps: Sequence[Tensor], places: Sequence[Tensor]) -> list[Tensor]:
        """Of each map `(N, C, H, W)` at its `places` `(P,)`, numbered row by row: `(N, P, dim)`, each of length 1."""
        found = []
        for layer, seen, where in zip(self.layers, maps, places, strict=True):
            patches = seen.permute(0, 2, 3, 1).flatten(1, 2).index_select(1, where)
            found.append(normalize(layer(patches).float(), dim=-1, eps=EPS))
        return found


def blocks_for(shape: Sequence[int]) -> int:
    """How many residual blocks CycleGAN has for images of this size."""
    return 9 if min(shape[1:]) >= LARGE else 6


def looks(blocks: int) -> list[int]:
    """After which of so many residual blocks the encoder is looked at."""
    return sorted({1, min(5, blocks)}) if blocks else []


def encoded(channels: int, width: int, blocks: int) -> list[int]:
    """The channels of each map that an encoder of images with `channels` gives."""
    return [channels, 2 * width, 4 * width, *(4 * width for _ in looks(blocks))]


def doubled(channels: int) -> list[nn.Module]:
    """Blurred up, convolved to half the channels, normed, ReLU."""
    half = channels // 2
    return [
        *(BlurUp(), nn.Conv2d(channels, half, 3, padding=1)),
        *(InstanceNorm2d(half), nn.ReLU(inplace=True)),
    ]


def normed(maps: Tensor) -> Tensor:
    return relu(instance_norm(maps), inplace=True)


def check_shapes(image_shape: Sequence[int], input_shape: Sequence[int]) -> None:
    """Raise ConfigError where what is made of an image could not be encoded as it was, ValueError for sides that do not
    halve twice."""
    if list(image_shape) != list(input_shape):
        made, given = ("x".join(map(str, shape)) for shape in (image_shape, input_shape))
        raise ConfigError(
            f"model.generator: it encodes images ({made}) as it does inputs ({given}), so both need one shape; "
            "model=cyclegan does not"
        )
    _, height, width = image_shape
    if min(height, width) < 8 or height % 4 or width % 4:
        raise ValueError(f"the sides of images must be multiples of 4 of at least 8, not {height} x {width}")


def initialise(module: nn.Module) -> None:
    """Xavier's normal weights times 0.02, biases 0."""
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.xavier_normal_(module.weight, gain=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
