"""The games of StyleGAN, StyleGAN2 and StyleGAN3 as they are written without compiled plug-ins, to be measured against.

The same mathematics, step for step: a kernel for every sample and a convolution in as many groups, resampling by zeros
between the values (the loop of the paper's `upfirdn` in plain operations), instance norm by torch's own function,
equalized weights and gains in passes of their own, torch's memory layout, two passes of the discriminator, R1 (lazy: in
a pass of its own) and path length in the rounds in which they are due, Adam as it comes, a DataLoader, `.item()` at
every step. Averages of the generator are left out, in its favour.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, instance_norm, leaky_relu, pad, softplus

from gan_lab.benchmark.published import as_it_comes, as_published
from gan_lab.layers.adaptive_norm import AdaptiveInstanceNorm
from gan_lab.layers.alias_free import AliasFreeActivation
from gan_lab.layers.critique import of
from gan_lab.layers.fir import Downsample, Filtered, Smooth, Upsample
from gan_lab.layers.modulated_convolution import ModulatedConv2d
from gan_lab.losses.adversarial import NonSaturating
from gan_lab.losses.path_length_style import StylePathLength
from gan_lab.losses.regularizers import R1, Regularizer
from gan_lab.losses.scaled_r1 import ScaledR1
from gan_lab.models.stylegan2_synthesis import StyleLayer
from gan_lab.training.run import Run

Step = Callable[[], tuple[float, float]]
Scores = Callable[[Tensor, "Tensor | None"], Tensor]
KINDS: tuple[type[Regularizer], ...] = (R1, ScaledR1, StylePathLength)


class Resampling(nn.Module):
    """`up` values for one with zeros between them, the filter, every `down`-th of what is left."""

    kernel: Tensor

    def __init__(self, filtered: Filtered) -> None:
        super().__init__()
        self.register_buffer("kernel", filtered.kernel)
        self.up, self.down = 1 + isinstance(filtered, Upsample), 1 + isinstance(filtered, Downsample)
        before = filtered.padding if isinstance(filtered, Smooth) else 2 if self.up == 2 else 1
        self.around = (before, before - (self.up == 2)) * 2

    def forward(self, maps: Tensor) -> Tensor:
        count, channels, height, width = maps.shape
        if self.up == 2:
            spaced = pad(maps.view(count, channels, height, 1, width, 1), (0, 1, 0, 0, 0, 1))
            maps = spaced.view(count, channels, 2 * height, 2 * width)
        filtered = conv2d(pad(maps, self.around), self.kernel.expand(channels, 1, -1, -1), groups=channels)
        return filtered[:, :, :: self.down, :: self.down]


class PlainActivation(nn.Module):
    """`AliasFreeActivation`: zeros between the values, the filter, leaky ReLU, its gain, the filter that makes it less,
    every so manieth value of what is left."""

    rise: Tensor
    fall: Tensor

    def __init__(self, activation: AliasFreeActivation) -> None:
        super().__init__()
        self.up, self.down, self.leak = activation.up, activation.down, activation.leak
        taps, (before, after) = len(activation.rise), activation.margin
        self.around = (taps - 1 + before, taps - self.up + after) * 2
        self.register_buffer("rise", activation.rise)
        self.register_buffer("fall", activation.fall / activation.fall.sum())

    def forward(self, maps: Tensor) -> Tensor:
        count, channels, height, width = maps.shape
        spaced = pad(maps.view(count, channels, height, 1, width, 1), (0, self.up - 1, 0, 0, 0, self.up - 1))
        wide = pad(spaced.view(count, channels, self.up * height, self.up * width), self.around)
        wide = leaky_relu(along(wide, self.rise), self.leak) * math.sqrt(2)
        return along(wide, self.fall)[:, :, :: self.down, :: self.down]


def along(maps: Tensor, kernel: Tensor) -> Tensor:
    """Each channel by a kernel of the plane, or by a line along one side and then the other."""
    if kernel.dim() == 1:
        return along(along(maps, kernel[None]), kernel[:, None])
    return conv2d(maps, kernel.expand(maps.shape[1], 1, -1, -1), groups=maps.shape[1])


class PlainStyle(nn.Module):
    """`AdaptiveInstanceNorm`: torch's instance norm, then scale and shift."""

    def __init__(self, norm: AdaptiveInstanceNorm) -> None:
        super().__init__()
        self.affine = norm.affine

    def forward(self, maps: Tensor, style: Tensor) -> Tensor:
        scale, shift = self.affine(style)[:, :, None, None].chunk(2, 1)
        styled: Tensor = (scale + 1) * instance_norm(maps, eps=1e-8) + shift
        return styled


class GroupedConv2d(nn.Module):
    """`ModulatedConv2d` with a kernel of each sample's own."""

    def __init__(self, modulated: ModulatedConv2d) -> None:
        super().__init__()
        self.affine, self.conv = modulated.affine, modulated.conv
        self.scale, self.up, self.demodulate = modulated.scale, modulated.up, modulated.demodulate
        self.smooth = Resampling(modulated.smooth) if modulated.up else None
        self.padding: Any = self.conv.padding

    def forward(self, maps: Tensor, style: Tensor, shift: Tensor, gain: float | Tensor = 1.0) -> Tensor:
        weight, count = self.conv.weight, len(maps)
        assert isinstance(weight, Tensor)
        scales = self.affine(style) * self.scale
        kernels = weight[None] * (scales[:, :, None, None, None] if self.up else scales[:, None, :, None, None])
        if self.demodulate:
            over = (1, 3, 4) if self.up else (2, 3, 4)
            kernels = kernels * (kernels.square().sum(over, keepdim=True) + 1e-8).rsqrt()
        grouped = maps.reshape(1, -1, *maps.shape[2:])
        if self.up:
            made = conv_transpose2d(grouped, kernels.flatten(0, 1), stride=2, groups=count)
        else:
            made = conv2d(grouped, kernels.flatten(0, 1), padding=self.padding, groups=count)
        made = made.view(count, -1, *made.shape[2:])
        made = made if self.smooth is None else self.smooth(made)
        return made * gain + shift


