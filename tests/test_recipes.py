"""Every number of a recipe, once more: the figures that its YAML expects were measured with exactly these.

All of them are ours: papers train for days. Who changes one measures again (`gan-lab reproduce NAME seeds=3`) and
writes both, the row here and `expected` there. What was measured is in configs/experiment/README.md, which
test_readme_tables.py holds against `expected`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from gan_lab.config import CONFIG_DIR, leaves
from tests.compose import choices
from tests.test_presets import Loader

KEYS = {
    "critic_steps": "algorithm.critic_steps",
    "d_lr": "optimizer.discriminator.lr",
    "d_width": "model.discriminator.width",
    "g_lr": "optimizer.generator.lr",
    "metrics": "/metrics",
    "n": "callbacks.metrics.n",
    "schedule": "/optimizer/schedule",
}


def recipe(data: str, model: str, steps: int, batch: int | None = None, every: int = 0, **more: Any) -> dict[str, Any]:
    """The leaves of a recipe, whose figures are taken every `every` steps, else at the end. None: as without it."""
    numbers = {"trainer.max_steps": steps, "trainer.batch_size": batch, "callbacks.metrics.every": every or steps}
    there = {key: number for key, number in numbers.items() if number is not None}
    return {"/dataset": data, "/model": model, **there, **{KEYS.get(key, key): value for key, value in more.items()}}


def digits(model: str, steps: int, batch: int, every: int = 0, **more: Any) -> dict[str, Any]:
    return recipe("digits", model, steps, batch, every, **more)


def modes(data: str, model: str, steps: int, batch: int | None = None, **more: Any) -> dict[str, Any]:
    return recipe(data, model, steps, batch, objective="reverse_kl", **more)


BACKBONE = "model.discriminator.backbone"
SHAPES = {
    "dataset.image_shape": [3, 16, 16],
    "dataset.source.size": 16,
    "algorithm.ema.decay": 0.99,
    "/augmentation": "instance_noise",
    "/metrics": ["fid", "r_precision"],
    "metrics.r_precision.steps": 200,
    "width": 16,
    "n": 500,
}
CUT = {
    "/degradation": "noise",
    "degradation.sigma": 100,
    "dataset.aligned": False,
    "objective": "psnr",
    "algorithm.patches": 64,
    "algorithm.ema.decay": 0.999,
    "model.generator.blocks": 2,
    "model.generator_projector.dim": 32,
    "model.discriminator.depth": 1,
    "width": 12,
    "g_lr": 1e-3,
    "d_lr": 2e-4,
    "metrics": "paired",
}
ENLARGED = {"metrics.psnr.border": 0, "metrics.ssim.border": 0}
EIGHTS: dict[str, Any] = {"dataset.classes": [8], "dataset.held_out": 0.3}
LIGHT = {"model.generator.skip": "bicubic", "model.generator.direct": True}


PHOTOS = {"dataset.patch.size": 72, "dataset.patch.stride": 36, "dataset.crop": [48, 48]}
PHOTOS |= {"dataset.flip": True, "dataset.turn": True, "/degradation": "downscale"}


LAPGAN = {"/optimizer": "adam", "algorithm.shares": [1.0, 0.25, 0.125], "algorithm.ema.decay": 0.999}
LAPGAN |= {f"model.generator_{level}.width": width for level, width in enumerate((400, 24, 16))}
LAPGAN |= {f"model.discriminator_{level}.width": width for level, width in enumerate((200, 24, 16))}
UNLABELLED = {"model.generator.num_classes": 0, "model.discriminator.num_classes": 0}


def stages(images: int) -> dict[str, Any]:
    """As many images at each size as for each fade."""
    return {f"algorithm.stages.{part}_images": images for part in ("stable", "fade")}


def blocks(count: int) -> dict[str, Any]:
    return {"model.generator.blocks": count}


def staged(first: int, l1: float = 10.0) -> dict[str, Any]:
    """L1, and from a round on a game beside it; without VGG."""
    loss = {"/loss/regularizers": ["l1"], "loss.regularizers.l1.weight": l1, "loss.adversarial_from": first}
    return {**loss, "/metrics": ["paired", "fid"], "objective": "fid", "algorithm.ema.decay": 0.99}


RECIPES = {
    "acgan": digits("acgan", 1200, 64, width=16),
    "biggan": digits("biggan", 900, 32, width=8, g_lr=1e-3, d_lr=1e-3),
    "biggan_cifar": digits("biggan_cifar", 1000, 32, width=8, critic_steps=2, g_lr=2e-3, d_lr=1e-3),
    "cdcgan": digits("cdcgan", 1500, 64, width=16),
    "cgan": digits("cgan", 2500, 64),
    "colorization": recipe("stacked_digits", "colorization", 1200, 16, g_lr=1e-3, n=1000, width=16),
    "context_encoder": digits(
        "context_encoder",
        1200,
        32,
        every=600,
        n=1000,
        width=16,
        g_lr=1e-3,
        d_lr=1e-4,
        **{"dataset.image_shape": [1, 32, 32], "model.generator.bottleneck": 256},
    ),
    "conv_gan": digits("conv_gan", 1600, 32, width=16),
    "cut": digits("cut", 600, 8, **CUT),
    "cyclegan": digits(
        "cyclegan",
        1200,
        8,
        600,
        **{"/degradation": "noise", "degradation.sigma": 80, "dataset.aligned": False},
        **{"/metrics": "paired", "objective": "psnr"},
        **{f"model.generator_{side}.blocks": 2 for side in ("ab", "ba")},
        width=12,
    ),
    "dcgan": digits("dcgan", 3500, 64, width=16),
    "deepfill": digits(
        "deepfill", 600, 16, every=300, n=1000, width=16, g_lr=1e-3, **{"dataset.image_shape": [1, 32, 32]}
    ),
    "egbad": digits("egbad", 1000, 32, n=1000, width=16, g_lr=2e-4, **EIGHTS, **{"algorithm.latent.dim": 32}),
    "fanogan": digits(
        "fanogan",
        600,
        32,
        n=1000,
        width=16,
        g_lr=5e-4,
        **EIGHTS,
        **{"algorithm.latent.dim": 32, "algorithm.encoder_from": 400},
    ),
    "ganomaly": digits("ganomaly", 600, 32, n=1000, width=16, **EIGHTS),
    "attributes": recipe(
        "attributed_shapes",
        "cdcgan",
        3000,
        64,
        1500,
        n=2000,
        width=16,
        **{"algorithm.ema.decay": 0.99, "/augmentation": "instance_noise", "/metrics": ["fid", "attribute_accuracy"]},
    ),
    "gan_cls": recipe("coloured_shapes", "gan_cls", 500, 32, 250, g_lr=1e-3, d_lr=2e-4, **SHAPES),
    "dfgan": recipe(
        *("coloured_shapes", "dfgan", 2400, 32, 600),
        g_lr=2e-4,
        d_lr=2e-4,
        **SHAPES,
        **{"augmentation.instance_noise.std": 0.2, "dataset.source.paper": 160},
    ),
    "fastcut": digits("fastcut", 600, 8, **CUT),
    "fastgan": digits("fastgan", 1000, 16, 500, n=1000, width=8, g_lr=5e-4),
    "compact": digits("compact", 1000, 32, schedule="cosine", width=16, g_lr=1e-3, **ENLARGED, **blocks(4)),
    "edsr": digits("edsr", 1000, 32, schedule="cosine", width=16, g_lr=1e-3, **ENLARGED, **blocks(4), **LIGHT),
    "esrgan": digits(
        "esrgan",
        1050,
        32,
        350,
        width=8,
        g_lr=1e-3,
        d_lr=4e-4,
        **ENLARGED,
        **blocks(1),
        **staged(700, l1=4.0),
        **{"dataset.image_shape": [1, 12, 12], "dataset.flip": True, "dataset.turn": True},
    ),
    "real_esrgan": digits(
        "real_esrgan",
        900,
        16,
        300,
        width=8,
        g_lr=1e-3,
        d_lr=4e-4,
        **ENLARGED,
        **blocks(1),
        **staged(600),
        **{"dataset.image_shape": [1, 32, 32], "degradation.scale": 2, "degradation.sharpened": False},
    ),
    "srgan": digits("srgan", 800, 32, 400, width=8, g_lr=5e-4, **ENLARGED, **blocks(2), **staged(400)),
    "srresnet": digits("srresnet", 1000, 32, schedule="cosine", width=16, g_lr=1e-3, **ENLARGED, **blocks(4)),
    "gan": digits("gan", 2500, 64),
    "gan_small": digits("gan_small", 4000, 64),
    "grid": modes("grid", "points", 16000, 128, every=1000, n=2500),
    "lapgan": recipe("cifar10", "lapgan", 4000, 64, metrics="fid", g_lr=5e-4, **LAPGAN),
    "lsgan": digits("lsgan", 2500, 32, width=8, g_lr=1.5e-4, d_lr=1e-3, d_width=32, schedule="linear"),
    "pix2pix": digits("pix2pix", 1500, 16, 500, **{"/degradation": "edges", "degradation.threshold": 1.0}, width=16),
    "pix2pixhd": digits(
        "pix2pixhd",
        800,
        16,
        400,
        **{"/degradation": "edges", "degradation.threshold": 1.0, "model.generator.blocks": 2, "width": 8},
    ),
    "points": modes("ring", "points", 3000, every=3000, n=2500),
    "progressive": digits("progressive", 4000, 16, 1000, width=32, **stages(10_000)),
    "projected_gan": digits(
        "projected_gan",
        1000,
        32,
        width=8,
        g_lr=1e-3,
        **{"model.generator.lite": True, "model.discriminator.base": 16, f"{BACKBONE}.weights": "random"},
        **{f"{BACKBONE}.random_size": 32},
    ),
    "r3gan": digits("r3gan", 2400, 32, width=8, g_lr=5e-4),
    "ring": modes("ring", "points", 8000, every=1000, n=2500),
    "rpgan": digits("rpgan", 2000, 64),
    "rrdb": digits(
        "rrdb",
        600,
        32,
        schedule="cosine",
        width=8,
        g_lr=1e-3,
        **ENLARGED,
        **blocks(1),
        **{"algorithm.ema.decay": 0.99},
    ),
    "sagan": digits("sagan", 1500, 32, width=8, g_lr=1e-3, d_lr=1e-3),
    "sngan": digits("sngan", 4000, 32, width=8, critic_steps=2, g_lr=2e-3, d_lr=1e-3, schedule="constant"),
    "sngan_dcgan": digits("sngan_dcgan", 1000, 64, width=16),
    **{
        f"sr_x{scale}": recipe(
            "folder",
            "edsr",
            2700,
            8,
            schedule="cosine",
            width=32,
            g_lr=1e-3,
            **blocks(5),
            **LIGHT,
            **PHOTOS,
            **{"degradation.scale": scale},
        )
        for scale in (2, 4)
    },
    "stacked_digits": modes("stacked_digits", "rpgan", 8000, every=2000, n=26000, metrics=["modes"]),
    "stylegan": digits(
        "stylegan",
        4000,
        16,
        1000,
        width=32,
        full=8,
        g_lr=2e-3,
        **UNLABELLED,
        **stages(6000),
        **{"algorithm.stages.start": 0, "algorithm.ema.half_life": 2000.0},
        **{"model.generator.depth": 4, "loss.regularizers.r1.weight": 1.0},
    ),
    "stylegan2": digits("stylegan2_auto", 2000, 32, 1000, width=32, full=8, **UNLABELLED),
    "stylegan3": digits("stylegan3", 1500, 16, 500, width=16, full=8, **UNLABELLED),
    "wgan": digits("wgan", 900, 64, width=16, g_lr=2e-4),
    "wgan_gp": digits("wgan_gp", 600, 32, width=16, g_lr=5e-4),
    "wgan_gp_resnet": digits("wgan_gp_resnet", 3500, 32, width=8, critic_steps=2, g_lr=1e-3),
}


def settings(node: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What a recipe chooses, `/group` by group, and the numbers that it sets."""
    for choice in node["defaults"]:
        yield from ((str(group).removeprefix("override "), name) for group, name in choice.items())
    yield from leaves({key: value for key, value in node.items() if key not in ("defaults", "expected")})


@pytest.mark.parametrize("name", choices("experiment"))
def test_a_recipe_is_the_one_that_was_measured(name: str) -> None:
    node = yaml.load((CONFIG_DIR / "experiment" / f"{name}.yaml").read_text(), Loader)
    again = f"measure {name} again (gan-lab reproduce {name} seeds=3), and write its figures and its row"
    assert dict(settings(node)) == RECIPES.get(name), again


def test_what_it_would_catch() -> None:
    """A choice that is left out, and another number."""
    node = {"defaults": [{"override /model": "gan"}], "a": {"b": 1}, "expected": {"seconds": 3}}
    assert dict(settings(node)) == {"/model": "gan", "a.b": 1}
    assert set(RECIPES) <= set(choices("experiment"))
