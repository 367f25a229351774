"""`gan-lab edit`: directions among the latents of a run, and what they do. Imports no torch until it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from gan_lab.config import require_number, require_seed, require_whole
from gan_lab.errors import ConfigError
from gan_lab.verbs.sample import requested_label

if TYPE_CHECKING:
    from omegaconf import DictConfig

METHODS = ("sefa", "pca", "attribute", "mix")
LISTS = ("attribute", "independent_of", "names", "show")
ROWS = 64  # and as many columns


def main(cfg: DictConfig) -> None:
    """Find or read directions of `run`, and write them and a picture of each."""
    config = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(config, dict)
    settings = checked({str(key): value for key, value in config.items()})
    from gan_lab.editing.run import edit

    edit(settings)


def checked(config: dict[str, Any]) -> dict[str, Any]:
    """The keys with single words made lists. Raises ConfigError, in one line, for values that cannot be."""
    if config["method"] not in METHODS:
        raise ConfigError(f"method: {config['method']!r} is not one of {', '.join(METHODS)}")
    require_whole(config["count"], "count")
    require_whole(config["samples"], "samples", 100)
    require_whole(config["n"], "n", most=ROWS)
    require_seed(config["seed"])
    if not 0 < require_number(config["share"], "share") <= 0.5:
        raise ConfigError(f"share: {config['share']} does not lie above 0 and at most at 0.5")
    if config["truncation"] is not None:
        require_number(config["truncation"], "truncation", above=0)
    strengths = config["strengths"]
    if not isinstance(strengths, list) or not 1 <= len(strengths) <= ROWS:
        raise ConfigError(f"strengths: {strengths!r} is not a list of numbers, e.g. strengths=[-2,0,2]")
    if len({require_number(each, "strengths") for each in strengths}) != len(strengths):
        raise ConfigError("strengths: each can be there once")
    layers = config["layers"]
    if layers is not None and not isinstance(layers, list):
        layers = [layers]
    lists = {key: listed(config[key]) for key in LISTS}
    return {**config, **lists, "layers": layers, "label": requested_label(config["label"])}


def listed(value: Any) -> list[str]:
    """Words, as a list, of one or several of them."""
    return [] if value is None else [str(each) for each in (value if isinstance(value, list) else [value])]
