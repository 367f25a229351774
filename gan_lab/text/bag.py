"""Captions as bags of tokens: what is said, in no order."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import normalize, relu

from gan_lab.text.encoder import TextEncoder


class BagOfTokens(TextEncoder):
    """How often each token occurs, as a vector of length 1, through a linear layer to `hidden` numbers, ReLU, and
    another one. Of whole words or of hashed n-grams: the tokenizer decides (fastText, arXiv:1607.04606, adds up words
    of such parts as well)."""

    def __init__(self, num_tokens: int | None = None, dim: int = 128, hidden: int = 256) -> None:
        super().__init__(num_tokens, dim)
        self.first = nn.Linear(self.num_tokens, hidden)
        self.second = nn.Linear(hidden, dim)
        nn.init.normal_(self.first.weight, 0.0, hidden**-0.5)  # a caption reads but a few of its columns,
        nn.init.zeros_(self.first.bias)  # beside which torch's biases would make all captions alike
        nn.init.zeros_(self.second.bias)

    def read(self, tokens: Tensor) -> Tensor:
        counts = tokens.new_zeros((len(tokens), self.num_tokens), dtype=self.first.weight.dtype)
        counts.scatter_add_(1, tokens, tokens.ne(0).to(counts.dtype))
        read: Tensor = self.second(relu(self.first(normalize(counts))))
        return read
