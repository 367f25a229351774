"""Device, precision, and the one descent step that all players share."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gan_lab.engine import engine as engine_module
from gan_lab.engine.determinism import be_deterministic
from gan_lab.engine.engine import Engine
from gan_lab.errors import ConfigError
from tests.compose import tiny_run


@pytest.fixture
def engine() -> Engine:
    return Engine(device="cpu", precision="fp32")


def linear(value: float) -> nn.Linear:
    layer = nn.Linear(2, 1, bias=False)
    nn.init.constant_(layer.weight, value)
    return layer


def test_minimize_moves_only_the_mover_and_returns_every_term(engine: Engine) -> None:
    mover, other = linear(1.0), linear(2.0)
    optimizer = torch.optim.SGD(mover.parameters(), lr=0.1)
    x = torch.tensor([[1.0, 3.0]])
    losses, norm = engine.minimize([lambda: {"a": other(mover(x).expand(1, 2)).sum(), "b": mover(x).sum()}], optimizer)
    # a = 2 * 2 * w.x = 16, b = w.x = 4; the gradient is (4 + 1) x
    assert_close(losses["a"], torch.tensor(16.0))
    assert_close(losses["b"], torch.tensor(4.0))
    assert_close(losses[""], torch.tensor(20.0))
    assert_close(norm, torch.tensor(5.0 * 10**0.5))
    assert_close(mover.weight.detach(), torch.tensor([[1.0 - 0.5, 1.0 - 1.5]]))
    assert_close(other.weight.detach(), torch.tensor([[2.0, 2.0]]))
    assert other.weight.grad is None


def test_pieces_of_a_batch_add_up_to_the_whole(engine: Engine) -> None:
    x = torch.randn(8, 2)
    whole, cut = linear(0.3), linear(0.3)
    losses, norm = engine.minimize(
        [lambda: {"a": whole(x).square().mean()}], torch.optim.SGD(whole.parameters(), lr=0.1)
    )
    pieces = [lambda piece=piece: {"a": cut(piece).square().mean()} for piece in x.chunk(4)]
    losses_cut, norm_cut = engine.minimize(pieces, torch.optim.SGD(cut.parameters(), lr=0.1))
    assert_close(cut.weight, whole.weight)
    assert_close(losses_cut["a"], losses["a"])
    assert_close(norm_cut, norm)


def test_bf16_casts_the_forward_pass_and_keeps_fp32_weights() -> None:
    engine = Engine(device="cpu", precision="bf16")
    layer = linear(1.0)
    seen = []

    def terms() -> dict[str, torch.Tensor]:
        out = layer(torch.ones(1, 2))
        seen.append(out.dtype)
        return {"a": out.float().sum()}

    engine.minimize([terms], torch.optim.SGD(layer.parameters(), lr=0.1))
    assert seen == [torch.bfloat16]
    assert layer.weight.dtype == torch.float32


def test_optimizers_are_fused_where_they_can_be(engine: Engine) -> None:
    adam = engine.optimizer(functools.partial(torch.optim.Adam, lr=1e-3), linear(1.0))
    assert adam.defaults["fused"] is True
    chosen = engine.optimizer(functools.partial(torch.optim.Adam, lr=1e-3, foreach=True), linear(1.0))
    assert not chosen.defaults["fused"]
    rmsprop = engine.optimizer(functools.partial(torch.optim.RMSprop, lr=1e-3), linear(1.0))
    assert "fused" not in rmsprop.defaults


def test_frozen_parameters_are_left_out(engine: Engine) -> None:
    network = nn.Sequential(linear(1.0), nn.Linear(1, 1))
    network[1].requires_grad_(False)
    optimizer = engine.optimizer(functools.partial(torch.optim.SGD, lr=1.0), network)
    assert [p.shape for p in optimizer.param_groups[0]["params"]] == [(1, 2)]


@pytest.mark.parametrize(("key", "value"), [("device", "gpu"), ("device", "cuda:99"), ("precision", "fp8")])
def test_what_is_not_here_is_one_line(key: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^{key}: '{value}'") as caught:
        Engine(**{"device": "cpu", "precision": "fp32", key: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [("capture", "yes"), ("compile", "max"), ("capture", True), ("tf32", "no"), ("deterministic", "yes")],
)
def test_other_ways_to_play_are_refused(key: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"engine.{key}: {value!r} is not one of (auto|false), "):
        Engine(device="cpu", precision="fp32", **{key: value})  # type: ignore[arg-type]


def test_nothing_is_captured_without_cuda() -> None:
    assert Engine(device="cpu", precision="fp32").graphs({}) is None


@pytest.fixture
def on_cuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Engines believe in a device of CUDA, which nobody uses. The flags of the process are put back."""
    backends = torch.backends.cudnn, torch.backends.cuda.matmul
    before = torch.backends.cudnn.benchmark, *(backend.allow_tf32 for backend in backends)
    monkeypatch.setattr(engine_module, "pick_device", lambda device: torch.device("cuda"))
    monkeypatch.setattr(engine_module, "CudaGraphs", lambda device: f"graphs on {device}")
    yield
    torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before


