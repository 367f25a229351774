"""CLIP's text network, with small random weights in a file."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from gan_lab.algorithms.averaging import ExponentialMovingAverage
from gan_lab.data.clip_tokens import ClipTokens
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.models.gan_cls import Generator
from gan_lab.text import clip as module
from gan_lab.text.clip import Clip

TOKENS, LENGTH, WIDTH, DIM, DEPTH = 30, 9, 128, 6, 2


def weights(tokens: int = TOKENS, width: int = WIDTH, length: int = LENGTH, seed: int = 0) -> dict[str, Tensor]:
    """By open_clip's names, with the rest of such a file beside them."""
    random = torch.Generator().manual_seed(seed)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=random) * 0.3

    state = {
        "token_embedding.weight": drawn(tokens, width), "positional_embedding": drawn(length, width),
        "ln_final.weight": drawn(width), "ln_final.bias": drawn(width), "text_projection": drawn(width, DIM),
        "visual.proj": drawn(3, 3), "logit_scale": drawn(1),
    }  # fmt: skip
    for number in range(DEPTH):
        name = f"transformer.resblocks.{number}."
        for part in ("ln_1", "ln_2"):
            state |= {f"{name}{part}.{kind}": drawn(width) for kind in ("weight", "bias")}
        state |= {f"{name}attn.in_proj_weight": drawn(3 * width, width), f"{name}attn.in_proj_bias": drawn(3 * width)}
        for part, (out, into) in {
            "attn.out_proj": (width, width), "mlp.c_fc": (4 * width, width), "mlp.c_proj": (width, 4 * width),
        }.items():  # fmt: skip
            state |= {f"{name}{part}.weight": drawn(out, into), f"{name}{part}.bias": drawn(out)}
    return state


@pytest.fixture
def file(tmp_path: Path) -> Path:
    torch.save({"state_dict": {f"module.{name}": value for name, value in weights().items()}}, tmp_path / "clip.pt")
    return tmp_path / "clip.pt"


CAPTIONS = torch.tensor([[28, 3, 7, 29, 0, 0], [28, 7, 3, 4, 5, 29], [28, 3, 7, 29, 8, 8]])


