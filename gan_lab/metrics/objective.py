"""Whether a run will have the figure that it is to be compared by, known before it has begun. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from gan_lab.errors import ConfigError

FIGURES: dict[str, tuple[str, ...]] = {  # of the metrics in configs/metrics, where they are more than their name
    "precision_recall": ("precision", "recall"),
    "density_coverage": ("density", "coverage"),
    "modes": ("modes", "reverse_kl", "quality"),
    "attribute_accuracy": ("attribute_accuracy", "attribute_accuracy_real"),
    "r_precision": ("r_precision", "r_precision_real", "r_precision_shuffled"),
}
METRICS = (
    "fid kid inception_score precision_recall density_coverage swd intra_class_fid memorisation cas modes "
    "psnr ssim lpips psnr_hole ab_rmse attribute_accuracy r_precision style_distance content_correlation"
).split()


def check_objective(config: Mapping[str, Any]) -> None:
    """Raise ConfigError where no training of this configuration has its `objective`, as far as that can be known: of
    figures that are no metrics (`loss/generator`), and of a user's own metrics, it cannot."""
    objective = str(config["objective"])
    name = objective.partition("/")[0]
    homes = {figure: metric for metric in METRICS for figure in FIGURES.get(metric, (metric,))}
    taken = [metric for metric, node in (config.get("metrics") or {}).items() if node is not None]
    watching = (config["callbacks"].get("metrics") or {}).get("every", 0)
    if name not in homes:
        near = get_close_matches(name, homes, 1) if name == objective and set(taken) <= set(METRICS) else []
        if near:
            raise ConfigError(f"objective: there is no figure {objective}; nearest: {near[0]}")
    elif not watching:
        raise ConfigError(f"objective: {objective} is a metric, and none is taken; set callbacks.metrics.every=500")
    elif homes[name] not in taken:
        wanted = ",".join([*taken, homes[name]])
        raise ConfigError(f"objective: {objective} would not be taken; add it: 'metrics=[{wanted}]'")