@pytest.mark.parametrize(
    ("precision", "tf32", "allowed"),
    [("bf16", "auto", True), ("fp32", "auto", False), ("bf16", "off", False), ("fp32", "on", True)],
)
def test_fp32_is_rounded_where_that_was_asked_for(on_cuda: None, precision: str, tf32: str, allowed: bool) -> None:
    Engine(precision=precision, tf32=tf32)
    assert torch.backends.cuda.matmul.allow_tf32 == torch.backends.cudnn.allow_tf32 == allowed
    assert torch.backends.cudnn.benchmark


def test_kernels_are_not_chosen_by_a_stopwatch_where_runs_are_to_be_equal(on_cuda: None) -> None:
    Engine(precision="fp32", deterministic=True)
    assert not torch.backends.cudnn.benchmark
    be_deterministic(False)


def test_all_runs_of_a_process_share_one_stream(on_cuda: None, monkeypatch: pytest.MonkeyPatch) -> None:
    made, order = [], []

    class Stream:
        def __init__(self, device: torch.device) -> None:
            made.append(device)

        def wait_stream(self, other: object) -> None:
            order.append("wait")

    outside = Stream(torch.device("cpu"))
    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: outside)
    monkeypatch.setattr(torch.cuda, "stream", contextlib.nullcontext)
    engine_module._stream.cache_clear()
    for _ in range(2):
        with Engine(precision="fp32").own_stream():
            order.append("inside")
    engine_module._stream.cache_clear()
    assert made[1:] == [torch.device("cuda")]
    assert order == ["wait", "inside", "wait"] * 2


SGD, ADAM, ADAGRAD = torch.optim.SGD, torch.optim.Adam, torch.optim.Adagrad


@pytest.mark.parametrize(
    ("kind", "settings", "captured"),
    [(SGD, {}, True), (ADAM, {"capturable": True}, True), (ADAM, {}, False), (ADAGRAD, {"lr_decay": 0.1}, False)],
)
def test_optimizers_that_count_on_the_host_are_not_captured(
    on_cuda: None, caplog: pytest.LogCaptureFixture, kind: type[torch.optim.Optimizer], settings: Any, captured: bool
) -> None:
    """Adagrad counts its steps on the host and a capture says nothing: its rate would stand still."""
    engine = Engine(precision="fp32")
    adam = ADAM(linear(1.0).parameters(), capturable=True)
    players = {"generator": adam, "discriminator": kind(linear(1.0).parameters(), lr=0.1, **settings)}
    assert engine.graphs(players) == ("graphs on cuda" if captured else None)
    assert engine.capture == captured
    assert ("captured as CUDA graphs" in engine.description) == captured
    assert [f"optimizer.discriminator ({kind.__name__})" in r.getMessage() for r in caplog.records] == [True][captured:]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("model", ["gan", "dcgan", "wgan_gp", "sngan_dcgan"])
def test_captured_rounds_are_the_eager_ones(model: str, tmp_path: Path) -> None:
    from gan_lab.training.assemble import assemble
    from tests.compose import composed

    curves = []
    for capture in ("auto", "off"):
        config = composed(f"model={model}", "device=cuda", "precision=fp32", "+width=16", f"engine.capture={capture}")
        run, _ = assemble(config, tmp_path)
        with run.engine.own_stream():
            for _ in range(200):
                run.play()
            curves.append([float(value) for value in run.metrics.values()])
        assert bool(run.rounds._recorded) == (capture == "auto")
    assert curves[0] == pytest.approx(curves[1], rel=1e-2, abs=1e-3)


@pytest.mark.whole
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")  # torch's own, while it traces
def test_compiled_networks_play_the_same_game(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled calls for the moves, plain ones for the penalty, which is differentiated twice."""
    real, calls = nn.Module.compile, []

    def compile(module: nn.Module, **options: object) -> None:
        calls.append(module)
        real(module, backend="aot_eager", **options)  # traced and differentiated as ever, but not compiled to C++

    monkeypatch.setattr(nn.Module, "compile", compile)
    curves = []
    for choice in ("off", "on"):
        run = tiny_run(tmp_path, "model=wgan_gp", "algorithm.critic_steps=2", f"engine.compile={choice}")
        for _ in range(3):
            run.play()
        curves.append(run.metrics.vector)  # type: ignore[attr-defined]
        assert list(run.algorithm.networks["generator"].state_dict()) == list(
            run.algorithm.averages["generator"].module.state_dict()
        )
    assert len(calls) == 2
    assert_close(curves[1], curves[0], rtol=1e-3, atol=1e-5)
