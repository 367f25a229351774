"""CLIP's text network, frozen: captions as a network read them that was trained on 400 million pictures with theirs."""

from __future__ import annotations

import hashlib
import logging
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import gelu, layer_norm, linear, scaled_dot_product_attention

from gan_lab.errors import ConfigError
from gan_lab.storage.extras import import_extra
from gan_lab.text.encoder import TextEncoder

KEY = "text_encoder.weights"
PUBLISHED = ("ViT-B-32-quickgelu", "openai")  # as open_clip calls them
HEAD = 64  # numbers of a head of attention, in all of CLIP's text networks
BLOCK = "transformer.resblocks.{}."
IN_BLOCKS = (
    *(f"{part}.weight" for part in ("ln_1", "attn.out_proj", "ln_2", "mlp.c_fc", "mlp.c_proj")),
    *(f"{part}.bias" for part in ("ln_1", "attn.out_proj", "ln_2", "mlp.c_fc", "mlp.c_proj")),
    "attn.in_proj_weight",
    "attn.in_proj_bias",
)
AROUND = ("token_embedding.weight", "positional_embedding", "ln_final.weight", "ln_final.bias", "text_projection")


class Clip(TextEncoder):
    """Tokens of `gan_lab.data.clip_tokens` `(N, L)` to embeddings `(N, dim)` (Radford et al. 2021, arXiv:2103.00020):
    a causal transformer, of which the vector behind the caption's last token is projected.

    `weights` is a file in open_clip's layout (`.safetensors` or PyTorch's), whose shapes say how wide and deep the
    network is; null downloads OpenAI's ViT-B/32 by open_clip. Heads have 64 numbers each; `quick_gelu` is the
    activation of OpenAI's weights, x sigmoid(1.702 x), in place of GELU.

    Nothing of it moves: it is no part of the module, so no optimizer, average or checkpoint holds it, and all networks
    of a run that read by the same file share it. A checkpoint holds the checksum of the weights, and is refused beside
    others. Raises ConfigError, in one line, for weights that cannot be had or do not fit, and ValueError for tokens of
    another tokenizer.
    """

    checksum: Tensor

    def __init__(self, num_tokens: int | None = None, weights: str | None = None, quick_gelu: bool = True) -> None:
        path = Path(weights).expanduser() if weights else _published()
        if not path.is_file():
            raise ConfigError(f"{KEY}: there is no file {path}; leave it out to download the weights")
        tower = _tower(str(path), path.stat().st_mtime_ns, quick_gelu)
        super().__init__(num_tokens, tower.dim)
        if num_tokens != tower.num_tokens:
            raise ValueError(
                f"the data's captions are written in {num_tokens} tokens, and {path} reads {tower.num_tokens}; its "
                "tokenizer is gan_lab.data.clip_tokens.ClipTokens (dataset.tokenizer)"
            )
        self.tower = _Shared(tower)
        self.register_buffer("checksum", tower.checksum.clone())

    def read(self, tokens: Tensor) -> Tensor:
        with torch.no_grad():
            read: Tensor = self.tower.on(tokens.device)(tokens)
        return read

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        stored = state.get(f"{prefix}checksum")
        if stored is not None and not torch.equal(stored.cpu(), self.checksum.cpu()):
            raise ConfigError(f"{KEY}: this run read its captions by other weights than these; name the file of those")
        super()._load_from_state_dict(state, prefix, *rest)


class _Shared:
    """A network once on each device, of which copies of who holds it make none."""

    def __init__(self, tower: Tower) -> None:
        self.towers = {torch.device("cpu"): tower}

    def on(self, device: torch.device) -> Tower:
        if device not in self.towers:
            self.towers[device] = self.towers[torch.device("cpu")].to(device)
        return self.towers[device]

    def __deepcopy__(self, memo: dict[int, Any]) -> _Shared:
        return self


