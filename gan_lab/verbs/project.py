"""`gan-lab project`: pictures back to the latents of a run. Imports no torch until it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from gan_lab.config import require_seed, require_whole
from gan_lab.errors import ConfigError
from gan_lab.verbs.sample import requested_label

if TYPE_CHECKING:
    from omegaconf import DictConfig

MOST = 32  # starts


def main(cfg: DictConfig) -> None:
    """Search for the pictures at `input`, and write what was found to the folder `out`."""
    config = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(config, dict)
    settings = checked({str(key): value for key, value in config.items()})
    from gan_lab.inversion.run import project_pictures

    project_pictures(settings)


def checked(config: dict[str, Any]) -> dict[str, Any]:
    """The keys. Raises ConfigError, in one line, for values that cannot be."""
    require_whole(config["steps"], "steps")
    require_whole(config["tune_steps"], "tune_steps")
    require_seed(config["seed"])
    if config["starts"] is not None:
        require_whole(config["starts"], "starts", most=MOST)
    for key in ("noise", "tune"):
        if not isinstance(config[key], bool):
            raise ConfigError(f"{key}: {config[key]!r} is neither true nor false")
    label = requested_label(config["label"])
    if label == "all":
        raise ConfigError("label: a picture is of one class; leave label out, and each is tried")
    return {**config, "label": label}
