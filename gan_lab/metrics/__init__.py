"""Metrics: pure functions over features, extractors that make features, and evaluations that put figures on record.

    from gan_lab.metrics import frechet_distance, kernel_distance, inception_score, precision_recall, density_coverage

take float arrays or tensors `(n, d)`, real first (`inception_score`: probabilities), and return floats. They are
imported when asked for, so that the names and cards of figures can be read without loading torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gan_lab.metrics.class_scores import inception_score as inception_score
    from gan_lab.metrics.coverage import density_coverage as density_coverage
    from gan_lab.metrics.frechet import frechet_distance as frechet_distance
    from gan_lab.metrics.kernel import kernel_distance as kernel_distance
    from gan_lab.metrics.manifolds import precision_recall as precision_recall

HOMES = {  # no module is called as its function: the import of one would hide the other
    "frechet_distance": "frechet",
    "kernel_distance": "kernel",
    "inception_score": "class_scores",
    "precision_recall": "manifolds",
    "density_coverage": "coverage",
}
__all__ = list(HOMES)


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
    return found
