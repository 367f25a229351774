"""`gan-lab bench`: the command line, the row, the files."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir

from gan_lab.benchmark import report
from gan_lab.benchmark.ceilings import Ceilings
from gan_lab.config import CONFIG_DIR, settings
from gan_lab.data.stream import Stream
from gan_lab.training.rounds import Rounds
from gan_lab.verbs.bench import counted_flops
from tests.compose import composed
from tests.conftest import TINY

QUICK = (*TINY, "model=gan_small", "blocks=2", "seconds=0.02")


@pytest.fixture(autouse=True)
def known_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gan_lab.benchmark.ceilings.ceilings", lambda device, dtype: Ceilings(1e11, 1e10, "fp32"))


@pytest.mark.parametrize("against", ["textbook", "eager"])
def test_a_row_and_a_file(against: str, gan_lab: Callable[..., int], here: Path) -> None:
    assert gan_lab("bench", *QUICK, f"against={against}", "out=found") == 0
    found = json.loads((here / "found" / "bench.json").read_text())
    assert found["batch_size"] == found["images_per_round"] == 4
    assert set(found["sides"]) == {"gan-lab", against}
    for side in found["sides"].values():
        middle, least, most = side["milliseconds"]
        assert 0 < least <= middle <= most
        assert side["images_per_second"][0] == pytest.approx(4e3 / middle, rel=0.3)
        assert side["peak_bytes"] > 0
    rate = found["sides"]["gan-lab"]["images_per_second"][0]
    assert found["share_of_matmul"] == pytest.approx(found["flops_per_image"] * rate / 1e11)
    assert found["command"].startswith("gan-lab bench trainer=debug")
    assert found["wait_share"] == 0.0
    row = report.row(found)
    assert row.count("|") == report.HEADER.splitlines()[0].count("|")
    assert "gan_small" in row
    assert "`gan-lab bench trainer=debug" in row
    assert not list(here.glob("outputs/bench/*/*/checkpoints"))


def test_the_trace_opens(gan_lab: Callable[..., int], here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds are played kernel by kernel for it, since a replay names no operators."""
    entered: list[Rounds] = []
    real = Rounds.eagerly
    monkeypatch.setattr(Rounds, "eagerly", lambda rounds: entered.append(rounds) or real(rounds))
    assert gan_lab("bench", *QUICK, "profile=true", "out=found") == 0
    assert len(entered) == 1
    with gzip.open(here / "found" / "bench.pt.trace.json.gz") as file:
        assert json.load(file)["traceEvents"]
    assert "discriminator.to_score" in (here / "found" / "layers.md").read_text()
    profile = json.loads((here / "found" / "bench.json").read_text())["profile"]
    assert sum(each["share"] for each in profile["operators"]) <= 1.0


@pytest.mark.whole
def test_a_penalised_game(gan_lab: Callable[..., int], here: Path) -> None:
    words = (*TINY, "model=wgan_gp", "width=8", "algorithm.critic_steps=2", "blocks=1", "seconds=1e-3", "out=found")
    assert gan_lab("bench", *words, "precision=fp32") == 0
    found = json.loads((here / "found" / "bench.json").read_text())
    assert found["images_per_round"] == 2 * found["batch_size"] == 8
    assert found["flops_per_image"] > 0


def test_flops_by_hand() -> None:
    """Two linear layers each; the discriminator's second, to a single score, is a product and a sum element by element,
    which is not counted. The discriminator sees real, fake and fake again: three passes forward, its weights' gradients
    in its own move and its inputs' in the generator's; the generator forward twice, because
    either move has fakes of its own, and back once."""
    config = composed(
        *TINY, "model=gan_small", "dataset=digits", "algorithm.latent.dim=8", "width=16", "loss.regularizers={}"
    )
    pixels, batch = 256, 4
    generator = 8 * 16 + 16 * pixels
    own = 2 * pixels * 16 * batch  # one pass
    forward = 3 * own + 2 * (2 * generator * batch)
    weights = 2 * own + 2 * generator * batch  # of both discriminator passes, and of the generator
    inputs = own  # through the discriminator, in the generator's move
    inputs += 2 * 16 * pixels * batch  # through the generator's last layer
    counted = counted_flops(config, Path("."))
    assert counted == forward + weights + inputs


@pytest.mark.whole
def test_a_penalty_is_counted(here: Path) -> None:
    """One that torch's own counter refuses: more than the round without it."""
    game = (*TINY, "model=wgan_gp", "algorithm.critic_steps=1")
    assert counted_flops(composed(*game), here) > counted_flops(composed(*game, "loss/regularizers=[]"), here) > 0


@pytest.mark.whole
def test_a_lazy_penalty_counts_for_the_rounds_that_have_it(here: Path) -> None:
    game = (*TINY, "model=gan_small", "loss/regularizers=[r1]")
    without = counted_flops(composed(*TINY, "model=gan_small", "loss/regularizers=[]"), here)
    always = counted_flops(composed(*game), here)
    lazy = counted_flops(composed(*game, "loss.regularizers.r1.every=4"), here)
    assert lazy == without + (always - without) / 4


def test_it_takes_what_train_takes(gan_lab: Callable[..., int], here: Path) -> None:
    """Every key of train is there with train's value; callbacks and loggers may be named, and do nothing."""
    with initialize_config_dir(str(CONFIG_DIR), version_base="1.3"):
        train, own = (settings(compose(verb, [*TINY, "model=wgan_gp"])) for verb in ("train", "bench"))
    assert {key: own[key] for key in train} == train
    assert set(own) - set(train) == {"against", "blocks", "seconds", "profile", "out"}
    assert gan_lab("bench", *QUICK, "callbacks.samples.count=4", "logger.jsonl=null", "out=found") == 0
    assert [path.name for path in (here / "found").iterdir()] == ["bench.json"]


def test_a_stream_that_is_waited_for(gan_lab: Callable[..., int], here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A share of the time that was measured: rounds far longer than a block make it no larger than 1."""
    draw = Stream.draw

    def slow(stream: Stream) -> Any:
        time.sleep(0.1)
        stream.waited += 0.1
        return draw(stream)

    monkeypatch.setattr(Stream, "draw", slow)
    assert gan_lab("bench", *QUICK, "against=eager", "seconds=1e-3", "out=found") == 0
    assert 0.5 < json.loads((here / "found" / "bench.json").read_text())["wait_share"] <= 1.0


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("against=pytorch", "against: 'pytorch' is not one of textbook, eager"),
        ("blocks=0", "blocks: 0 is not a whole number of at least 1"),
        ("seconds=-1", "seconds: -1 is not a number above 0"),
        ("seconds=inf", "seconds: inf is not a number above 0"),
        ("profile=perhaps", "profile: 'perhaps' is neither true nor false"),
        ("resume=outputs/some", "resume: a benchmark plays fresh networks"),
        ("out=taken/found", "out: taken/found: Not a directory"),
        (
            "loss=relativistic",
            "tutorials have no loop with loss.adversarial Relativistic; measure against=eager instead",
        ),
    ],
)
def test_bad_input_is_one_line(
    typed: str, said: str, gan_lab: Callable[..., int], here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (here / "taken").touch()
    assert gan_lab("bench", *QUICK, typed) == 2
    assert said in capfd.readouterr().err


def test_hardware_has_a_name() -> None:
    assert f"{torch.get_num_threads()} threads" in report.hardware(torch.device("cpu"))
