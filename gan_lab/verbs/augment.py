"""`gan-lab augment`: synthetic images for classes that have too few. Imports no torch until it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from gan_lab.config import require_number, require_seed, require_whole
from gan_lab.errors import ConfigError

if TYPE_CHECKING:
    from omegaconf import DictConfig

SEEDS = 5  # of classifiers, at least: fewer tell differences from chance badly


def main(cfg: DictConfig) -> None:
    """Make what the classes of a dataset lack, in the folder `out`."""
    config = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(config, dict)
    settings = checked({str(key): value for key, value in config.items()})
    from gan_lab.synthetic_data.run import augment

    augment(settings)


def checked(config: dict[str, Any]) -> dict[str, Any]:
    """The keys, classes as names. Raises ConfigError, in one line, for values that cannot be."""
    from gan_lab.synthetic_data.plan import check_balance

    check_balance(config["balance"])
    require_seed(config["seed"])
    require_whole(config["seeds"], "seeds", SEEDS)
    if config["steps"] is not None:
        require_whole(config["steps"], "steps")
    if config["truncation"] is not None:
        require_number(config["truncation"], "truncation", above=0)
    if config["confidence"] is not None and not 0 < require_number(config["confidence"], "confidence") < 1:
        raise ConfigError(f"confidence: {config['confidence']} does not lie between 0 and 1")
    for key in ("measure", "flip"):
        if not isinstance(config[key], bool):
            raise ConfigError(f"{key}: {config[key]!r} is neither true nor false")
    if config["test"] is not None and not config["measure"]:
        raise ConfigError("test: is what measure=true measures on; add that, or leave test out")
    classes = config["classes"]
    if classes is not None:
        classes = [str(name) for name in (classes if isinstance(classes, list) else [classes])]
    return {**config, "classes": classes}
