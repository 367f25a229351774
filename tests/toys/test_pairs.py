"""A game of pairs at the command line: measured while it trains and afterwards, shown, examined, and what it is not
asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import gan_lab as package
from gan_lab.errors import ConfigError
from gan_lab.metrics.pairs import psnr
from gan_lab.pictures.grid import to_bytes
from gan_lab.pictures.panel import panel
from gan_lab.storage.files import read_json
from tests.compose import composed
from tests.toys.test_toys import TOYS, TRUST

MODULES = ["tests.toys.games", "tests.toys.networks"]
PAIRED = ("metrics=[paired,fid]", "extractor=pixels", "callbacks.metrics.every=2", "callbacks.metrics.n=70")


@pytest.fixture
def run(trained: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> Path:
    words = ("model=toy_translation", *PAIRED, "objective=psnr", "trainer.max_steps=4")
    folder = trained("run", f"--config-dir={TOYS}", *words)
    capsys.readouterr()
    return folder


def figures(run: Path) -> dict[str, Any]:
    found = read_json(run / "summary.json")["metrics"]
    assert isinstance(found, dict)
    return found


def test_measured_in_the_loop(run: Path) -> None:
    """By the data's own pairs, where it has no other split; the objective is a figure of pairs, and more is better."""
    names = {"psnr/gray-70", "ssim/gray-70", "fid/pixels-area8-70"}
    assert set(figures(run)) == names
    card = figures(run)["psnr/gray-70"]["card"]
    assert (card["inputs"]["split"], card["inputs"]["degradation"]["_target_"]) == (
        "train",
        "tests.toys.networks.Darker",
    )
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    logged = {line["step"]: line["psnr/gray-70"] for line in lines if "psnr/gray-70" in line}
    assert set(logged) == {2, 4}
    assert read_json(run / "summary.json")["best"]["value"] == max(logged.values())


def test_evaluated_afterwards(run: Path, gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    """The verb finds what the loop has found, and for all pairs what the function says of them."""
    before = figures(run)
    take = ("metrics=[paired,fid]", "extractor=pixels", "device=cpu", TRUST)
    assert gan_lab("evaluate", f"run={run}", "n=70", *take) == 0
    for name, figure in before.items():
        assert figures(run)[name]["value"] == pytest.approx(figure["value"], rel=1e-6)
        assert figures(run)[name]["card"]["inputs"] == figure["card"]["inputs"]
    assert gan_lab("evaluate", f"run={run}", "n=5000", *take) == 0
    assert "images are made from the 1797 samples of the split train" in capsys.readouterr().out
    from gan_lab.data.dataset import build_dataset

    store = build_dataset(composed("dataset=digits")["dataset"]).store
    targets = store.read(np.arange(len(store)))
    made = package.load(run, trust=MODULES).sample(len(targets), input=(targets - 1) / 2)
    expected = psnr(to_bytes(made), to_bytes(targets), 255).mean()
    assert figures(run)["psnr/gray-1797"]["value"] == pytest.approx(float(expected), rel=1e-6)


def test_what_is_asked_for_and_not_there(
    run: Path, gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    take = ("extractor=pixels", "device=cpu", TRUST)
    assert gan_lab("evaluate", f"run={run}", "metrics=paired", "inputs=test", *take) == 2
    assert capsys.readouterr().err.startswith("gan-lab evaluate: inputs: ")
    assert gan_lab("evaluate", f"run={run}", "metrics=[cas,psnr]", "n=50", *take) == 0
    assert "cas is not taken: the generator takes no labels" in capsys.readouterr().out


def test_a_game_from_noise_has_no_pairs(
    trained: Callable[..., Path], gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """In the loop it is a line, alone at the command line an error."""
    plain = trained("plain", "model=gan_small", *PAIRED, "trainer.max_steps=2")
    assert set(figures(plain)) == {"fid/pixels-area8-70"}
    assert "psnr is not taken: the generator takes no input" in capsys.readouterr().out
    assert gan_lab("evaluate", f"run={plain}", "metrics=paired", "extractor=pixels") == 2
    said = "".join(capsys.readouterr())
    assert "ssim is not taken: the generator takes no input, so no image answers another" in said
    assert "none of them can be taken" in said


def test_the_grids_are_its_panels(run: Path) -> None:
    """Input, made and target of samples of the data; the real images beside their inputs."""
    from gan_lab.data.dataset import build_dataset

    store = build_dataset(composed("dataset=digits")["dataset"]).store
    targets = store.read(torch.linspace(0, len(store) - 1, 64).long().numpy())
    darker = (targets - 1) / 2
    made = package.load(run, trust=MODULES).sample(64, input=darker)
    for file, columns in (
        ("step-00000004.png", {"input": darker, "made": made, "target": targets}),
        ("real.png", {"input": darker, "image": targets}),
    ):
        with Image.open(run / "samples" / file) as picture:
            assert np.array_equal(np.asarray(picture), panel(columns).permute(1, 2, 0).numpy()), file


def test_sample_has_no_inputs_to_give(
    run: Path, gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert gan_lab("sample", f"run={run}", "n=3", TRUST) == 2
    told = capsys.readouterr().err
    assert told.startswith(
        "gan-lab sample: input: missing; this generator makes each image from another: gan-lab translate run=RUN"
    )
    assert told.count("\n") == 1
    with pytest.raises(ConfigError, match="^input: 2 of them for n=3 images"):
        package.load(run, trust=MODULES).sample(3, input=torch.zeros(2, 1, 16, 16))


def test_doctor_looks_at_what_it_makes_of_the_data(
    run: Path, gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert gan_lab("doctor", f"run={run}", TRUST) == 0
    samples = next(line for line in capsys.readouterr().out.splitlines() if " samples " in line)
    assert samples.startswith("ok   samples    averaged generator: ")
