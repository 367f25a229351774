"""Images of one set in the style of those of another, by a network that is trained once for all styles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gan_lab.algorithms.base import Algorithm, Due, Metrics
from gan_lab.algorithms.game import Game
from gan_lab.algorithms.input_sampler import InputSampler
from gan_lab.algorithms.translation import UNPAIRED, input_of
from gan_lab.config import require_number
from gan_lab.data.batch import Batch
from gan_lab.engine.engine import Engine, Terms
from gan_lab.engine.tf32 import without_tf32
from gan_lab.errors import ConfigError
from gan_lab.losses.style import moments
from gan_lab.models.adain import DEEPEST, EPS, LAYERS, align
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import Sampler, all_images


class StyleTransfer(Algorithm):
    """Huang & Belongie 2017 (arXiv:1703.06868, equations 11 to 13). With features f of the generator's encoder, an
    input c, an image s for its style, t = AdaIN(f(c), f(s)) and the image g that is decoded from t:

    content: E (f(g) - t)^2 at the deepest layer; style: the sum over four layers of the mean squared differences of
    channels' means, and of their standard deviations, between g and s.

    The authors' code weighs them by 1 and 10, and takes means where the paper has norms. There is no discriminator.
    Raises ConfigError for regularizers, of which none is paid here, and for weights below 0.
    """

    needs = ("generator",)
    data = UNPAIRED

    def __init__(self, game: Game, content_weight: float = 1.0, style_weight: float = 10.0) -> None:
        super().__init__(game)
        if self.regularizers:
            raise ConfigError(f"loss.regularizers: {', '.join(self.regularizers)}: style transfer pays none")
        self.content_weight = require_number(content_weight, "algorithm.content_weight", 0)
        self.style_weight = require_number(style_weight, "algorithm.style_weight", 0)
        self.generator: Any = self.networks["generator"]

    def train_step(self, batches: Sequence[Batch], due: Due) -> Metrics:
        return self.move("generator", batches[0], self.terms)

    def terms(self, batch: Batch) -> Terms:
        """What the generator pays for a batch."""
        encoder = self.generator.encoder
        with torch.no_grad():
            styles = {name: moments(maps, EPS) for name, maps in encoder(batch.image).items()}
            target = align(encoder(input_of(batch))[DEEPEST], *styles[DEEPEST])
        found = encoder(self.generator.decoder(target).float())
        content = (found[DEEPEST].float() - target).square().mean()
        style = [
            (own - wanted).square().mean()
            for name in LAYERS
            for own, wanted in zip(moments(found[name], EPS), styles[name], strict=True)
        ]
        return {"content": self.content_weight * content, "style": self.style_weight * torch.stack(style).sum()}

    @classmethod
    def sampler(cls, networks: Mapping[str, nn.Module], settings: Mapping[str, Any], engine: Engine) -> Sampler:
        return StyleSampler(networks["generator"], engine)


class StyleSampler(InputSampler):
    """Codes are styles, as the generator makes them of images: `(n, D)`. An image without one keeps its own."""

    def __init__(self, generator: nn.Module, engine: Engine) -> None:
        super().__init__(generator, engine)
        self.takes = frozenset(("input", "codes"))

    @torch.no_grad()
    def styles(self, images: Tensor) -> Tensor:
        """The codes of images `(n, C, H, W)` in [-1, 1], on the CPU."""
        network: Any = self.network
        with without_tf32():
            found = [network.style(part.to(self.engine.device)).cpu() for part in images.split(self.AT_ONCE)]
        return torch.cat(found)

    @torch.no_grad()
    def stylised(self, input: Tensor, codes: Tensor | None, alpha: float = 1.0) -> Tensor:
        """Images in [-1, 1] on the CPU, of all inputs at once; `alpha` is how much of the style there is in them."""
        device = self.engine.device
        self.network.eval()
        with without_tf32():
            made: Tensor = self.network(input.to(device), None if codes is None else codes.to(device), alpha)
        made = made.float().cpu().contiguous()
        return made.masked_fill(made.isinf(), torch.nan).clamp(-1, 1)

    def drawn(self, request: Request) -> Iterator[Tensor]:
        assert request.input is not None
        for start in range(0, request.n, self.AT_ONCE):
            part = slice(start, start + self.AT_ONCE)
            yield self.stylised(request.input[part], None if request.codes is None else request.codes[part])

    def request_for(self, batch: Batch, seed: int, codes: Tensor | None = None) -> Request:
        """Each input in the style of the image beside it."""
        return super().request_for(batch, seed, self.styles(batch.image) if codes is None else codes)

    def codes(self, n: int, seed: int, truncation: float | None = None) -> Tensor:
        raise ConfigError("codes: this generator takes its styles from images, not from a seed")

    def codes_of_seed(self, n: int, seed: int, truncation: float | None = None) -> None:
        """None: without a style an image keeps its own."""

    def panel(self, shown: Batch, seed: int) -> dict[str, Tensor]:
        made = all_images(self, self.request_for(shown, seed))
        return {"content": input_of(shown).cpu(), "style": shown.image.cpu(), "made": made}