class PlainStyleLayer(nn.Module):
    """`StyleLayer`, its gain a pass of its own."""

    def __init__(self, layer: StyleLayer) -> None:
        super().__init__()
        self.conv, self.noise, self.bias = GroupedConv2d(layer.conv), layer.noise, layer.bias

    def forward(self, maps: Tensor, style: Tensor, gain: float = 1.0) -> Tensor:
        made = self.noise(self.conv(maps, style, torch.zeros((), device=maps.device)))
        return leaky_relu(made + self.bias[:, None, None], 0.2) * (math.sqrt(2) * gain)


def plain(network: nn.Module, run: Run) -> nn.Module:
    """A copy of `network` in these layers."""
    copy = as_published(network, run)
    pairs: tuple[tuple[type, Callable[[Any], nn.Module]], ...] = (
        (StyleLayer, PlainStyleLayer),
        (ModulatedConv2d, GroupedConv2d),
        (Filtered, Resampling),
        (AliasFreeActivation, PlainActivation),
        (AdaptiveInstanceNorm, PlainStyle),
    )
    for kind, made in pairs:
        for name, module in list(copy.named_modules()):
            if isinstance(module, kind):
                parent, _, leaf = name.rpartition(".")
                setattr(copy.get_submodule(parent), leaf, made(module))
    return copy


def why_not(run: Run) -> str | None:
    """What of this game there is no such loop with; None: there is one."""
    algorithm = run.algorithm
    if type(algorithm.game.adversarial) is not NonSaturating:
        return f"loss.adversarial {type(algorithm.game.adversarial).__name__}"
    if list(algorithm.augmentation.children()):  # type: ignore[attr-defined]
        return "an augmentation"
    return next((f"loss.regularizers.{n}" for n, r in algorithm.regularizers.items() if type(r) not in KINDS), None)


def step_of(run: Run, batches: Iterator[tuple[Tensor, Tensor]]) -> Step:
    """One round of the run's game: the discriminator's and the generator's loss."""
    algorithm: Any = run.algorithm
    generator: Any = plain(algorithm.networks["generator"], run)
    discriminator = plain(algorithm.networks["discriminator"], run)
    for_generator = as_it_comes(algorithm.optimizers["generator"], generator)
    for_discriminator = as_it_comes(algorithm.optimizers["discriminator"], discriminator)
    device, conditional = run.engine.device, bool(generator.num_classes)
    rounds, average = count(), torch.zeros((), device=device)

    def scores(images: Tensor, labels: Tensor | None) -> Tensor:
        return of(discriminator(images, labels)).scores

    def step() -> tuple[float, float]:
        played = next(rounds)
        due = [term for term in algorithm.regularizers.values() if played % term.every == 0]
        images, labels, *_ = next(batches)
        real, label = images.to(device), labels.to(device) if conditional else None
        discriminator.zero_grad()
        with torch.no_grad():
            fake = generator(algorithm.latent(len(real), device), label)
        loss = discriminator_loss(scores, real, fake, label, due)
        loss.backward()
        for_discriminator.step()
        generator.zero_grad()
        moved = generator_loss(generator, scores, algorithm.latent(len(real), device), label, due, average)
        moved.backward()
        for_generator.step()
        return loss.item(), moved.item()

    return step


def discriminator_loss(scores: Scores, real: Tensor, fake: Tensor, labels: Tensor | None, due: list[Any]) -> Tensor:
    """The non-saturating loss, and the R1 that is due: where it is in every round, of the scores that there are."""
    penalties = [term for term in due if isinstance(term, R1)]
    images = real.detach().requires_grad_(bool(penalties))
    on_real = scores(images, labels)
    loss = softplus(-on_real).mean() + softplus(scores(fake, labels)).mean()
    for term in penalties:
        size = real.shape[2] * real.shape[3] / term.batch_size if isinstance(term, ScaledR1) else 1.0
        of_these = on_real if term.every == 1 else scores(images, labels)
        loss = loss + r1(of_these, images) * (float(term.weight) * size * term.every)
    return loss


def generator_loss(
    generator: Any, scores: Scores, latent: Tensor, labels: Tensor | None, due: list[Any], average: Tensor
) -> Tensor:
    """The non-saturating loss, and the path length that is due, whose `average` moves on."""
    loss = softplus(-scores(generator(latent, labels), labels)).mean()
    for term in due:
        if isinstance(term, StylePathLength):
            loss = loss + path_length(generator, latent, labels, average, term.decay) * (
                float(term.weight) * term.every
            )
    return loss


def r1(scores: Tensor, images: Tensor) -> Tensor:
    """Half the squared gradient of the scores of real images."""
    (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return 0.5 * gradient.square().sum((1, 2, 3)).mean()


def path_length(generator: Any, latent: Tensor, labels: Tensor | None, average: Tensor, decay: float) -> Tensor:
    """How far the lengths of paths, over half the batch, are from their `average`, which follows them."""
    styles = generator.style(latent[::2], None if labels is None else labels[::2])
    images = generator.synthesise(styles)
    noise = torch.randn_like(images) / math.sqrt(images.shape[2] * images.shape[3])
    (gradient,) = torch.autograd.grad((images * noise).sum(), styles, create_graph=True)
    lengths = gradient.square().sum(2).mean(1).sqrt()
    average.lerp_(lengths.detach().mean(), decay)
    penalty: Tensor = (lengths - average).square().mean()
    return penalty