@pytest.mark.parametrize("quick", [True, False])
def test_it_reads_as_torchs_own_layers_do(file: Path, quick: bool) -> None:
    """Pre-normalised attention of heads of 64 numbers under a causal mask; what stands at the caption's end counts."""
    state, found = weights(), Clip(TOKENS, str(file), quick_gelu=quick)
    features = state["token_embedding.weight"][CAPTIONS] + state["positional_embedding"][:6]
    mask = torch.full((6, 6), float("-inf")).triu(1)
    for number in range(DEPTH):
        part = {
            name.removeprefix(f"transformer.resblocks.{number}."): value
            for name, value in state.items()
            if f"blocks.{number}." in name
        }
        attention = torch.nn.MultiheadAttention(WIDTH, WIDTH // 64, batch_first=True)
        attention.load_state_dict({k.removeprefix("attn."): v for k, v in part.items() if k.startswith("attn.")})
        seen = torch.layer_norm(features, (WIDTH,), part["ln_1.weight"], part["ln_1.bias"])
        features = features + attention(seen, seen, seen, attn_mask=mask, need_weights=False)[0]
        seen = torch.layer_norm(features, (WIDTH,), part["ln_2.weight"], part["ln_2.bias"])
        hidden = seen @ part["mlp.c_fc.weight"].T + part["mlp.c_fc.bias"]
        hidden = hidden * (1.702 * hidden).sigmoid() if quick else torch.nn.functional.gelu(hidden)
        features = features + hidden @ part["mlp.c_proj.weight"].T + part["mlp.c_proj.bias"]
    last = features[torch.arange(3), torch.tensor([3, 5, 3])]
    wanted = (
        torch.layer_norm(last, (WIDTH,), state["ln_final.weight"], state["ln_final.bias"]) @ state["text_projection"]
    )
    assert_close(found.read(CAPTIONS), wanted, rtol=1e-4, atol=1e-4)
    assert_close(found(CAPTIONS)[0], found(CAPTIONS)[2])  # what comes after the end says nothing


def test_nothing_of_it_moves(file: Path) -> None:
    """No weight to learn, the same in training and in use, one for all copies, and next to nothing in a checkpoint."""
    encoder = Clip(TOKENS, str(file))
    assert not [*encoder.parameters()]
    assert encoder.read(CAPTIONS).grad_fn is None
    assert torch.equal(encoder.train()(CAPTIONS), encoder.eval()(CAPTIONS))
    assert [*encoder.state_dict()] == ["checksum"]
    network = Generator(encoder, (3, 16, 16), 7, 4)
    mean = ExponentialMovingAverage(network, 0.5)
    assert mean.module.encoder.tower is encoder.tower  # type: ignore[union-attr]
    mean.update(network, 3)
    assert torch.equal(mean.module.encoder(CAPTIONS), encoder(CAPTIONS))  # type: ignore[operator]
    assert Clip(TOKENS, str(file)).tower.on(torch.device("cpu")) is encoder.tower.on(torch.device("cpu"))
    before = copy.deepcopy(encoder.tower.on(torch.device("cpu")).state)
    network(torch.randn(2, 7), CAPTIONS[:2]).sum().backward()
    assert all(torch.equal(before[name], value) for name, value in encoder.tower.on(torch.device("cpu")).state.items())


def test_other_weights_than_a_run_has_learned_by(file: Path, tmp_path: Path) -> None:
    torch.save(weights(seed=1), tmp_path / "other.pt")
    one, other = Clip(TOKENS, str(file)), Clip(TOKENS, str(tmp_path / "other.pt"))
    one.load_state_dict(Clip(TOKENS, str(file)).state_dict())
    with pytest.raises(GanLabError, match=r"text_encoder\.weights: this run read its captions by other weights"):
        other.load_state_dict(one.state_dict())


def test_a_safetensors_file_is_read_too(file: Path, tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    safetensors.save_file(weights(), tmp_path / "clip.safetensors")
    assert torch.equal(Clip(TOKENS, str(tmp_path / "clip.safetensors"))(CAPTIONS), Clip(TOKENS, str(file))(CAPTIONS))


def test_what_cannot_be_had(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        GanLabError, match=r"^text_encoder\.weights: there is no file nowhere; leave it out to download"
    ):
        Clip(TOKENS, "nowhere")
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pt")
    with pytest.raises(GanLabError, match=r"other\.pt does not hold .* layout \(it has no token_embedding\.weight\)$"):
        Clip(TOKENS, str(tmp_path / "other.pt"))
    (tmp_path / "note.txt").write_text("hi there")
    with pytest.raises(
        ConfigError, match=r"note\.txt does not hold the weights of CLIP's text network .*layout \(.*[a-z]"
    ):
        Clip(TOKENS, str(tmp_path / "note.txt"))
    (tmp_path / "broken.pt").write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(GanLabError, match=r"broken\.pt does not hold the weights of CLIP's text network"):
        Clip(TOKENS, str(tmp_path / "broken.pt"))
    with pytest.raises(ValueError, match=r"written in 12 tokens, and .*clip\.pt reads 30; its tokenizer is gan_lab"):
        Clip(12, str(file))
    with pytest.raises(ValueError, match="needs data with captions"):
        Clip(0, str(file))
    with pytest.raises(ValueError, match="captions of 10 tokens, and CLIP reads 9"):
        Clip(TOKENS, str(file))(torch.zeros(1, 10, dtype=torch.int64))
    monkeypatch.setitem(__import__("sys").modules, "open_clip", None)
    with pytest.raises(
        GanLabError, match=r"text_encoder=clip needs the package open_clip: pip install 'gan-lab\[clip\]'"
    ):
        Clip(TOKENS)
    with pytest.raises(GanLabError, match=r"text_encoder=clip needs the package open_clip"):
        _ = ClipTokens().num_tokens

    class Offline:
        get_pretrained_cfg = staticmethod(lambda *_: {})

        @staticmethod
        def download_pretrained(_: object) -> str:
            raise OSError("no network\nat all")

    monkeypatch.setattr(module, "import_extra", lambda *_: Offline)
    with pytest.raises(ConfigError) as caught:
        Clip(TOKENS)
    assert str(caught.value) == (
        "text_encoder=clip: the weights of ViT-B-32-quickgelu could not be downloaded (no network at all); say "
        "text_encoder.weights=FILE, or take text_encoder=hashed_ngrams, bag_of_words or transformer, which need no "
        "download"
    )


def test_it_is_open_clips(tmp_path: Path) -> None:
    """The same weights, tokens and embeddings there and here."""
    open_clip = pytest.importorskip("open_clip")
    torch.manual_seed(0)
    tower = open_clip.transformer.TextTransformer(
        context_length=77, vocab_size=49408, width=64, heads=1, layers=2, output_dim=8,
        act_layer=open_clip.transformer.QuickGELU,
    )  # fmt: skip
    torch.save(tower.state_dict(), tmp_path / "clip.pt")
    said = ["a red square", "", "THE 2 blue circles aren't round!"]
    tokens = torch.from_numpy(ClipTokens(length=12).encode(said))
    wanted = open_clip.tokenizer.SimpleTokenizer()(said, 12)
    assert torch.equal(tokens[[0, 2]], wanted[[0, 2]])
    assert not tokens[1].any()
    whole = open_clip.tokenizer.SimpleTokenizer()(said, 77)
    with torch.no_grad():
        assert_close(Clip(49408, str(tmp_path / "clip.pt")).read(wanted), tower.eval()(whole), rtol=1e-4, atol=1e-5)


def test_a_run(gan_lab: Callable[..., int], here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Trained, resumed and asked, by a small network that knows CLIP's tokens."""
    pytest.importorskip("open_clip")
    torch.save(weights(49408, 64, 77), here / "clip.pt")
    words: list[Any] = [
        "train",
        "model=gan_cls",
        "text_encoder=clip",
        "dataset=coloured_shapes",
        "dataset.source.count=60",
    ]
    words += ["dataset.source.size=16", "dataset.image_shape=[3,16,16]", "trainer=debug", "hydra.run.dir=run"]
    assert gan_lab(*words, "text_encoder.weights=none.pt") == 2
    assert (
        capsys.readouterr()
        .err.strip()
        .splitlines()[-1]
        .startswith("gan-lab train: text_encoder.weights: there is no file")
    )
    assert not (here / "run").exists()
    assert gan_lab(*words, "text_encoder.weights=clip.pt") == 0
    assert (here / "run" / "checkpoints").is_dir()
    assert gan_lab("sample", "run=run", "text=a green zebra", "n=2", "out=made") == 0
    assert gan_lab("train", "resume=run", "trainer.max_steps=3") == 0
