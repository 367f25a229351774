"""The loop of CUT's authors (Park et al. 2020, arXiv:2007.15651), to be measured against.

One generator pass of the inputs, and of the wanted images where their identity counts; the discriminator takes made and
real images in two passes, then rests. For each pair the encoder goes over what was made and, once more, over what was
given, both with gradients, of which the latter's are thrown away; patches are drawn with `torch.randperm` for each map.
Deviation: the authors make the projector in the first round and give it an Adam of its own, of the same rate.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gan_lab.benchmark.players import Players
from gan_lab.layers.critique import of

Step = Callable[[], tuple[float, float]]


def cut(players: Players) -> Step:
    """Least squares, and patches of every map of the encoder, by cross-entropy among those of the same image."""
    generator: Any = players.networks["generator"]
    projector, discriminator = players.networks["generator_projector"], players.networks["discriminator"]
    game, mse = players.algorithm, nn.MSELoss()
    terms = [(each.pair, each.weight, each.temperature) for each in game.regularizers.values()]

    def squares(images: Tensor, target: float) -> Tensor:
        scores = of(discriminator(images)).scores
        loss: Tensor = 0.5 * mse(scores, torch.full_like(scores, target))
        return loss

    def compared(made: Tensor, given: Tensor, mirrored: bool, temperature: float) -> Tensor:
        seen, wanted = generator.features(made), generator.features(given)
        if mirrored:
            seen = [maps.flip(3) for maps in seen]
        places = [torch.randperm(maps[0, 0].numel(), device=maps.device)[: game.patches] for maps in wanted]
        return nce(projector(seen, places), projector(wanted, places), temperature)

    def step() -> tuple[float, float]:
        inputs, images = players.next()
        both = torch.cat((inputs, images)) if any(pair == "identity" for pair, *_ in terms) else inputs
        mirrored = random.random() < game.mirrored
        made = generator(both.flip(3) if mirrored else both)
        parts = {"source": (made[: len(inputs)], inputs), "identity": (made[len(inputs) :], images)}
        fake = parts["source"][0]
        players.discriminate(True)
        players.optimizers["discriminator"].zero_grad()
        judged = squares(fake.detach(), 0.0) + squares(images, 1.0)
        judged.backward()
        players.optimizers["discriminator"].step()
        players.discriminate(False)
        players.optimizers["generator"].zero_grad()
        loss = squares(fake, 1.0)
        for pair, weight, temperature in terms:
            loss = loss + weight * compared(*parts[pair], mirrored, temperature)
        loss.backward()
        players.optimizers["generator"].step()
        return judged.item(), loss.item()

    return step


def nce(made: Sequence[Tensor], given: Sequence[Tensor], temperature: float) -> Tensor:
    """The mean over maps of the cross-entropy of each patch `(N, P, D)` with its own among all of the image: that one
    first, then all, of which it is put out of the way by a likeness of -10."""
    total = torch.zeros((), device=made[0].device)
    for query, key in zip(made, given, strict=True):
        n, count, _ = query.shape
        own = (query * key.detach()).sum(2).view(n * count, 1)
        among = torch.bmm(query, key.detach().transpose(1, 2))
        among = among.masked_fill(torch.eye(count, dtype=torch.bool, device=query.device)[None], -10.0)
        logits = torch.cat((own, among.view(n * count, count)), 1) / temperature
        total = total + nn.functional.cross_entropy(logits, torch.zeros(n * count, dtype=torch.long, device=own.device))
    return total / len(made)