class Tower:
    """The network, out of its weights by open_clip's names."""

    def __init__(self, state: dict[str, Tensor], quick_gelu: bool) -> None:
        self.state, self.quick_gelu = state, quick_gelu
        self.num_tokens, self.width = state["token_embedding.weight"].shape
        self.length = len(state["positional_embedding"])
        self.dim = int(state["text_projection"].shape[1])
        self.depth = sum(name.endswith("attn.in_proj_weight") for name in state)
        self.heads = max(self.width // HEAD, 1)
        self.checksum = _checksum(state)

    def to(self, device: torch.device) -> Tower:
        return Tower({name: value.to(device) for name, value in self.state.items()}, self.quick_gelu)

    def __call__(self, tokens: Tensor) -> Tensor:
        """`(N, L)` to `(N, dim)`. Raises ValueError for captions that are longer than the network reads."""
        if tokens.shape[1] > self.length:
            raise ValueError(
                f"captions of {tokens.shape[1]} tokens, and CLIP reads {self.length}: dataset.tokenizer.length"
            )
        features = self.state["token_embedding.weight"][tokens] + self.state["positional_embedding"][: tokens.shape[1]]
        for number in range(self.depth):
            features = self._block(features, BLOCK.format(number))
        last = features[
            torch.arange(len(tokens), device=tokens.device), tokens.argmax(1)
        ]  # what ends it has the largest
        read: Tensor = self._norm(last, "ln_final") @ self.state["text_projection"]
        return read

    def _block(self, features: Tensor, name: str) -> Tensor:
        count, length, _ = features.shape
        joint = linear(
            self._norm(features, f"{name}ln_1"),
            self.state[f"{name}attn.in_proj_weight"],
            self.state[f"{name}attn.in_proj_bias"],
        )
        query, key, value = joint.view(count, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attended = scaled_dot_product_attention(query, key, value, is_causal=True).transpose(1, 2).flatten(2)
        features = features + self._linear(attended, f"{name}attn.out_proj")
        hidden = self._linear(self._norm(features, f"{name}ln_2"), f"{name}mlp.c_fc")
        hidden = hidden * torch.sigmoid(1.702 * hidden) if self.quick_gelu else gelu(hidden)
        return features + self._linear(hidden, f"{name}mlp.c_proj")

    def _norm(self, features: Tensor, name: str) -> Tensor:
        return layer_norm(features, (self.width,), self.state[f"{name}.weight"], self.state[f"{name}.bias"])

    def _linear(self, features: Tensor, name: str) -> Tensor:
        return linear(features, self.state[f"{name}.weight"], self.state[f"{name}.bias"])


@lru_cache(maxsize=2)
def _tower(path: str, stamp: int, quick_gelu: bool) -> Tower:
    """That of a file, which was written at `stamp`; read once."""
    try:
        state = _load(path)
        depth = sum(name.startswith("transformer.resblocks.") and name.endswith("in_proj_weight") for name in state)
        names = [*AROUND, *(BLOCK.format(number) + name for number in range(max(depth, 1)) for name in IN_BLOCKS)]
        missing = [name for name in names if name not in state]
        if missing:
            raise ValueError(f"it has no {missing[0]}")
        tower = Tower({name: state[name].float().contiguous() for name in names}, quick_gelu)
        tower(torch.zeros(1, 2, dtype=torch.int64))  # whether they fit one another
    except Exception as error:  # whatever is in it
        reason = " ".join(str(error).split())[:120]
        reason = reason if re.search("[a-z]{2}", reason) else "no file of weights"
        raise ConfigError(
            f"{KEY}: {path} does not hold the weights of CLIP's text network in open_clip's layout ({reason})"
        ) from error
    return tower


def _load(path: str) -> dict[str, Tensor]:
    if path.endswith(".safetensors"):
        state: dict[str, Tensor] = import_extra("safetensors.torch", "clip", "text_encoder=clip").load_file(path)
        return state
    found = torch.load(path, map_location="cpu", weights_only=True)
    found = found.get("state_dict", found)
    return {name.removeprefix("module."): value for name, value in found.items()}


def _published() -> Path:
    """OpenAI's weights, downloaded and checked by open_clip, in its cache."""
    clip = import_extra("open_clip", "clip", "text_encoder=clip")
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # it tells of every attempt
    try:
        return Path(clip.download_pretrained(clip.get_pretrained_cfg(*PUBLISHED)))
    except Exception as error:  # whatever the hub gives rise to
        reason = " ".join(str(error).split())[:120]
        raise ConfigError(
            f"text_encoder=clip: the weights of {PUBLISHED[0]} could not be downloaded ({reason}); say {KEY}=FILE, or "
            "take text_encoder=hashed_ngrams, bag_of_words or transformer, which need no download"
        ) from error


def _checksum(state: dict[str, Tensor]) -> Tensor:
    """Four int64 that depend on every number of the weights."""
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(name.encode())
        digest.update(state[name].cpu().numpy().tobytes())
    return torch.frombuffer(bytearray(digest.digest()), dtype=torch.int64)
