"""How fast is a round against the textbook loop? `python tests/speed.py` prints a table (not a test; it takes minutes).

The textbook side is what tutorials teach: two discriminator passes, BCE on probabilities, default Adam, a DataLoader
with two workers, `.item()` at every step. Same networks, same data, same batch; both sides alternate in one process, so
that a machine that slows down slows both. Ratios are medians over the alternated blocks.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from gan_lab.algorithms.noise_to_image import NoiseToImage
from gan_lab.averaging import ExponentialMovingAverage
from gan_lab.data.store import Store
from gan_lab.data.stream import Stream
from gan_lab.engine import Engine
from gan_lab.latents import Normal
from gan_lab.losses.adversarial import NonSaturating
from gan_lab.models import dcgan
from gan_lab.schedules import Constant

LATENT = 100


class Images(Dataset):  # type: ignore[type-arg]
    """Random bytes as a store's images, normalised one by one as a torchvision transform would."""

    def __init__(self, images: np.ndarray) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        return torch.from_numpy(self.images[index].copy()).float().div(127.5).sub(1)


def endless(loader: DataLoader[Tensor]) -> Iterator[Tensor]:
    while True:
        yield from loader


def published_dcgan(networks: dict[str, nn.Module], size: int) -> dict[str, nn.Module]:
    """The same networks as tutorials write them: a transposed convolution on a 1x1 map first, a convolution last."""
    plain = {role: copy.deepcopy(net).to(memory_format=torch.contiguous_format) for role, net in networks.items()}
    generator, discriminator = plain["generator"].layers, plain["discriminator"].layers
    channels = generator[1].num_features
    first = nn.ConvTranspose2d(LATENT, channels, 4, bias=False)
    weight = networks["generator"].layers[0].weight  # (h * w * c, latent)
    first.weight.data = weight.detach().view(4, 4, channels, LATENT).permute(3, 2, 0, 1).contiguous().clone()
    readout = networks["discriminator"].layers[-1]
    last = nn.Conv2d(channels, 1, 4, bias=False)
    last.weight.data = readout.weight.detach().view(1, 4, 4, channels).permute(0, 3, 1, 2).contiguous().clone()
    generator[0] = nn.Sequential(nn.Unflatten(1, (LATENT, 1, 1)), first)
    discriminator[len(discriminator) - 1] = nn.Sequential(last, nn.Flatten(0))
    return plain


def textbook(networks: dict[str, nn.Module], images: np.ndarray, batch: int) -> Callable[[], tuple[float, float]]:
    """The tutorial's step; returns the two losses as floats."""
    generator, discriminator = networks["generator"], networks["discriminator"]
    adam = {role: torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999)) for role, net in networks.items()}
    bce, ones, zeros = nn.BCELoss(), torch.ones(batch), torch.zeros(batch)
    own = (
        torch.Generator()
    )  # its shuffling must not take numbers from the latents' generator, for the losses to compare
    data = endless(
        DataLoader(
            Images(images), batch, shuffle=True, num_workers=2, drop_last=True, persistent_workers=True, generator=own
        )
    )

    def step() -> tuple[float, float]:
        real = next(data)
        discriminator.zero_grad()
        loss_real = bce(torch.sigmoid(discriminator(real).scores), ones)
        loss_real.backward()
        fake = generator(torch.randn(batch, LATENT))
        loss_fake = bce(torch.sigmoid(discriminator(fake.detach()).scores), zeros)
        loss_fake.backward()
        adam["discriminator"].step()
        generator.zero_grad()
        loss = bce(torch.sigmoid(discriminator(fake).scores), ones)
        loss.backward()
        adam["generator"].step()
        return (loss_real + loss_fake).item(), loss.item()

    return step


