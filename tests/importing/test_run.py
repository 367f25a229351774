"""A run of a published file: it samples what the formulas make of the file's weights, and it can be trained on."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hydra import initialize_config_dir
from PIL import Image
from torch import Tensor
from torch.testing import assert_close

from gan_lab.command_line.presets import presets_give_way
from gan_lab.config import CONFIG_DIR
from gan_lab.importing.run import import_networks
from gan_lab.sampling.trained import load
from gan_lab.storage.checkpoint import load as load_checkpoint
from gan_lab.wrappers.build import build_network
from tests.conftest import TINY
from tests.importing import files, formulas

SIZES = [4, 8, 16]
CHANNELS = {4: 8, 8: 8, 16: 4}


def made(path: Path, **more: Any) -> tuple[dict[str, dict[str, Tensor]], Path]:
    """Three networks and the file that they are in."""
    torch.manual_seed(0)
    of_both = {key: more.pop(key) for key in ("classes", "architecture") if key in more}
    networks = {
        "G": files.generator(CHANNELS, **of_both),
        "D": files.discriminator({4: 6, 8: 6, 16: 3}, **{"architecture": "resnet", **of_both}),
        "G_ema": files.generator(CHANNELS, **of_both),
    }
    return networks, files.write(path, **networks, **more)


def doubles(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.double() for name, value in weights.items()}


def imported(path: Path, folder: Path) -> Path:
    with presets_give_way(), initialize_config_dir(str(CONFIG_DIR), version_base="1.3"):
        return import_networks(path, folder)


CASES = [("skip", 0), ("resnet", 0), ("orig", 3)]


@pytest.mark.parametrize(("architecture", "classes"), CASES)
def test_it_makes_and_scores_what_the_formulas_do(tmp_path: Path, architecture: str, classes: int) -> None:
    networks, path = made(tmp_path / "network.pkl", architecture=architecture, classes=classes)
    run = imported(path, tmp_path / "run")
    state = load_checkpoint(run / "checkpoints" / "last.pt")
    label = torch.arange(8) % classes if classes else None
    latent = torch.randn(8, 6, dtype=torch.float64)
    for weights, theirs in ((state["networks"]["generator"], "G"), (state["ema"]["generator"], "G_ema")):
        generator = build_network(state["config"], "generator").double().eval()
        generator.load_state_dict(weights)
        expected = formulas.images(doubles(networks[theirs]), latent, label, SIZES)
        assert_close(generator(latent, label), expected, rtol=1e-5, atol=1e-5, check_stride=False)
    discriminator = build_network(state["config"], "discriminator").double()
    discriminator.load_state_dict(state["networks"]["discriminator"])
    images = torch.randn(8, 3, 16, 16, dtype=torch.float64)
    expected = formulas.scores(doubles(networks["D"]), images, label, SIZES)
    assert_close(discriminator(images, label).scores, expected, rtol=1e-5, atol=1e-5)


def test_truncation_is_towards_the_stored_average(tmp_path: Path) -> None:
    networks, path = made(tmp_path / "network.pkl")
    trained = load(imported(path, tmp_path / "run"), device="cpu")
    latent = trained.sampler.codes(3, 5)
    expected = formulas.images(doubles(networks["G_ema"]), latent.double(), None, SIZES, psi=0.5)
    assert_close(trained.sample(3, seed=5, truncation=0.5), expected.clamp(-1, 1).float(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("protocol", [2, 3, 5])
def test_half_precision_strange_layouts_and_other_protocols(tmp_path: Path, protocol: int) -> None:
    torch.manual_seed(0)
    full = {name: value.half().float() for name, value in files.generator(CHANNELS).items()}
    stored = {
        name: value.half().to(memory_format=torch.channels_last) if value.dim() == 4 else value.half()
        for name, value in full.items()
    }
    path = files.write(tmp_path / "network.pkl", protocol, G_ema=stored)
    state = load_checkpoint(imported(path, tmp_path / "run") / "checkpoints" / "last.pt")
    kernel = state["ema"]["generator"]["synthesis.blocks.1.layer.conv.conv.weight"]
    assert kernel.dtype == torch.float32
    assert torch.equal(kernel, full["synthesis.b8.conv1.weight"])
    assert torch.equal(state["networks"]["generator"]["mapping.average"], full["mapping.w_avg"])


def test_settings(tmp_path: Path) -> None:
    kwargs = {"epilogue_kwargs": {"mbstd_group_size": 8}}
    weights = files.discriminator({4: 6, 8: 3}, 1, classes=3)
    networks = {
        "D": files.module("Discriminator", weights, **kwargs),
        "G_ema": files.module("Generator", files.generator({4: 7, 8: 7}, 1, z=4, w=9, depth=3, classes=3)),
    }
    path = tmp_path / "network.pkl"
    path.write_bytes(files.dumped(networks))
    config = load_checkpoint(imported(path, tmp_path / "run") / "checkpoints" / "last.pt")["config"]
    generator, discriminator = config["model"]["generator"], config["model"]["discriminator"]
    assert generator["image_shape"] == discriminator["image_shape"] == [1, 8, 8]
    assert (generator["latent_dim"], generator["style_dim"], generator["depth"], generator["width"]) == (4, 9, 3, 7)
    assert (discriminator["width"], discriminator["full"], discriminator["group"]) == (6, 4, 8)
    average = config["algorithm"]["ema"]
    assert average["half_life"] == average["schedule"]["half_life"]["end"] == 10_000
    assert config["overrides"][:2] == ["model=stylegan2_auto", "dataset=folder"]
    changed = [word.partition("=")[0] for word in config["overrides"]]
    assert "model.discriminator.width" in changed
    assert "model.generator.architecture" not in changed
    assert generator["num_classes"] == discriminator["num_classes"] == config["dataset"]["num_classes"] == 3


def pictures(folder: Path) -> str:
    folder.mkdir()
    random = np.random.default_rng(0)
    for index in range(8):
        Image.fromarray(random.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(folder / f"{index}.png")
    return f"dataset.path={folder}"


QUICK = (*TINY, "trainer.max_steps=2", "metrics=[]", "device=cpu")


def test_at_the_command_line(
    here: Path, gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    """Imported, sampled, and trained on with another loss, an augmentation and images of a folder."""
    made(here / "my net.pkl")
    assert gan_lab("import", "my net.pkl") == 0
    said = capsys.readouterr().out
    run = Path("outputs/imported/my_net")
    assert "read      my net.pkl: G_ema, G, D of [3, 16, 16]" in said
    assert f"gan-lab train resume={run} dataset.path=PICTURES" in said
    assert gan_lab("sample", f"run={run}", "n=2", "device=cpu", "out=made") == 0
    assert sorted(path.name for path in Path("made").iterdir()) == ["00000.png", "00001.png", "grid.png"]
    before = load_checkpoint(run / "checkpoints" / "last.pt")
    assert gan_lab("train", f"resume={run}", "device=cpu") == 2
    assert "dataset.path" in capsys.readouterr().err
    data = pictures(here / "pictures")
    words = ("loss=hinge", "+technique=[adaptive_augmentation]", *QUICK)
    assert gan_lab("train", f"resume={run}", data, *words) == 0
    after = load_checkpoint(run / "checkpoints" / "last.pt")
    assert (after["step"], after["images_seen"]) == (2, 8)
    assert "Hinge" in after["config"]["loss"]["adversarial"]["_target_"]
    for role in ("generator", "discriminator"):
        for name, value in before["networks"][role].items():
            moved = (after["networks"][role][name] - value).abs().max()
            assert moved <= 0.1, name  # from where it was, by a step or two
    assert gan_lab("train", f"resume={run}", "loss=non_saturating", "trainer.max_steps=4") == 2
    assert "would change the game of a run in progress" in capsys.readouterr().err
    assert gan_lab("import", "my net.pkl") == 2
    assert "already holds a run" in capsys.readouterr().err


def test_what_would_do_nothing_and_what_does_not_fit(
    here: Path, gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    made(here / "network.pkl")
    assert gan_lab("import", "network.pkl", "out=run") == 0
    data = pictures(here / "pictures")
    assert gan_lab("train", "resume=run", data, "initialise=network.pkl", *QUICK) == 2
    assert "initialise" in capsys.readouterr().err
    assert gan_lab("train", "resume=run", data, "model.generator.depth=3", *QUICK) == 1
    assert "does not fit this configuration's networks" in capsys.readouterr().err
    assert load_checkpoint(Path("run/checkpoints/last.pt"))["stream"] is None


def test_without_a_discriminator(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    torch.manual_seed(0)
    path = files.write(tmp_path / "network.pkl", G_ema=files.generator(CHANNELS))
    run = imported(path, tmp_path / "run")
    assert "the file has no discriminator" in caplog.text
    state = load_checkpoint(run / "checkpoints" / "last.pt")
    assert state["networks"]["discriminator"]["blocks.0.layer.conv.weight"].shape == (4, 4, 3, 3)


def wrong(name: str, value: Tensor | None, role: str = "G_ema") -> Callable[[dict[str, dict[str, Tensor]]], None]:
    def change(networks: dict[str, dict[str, Tensor]]) -> None:
        if value is None:
            del networks[role][name]
        else:
            networks[role][name] = value

    return change


NOT_FITTING = [
    (
        wrong("synthesis.b8.conv0.weight", torch.zeros(8, 9, 3, 3)),
        r"b8.conv0.weight makes .* of \[9, .* be \[8, 8, 3, 3\]",
    ),
    (wrong("synthesis.b8.conv0.affine.bias", None), r"no tensor for synthesis.blocks.1.up.conv.affine.bias"),
    (wrong("synthesis.b8.other", torch.zeros(2)), r"synthesis.b8.other has no place"),
    (
        wrong("b8.conv1.resample_filter", torch.eye(4), "D"),
        r"b8.conv1.resample_filter is not the filter \[1, 3, 3, 1\]",
    ),
    (wrong("b4.fc.weight", torch.zeros(8, 127), "D"), r"D: b4.fc.weight makes dense.weight of \[8, 127\].* \[8, 128\]"),
    (wrong("synthesis.b4.const", None), r"G_ema has no synthesis.b4.const, which a StyleGAN2 has"),
    (wrong("synthesis.b4.const", torch.zeros(8, 6, 6)), r"synthesis.b4.conv1.noise_const makes .* \[4, 4\].* \[6, 6\]"),
    (wrong("synthesis.b16.conv1.weight", torch.zeros(9, 4, 3, 3)), r"has \[8, 8, 9\] channels, which do not halve"),
    (wrong("synthesis.b64.conv1.weight", torch.zeros(5, 4, 3, 3)), r"for N = \[4, 8, 16, 64\]: no StyleGAN2"),
]


@pytest.mark.parametrize(("change", "said"), NOT_FITTING, ids=[said for _, said in NOT_FITTING])
def test_what_does_not_fit_is_one_line_and_makes_nothing(
    here: Path, gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str], change: Any, said: str
) -> None:
    torch.manual_seed(0)
    networks = {"G_ema": files.generator(CHANNELS), "D": files.discriminator(CHANNELS)}
    change(networks)
    files.write(here / "network.pkl", **networks)
    assert gan_lab("import", "network.pkl") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "network.pkl" in line
    assert re.search(said, line), line
    assert [path.name for path in here.iterdir()] == ["network.pkl"]
