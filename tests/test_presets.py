"""Every number of a preset, once more: what a paper or its authors' code prescribes, with the place; or ours, and why.

A preset is held against this table and nothing else, so that a slip of the hand in a YAML is heard of, and a new key
asks for its row. `code` is the authors' repository. What a preset takes from another (`${...}`) has no row.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from gan_lab.algorithms.averaging import ExponentialMovingAverage
from gan_lab.algorithms.noise_to_image import NoiseToImage
from gan_lab.algorithms.schedules import Ramp
from gan_lab.algorithms.unrolled import Unrolled
from gan_lab.augmentations.adaptive import KNOWN, AdaptiveAugmentation
from gan_lab.config import CONFIG_DIR
from gan_lab.models import sngan_dcgan

GROUPS = ("algorithm", "augmentation", "loss", "metrics", "model", "optimizer", "technique")
STRUCTURE = ("_target_", "_partial_", "image_shape", "num_classes", "latent_dim", "defaults", "batch_size")
# What a component is without: not a paper's choice but the absence of one.
ABSENT = {"every": 1, "label_smoothing": 0.0, "two_sided": False, "player": "discriminator", "border": 0, "luma": False}
ADAM = {"generator.eps": 1e-8}  # Kingma & Ba 2014, arXiv:1412.6980
BURN_IN = 20_000_000  # images
EMA = {"algorithm.ema.decay": 0.9999}  # code: ema_decay in utils.py and the launch scripts
STANDING = {"algorithm.standing_statistics.passes": 16, "algorithm.standing_statistics.batch": 64}

PLAYERS = ("generator", "discriminator")

Row = tuple[str, str, Mapping[str, Any]]


def nets(generator: float | None, discriminator: float | None, **more: Any) -> dict[str, Any]:
    """The widths of the two networks, and more keys of theirs: `g_depth`, `d_dropout`."""
    players = {"g": "model.generator", "d": "model.discriminator"}
    keys = {f"{players[name[0]]}.{name[2:]}": value for name, value in more.items()}
    widths = {"model.generator.width": generator}
    if discriminator is not None or generator is None:
        widths["model.discriminator.width"] = discriminator
    return {**widths, **keys}


def sides(kind: str, **settings: Any) -> dict[str, Any]:
    """The same settings of both networks of a kind, of a game that goes there and back."""
    return {f"model.{kind}_{side}.{name}": value for side in ("ab", "ba") for name, value in settings.items()}


def hole(kind: str, smallest: float, largest: float | None = None) -> dict[str, Any]:
    """What is missing of an image, in shares of its sides."""
    sizes = {"smallest": smallest, "largest": largest or smallest}
    return {"degradation.kind": kind, **{f"degradation.{name}": share for name, share in sizes.items()}}


def game(critic_steps: int, dim: int, **more: Any) -> dict[str, Any]:
    return {
        "algorithm.critic_steps": critic_steps,
        "algorithm.latent.dim": dim,
        **{f"algorithm.{name}": value for name, value in more.items()},
    }


BACKBONE, LITE0 = "model.discriminator.backbone", "tf_efficientnet_lite0"
MULTI_STEP: dict[str, Any] = {"at": [0.125, 0.25, 0.5, 0.75], "factor": 0.5, "begin": 0}
RAW: dict[str, Any] = {"algorithm.ema.decay": 0.0}
SRRESNET = {"model.generator.width": 64, "model.generator.blocks": 16, **RAW}
ADA = "code stylegan2-ada-pytorch, train.py"
SG3 = "code stylegan3, train.py"
R1 = "loss.regularizers.r1"
GP = "loss.regularizers.gradient_penalty"


def half_life(end: int) -> dict[str, Any]:
    """A twentieth of the images shown, up to `end`: `ramp` 0.05."""
    ramp = {"end": end, "steps": 20 * end, "unit": "images"}
    return {"algorithm.ema.half_life": 0.0, **{f"algorithm.ema.schedule.half_life.{k}": v for k, v in ramp.items()}}


PGAN = "code progressive_growing_of_gans"
PROGRESSIVE: tuple[Row, ...] = (
    ("progressive", "arXiv:1710.10196, table 2; z of 512", game(1, 512) | {"algorithm.ema.decay": 0.999}),
    ("progressive", f"{PGAN}, networks.py: fmap_base 8192 = 512 * 32 / 2, fmap_max 512", nets(512, None, g_full=32)),
    ("progressive", "arXiv:1710.10196, appendix A.1: the whole batch of 16", {"model.discriminator.group": 16}),
    ("progressive_cifar", f"{PGAN}, branch original-theano-version: 4096, 128", nets(128, None, g_full=64)),
    ("progressive_cifar", "as above: latent 128", {"algorithm.latent.dim": 128}),
    ("progressive_cifar", "as above: 400 kimg each", {"algorithm.stages.stable_images": 400_000}),
    ("progressive_cifar", "as above: 400 kimg each", {"algorithm.stages.fade_images": 400_000}),
    ("progressive_cifar", "arXiv:1710.10196, appendix A.1: 750", {f"{GP}.weight": 10 / 750**2, f"{GP}.target": 750.0}),
)
SG = "code stylegan"
STYLEGAN: tuple[Row, ...] = (
    (
        "stylegan",
        f"{SG}, train.py; z of 512; G_smoothing_kimg 10",
        game(1, 512) | {"algorithm.ema.half_life": 10_000.0},
    ),
    ("stylegan", f"{SG}, networks_stylegan.py: fmap_base 8192, fmap_max 512", nets(512, None, g_full=32)),
    ("stylegan", "arXiv:1812.04948, section 2: 8 layers", nets(512, None, g_style_dim=512, g_depth=8)),
    ("stylegan", f"{SG}: style_mixing_prob, dlatent_avg_beta", nets(512, None, g_mixing=0.9, g_style_decay=0.995)),
    ("stylegan", f"{SG}: mbstd 4; noise: as the paper", nets(512, None, g_noise="random", d_group=4)),
    ("stylegan", f"{SG}, train.py: r1_gamma 10", {"loss.regularizers.r1.weight": 10.0}),
)
STYLEGAN2: tuple[Row, ...] = (
    ("stylegan2", f"{ADA}: stylegan2; z of 512", game(1, 512) | {"algorithm.ema.half_life": 10_000.0}),
    ("stylegan2", f"{ADA}: fmaps 1, map 8: 32768 = 512 * 64", nets(512, None, g_full=64, g_style_dim=512, g_depth=8)),
    ("stylegan2", "arXiv:1912.04958, section 2.2; code: style_mixing_prob", nets(512, None, g_mixing=0.9)),
    ("stylegan2", "arXiv:1912.04958, config F", nets(512, None, g_architecture="skip", d_architecture="resnet")),
    ("stylegan2", f"{ADA}: mbstd 4; noise: as the paper", nets(512, None, g_noise="random", d_group=4)),
    ("stylegan2", f"{ADA}: num_fp16_res 4, conv_clamp 256", nets(512, None, g_reduced=4, d_reduced=4)),
    ("stylegan2", "as above", nets(512, None, g_clamp=256.0, d_clamp=256.0)),
    ("stylegan2", "code stylegan2-ada-pytorch, networks.py: w_avg_beta", nets(512, None, g_style_decay=0.995)),
    ("stylegan2_auto", f"{ADA}: fmaps 0.5, map 2", {"model.generator.full": 32, "model.generator.depth": 2}),
    ("stylegan2_auto", f"{ADA}: ema mb * 10 / 32, ramp 0.05", half_life(10_000)),
    ("stylegan2_cifar", f"{ADA}: cifar, map 2", {"model.generator.depth": 2, "model.generator.mixing": 0.0}),
    ("stylegan2_cifar", f"{ADA}: cifar", {"model.discriminator.architecture": "orig", "model.discriminator.group": 32}),
    ("stylegan2_cifar", f"{ADA}: gamma 0.01; ema 500, ramp 0.05", {"gamma": 0.01, **half_life(500_000)}),
    ("stylegan2_paper256", f"{ADA}: fmaps 0.5, mbstd 8", {"model.generator.full": 32, "model.discriminator.group": 8}),
    ("stylegan2_paper256", f"{ADA}: gamma 1, ema 20", {"gamma": 1.0, "algorithm.ema.half_life": 20_000.0}),
    ("stylegan2_paper512", f"{ADA}: mbstd 8, gamma 0.5", {"model.discriminator.group": 8, "gamma": 0.5}),
    ("stylegan2_paper512", f"{ADA}: ema 20", {"algorithm.ema.half_life": 20_000.0}),
    ("stylegan2_paper1024", f"{ADA}: gamma 2", {"gamma": 2.0}),
    ("stylegan3", f"{SG3}: z of 512", game(1, 512)),
    ("stylegan3", f"{SG3}: cbase 32768 = 512 * 64, map 2", nets(512, None, g_full=64, g_style_dim=512, g_depth=2)),
    (
        "stylegan3",
        f"{SG3}: gamma 2 at 256, growing with the area",
        {f"{R1}.weight": 2 * 32 / 256**2},
    ),
    ("stylegan3", f"{SG3}: ema batch * 10 / 32, ramp 0.05", half_life(10_000)),
    ("stylegan3", f"{SG3}: mbstd 4", {"model.discriminator.group": 4}),
    ("stylegan3", f"{SG3}: num_fp16_res 4, conv_clamp 256", nets(512, None, g_reduced=4, d_reduced=4)),
    ("stylegan3", "as above", nets(512, None, g_clamp=256.0, d_clamp=256.0)),
    ("stylegan3", "arXiv:2106.12423, configuration T", {"model.generator.radial": False}),
    ("stylegan3", "code stylegan3, train.py: as StyleGAN2", {"model.discriminator.architecture": "resnet"}),
    ("stylegan3", "code stylegan3, networks: w_avg_beta 0.998, of two passes", {"model.generator.style_decay": 0.999}),
    ("stylegan3", "as above: 0.5^(batch / 20e3)", {"model.generator.half_life": 40_000.0}),
    ("stylegan3_r", f"{SG3}: 1x1, radial", {"model.generator.radial": True}),
)
FASTGAN: tuple[Row, ...] = (
    ("fastgan", "code: ngf = ndf = 64, nz 256", nets(64, 64) | game(1, 256, reuse_fake=True)),
    ("fastgan", "code: policy", {"augmentation.diffaugment.policy": ["color", "translation"]}),
)
EYESCREAM = "code eyescream"
LAPGAN: tuple[Row, ...] = (
    ("lapgan", f"{EYESCREAM}: --noiseDim 100; no average", {"algorithm.latent.dim": 100, "algorithm.ema.decay": 0.0}),
    *(
        ("lapgan", "arXiv:1506.05751, section 3.1: 8, 16, 32", {f"model.{kind}_{level}.halvings": 2 - level})
        for kind in PLAYERS
        for level in range(3)
    ),
    *(("lapgan", "arXiv:1506.05751: dropout", {f"model.discriminator_{level}.dropout": 0.5}) for level in range(3)),
    (
        "lapgan",
        f"{EYESCREAM}: 1200 and 600 units",
        {"model.generator_0.width": 1200, "model.discriminator_0.width": 600},
    ),
    *(("lapgan", f"{EYESCREAM}: 64 maps", {f"model.{kind}_{n}.width": 64}) for kind in PLAYERS for n in (1, 2)),
)
MODELS: tuple[Row, ...] = (
    ("acgan", "arXiv:1610.09585, appendix A, CIFAR-10", game(1, 100) | nets(96, 16, d_dropout=0.5)),
    ("biggan", "arXiv:1809.11096, tables 4 and 5, appendix C", game(2, 120) | EMA),
    ("biggan", "arXiv:1809.11096, appendix B", nets(96, 96, g_shared_dim=128, g_hierarchical=True)),
    ("biggan", "arXiv:1809.11096, tables 4 and 5", nets(96, 96, g_attention=64, d_attention=64)),
    ("biggan", "arXiv:1809.11096, section 3", nets(96, 96, g_weights="orthogonal", d_weights="orthogonal")),
    ("biggan_cifar", "code BigGAN-PyTorch, scripts/launch_cifar_ema.sh", game(4, 128) | EMA | nets(64, 64)),
    ("biggan_cifar", "as above: no --shared_dim, --hier", nets(64, 64, g_shared_dim=0, g_hierarchical=False)),
    ("biggan_cifar", "as above: --G_attn 0 --D_attn 0", nets(64, 64, g_attention=0, d_attention=0)),
    ("biggan_cifar", "as above: --G_init N02 --D_init N02", nets(64, 64, g_weights="normal", d_weights="normal")),
    ("biggan", "code BigGAN-PyTorch, utils.py: num_standing_accumulations 16; ours: batch", STANDING),
    ("biggan_cifar", "code BigGAN-PyTorch, utils.py: num_standing_accumulations 16; ours: batch", STANDING),
    ("cdcgan", "arXiv:1511.06434, section 4; width: code dcgan.torch, ngf = ndf = 64", game(1, 100) | nets(64, 64)),
    ("cdcgan", "arXiv:1511.06434, section 3", nets(64, 64, d_normalization="batch")),
    ("cgan", "arXiv:1411.1784, section 4.1: prior of 100, dropout of one half", game(1, 100)),
    ("cgan", "arXiv:1411.1784, section 4.1: 240 maxout units on the image", nets(128, 240, d_dropout=0.5)),
    ("cgan", "ours: the generator of gan, told the class", nets(128, 240, g_embedding_dim=10, g_depth=3)),
    ("cgan", "ours: as gan", nets(128, 240, g_batch_norm=True)),
    ("colorization", "arXiv:1611.07004: no average", {"algorithm.ema.decay": 0.0}),
    ("colorization", "ours: what colours are judged by", {"objective": "ab_rmse"}),
    ("colorization", "arXiv:1611.07004, appendix 6.1", nets(64, 64, g_normalization="batch", d_normalization="batch")),
    ("colorization", "arXiv:1611.07004, appendix 6.1.1; 70 x 70", nets(64, 64, g_dropout=0.5, d_patch="auto")),
    ("colorization", "as above: 8 levels of 256 pixels", {"model.generator.levels": "auto"}),
    ("context_encoder", "arXiv:1604.07379: no average", {"algorithm.ema.decay": 0.0}),
    ("context_encoder", "ours: what holes are judged by", {"objective": "psnr_hole"}),
    (
        "context_encoder",
        "code context-encoder, train.lua: 64 of 128 less overlapPred 4 on each side",
        hole("box", 7 / 16),
    ),
    ("context_encoder", "arXiv:1604.07379, section 3.3: the central region", {"degradation.centred": True}),
    ("context_encoder", "arXiv:1604.07379, figure 9: bottleneck of 4000", nets(64, 64, g_bottleneck=4000)),
    (
        "context_encoder",
        "ours: those of the degradation, which is not composed here",
        {f"model.generator.hole.{name}": None for name in ("kind", "largest", "centred")},
    ),
    ("conv_gan", "ours: a network of courses, no paper", game(1, 100) | nets(64, 32, d_dropout=0.25)),
    ("cut", "arXiv:2007.15651: no average", {"algorithm.ema.decay": 0.0}),
    ("cut", "code contrastive-unpaired-translation: --ngf, --ndf", nets(64, 64)),
    ("cut", "as above: --netF_nc", {"model.generator_projector.dim": 256}),
    ("cyclegan", "arXiv:1703.10593, section 4: none", {"algorithm.ema.decay": 0.0}),
    ("cyclegan", "arXiv:1703.10593, appendix 7.2", sides("generator", width=64, normalization="instance")),
    ("cyclegan", "arXiv:1703.10593, appendix 7.2: no dropout", sides("generator", dropout=0.0)),
    ("cyclegan", "arXiv:1703.10593, appendix 7.2: 70 x 70", sides("discriminator", width=64, patch="auto")),
    ("cyclegan", "arXiv:1703.10593, appendix 7.2", sides("discriminator", normalization="instance")),
    ("dcgan", "code dcgan.torch, main.lua: nz 100, ngf = ndf = 64; the same fakes for both", game(1, 100)),
    ("dcgan", "code dcgan.torch, main.lua: fGx uses df_do of the same fake", game(1, 100, reuse_fake=True)),
    ("dcgan", "arXiv:1511.06434, section 3", nets(64, 64, d_normalization="batch")),
    ("deepfill", "arXiv:1806.03589: no average", {"algorithm.ema.decay": 0.0}),
    ("deepfill", "ours: what holes are judged by", {"objective": "psnr_hole"}),
    (
        "deepfill",
        "code generative_inpainting, inpaint.yml: 128 of 256, up to 32 less",
        hole("both", 96 / 256, 128 / 256),
    ),
    ("deepfill", "code generative_inpainting: cnum 48; its discriminator's 64", nets(48, 64)),
    ("gan_cls", "code icml2016: nz 100, ngf 128, ndf 64", game(1, 100) | nets(128, 64)),
    ("gan_cls", "code icml2016: interp_weight 1; nt 128", {"algorithm.interpolation": 1.0}),
    ("gan_cls", "as above", nets(128, 64, g_text_dim=128, d_text_dim=128)),
    ("dfgan", "code DF-GAN: z of 100, nf 32", game(1, 100) | nets(32, 32)),
    ("dfgan", "code DF-GAN: text of 256; ours: as wide", {"text_encoder.dim": 256, "model.generator.hidden": 256}),
    ("fastcut", "code contrastive-unpaired-translation: --flip_equivariance: one half", {"algorithm.mirrored": 0.5}),
    ("fastcut", "as above: --netF_nc; no average", {"model.generator_projector.dim": 256, "algorithm.ema.decay": 0.0}),
    ("fastcut", "as above: --ngf, --ndf", nets(64, 64)),
    ("gan", "ours: the paper prints no sizes; its code trains both on one sample", game(1, 100, reuse_fake=True)),
    ("gan", "ours: the paper prints no sizes", nets(128, 256, g_depth=3, g_batch_norm=True)),
    ("gan", "ours: the paper has maxout and dropout, and prints no sizes", nets(128, 256, d_depth=2, d_dropout=0.3)),
    ("gan_small", "ours: the smallest", game(1, 100) | nets(128, 128, g_depth=1, d_depth=1)),
    ("gan_small", "ours: the smallest", nets(128, 128, g_batch_norm=False, d_dropout=0.0)),
    *FASTGAN,
    *LAPGAN,
    ("lsgan", "arXiv:1611.04076, figure 2; code train_lsun.py", game(1, 1024, reuse_fake=True) | nets(64, 64)),
    ("lsgan", "arXiv:1611.04076, section 3.3: the discriminator of DCGAN", nets(64, 64, d_normalization="batch")),
    ("pix2pix", "arXiv:1611.07004: no average", {"algorithm.ema.decay": 0.0}),
    ("pix2pix", "ours: what pairs are judged by", {"objective": "psnr"}),
    ("pix2pix", "arXiv:1611.07004, appendix 6.1", nets(64, 64, g_normalization="batch", d_normalization="batch")),
    ("pix2pix", "arXiv:1611.07004, appendix 6.1.1; 70 x 70", nets(64, 64, g_dropout=0.5, d_patch="auto")),
    ("pix2pix", "arXiv:1611.07004, appendix 6.1.1: 8 levels of 256 pixels", {"model.generator.levels": "auto"}),
    ("pix2pix", "arXiv:1611.07004, equation 1", {"model.discriminator.condition": "input"}),
    *(("pix2pixhd", "arXiv:1711.11585, equation 1", {f"model.discriminator_{n}.condition": "input"}) for n in (0, 1)),
    ("pix2pixhd", "arXiv:1711.11585: no average", {"algorithm.ema.decay": 0.0}),
    ("pix2pixhd", "ours: what pairs are judged by", {"objective": "psnr"}),
    ("pix2pixhd", "code pix2pixHD, networks.py: ngf 32, 9 and 3 blocks", nets(32, None, g_blocks=9, g_local_blocks=3)),
    ("pix2pixhd", "code pix2pixHD: norm='instance'", nets(32, None, g_normalization="instance")),
    *(
        ("pix2pixhd", "code pix2pixHD, networks.py: ndf 64, padw 2, 70 x 70", {f"model.discriminator_{scale}.{k}": v})
        for scale in (0, 1)
        for k, v in {"width": 64, "padding": 2, "patch": "auto", "halvings": scale, "normalization": "instance"}.items()
    ),
    ("points", "ours: no paper, for the plane", game(1, 16) | nets(128, 128, g_depth=3, d_depth=3)),
    ("points", "ours: where a dataset does not say its own", nets(128, 128, g_extent=1.0, d_extent=1.0)),
    ("points", "ours: Fourier features at the scale of the modes", nets(128, 128, d_waves=32, d_frequency=0.16)),
    ("points", "ours: bf16 cannot tell the points of a mode apart", {"precision": "fp32"}),
    ("projected_gan", "code projected-gan, train.py: fastgan, z of 256", game(1, 256) | nets(128, None, g_lite=False)),
    ("projected_gan", "code projected-gan, projector.py: cout 64", {"model.discriminator.base": 64}),
    ("projected_gan", "as above: 224 pixels", {f"{BACKBONE}.architecture": LITE0, f"{BACKBONE}.size": 224}),
    ("projected_gan", "ours: where there are no weights", {f"{BACKBONE}.width": 16, f"{BACKBONE}.random_size": 64}),
    ("projected_gan", "code projected-gan, train.py: ema 64 * 10 / 32, ramp 0.05", half_life(20_000)),
    ("projected_gan_stylegan2", "code projected-gan: separable heads", {"model.discriminator.separable": True}),
    ("projected_gan_stylegan2", "as above", {"model.discriminator.base": 64, **half_life(20_000)}),
    ("projected_gan_stylegan2", "as above", {f"{BACKBONE}.architecture": LITE0, f"{BACKBONE}.size": 224}),
    ("projected_gan_stylegan2", "as above", {f"{BACKBONE}.width": 16, f"{BACKBONE}.random_size": 64}),
    ("projected_gan_stylegan2", "arXiv:1912.04958: config F", game(1, 512) | nets(512, None, g_full=64, g_depth=8)),
    (
        "projected_gan_stylegan2",
        "as above: skip; num_fp16_res 4, conv_clamp 256; w_avg_beta 0.995",
        nets(512, None, g_style_dim=512, g_architecture="skip", g_noise="random", g_reduced=4, g_clamp=256.0)
        | {"model.generator.style_decay": 0.995},
    ),
    ("projected_gan_stylegan2", "ours: no mixing, as FastGAN's has none", {"model.generator.mixing": 0.0}),
    ("r3gan", "arXiv:2501.05441, code train.py, CIFAR10", game(1, 64) | nets(768, 768, g_blocks=2, d_blocks=2)),
    ("r3gan", "code train.py: ema_scheduler from 0", {"algorithm.ema.half_life": 0.0}),
    ("r3gan", "code train.py: ema_nimg = 5000 * 1000", {"algorithm.ema.schedule.half_life.end": 5_000_000}),
    ("r3gan", "code train.py: decay_nimg = 2e7", {"algorithm.ema.schedule.half_life.steps": BURN_IN}),
    ("r3gan", "code training_loop.py: cur_nimg", {"algorithm.ema.schedule.half_life.unit": "images"}),
    ("r3gan", "code training_loop.py: cosine_decay", {"algorithm.ema.schedule.half_life.shape": "cosine"}),
    ("rpgan", "ours: the perceptrons of gan, without dropout", game(1, 100) | nets(128, 256, d_dropout=0.0)),
    ("rpgan", "ours: the perceptrons of gan", nets(128, 256, g_depth=3, g_batch_norm=True, d_depth=2)),
    ("sagan", "arXiv:1805.08318, section 5; attention on the map of 32 pixels, table 1", game(1, 128)),
    ("sagan", "code self-attention-gan, generator.py, discriminator.py", nets(64, 64, g_attention=32, d_attention=32)),
    (
        "sngan",
        "code sngan_projection, sn_cifar10_unconditional.yml: n_dis 5, n_gen_samples 128, dim_z 128",
        game(5, 128),
    ),
    ("sngan", "as above: n_gen_samples 128 against batchsize 64", game(5, 128, generator_batch=2)),
    ("sngan", "null: the paper's for each size (tests/models/test_sngan.py)", nets(None, None)),
    ("sngan_dcgan", "arXiv:1802.05957, table 3; table 1, setting C", game(1, 128) | nets(64, 64)),
    ("sngan_dcgan", "chainer-gan-lib, common/net.py; compare_gan, sndcgan.py", nets(64, 64, g_first_norm=True)),
    *PROGRESSIVE,
    *STYLEGAN,
    *STYLEGAN2,
    ("wgan", "arXiv:1701.07875, algorithm 1: n_critic 5; code main.py: nz 100, ngf = ndf = 64", game(5, 100)),
    ("wgan", "code WassersteinGAN, models/dcgan.py: the critic has BatchNorm", nets(64, 64, d_normalization="batch")),
    ("wgan_gp", "arXiv:1704.00028, algorithm 1: n_critic 5; code gan_cifar.py: 128 numbers", game(5, 128)),
    ("wgan_gp", "arXiv:1704.00028, section 4: no BatchNorm", nets(64, 64, d_normalization="none")),
    ("wgan_gp_resnet", "code gan_cifar_resnet.py: N_CRITIC 5, GEN_BS_MULTIPLE 2", game(5, 128, generator_batch=2)),
    ("wgan_gp_resnet", "code gan_cifar_resnet.py: DIM_G = DIM_D = 128", nets(128, 128)),
)

RRDB = ("rrdb", "esrgan", "real_esrgan")
ENLARGING = (*RRDB, "compact", "edsr", "srgan", "srresnet")
DETECTING = ("egbad", "fanogan", "ganomaly")
ADAIN: tuple[Row, ...] = (
    ("adain", "arXiv:1703.06868: no average", {"algorithm.ema.decay": 0.0}),
    ("adain", "ours: the colours of a style", {"objective": "style_distance"}),
    ("adain", "arXiv:1703.06868, section 6: the first layers of VGG19", {"model.generator.width": 64}),
)

DETECTORS: tuple[Row, ...] = (
    *((name, "ours: a tenth of the normal images for the threshold", {"held_out": 0.1}) for name in DETECTING),
    *((name, "ours: what is scored by is what has learned", {"algorithm.ema.decay": 0.0}) for name in DETECTING),
    *((name, "ours: as dcgan", nets(64, 64)) for name in DETECTING),
    ("egbad", "arXiv:1802.06222, appendix: latents of 200", game(1, 200)),
    ("fanogan", "arXiv:1704.00028, algorithm 1: n_critic 5; code gan_cifar.py: 128 numbers", game(5, 128)),
    ("fanogan", "arXiv:1704.00028, section 4: no BatchNorm", {"model.discriminator.normalization": "none"}),
    (
        "fanogan",
        "ours: torch's defaults",
        {"optimizer.encoder.betas": [0.9, 0.999], "optimizer.encoder.eps": 1e-8, "model.encoder.width": 64},
    ),
    ("fanogan", "ours: the encoder comes last", {"objective": "loss/encoder"}),
    ("ganomaly", "ours: no figure of test pictures", {"objective": "loss/generator"}),
    ("ganomaly", "code ganomaly, networks.py: BatchNorm", {"model.discriminator.normalization": "batch"}),
)

SUPER_RESOLUTION: tuple[Row, ...] = (
    *((name, "ours: its figures", {"objective": "psnr"}) for name in ENLARGING),
    *((name, "arXiv:1809.00219, section 4.1: 23 blocks", {"model.generator.blocks": 23}) for name in RRDB),
    *((name, "code BasicSR, options: num_feat 64", {"model.generator.width": 64}) for name in RRDB),
    *((name, "as above: num_grow_ch 32", {"model.generator.growth": 32}) for name in RRDB),
    *((name, "as above: num_feat 64 of network_d", {"model.discriminator.width": 64}) for name in RRDB[1:]),
    (
        "compact",
        "code Real-ESRGAN: num_feat 64, num_conv 16",
        {"model.generator.width": 64, "model.generator.blocks": 16},
    ),
    ("edsr", "arXiv:1707.02921, table 1: the baseline", {"model.generator.width": 64, "model.generator.blocks": 16}),
    ("edsr", "arXiv:1707.02921, table 1: scaling 1", {"model.generator.residual": 1.0}),
    ("edsr", "arXiv:1707.02921, figure 3: no other end; no average", {"model.generator.direct": False, **RAW}),
    *((name, "arXiv:1609.04802, section 3.2: 16 blocks of 64; no average", SRRESNET) for name in ("srresnet", "srgan")),
    ("srgan", "arXiv:1609.04802, figure 4", {"model.discriminator.width": 64}),
)

R3GAN = "arXiv:2501.05441, code train.py, CIFAR10"
ESRGAN = ("adam_esrgan", "adam_esrgan_game", "adam_real_esrgan_game")
OPTIMIZERS: tuple[Row, ...] = (
    ("adam", "arXiv:1511.06434, section 4", {"generator.lr": 2e-4, "generator.betas": [0.5, 0.999], **ADAM}),
    ("adam_adain", "code pytorch-AdaIN, train.py: lr 1e-4; torch's defaults", {"generator.lr": 1e-4, **ADAM}),
    ("adam_adain", "as above", {"generator.betas": [0.9, 0.999]}),
    ("adam_biggan", "arXiv:1809.11096, appendix C", {"generator.lr": 5e-5, "generator.betas": [0.0, 0.999], **ADAM}),
    ("adam_biggan", "arXiv:1809.11096, appendix C", {"discriminator.lr": 2e-4}),
    ("adam_biggan_cifar", "code BigGAN-PyTorch, launch_cifar_ema.sh", {"generator.lr": 2e-4, **ADAM}),
    ("adam_biggan_cifar", "code BigGAN-PyTorch, launch_cifar_ema.sh", {"generator.betas": [0.0, 0.999]}),
    ("adam_egbad", "code Efficient-GAN-Anomaly-Detection: learning_rate 1e-5", {"generator.lr": 1e-5, **ADAM}),
    ("adam_egbad", "as above: beta1 0.5", {"generator.betas": [0.5, 0.999]}),
    ("adam_burn_in", R3GAN, {"generator.betas": [0.0, 0.9], "generator.schedule.betas.1.end": 0.99}),
    ("adam_burn_in", R3GAN, {"generator.schedule.lr.end": 5e-5, "generator.schedule.lr.steps": BURN_IN}),
    ("adam_burn_in", R3GAN, {f"generator.schedule.{n}.shape": "cosine" for n in ("lr", "betas.1")}),
    ("adam_burn_in", R3GAN, {f"generator.schedule.{n}.unit": "images" for n in ("lr", "betas.1")}),
    ("adam_fastcut", "code contrastive-unpaired-translation: --lr, --beta1", {"generator.lr": 2e-4, **ADAM}),
    ("adam_fastcut", "as above: --lr, --beta1", {"generator.betas": [0.5, 0.999]}),
    ("adam_pix2pix", "arXiv:1611.07004, section 3.3", {"generator.lr": 2e-4, "generator.betas": [0.5, 0.999], **ADAM}),
    ("adam_context_encoder", "arXiv:1604.07379, section 4", {"generator.lr": 2e-4, "discriminator.lr": 2e-5, **ADAM}),
    ("adam_context_encoder", "as above: the solver of arXiv:1511.06434", {"generator.betas": [0.5, 0.999]}),
    (
        "adam_deepfill",
        "code generative_inpainting: 1e-4",
        {"generator.lr": 1e-4, "generator.betas": [0.5, 0.999], **ADAM},
    ),
    ("adam_points", "ours: fast, and an eps that is felt", {"generator.lr": 2e-3, "generator.betas": [0.0, 0.99]}),
    ("adam_points", "ours: fast, and an eps that is felt", {"generator.eps": 1e-4}),
    ("adam_projected_gan", "code projected-gan, train.py: 0.0002, [0, 0.99]", {"generator.lr": 2e-4, **ADAM}),
    ("adam_projected_gan", "as above", {"generator.betas": [0.0, 0.99]}),
    ("adam_projected_gan_stylegan2", "code projected-gan: 0.002", {"generator.lr": 2e-3}),
    ("adam_r3gan", R3GAN, {"generator.lr": 2e-4, "generator.betas": [0.0, 0.99], **ADAM}),
    ("adam_sngan", "arXiv:1802.05957, B.4; code sngan_projection", {"generator.lr": 2e-4, **ADAM}),
    ("adam_sngan", "as above; gan_cifar_resnet.py: LR 2e-4, beta1 0, beta2 .9", {"generator.betas": [0.0, 0.9]}),
    ("adam_srgan", "arXiv:1609.04802, section 3.2; arXiv:1707.02921, section 4.2", {"generator.lr": 1e-4, **ADAM}),
    ("adam_srgan", "as above: beta1 0.9; the rest is torch's default", {"generator.betas": [0.9, 0.999]}),
    ("adam_srgan_game", "arXiv:1609.04802, section 3.2: half at 1e-4, half at 1e-5", {"generator.lr": 1e-4, **ADAM}),
    ("adam_srgan_game", "as above", {"schedule.at": [0.5], "schedule.factor": 0.1, "generator.betas": [0.9, 0.999]}),
    *((name, "code BasicSR, train_RRDBNet_PSNR_x4.yml", {"generator.lr": 2e-4, **ADAM}) for name in ESRGAN),
    *((name, "as above; eps: torch's default", {"generator.betas": [0.9, 0.99]}) for name in ESRGAN),
    ("adam_esrgan_game", "code BasicSR, train_ESRGAN_x4.yml: 1e-4", {"schedule.at": [0.0, 0.125, 0.25, 0.5, 0.75]}),
    ("adam_real_esrgan_game", "arXiv:2107.10833, section 4.1: 2e-4, then 1e-4", {"schedule.at": [0.0]}),
    ("adam_progressive", "arXiv:1710.10196, appendix A.1", {"generator.lr": 1e-3, "generator.betas": [0.0, 0.99]}),
    ("adam_progressive", "arXiv:1710.10196, appendix A.1: eps", ADAM),
    ("adam_stylegan2", "code stylegan2-ada-pytorch: lrate 0.002", {"generator.lr": 2e-3, **ADAM}),
    ("adam_stylegan2", "as above: betas [0, 0.99]", {"generator.betas": [0.0, 0.99]}),
    ("adam_stylegan2_auto", "code stylegan2-ada-pytorch: lrate 0.0025", {"generator.lr": 2.5e-3, **ADAM}),
    ("adam_stylegan2_auto", "as above: betas [0, 0.99]", {"generator.betas": [0.0, 0.99]}),
    (
        "adam_stylegan3",
        "code stylegan3, train.py: glr 0.0025, dlr 0.002",
        {"generator.lr": 2.5e-3, "discriminator.lr": 2e-3},
    ),
    ("adam_stylegan3", "as above: betas [0, 0.99]", {"generator.betas": [0.0, 0.99], **ADAM}),
    ("adam_ttur", "arXiv:1805.08318, section 5", {"generator.lr": 1e-4, "discriminator.lr": 4e-4}),
    ("adam_ttur", "arXiv:1805.08318, section 5", {"generator.betas": [0.0, 0.9], **ADAM}),
    ("adam_wgan", "arXiv:1704.00028, algorithm 1", {"generator.lr": 1e-4, "generator.betas": [0.0, 0.9], **ADAM}),
    ("adamw", "ours: as adam, torch's decay", {"generator.lr": 2e-4, "generator.betas": [0.5, 0.999], **ADAM}),
    ("adamw", "ours: torch's default", {"generator.weight_decay": 1e-2}),
    ("rmsprop", "arXiv:1701.07875, algorithm 1; alpha: torch's default, as in code", {"generator.lr": 5e-5}),
    ("rmsprop", "code WassersteinGAN, main.py: RMSprop as it comes", {"generator.alpha": 0.99}),
    ("sgd_lapgan", "arXiv:1506.05751, section 3.1", {"generator.lr": 0.02, "generator.momentum": 0.5}),
    ("sgd_lapgan", "as above; our loss is twice the authors'", {"discriminator.lr": 0.01}),
    ("sgd", "ours: no paper of a model here takes it", {"generator.lr": 1e-2, "generator.momentum": 0.5}),
    ("schedule/cosine", "ours: arXiv:1608.03983 has no warm-up", {"warmup": 0.05, "end_factor": 0.0}),
    ("schedule/multi_step", "code BasicSR, train_ESRGAN_x4.yml: 50k, 100k, 200k, 300k of 400k", MULTI_STEP),
    ("schedule/linear_quarter", "code contrastive-unpaired-translation: 150 + 50", {"start": 0.75, "end_factor": 0.0}),
    ("schedule/linear_half", "code pytorch-CycleGAN-and-pix2pix: 100 + 100 epochs", {"start": 0.5, "end_factor": 0.0}),
    ("schedule/inverse_time", "code pytorch-AdaIN, train.py: lr_decay 5e-5", {"decay": 5e-5}),
    ("schedule/linear", "code gan_cifar_resnet.py: from the start to 0", {"start": 0.0, "end_factor": 0.0}),
)

BCR, ZCR = "arXiv:2002.04724, section 4.1", "arXiv:2002.04724, section 4.1: 5, 0.5, 0.03"
REG = "loss.regularizers"
Z = "latent_consistency_"
P, VGG = "perceptual", {"perceptual.pair": "target", "perceptual.network.architecture": "vgg19"}
VGG |= {"perceptual.network.key": "loss.regularizers.perceptual.network.weights"}  # where its file is said
BEFORE_THE_GAME = {f"mse.schedule.weight.{key}": value for key, value in (("end", 0.0), ("steps", 1), ("begin", 0))}
REGULARIZERS: tuple[Row, ...] = (
    ("auxiliary_classifier", "arXiv:1610.09585: L_S + L_C", {"classify_real.weight": 1.0, "classify_fake.weight": 1.0}),
    ("auxiliary_classifier", "arXiv:1610.09585: L_C - L_S", {"classify_fake.player": "generator"}),
    ("autoencoding", "code fastgan: the sum over its batch of 8", {"autoencoding.weight": 8.0}),
    ("autoencoding", "ours: LPIPS where it can be had, else random", {"autoencoding.distance.weights": "auto"}),
    ("autoencoding", "ours: a quarter of VGG16's", {"autoencoding.distance.width": 16}),
    (
        "autoencoding",
        "ours: where its weights are said",
        {"autoencoding.distance.key": f"{REG}.autoencoding.distance.weights"},
    ),
    ("balanced_consistency", BCR, {"consistency_real.weight": 10.0, "consistency_fake.weight": 10.0}),
    ("balanced_consistency", BCR, {"consistency_real.images": "real", "consistency_fake.images": "fake"}),
    ("balanced_consistency", "arXiv:1910.12027, section 3.1", {"consistency_real.transform.pixels": 4}),
    ("consistency", "arXiv:1910.12027, section 3", {"consistency.weight": 10.0, "consistency.images": "real"}),
    ("consistency", "arXiv:1910.12027, section 3.1", {"consistency.transform.pixels": 4}),
    ("colour_l1", "arXiv:1611.07004, section 3.3: lambda", {"colour.weight": 100.0, "colour.pair": "target"}),
    (
        "context",
        "arXiv:1604.07379, section 3.2: 0.999 against 0.001",
        {"context.weight": 999.0, "context.pair": "fine"},
    ),
    ("context", "code context-encoder, train.lua: overlapL2Weight 10", {"context.distance.factor": 10.0}),
    ("context", "code context-encoder, train.lua: overlapPred 4 of 64", {"context.distance.band": 4 / 64}),
    ("cycle", "arXiv:1703.10593, section 4: lambda 10, halved as our loss", {"cycle.weight": 5.0}),
    ("cycle", "arXiv:1703.10593, equation 2", {"cycle.pair": "cycle"}),
    ("dragan", "arXiv:1705.07215, algorithm 1: lambda 10, k 1", {"dragan.weight": 10.0}),
    ("drafts_l1", "code generative_inpainting: l1_loss_alpha 1", {"coarse.weight": 1.0, "coarse.pair": "coarse"}),
    ("drafts_l1", "as above: of both stages", {"fine.pair": "fine"}),
    ("feature_matching", "code improved-gan: the mean, alone", {"feature_matching.weight": 1.0}),
    (
        "feature_matching_layers",
        "arXiv:1711.11585: lambda 10; code: 4 layers",
        {"feature_matching_layers.weight": 10.0, "feature_matching_layers.pair": "target"},
    ),
    ("gradient_penalty", "arXiv:1704.00028, algorithm 1", {"gradient_penalty.weight": 10.0}),
    ("gradient_penalty", "arXiv:1704.00028, equation 3", {"gradient_penalty.target": 1.0}),
    (
        "matching_aware",
        "arXiv:2008.05865, section 4: k 2, p 6",
        {"matching_aware.weight": 2.0, "matching_aware.power": 6.0},
    ),
    ("drift", "arXiv:1710.10196, appendix A.1: epsilon_drift", {"drift.weight": 1e-3}),
    ("historical_averaging", "ours: the paper names no weight", {"historical_generator.weight": 0.1}),
    ("historical_averaging", "ours: the paper names no weight", {"historical_discriminator.weight": 0.1}),
    ("historical_averaging", "arXiv:1606.03498, section 3.3: both", {"historical_generator.player": "generator"}),
    ("identity", "arXiv:1703.10593, section 5.2: half", {"identity.weight": 2.5, "identity.pair": "identity"}),
    ("l1", "arXiv:1611.07004, section 3.3: lambda", {"l1.weight": 100.0, "l1.pair": "target"}),
    ("latent_consistency", ZCR, {f"{Z}discriminator.weight": 5.0, f"{Z}generator.weight": 0.5}),
    ("latent_consistency", ZCR, {f"{Z}discriminator.deviation": 0.03, f"{Z}generator.player": "generator"}),
    ("lecam", "arXiv:2104.03310, section 5: lambda 0.3, gamma 0.99", {"lecam.weight": 0.3, "lecam.decay": 0.99}),
    ("lecam", "code lecam-gan: itr > 1000", {"lecam.begin": 1000}),
    ("lecam", "arXiv:2104.03310, equation 4 (the code is one-sided)", {"lecam.one_sided": False}),
    (
        "orthogonal",
        "arXiv:1809.11096, section 3.1: beta",
        {"orthogonal.weight": 1e-4, "orthogonal.player": "generator"},
    ),
    ("patch_nce", "code contrastive-unpaired-translation: 1/2, and 1/2 of our loss", {"patch_nce.weight": 0.25}),
    ("patch_nce", "as above: --nce_idt true", {"patch_nce_identity.weight": 0.25}),
    ("patch_nce", "as above: --nce_T", {"patch_nce.temperature": 0.07, "patch_nce_identity.temperature": 0.07}),
    ("patch_nce", "arXiv:2007.15651, eq. 5", {"patch_nce.pair": "source", "patch_nce_identity.pair": "identity"}),
    ("patch_nce_fast", "arXiv:2007.15651, section 4.1: 10, and 1/2 of our loss", {"patch_nce.weight": 5.0}),
    ("patch_nce_fast", "arXiv:2007.15651, eq. 5", {"patch_nce.pair": "source", "patch_nce.temperature": 0.07}),
    ("path_length", "code stylegan2-ada-pytorch, loss.py: pl_weight 2", {"path_length.weight": 2.0}),
    ("path_length", "as above: pl_decay 0.01; G_reg_interval 4", {"path_length.decay": 0.01, "path_length.every": 4}),
    ("path_length_style", "code stylegan2-ada-pytorch, loss.py: pl_weight 2", {"path_length.weight": 2.0}),
    ("path_length_style", "as above: pl_decay 0.01; G_reg_interval 4", {"path_length.decay": 0.01}),
    ("path_length_style", "as above: pl_decay 0.01; G_reg_interval 4", {"path_length.every": 4}),
    ("perceptual", "arXiv:1809.00219, section 3.3", {f"{P}.layers.conv5_4": 1.0, **VGG}),
    ("perceptual", "code BasicSR, train_ESRGAN_x4.yml: perceptual_weight, criterion l1", {f"{P}.weight": 1.0}),
    ("perceptual_pix2pixhd", "code pix2pixHD, networks.py: VGGLoss, lambda_feat 10", {f"{P}.weight": 10.0, **VGG}),
    ("perceptual_pix2pixhd", "as above: weights 1/32, 1/16", {f"{P}.layers.relu{n}_1": 2.0 ** (n - 6) for n in (1, 2)}),
    ("perceptual_pix2pixhd", "as above: 1/8, 1/4, 1", {f"{P}.layers.relu3_1": 0.125, f"{P}.layers.relu4_1": 0.25}),
    ("perceptual_pix2pixhd", "as above: 1/8, 1/4, 1", {f"{P}.layers.relu5_1": 1.0}),
    ("perceptual_real_esrgan", "arXiv:2107.10833, section 4.1", {f"{P}.layers.conv{n}_2": 0.1 for n in (1, 2)} | VGG),
    ("perceptual_real_esrgan", "arXiv:2107.10833, section 4.1", {f"{P}.layers.conv{n}_4": 1.0 for n in (3, 4, 5)}),
    ("perceptual_real_esrgan", "arXiv:2107.10833, section 4.1: 1, 1, 0.1", {f"{P}.weight": 1.0}),
    ("mse", "arXiv:1609.04802, equation 4", {"mse.weight": 1.0, "mse.pair": "target"}),
    ("srgan", "arXiv:1609.04802, equation 4", {"mse.weight": 1.0, "mse.pair": "target", **BEFORE_THE_GAME}),
    ("srgan", "arXiv:1609.04802, section 3.2: phi_5,4", {f"{P}.layers.relu5_4": 1.0, f"{P}.begin": 0, **VGG}),
    ("srgan", "arXiv:1609.04802, equation 3: 1e-3 of the game; 1/12.75", {f"{P}.scale": 1 / 12.75, f"{P}.weight": 1e3}),
    ("esrgan", "arXiv:1809.00219, section 3.3", {f"{P}.layers.conv5_4": 1.0, f"{P}.begin": 0, **VGG}),
    ("esrgan", "code BasicSR, train_ESRGAN_x4.yml: 1e-2, 1, 5e-3", {"l1.weight": 1.0, f"{P}.weight": 200.0}),
    ("esrgan", "as above: criterion l1", {"l1.pair": "target"}),
    ("real_esrgan", "arXiv:2107.10833, section 4.1", {f"{P}.layers.conv{n}_2": 0.1 for n in (1, 2)} | VGG),
    ("real_esrgan", "arXiv:2107.10833, section 4.1", {f"{P}.layers.conv{n}_4": 1.0 for n in (3, 4, 5)}),
    ("real_esrgan", "arXiv:2107.10833, section 4.1: 1, 1, 0.1", {"l1.weight": 5.0, f"{P}.weight": 10.0}),
    ("real_esrgan", "as above: L1 loss", {"l1.pair": "target", f"{P}.begin": 0}),
    ("perceptual_srgan", "arXiv:1609.04802, section 3.2: phi_5,4", {f"{P}.layers.relu5_4": 1.0, **VGG}),
    ("perceptual_srgan", "arXiv:1609.04802, section 3.2: 1/12.75", {f"{P}.scale": 1 / 12.75, f"{P}.weight": 1.0}),
    ("r1", "ours: for 32 pixels; arXiv:1801.04406 has 10 for 128 and more", {"r1.weight": 1.0}),
    ("ganomaly", "code ganomaly, options.py: w_adv 1, w_con 50", {"features.weight": 1.0, "l1.weight": 50.0}),
    ("ganomaly", "as above: w_enc 1", {"latent.weight": 1.0, "latent.pair": "latent"}),
    ("ganomaly", "arXiv:1805.06725, equations 1 and 2", {"features.pair": "target", "l1.pair": "target"}),
    ("r1_lazy", f"{ADA}: stylegan2, gamma 10; D_reg_interval 16", {"r1.weight": 10.0, "r1.every": 16}),
    ("r1_scaled", f"{ADA}: 0.0002 * res ** 2 / mb", {"r1.weight": 0.0002, "r1.every": 16}),
    ("r2", "ours: as r1", {"r2.weight": 1.0}),
    ("r1_r2_burn_in", R3GAN, {"r1.weight": 0.05, "r1.schedule.weight.end": 0.005}),
    ("r1_r2_burn_in", R3GAN, {"r1.schedule.weight.steps": BURN_IN, "r1.schedule.weight.unit": "images"}),
    ("r1_r2_burn_in", R3GAN, {"r1.schedule.weight.shape": "cosine"}),
    ("r1_r2_weak", "ours: for points", {"r1.weight": 0.01}),
)

LOSSES: tuple[Row, ...] = (
    ("hinge_random_margin", "code fastgan: 0.8 + 0.2 U(0, 1)", {"adversarial.least": 0.8}),
    *((f"regularizers/{name}", source, keys) for name, source, keys in REGULARIZERS),
    ("constraints/weight_clipping", "arXiv:1701.07875, algorithm 1: c", {"weight_clipping.bound": 0.01}),
)

AUGMENTATIONS: tuple[Row, ...] = (
    ("adaptive", "arXiv:2006.06676, section 3.1: r_t 0.6, 4 minibatches", {"adaptive.target": 0.6, "adaptive.p": 0.0}),
    ("adaptive", "arXiv:2006.06676, section 3.1: 500k images", {"adaptive.interval": 4, "adaptive.speed": 500_000}),
    ("adaptive", "arXiv:2006.06676, figure 4: bgc", {"adaptive.categories": ["blit", "geometry", "colour"]}),
    ("adaptive", "ours: equal chances, as in the paper", {f"adaptive.strength.{name}": 1.0 for name in KNOWN}),
    ("burn_in", R3GAN, {f"burn_in.strength.{name}": 1.0 for name in KNOWN if name != "colour"}),
    ("burn_in", R3GAN, {"burn_in.p": 0.0, "burn_in.schedule.p.end": 0.55, "burn_in.strength.colour": 0.5}),
    ("burn_in", R3GAN, {"burn_in.categories": ["blit", "geometry", "colour", "cutout"]}),
    ("burn_in", R3GAN, {"burn_in.schedule.p.steps": BURN_IN, "burn_in.schedule.p.shape": "cosine"}),
    ("burn_in", R3GAN, {"burn_in.schedule.p.unit": "images"}),
    ("diffaugment", "arXiv:2006.10738, section 4", {"diffaugment.policy": ["color", "translation", "cutout"]}),
    ("instance_noise", "ours: the papers anneal, and name no size for [-1, 1]", {"instance_noise.std": 0.1}),
    ("blur", "code stylegan3, train.py: blur_init_sigma 10", {"blur.sigma": 10.0, "blur.schedule.sigma.end": 0.0}),
    ("blur", "as above: blur_fade_kimg, batch * 200 / 32", {"blur.schedule.sigma.steps": 200_000}),
    ("blur", "as above", {"blur.schedule.sigma.unit": "images"}),
)

W = "wrappers.discriminator"
LOSS = "wrappers.adversarial"
TECHNIQUES: tuple[Row, ...] = (
    (
        "instance_noise",
        "arXiv:1610.04490, section 3.2: to nothing",
        {"augmentation.instance_noise.schedule.std.end": 0},
    ),
    ("label_smoothing", "arXiv:1606.03498, section 3.4: 0.9", {"loss.adversarial.label_smoothing": 0.1}),
    ("minibatch_discrimination", "code improved-gan: 100 kernels of 5", {f"{W}.minibatch_discrimination.kernels": 100}),
    ("minibatch_discrimination", "code improved-gan: 100 kernels of 5", {f"{W}.minibatch_discrimination.dims": 5}),
    ("minibatch_stddev", "code progressive_growing_of_gans: group_size=4", {f"{W}.minibatch_stddev.group": 4}),
    (
        "conditioning_augmentation",
        "arXiv:1612.03242, section 4: lambda 1",
        {"loss.regularizers.conditioning.weight": 1.0},
    ),
    ("packing", "arXiv:1712.04086, section 4: PacGAN2", {f"{W}.packing.size": 2}),
    ("several_discriminators", "ours: arXiv:1611.01673 has 2 to 5", {f"{W}.several_discriminators.count": 3}),
    ("several_discriminators", "arXiv:1611.01673: GMAN-1", {f"{LOSS}.several_discriminators.temperature": 1.0}),
    ("several_discriminators", "ours: GMAN-0, the mean", {f"{LOSS}.several_discriminators.aggregate": "mean"}),
    ("top_k", "arXiv:2002.06224, section 3: k from all to half", {f"{LOSS}.top_k.fraction": 1.0}),
    ("top_k", "arXiv:2002.06224, section 3: nu", {f"{LOSS}.top_k.schedule.fraction.end": 0.5}),
    # 0.99 ** 69 = 0.4998; an epoch of CIFAR-10 has 50,000 images
    ("top_k", "arXiv:2002.06224: gamma 0.99 an epoch", {f"{LOSS}.top_k.schedule.fraction.steps": 69 * 50_000}),
    ("top_k", "arXiv:2002.06224: counted in epochs", {f"{LOSS}.top_k.schedule.fraction.unit": "images"}),
    ("top_k", "arXiv:2002.06224: k times 0.99", {f"{LOSS}.top_k.schedule.fraction.shape": "exponential"}),
)

STAGES, PHASES, LARGE = "algorithm.stages", ("stable", "fade"), [[256, 8], [512, 4]]
AVERAGED = ("cycle", "ganomaly", "pyramid", "regression", "style_transfer")
ALGORITHMS: tuple[Row, ...] = (
    ("contrastive", "code contrastive-unpaired-translation: --num_patches", {"algorithm.patches": 256}),
    ("contrastive", "as above: --flip_equivariance is FastCUT's", {"algorithm.mirrored": 0.0}),
    ("contrastive", "ours: as every generator here; the paper averages none", {"algorithm.ema.decay": 0.999}),
    ("noise_to_image", "arXiv:1406.2661, algorithm 1: k = 1, fresh samples", game(1, 128, reuse_fake=False)),
    ("noise_to_image", "arXiv:1406.2661, algorithm 1: m and m", game(1, 128, generator_batch=1)),
    ("noise_to_image", "arXiv:1710.10196, section 3; latent: ours", {"algorithm.ema.decay": 0.999}),
    ("cycle", "arXiv:1703.10593, section 4: 50 images", {"algorithm.pool": 50}),
    ("growing", "arXiv:1710.10196, appendix A.1: 800k each", {f"{STAGES}.{each}_images": 800_000 for each in PHASES}),
    ("growing_styles", f"{SG}, train.py: 600 kimg each", {f"{STAGES}.{each}_images": 600_000 for each in PHASES}),
    ("growing_styles", "arXiv:1812.04948, appendix C: from 8x8", {f"{STAGES}.start": 1}),
    ("growing_styles", f"{SG}, train.py: 1 GPU", {f"{STAGES}.batch_limits": [[32, 64], [64, 32], [128, 16], *LARGE]}),
    ("growing_styles", f"{SG}, train.py: lrate", {f"{STAGES}.rates": [[128, 1.5], [256, 2.0], [512, 3.0]]}),
    ("growing_styles", f"{SG}: truncation_cutoff; b_ema.copy_(b)", {"algorithm.truncation_cutoff": 8}),
    ("growing_styles", "as above", {"algorithm.ema.copy_buffers": True}),
    ("growing", "as above: from 4x4", {f"{STAGES}.start": 0}),
    ("growing", "as above: 14, 6, 3", {f"{STAGES}.batch_limits": [[256, 14], [512, 6], [1024, 3]]}),
    ("text_to_image", "arXiv:1605.05396, algorithm 1: one half", {"algorithm.mismatch_weight": 0.5}),
    ("text_to_image", "arXiv:1605.05396, equation 5, is GAN-INT's alone", {"algorithm.interpolation": 0.0}),
    ("text_to_image", "code icml2016: nz 100; fresh samples", game(1, 100, reuse_fake=False)),
    ("text_to_image", "arXiv:1710.10196, section 3", {"algorithm.ema.decay": 0.999}),
    ("pyramid", "arXiv:1506.05751, section 3.1: 100 uniform numbers", {"algorithm.latent.dim": 100}),
    ("style", "code stylegan2-ada-pytorch, training_loop.py: b_ema.copy_(b)", {"algorithm.ema.copy_buffers": True}),
    *((name, "arXiv:1710.10196, section 3", {"algorithm.ema.decay": 0.999}) for name in AVERAGED),
    ("style_transfer", "code AdaIN-style, train.lua: 1 and 10", {"algorithm.content_weight": 1.0}),
    ("style_transfer", "as above", {"algorithm.style_weight": 10.0}),
    ("bigan", "arXiv:1802.06222, section 2.3: alpha 0.9", {"algorithm.alpha": 0.9}),
    ("fanogan", "ours: no preprint; Schlegl 2019, kappa 1", {"algorithm.feature_weight": 1.0}),
    ("fanogan", "ours: as many rounds as others have", {"algorithm.encoder_from": 4000}),
    ("inpainting", "arXiv:1806.03589, section 3.4", {"algorithm.condition": "input", "algorithm.ema.decay": 0.999}),
    ("translation", "arXiv:1611.07004, equation 1", {"algorithm.condition": "input", "algorithm.ema.decay": 0.999}),
    ("unrolled", "arXiv:1611.02163, section 3: 5 or 10 steps", {"algorithm.unroll_steps": 5}),
    ("unrolled", "ours: the paper's is true", {"algorithm.zero_sum": False}),
)

METRICS: tuple[Row, ...] = (
    ("cas", "ours: a small classifier, quick to train", {"cas.seed": 0, "cas.most": 10_000, "cas.size": 32}),
    ("density_coverage", "arXiv:2002.09797, section 5", {"density_coverage.k": 5}),
    ("inception_score", "arXiv:1606.03498; code improved-gan: splits=10", {"inception_score.splits": 10}),
    ("intra_class_fid", "ours: fewer say nothing of a class", {"intra_class_fid.least": 50}),
    ("kid", "arXiv:1801.01401; torch-fidelity: 100 subsets of 1000", {"kid.subsets": 100, "kid.subset_size": 1000}),
    ("lpips", "arXiv:1801.03924, code: net='alex'", {"lpips.network": "alex"}),
    ("memorisation", "ours: bounds the search", {"memorisation.most": 50_000}),
    ("attribute_accuracy", "ours: as long as the classifier of classes", {"attribute_accuracy.seed": 0}),
    ("r_precision", "arXiv:1711.10485, section 4: of 100", {"r_precision.gallery": 100}),
    ("r_precision", "ours: a small matcher, quick to train", {"r_precision.steps": 800, "r_precision.seed": 0}),
    ("precision_recall", "arXiv:1904.06991, section 3", {"precision_recall.k": 3}),
    (
        "super_resolution",
        "code BasicSR, options: test_y_channel, crop_border 4 of x4",
        {"psnr.luma": True, "ssim.luma": True, "psnr.border": 0, "ssim.border": 0},
    ),
    ("swd", "ours: fewer than the authors' 8192 images, for a look in between", {"swd.most": 2048, "swd.seed": 0}),
)

PREFIX = {"algorithm": "algorithm."}  # of the keys above that stand in the file without it
TABLE: dict[str, dict[str, list[Any]]] = {}
for group, rows in (
    ("model", (*MODELS, *ADAIN, *DETECTORS, *SUPER_RESOLUTION)),
    ("optimizer", OPTIMIZERS),
    ("loss", LOSSES),
    ("augmentation", AUGMENTATIONS),
    ("technique", TECHNIQUES),
    ("algorithm", ALGORITHMS),
    ("metrics", METRICS),
):
    for name, _, keys in rows:
        there = TABLE.setdefault(f"{group}/{name}", {})
        for key, number in keys.items():
            there.setdefault(key.removeprefix(PREFIX.get(group, "")), []).append(number)


class Loader(yaml.SafeLoader):
    """Reads 1e-4 as a number, as OmegaConf does."""


Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^[-+]?[\d.]+[eE][-+]?\d+$"), list("0123456789"))
DEFAULT = re.compile(r"\$\{oc\.select:[^,]+,(.+)\}")  # `+width=` or else this


def settings(node: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a preset that is none of its structure, by its key; of `${oc.select:a,b}` the b."""
    if isinstance(node, dict):
        for name, value in node.items():
            if str(name) not in STRUCTURE:
                yield from settings(value, f"{key}.{name}" if key else str(name))
    elif isinstance(node, str) and node.startswith("${"):
        if found := DEFAULT.fullmatch(node):
            yield key, yaml.load(found[1], Loader)
    elif node is not None and node != []:
        yield key, node


