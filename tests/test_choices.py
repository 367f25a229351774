"""What a preset takes from other groups, once more: the loss and optimizer that a model's paper has, the penalties of a
loss. A line that is lost is no mistake to Hydra: the default of `gan-lab train` stands in its place.

Numbers are in test_presets.py, with their places in the papers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from gan_lab.config import CONFIG_DIR
from tests.test_presets import Loader, presets

ABSENT = ("regularizers=", "constraints=", "schedule=constant")  # of whom nothing else is said
CHOICES = {
    "algorithm/bigan": "noise_to_image",
    "algorithm/fanogan": "noise_to_image",
    "algorithm/growing": "noise_to_image",
    "algorithm/growing_styles": "growing",
    "algorithm/style": "noise_to_image",
    "algorithm/unrolled": "noise_to_image",
    "loss/hinge_orthogonal": "regularizers=orthogonal",
    "loss/non_saturating_auxiliary": "regularizers=auxiliary_classifier",
    "loss/non_saturating_r1_r2": "regularizers=r1_r2_weak",
    "loss/relativistic_burn_in": "regularizers=r1_r2_burn_in",
    "loss/relativistic_r1_r2": "regularizers=r1,r2",
    "loss/wasserstein_clipped": "constraints=weight_clipping",
    "loss/wasserstein_gp": "regularizers=gradient_penalty",
    "loss/regression": "regularizers=l1",
    "metrics/colorization": "ab_rmse psnr ssim",
    "metrics/inpainting": "psnr_hole psnr ssim",
    "metrics/paired": "psnr ssim",
    "metrics/super_resolution": "psnr ssim",
    "metrics/style_transfer": "style_distance content_correlation",
    "model/acgan": "loss=non_saturating_auxiliary optimizer=adam",
    "model/adain": "algorithm=style_transfer loss=regression loss/regularizers= optimizer=adam_adain "
    "metrics=style_transfer",
    "model/biggan": "loss=hinge_orthogonal optimizer=adam_biggan",
    "model/biggan_cifar": "loss=hinge optimizer=adam_biggan_cifar",
    "model/cdcgan": "loss=non_saturating optimizer=adam",
    "model/cgan": "loss=non_saturating optimizer=adam",
    "model/colorization": "algorithm=translation degradation=lightness loss=non_saturating loss/regularizers=colour_l1 "
    "optimizer=adam_pix2pix metrics=colorization",
    "model/context_encoder": "algorithm=inpainting degradation=mask loss=non_saturating loss/regularizers=context "
    "optimizer=adam_context_encoder metrics=inpainting",
    "model/compact": "algorithm=regression loss=regression optimizer=adam_esrgan degradation=downscale "
    "metrics=super_resolution",
    "model/conv_gan": "loss=non_saturating optimizer=adam",
    "model/cut": "algorithm=contrastive loss=least_squares loss/regularizers=patch_nce optimizer=adam_pix2pix "
    "metrics=fid",
    "model/cyclegan": "algorithm=cycle loss=least_squares loss/regularizers=cycle,identity optimizer=adam_pix2pix "
    "metrics=fid",
    "model/dcgan": "loss=non_saturating optimizer=adam",
    "model/egbad": "algorithm=bigan loss=non_saturating optimizer=adam_egbad",
    "model/fanogan": "algorithm=fanogan loss=wasserstein_gp optimizer=adam_wgan",
    "model/fastgan": "loss=hinge_random_margin loss/regularizers=autoencoding optimizer=adam augmentation=diffaugment",
    "model/fastcut": "algorithm=contrastive loss=least_squares loss/regularizers=patch_nce_fast "
    "optimizer=adam_fastcut metrics=fid",
    "model/gan_cls": "algorithm=text_to_image text_encoder=hashed_ngrams loss=non_saturating optimizer=adam",
    "model/deepfill": "algorithm=inpainting degradation=mask loss=hinge loss/regularizers=drafts_l1 "
    "optimizer=adam_deepfill metrics=inpainting",
    "model/dfgan": "algorithm=text_to_image text_encoder=hashed_ngrams loss=hinge loss/regularizers=matching_aware "
    "optimizer=adam_ttur",
    "model/edsr": "algorithm=regression loss=regression optimizer=adam_srgan degradation=downscale "
    "metrics=super_resolution",
    "model/esrgan": "algorithm=translation loss=relativistic_average loss/regularizers=esrgan "
    "optimizer=adam_esrgan_game degradation=downscale metrics=super_resolution",
    "model/gan": "loss=non_saturating optimizer=adam",
    "model/gan_small": "loss=non_saturating optimizer=adam",
    "model/ganomaly": "algorithm=ganomaly degradation=identity loss=unscored loss/regularizers=ganomaly "
    "optimizer=adam metrics=psnr",
    "model/lapgan": "algorithm=pyramid loss=non_saturating optimizer=sgd_lapgan",
    "model/lapgan_conditional": "lapgan",
    "model/lsgan": "loss=least_squares optimizer=adam",
    "model/pix2pix": "algorithm=translation loss=non_saturating loss/regularizers=l1 optimizer=adam_pix2pix "
    "metrics=paired",
    "model/pix2pixhd": "algorithm=translation loss=least_squares loss/regularizers=feature_matching_layers "
    "optimizer=adam_pix2pix metrics=paired",
    "model/points": "loss=non_saturating_r1_r2 optimizer=adam_points",
    "model/progressive": "algorithm=growing loss=wasserstein_gp loss/regularizers=gradient_penalty,drift "
    "optimizer=adam_progressive",
    "model/progressive_cifar": "progressive",
    "model/progressive_conditional": "progressive loss/regularizers=gradient_penalty,drift,auxiliary_classifier",
    "model/r3gan": "loss=relativistic_burn_in optimizer=adam_burn_in augmentation=burn_in",
    "model/real_esrgan": "algorithm=translation loss=non_saturating loss/regularizers=real_esrgan "
    "optimizer=adam_real_esrgan_game degradation=real_esrgan metrics=super_resolution",
    "model/rpgan": "loss=relativistic_r1_r2 optimizer=adam_r3gan",
    "model/rrdb": "algorithm=regression loss=regression optimizer=adam_esrgan degradation=downscale "
    "metrics=super_resolution",
    "model/sagan": "loss=hinge optimizer=adam_ttur",
    "model/sngan": "loss=hinge optimizer=adam_sngan",
    "model/sngan_dcgan": "loss=non_saturating optimizer=adam",
    "model/srgan": "algorithm=translation loss=non_saturating loss/regularizers=srgan optimizer=adam_srgan_game "
    "degradation=downscale metrics=super_resolution",
    "model/srresnet": "algorithm=regression loss=regression loss/regularizers=mse optimizer=adam_srgan "
    "degradation=downscale metrics=super_resolution",
    "model/stylegan": "algorithm=growing_styles loss=non_saturating loss/regularizers=r1 optimizer=adam_progressive",
    "model/projected_gan": "loss=hinge optimizer=adam_projected_gan augmentation=diffaugment",
    "model/projected_gan_conditional": "projected_gan",
    "model/projected_gan_stylegan2": "algorithm=style loss=hinge optimizer=adam_projected_gan_stylegan2 "
    "augmentation=diffaugment",
    "model/stylegan2": "algorithm=style loss=non_saturating loss/regularizers=r1_lazy,path_length_style "
    "optimizer=adam_stylegan2",
    "model/stylegan2_auto": "stylegan2 loss/regularizers=r1_scaled,path_length_style optimizer=adam_stylegan2_auto",
    "model/stylegan2_cifar": "stylegan2 loss/regularizers=r1_lazy optimizer=adam_stylegan2_auto",
    "model/stylegan2_paper256": "stylegan2 optimizer=adam_stylegan2_auto",
    "model/stylegan2_paper512": "stylegan2 optimizer=adam_stylegan2_auto",
    "model/stylegan2_paper1024": "stylegan2",
    "model/stylegan3": "algorithm=style loss=non_saturating loss/regularizers=r1_scaled optimizer=adam_stylegan3",
    "model/stylegan3_r": "stylegan3 augmentation=blur",
    "model/wgan": "loss=wasserstein_clipped optimizer=rmsprop",
    "model/wgan_gp": "loss=wasserstein_gp optimizer=adam_wgan",
    "model/wgan_gp_resnet": "loss=wasserstein_gp optimizer=adam_sngan",
    "optimizer/adam_adain": "schedule=inverse_time",
    "optimizer/adam_burn_in": "adam_r3gan",
    "optimizer/adam_esrgan_game": "schedule=multi_step",
    "optimizer/adam_fastcut": "schedule=linear_quarter",
    "optimizer/adam_pix2pix": "schedule=linear_half",
    "optimizer/adam_points": "schedule=cosine",
    "optimizer/adam_projected_gan_stylegan2": "adam_projected_gan",
    "optimizer/adam_real_esrgan_game": "schedule=multi_step",
    "optimizer/adam_sngan": "schedule=linear",
    "optimizer/adam_srgan_game": "schedule=multi_step",
    "optimizer/sgd_lapgan": "sgd",
    "technique/adaptive_augmentation": "augmentation/adaptive@augmentation",
    "technique/consistency": "loss/regularizers/balanced_consistency@loss.regularizers",
    "technique/diffaugment": "augmentation/diffaugment@augmentation",
    "technique/instance_noise": "augmentation/instance_noise@augmentation",
    "technique/unrolled": "algorithm=unrolled",
    **{
        f"technique/{name}": f"loss/regularizers/{name}@loss.regularizers"
        for name in ("dragan", "feature_matching", "historical_averaging", "latent_consistency", "lecam", "orthogonal")
    },
    "technique/path_length": "loss/regularizers/path_length@loss.regularizers",
}


def choices_of(node: Any) -> Iterator[str]:
    """`group=name`, and whatever is taken in whole."""
    for entry in (node or {}).get("defaults", []):
        for group, name in entry.items() if isinstance(entry, dict) else [("", entry)]:
            chosen = ",".join(name) if isinstance(name, list) else str(name)
            yield f"{group.removeprefix('override ').removeprefix('/')}={chosen}" if group else chosen.removeprefix("/")


@pytest.mark.parametrize("preset", presets())
def test_a_preset_takes_what_the_table_has(preset: str) -> None:
    node = yaml.load((CONFIG_DIR / f"{preset}.yaml").read_text(), Loader)
    chosen = " ".join(each for each in choices_of(node) if each not in (*ABSENT, "_self_"))
    assert chosen == CHOICES.get(preset, "")


def test_what_it_would_catch() -> None:
    node = {
        "defaults": [{"override /loss": "hinge"}, "_self_", {"regularizers": ["a", "b"]}, {"regularizers": []}, "/c"]
    }
    assert list(choices_of(node)) == ["loss=hinge", "_self_", "regularizers=a,b", "regularizers=", "c"]
    assert set(CHOICES) <= set(presets())
