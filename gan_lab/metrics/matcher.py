"""A network that tells which caption belongs to which image, trained for measuring alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import interpolate, log_softmax, normalize, one_hot, pad

from gan_lab.data.progress import Progress
from gan_lab.data.tokens import HashedNgrams, Words
from gan_lab.engine import optimizers
from gan_lab.text.bag import BagOfTokens
from gan_lab.text.encoder import TextEncoder

VERSION = 1  # of the network and of how it is trained: another one is another measure
BATCH = 256
RATE = 1e-3
DROPPED = 0.1  # share of tokens
PIXELS, FINE, CELLS, DIRECTIONS = 16, 32, 4, 8
AT_ONCE = 1024


class Matcher(nn.Module):
    """Images and captions to vectors of length 1, whose product says how well they match.

    Of an image it sees 16x16 pixels and histograms of the directions of its gradients, through two linear layers; of a
    caption, hashed n-grams through `BagOfTokens`, whatever the generator reads by: `tokenizer` and `encoder` name
    others.
    """

    def __init__(self, tokenizer: Words | None = None, encoder: TextEncoder | None = None) -> None:
        super().__init__()
        self.tokenizer = tokenizer or HashedNgrams()
        self.encoder = encoder or BagOfTokens(self.tokenizer.num_tokens)
        count = 3 * PIXELS**2 + DIRECTIONS * CELLS**2
        self.look = nn.Sequential(nn.Linear(count, 256), nn.ReLU(), nn.Linear(256, self.encoder.dim))
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def of_features(self, features: Tensor) -> Tensor:
        return normalize(self.look(features))

    def of_tokens(self, tokens: Tensor) -> Tensor:
        return normalize(self.encoder(tokens))

    @torch.no_grad()
    def similarity(self, images: Tensor, captions: Sequence[str]) -> Tensor:
        """uint8 images (N, C, H, W) and M captions to (N, M) in [-1, 1]."""
        said = self.of_tokens(torch.from_numpy(self.tokenizer.encode(captions)))
        seen = [self.of_features(features_of(part)) for part in images.split(AT_ONCE)]
        return torch.cat(seen) @ said.T


def features_of(images: Tensor) -> Tensor:
    """uint8 (N, C, H, W) to (N, 896): 16x16 pixels in [-1, 1], and in each of 4x4 cells how much of the gradient goes
    in each of 8 directions, all together of length 4."""
    pixels = images.float().div(127.5).sub(1)
    pixels = pixels[:, :3] if pixels.shape[1] >= 3 else pixels[:, :1].expand(-1, 3, -1, -1)
    small = interpolate(pixels, (PIXELS, PIXELS), mode="area")
    gray = interpolate(pixels.mean(1, keepdim=True), (FINE, FINE), mode="area")
    around = pad(gray, (1, 1, 1, 1), mode="replicate")
    across, down = (around[..., 1:-1, 2:] - around[..., 1:-1, :-2]), (around[..., 2:, 1:-1] - around[..., :-2, 1:-1])
    turn = (torch.atan2(down, across) / (2 * math.pi) * DIRECTIONS).round().long() % DIRECTIONS
    strength = (across.square() + down.square()).sqrt()
    each = one_hot(turn[:, 0], DIRECTIONS).permute(0, 3, 1, 2) * strength  # (N, 8, 32, 32)
    histograms = interpolate(each, (CELLS, CELLS), mode="area").flatten(1)
    return torch.cat((small.flatten(1), normalize(histograms) * CELLS), 1)


def fitted(
    images: Tensor,
    captions: Sequence[Sequence[str]],
    steps: int = 800,
    seed: int = 0,
    make: Callable[[], Matcher] = Matcher,
    tell: Callable[[int, Matcher], None] = lambda step, matcher: None,
) -> Matcher:
    """A matcher of uint8 images (N, C, H, W) and what is said of each, one caption or more; in evaluation mode.

    InfoNCE both ways (Radford et al. 2021, arXiv:2103.00020) over batches of 256 in which equal captions count as one,
    with a tenth of the tokens dropped; Adam, whose rate falls to 0 over `steps`. Draws nothing from the global random
    generators. `tell` hears of each step.
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.default_generator.manual_seed(seed)
        matcher = make().train()
    features = torch.cat([features_of(part) for part in images.split(AT_ONCE)])
    tokens, numbers, counts = _table(matcher.tokenizer, captions)
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(matcher.parameters(), lr=RATE)
    progress = Progress("training a matcher", steps * BATCH)
    with torch.enable_grad():
        for step in range(steps):
            progress.update(step * BATCH)
            optimizer.param_groups[0]["lr"] = RATE * (1 - step / steps)
            places = torch.randint(len(features), (BATCH,), generator=generator)
            which = torch.randint(2**31, (BATCH,), generator=generator) % counts[places]
            said = tokens[places, which]
            kept = said * (torch.rand(said.shape, generator=generator) >= DROPPED)
            loss = _loss(matcher, features[places], kept, numbers[places, which])
            optimizer.zero_grad()
            loss.backward()
            optimizers.step(optimizer)
            tell(step + 1, matcher)
    progress.close()
    return matcher.eval()


def _loss(matcher: Matcher, features: Tensor, tokens: Tensor, numbers: Tensor) -> Tensor:
    """Of images and captions side by side; `numbers` are equal where captions are."""
    logits = matcher.of_features(features) @ matcher.of_tokens(tokens).T * matcher.log_scale.exp()
    wanted = numbers[:, None].eq(numbers[None]).float()
    wanted = wanted / wanted.sum(1, keepdim=True)
    ways = (log_softmax(logits, 1), log_softmax(logits.T, 1))
    return -sum((wanted * way).sum(1).mean() for way in ways) / 2  # type: ignore[return-value]


def _table(tokenizer: Words, captions: Sequence[Sequence[str]]) -> tuple[Tensor, Tensor, Tensor]:
    """Tokens (N, K, L) of up to K captions each, their numbers (N, K), equal where they are, and how many (N,)."""
    most = max(map(len, captions))
    known: dict[str, int] = {}
    numbers: NDArray[np.int64] = np.zeros((len(captions), most), np.int64)
    for row, each in zip(numbers, captions, strict=True):
        row[: len(each)] = [known.setdefault(caption, len(known)) for caption in each]
    tokens = torch.from_numpy(tokenizer.encode(list(known)))
    counts = torch.tensor([len(each) for each in captions])
    return tokens[torch.from_numpy(numbers)], torch.from_numpy(numbers), counts