def presets() -> list[str]:
    found = (path.relative_to(CONFIG_DIR) for group in GROUPS for path in (CONFIG_DIR / group).rglob("*.yaml"))
    return sorted(path.with_suffix("").as_posix() for path in found)


@pytest.mark.parametrize("preset", presets())
def test_a_preset_has_the_numbers_of_the_table(preset: str) -> None:
    there = dict(settings(yaml.load((CONFIG_DIR / f"{preset}.yaml").read_text(), Loader)))
    table = {key: numbers[0] for key, numbers in TABLE.get(preset, {}).items()}
    absent = {
        key: value
        for key, value in there.items()
        if key not in table and ABSENT.get(key.rpartition(".")[2], ...) == value
    }
    assert there == table | absent


def test_the_rows_agree_and_name_what_there_is() -> None:
    assert set(TABLE) <= set(presets())
    for preset, keys in TABLE.items():
        for key, numbers in keys.items():
            assert all(number == numbers[0] for number in numbers), f"{preset}: {key}"
    for _, source, _ in (
        *MODELS,
        *SUPER_RESOLUTION,
        *OPTIMIZERS,
        *LOSSES,
        *AUGMENTATIONS,
        *TECHNIQUES,
        *ALGORITHMS,
        *METRICS,
    ):
        assert re.search(r"arXiv:\d{4}\.\d{4,5}|code|ours: |as above|chainer-gan-lib|null: ", source), source


