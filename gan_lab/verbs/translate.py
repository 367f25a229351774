"""`gan-lab translate`: pictures from pictures by a trained run. Imports no torch until it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from gan_lab.config import require_whole
from gan_lab.errors import ConfigError

if TYPE_CHECKING:
    from omegaconf import DictConfig


def main(cfg: DictConfig) -> None:
    """Make a picture of each at `input` in the folder `out`."""
    config = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(config, dict)
    settings = checked({str(key): value for key, value in config.items()})
    from gan_lab.translation.run import translate_pictures

    translate_pictures(settings)


def checked(config: dict[str, Any]) -> dict[str, Any]:
    """The keys of translate and upscale, `tile` None for the whole. Raises ConfigError for values that cannot be."""
    from gan_lab.translation.saving import FORMATS

    tile, overlap = config["tile"], config["overlap"]
    tile = None if tile in ("whole", 0, None) and tile is not False else require_whole(tile, "tile", 1, ", or whole")
    if overlap is not None:
        require_whole(overlap, "overlap", 0, ", or null for what the network sees")
    if config["format"] not in FORMATS:
        raise ConfigError(f"format: {config['format']!r} is not one of {', '.join(FORMATS)}")
    label = config["label"]
    if label is not None and (isinstance(label, bool) or not isinstance(label, (int, str))):
        raise ConfigError(f"label: {label!r} is no class; give a number or a name")
    if config.get("direction") is not None and config["direction"] not in ("a2b", "b2a"):
        raise ConfigError(f"direction: {config['direction']!r} is not one of a2b, b2a")
    return {**config, "tile": tile}
