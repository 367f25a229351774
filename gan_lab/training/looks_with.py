"""Which frozen networks a run learns by: LPIPS, a VGG, a backbone, with published weights or with none that anybody
trained. What they are changes what is learned, and no setting tells it where the data root decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch.nn import Module

from gan_lab.training.run import Run


def cards_of(run: Run) -> dict[str, dict[str, str]]:
    """Network and weights of each module with a `card`, by the key of who looks with it."""
    parts = {f"model.{role}": [network] for role, network in run.algorithm.networks.items()}
    for name, regularizer in run.algorithm.regularizers.items():
        parts[f"loss.regularizers.{name}"] = [part for part in vars(regularizer).values() if isinstance(part, Module)]
    modules = ((key, module) for key, own in parts.items() for part in own for module in part.modules())
    cards = ((key, getattr(module, "card", None)) for key, module in modules)
    return {key: card for key, card in cards if isinstance(card, dict)}


def on_card(cards: Any) -> dict[str, str]:
    """What the card of a figure says of them, in one line: nothing, where a run, or its `summary.json`, has none."""
    known = cards.items() if isinstance(cards, Mapping) else ()
    told = [f"{key} {' '.join(map(str, card.values()))}" for key, card in known if isinstance(card, Mapping)]
    return {"looks_with": ", ".join(told)} if told else {}
