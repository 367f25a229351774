"""Whether the data has the classes that the configuration says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gan_lab.data.store import Store
from gan_lab.health.alarm import Alarm


def check_labels(config: Mapping[str, Any], store: Store, step: int = 0) -> Alarm | None:
    """Nothing where labels are attributes, which do not exclude one another; `one_class` where several classes are
    configured, for the data or for a network, and all images are of one; `missing_classes` where the generator is to
    learn classes that no image has."""
    if store.labels is not None and store.labels.ndim == 2:
        return None
    networks = {role: int(node.get("num_classes") or 0) for role, node in config["model"].items()}
    configured = max(int(config["dataset"].get("num_classes") or 0), *networks.values())
    asked = networks.get("generator", 0)
    present = 1 if store.labels is None else int((np.bincount(store.labels) > 0).sum())
    if present == 1 and configured > 1:
        saw = f"{configured} classes are configured, but all {len(store)} images are of one"
        advice = "dataset.num_classes=null, or a dataset.path with one folder for each class"
        return Alarm("one_class", step, 0, saw, advice)
    if present < asked:
        saw = f"the generator is to learn {asked} classes, but only {present} of them have images"
        return Alarm("missing_classes", step, 0, saw, "data without the empty classes, and dataset.num_classes=null")
    return None