def ours(networks: dict[str, nn.Module], store: Store, batch: int, precision: str) -> Callable[[], tuple[float, float]]:
    """gan-lab's round, average and all; the losses are read only because this script compares them."""
    engine = Engine(device="cpu", precision=precision)
    networks = {role: engine.place(copy.deepcopy(net)) for role, net in networks.items()}
    adam = partial(torch.optim.Adam, lr=2e-4, betas=(0.5, 0.999))
    game = NoiseToImage(
        latent=Normal(LATENT),
        adversarial=NonSaturating(),
        regularizers={},
        augmentation=nn.Identity(),
        networks=networks,
        optimizers={role: engine.optimizer(adam, net) for role, net in networks.items()},
        engine=engine,
        ema=ExponentialMovingAverage,
        schedule=Constant(),
    )
    stream = Stream(store, batch, seed=0)
    steps = iter(range(10**9))

    def step() -> tuple[float, float]:
        index = next(steps)
        game.schedule_step(index)
        metrics = game.train_step([stream.next()], game.due(index))
        game.average(index)
        return float(metrics["loss/discriminator"]), float(metrics["loss/generator"])

    return step


def seconds(step: Callable[[], object], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        step()
    return (time.perf_counter() - start) / repeats


def same_losses(networks: dict[str, nn.Module], size: int, batch: int, rounds: int = 5) -> list[float]:
    """Relative difference of the losses, round by round, when both sides see the same images and latents."""
    images = np.random.default_rng(1).integers(0, 256, (batch, 3, size, size), dtype=np.uint8)
    left, right = textbook(published_dcgan(networks, size), images, batch), ours(networks, pack(images), batch, "fp32")
    differences = []
    for index in range(rounds):
        torch.manual_seed(index)
        a = left()
        torch.manual_seed(index)
        b = right()
        differences.append(max(abs(x - y) / abs(x) for x, y in zip(a, b, strict=True)))
    return differences


def pack(images: np.ndarray) -> Store:
    """A store of these images, in a temporary folder."""
    from gan_lab.data.packing import pack as pack_source

    class Memory:
        classes = None
        identity = "speed"

        def __len__(self) -> int:
            return len(images)

        def __iter__(self) -> Iterator[tuple[str, np.ndarray, None]]:
            return ((str(i), image, None) for i, image in enumerate(images))

        def describe(self) -> str:
            return "random bytes"

    folder = Path(tempfile.mkdtemp()) / "store"
    return pack_source(Memory(), images.shape[1:], "crop", folder, name="speed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=7)
    parser.add_argument("--precision", nargs="*", default=["fp32", "auto"])
    arguments = parser.parse_args()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}")
    print(
        "| networks | precision | textbook img/s | gan-lab img/s | ratio (min to max) | losses differ (rounds 1, 5) |"
    )
    print("|---|---|---|---|---|---|")
    for size, batch, repeats in ((64, 128, 2), (32, 64, 8)):
        torch.manual_seed(0)
        shape = (3, size, size)
        networks: dict[str, nn.Module] = {
            "generator": dcgan.Generator(shape, LATENT, 64),
            "discriminator": dcgan.Discriminator(shape, 64),
        }
        images = np.random.default_rng(0).integers(0, 256, (20 * batch, *shape), dtype=np.uint8)
        difference = same_losses(networks, size, batch)
        left = textbook(published_dcgan(networks, size), images, batch)
        sides = {p: ours(networks, pack(images), batch, p) for p in arguments.precision}
        times: dict[str, list[float]] = {name: [] for name in ("textbook", *sides)}
        for _ in range(arguments.blocks + 1):  # the first block warms up
            times["textbook"].append(seconds(left, repeats))
            for name, side in sides.items():
                times[name].append(seconds(side, repeats))
        base = times["textbook"][1:]
        for name in sides:
            ratios = [a / b for a, b in zip(base, times[name][1:], strict=True)]
            rates = [batch / statistics.median(values) for values in (base, times[name][1:])]
            spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            differ = f"{difference[0]:.0e}, {difference[-1]:.0e}"
            cells = (f"DCGAN-{size}, batch {batch}", name, *(f"{r:.0f}" for r in rates), spread, differ)
            print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