def test_fakes_are_reused_where_the_authors_do() -> None:
    reused = [preset for preset, keys in TABLE.items() if keys.get("algorithm.reuse_fake") == [True]]
    assert reused == ["model/dcgan", "model/gan", "model/fastgan", "model/lsgan"]


@pytest.mark.parametrize(
    ("component", "key", "before"),
    [
        (NoiseToImage, "reuse_fake", True),
        (NoiseToImage, "generator_batch", 1),
        (Unrolled, "reuse_fake", True),
        (ExponentialMovingAverage, "half_life", None),
        (ExponentialMovingAverage, "copy_buffers", False),
        (Ramp, "unit", "rounds"),
        (AdaptiveAugmentation, "strength", None),
        (sngan_dcgan.Generator, "first_norm", False),
    ],
)
def test_a_run_from_before_a_key_goes_on_as_it_began(component: Any, key: str, before: Any) -> None:
    """A stored configuration does not say it, so that the class must."""
    assert inspect.signature(component).parameters[key].default == before


def test_what_it_would_catch() -> None:
    """A key that is not in the table, or another number, is heard of."""
    assert dict(
        settings({"a": {"b": 1e-4, "_target_": "x", "c": None}, "d": "${oc.select:width,64}", "e": "${a}"})
    ) == {
        "a.b": 1e-4,
        "d": 64,
    }
