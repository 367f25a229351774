"""`gan-lab upscale`: larger pictures by a trained run. Imports no torch until it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omegaconf import OmegaConf

from gan_lab.verbs.translate import checked

if TYPE_CHECKING:
    from omegaconf import DictConfig


def main(cfg: DictConfig) -> None:
    """Make a picture of each at `input` in the folder `out`, larger, in tiles."""
    config = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(config, dict)
    settings = checked({str(key): value for key, value in config.items()})
    from gan_lab.translation.run import translate_pictures

    translate_pictures(settings, enlarges=True)
