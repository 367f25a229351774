"""gan-lab: a config-driven experiment command line for generative adversarial networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gan_lab.sampling.trained import load as load

__version__ = "0.11.0"
__all__ = ["__version__", "load"]


def __getattr__(name: str) -> Any:
    """`gan_lab.load` is imported when first asked for: importing the package must not import torch."""
    if name == "load":
        from gan_lab.sampling.trained import load

        return load
    raise AttributeError(f"module 'gan_lab' has no attribute {name!r}")
