"""What is built from a configuration: wrappers, and what is left to the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gan_lab.data.dataset import build_dataset
from gan_lab.data.tokens import tokenizer_of
from gan_lab.degradations.base import Degradation
from gan_lab.errors import ConfigError
from gan_lab.layers.critique import Critique
from gan_lab.models.mlp import Discriminator
from gan_lab.training import assemble as assembling
from gan_lab.training.assemble import assemble, fill_from_data, is_foreign
from gan_lab.wrappers.build import build_wrapped
from tests.compose import composed, tiny_run
from tests.conftest import TINY
from tests.data.conftest import encoded, noise, write_tree

NODE = {"_target_": "gan_lab.models.mlp.Discriminator", "image_shape": [1, 8, 8], "width": 4, "depth": 1}


class Several(nn.Module):
    """As many networks as asked for, each seeing `channels` channels."""

    def __init__(self, build: Any, count: int = 2, channels: int = 1) -> None:
        super().__init__()
        self.inside = nn.ModuleList(build(image_shape=[channels, 8, 8]) for _ in range(count))

    def forward(self, images: Tensor, label: Tensor | None = None) -> Critique:
        return Critique(sum(network(images, label).scores for network in self.inside))  # type: ignore[arg-type]


class Told(Several):
    """One that is told the shape of the images."""

    def __init__(self, build: Any, image_shape: list[int], **options: Any) -> None:
        super().__init__(build, **options)
        self.image_shape = image_shape


def wrapper(**options: Any) -> dict[str, Any]:
    return {"_target_": "tests.training.test_assemble.Several", "_partial_": True, **options}


def test_a_wrapper_builds_what_is_inside_as_it_needs_it() -> None:
    parts: dict[str, Any] = {}
    outer = build_wrapped(NODE, "model.discriminator", {"two": wrapper(count=2, channels=3)}, parts)
    first, second = outer.inside
    assert isinstance(first, Discriminator)
    assert first.layers[0].in_features == 3 * 64
    assert not first.layers[0].weight.equal(second.layers[0].weight)
    assert set(parts) == {"model.discriminator", "wrappers.discriminator.two"}
    assert parts["wrappers.discriminator.two"] is outer


def test_wrappers_nest_the_first_innermost() -> None:
    wrappers = {"two": wrapper(count=2), "none": None, "three": wrapper(count=3, channels=4)}
    outer = build_wrapped(NODE, "model.discriminator", wrappers, None)
    assert len(outer.inside) == 3
    assert all(len(middle.inside) == 2 for middle in outer.inside)


def test_a_change_reaches_what_is_between() -> None:
    """Two packs of three channels: whichever is named first, the network sees what it must."""
    wrappers = {"inner": wrapper(count=1, channels=5), "outer": wrapper(count=1, channels=3)}
    inner = {**wrappers["inner"], "image_shape": [1, 8, 8], "_target_": "tests.training.test_assemble.Told"}
    outer = build_wrapped(NODE, "model.discriminator", {"inner": inner, "outer": wrappers["outer"]}, None)
    assert outer.inside[0].image_shape == [3, 8, 8]


@pytest.mark.parametrize(
    ("node", "wrapped", "message"),
    [
        (
            {k: v for k, v in NODE.items() if k != "image_shape"},
            wrapper(),
            r"model.discriminator \(.*mlp.Discriminator\): has no image_shape, which a wrapper must change",
        ),
        (NODE, wrapper(colour=1), r"wrappers.discriminator.it \(tests.training.test_assemble.Several\): .*colour"),
        ({**NODE, "width": 0}, wrapper(), r"model.discriminator \(.*\): width and depth must be at least 1"),
    ],
)
def test_what_cannot_be_wrapped(node: dict[str, Any], wrapped: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{message}"):
        build_wrapped(node, "model.discriminator", {"it": wrapped}, None)


def test_what_is_left_to_the_data() -> None:
    config = composed("+model.generator.num_classes=null", "+model.discriminator.num_classes=5", "+wrappers.a.b=1")
    config["model"]["generator"]["image_shape"] = ["auto", 16, 16]
    fill_from_data(config, build_dataset(config["dataset"]))
    assert config["model"]["generator"]["num_classes"] == 10
    assert config["model"]["generator"]["image_shape"] == [1, 16, 16]
    assert config["model"]["discriminator"]["num_classes"] == 5
    assert config["classes"] == [str(digit) for digit in range(10)]


class Half(Degradation):
    """Every other row and column, in one channel."""

    def forward(self, images: Tensor) -> Tensor:
        return images[:, :1, ::2, ::2]

    def shape(self, image: tuple[int, int, int]) -> tuple[int, int, int]:
        return 1, image[1] // 2, image[2] // 2


def test_shapes_of_a_batch_are_told_to_whoever_sees_one() -> None:
    """What is cut out, and what is made of it, whatever the store has; a size of one's own stays."""
    given = ("dataset.crop=[8,12]", "augmentation=diffaugment", "+model.generator.input_shape=null")
    config = composed(*given)
    config["model"]["discriminator"]["image_shape"] = [1, 4, 4]
    fill_from_data(config, build_dataset(config["dataset"]), Half())
    assert config["model"]["generator"]["image_shape"] == [1, 8, 12]
    assert config["model"]["generator"]["input_shape"] == [1, 4, 6]
    assert config["augmentation"]["diffaugment"]["image_shape"] == [1, 8, 12]
    assert config["model"]["discriminator"]["image_shape"] == [1, 4, 4]
    assert config["dataset"]["image_shape"] == [1, 16, 16]
    told = r"^model\.generator\.input_shape: the data has no inputs; choose a degradation \(degradation=gray\) or a "
    config = composed(*given)
    with pytest.raises(ConfigError, match=told):
        fill_from_data(config, build_dataset(config["dataset"]))


def test_words_are_told_so_that_sampling_needs_no_data(tmp_path: Path) -> None:
    members = {f"{n}.png": encoded(noise(8, 8, seed=n)) for n in range(2)}
    path = write_tree(tmp_path / "x", {**members, "captions.csv": b"file,caption\n0,a red bird\n1,a bird\n"})
    asked = ("+model.generator.num_tokens=null", "+model.generator.caption_length=null")
    config = composed("dataset=captioned", f"dataset.path={path}", "dataset.tokenizer.length=5", *asked)
    dataset = build_dataset(config["dataset"])
    fill_from_data(config, dataset)
    assert config["words"] == ["a", "bird", "red"]
    assert (config["model"]["generator"]["num_tokens"], config["model"]["generator"]["caption_length"]) == (5, 5)
    tokenizer = tokenizer_of(config)
    assert tokenizer is not None
    assert dataset.store.captions is not None
    assert tokenizer.encode(["a red bird"]).tolist() == dataset.store.captions[0].tolist()
    again = build_dataset(config["dataset"])  # as a run that goes on has it: the same store
    assert again.folder == dataset.folder
    config = composed(*asked)
    fill_from_data(config, build_dataset(config["dataset"]))
    assert (config["model"]["generator"]["num_tokens"], config["model"]["generator"]["caption_length"]) == (0, 0)
    assert "words" not in config


def test_a_run_goes_on_where_its_images_have_gone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_tree(tmp_path / "x", {f"{n}.png": encoded(noise(8, 8, seed=n)) for n in range(8)})
    words = (*TINY, "model=gan_small", "dataset=folder", f"dataset.path={path}", "dataset.image_shape=[3,8,8]")
    run = assemble(composed(*words), tmp_path / "run")[0]
    run.play()
    state, store = run.state_dict(), run.store.folder
    path.rename(tmp_path / "y")
    again = assemble(composed(*words), tmp_path / "run", state)[0]
    assert (again.store.folder, again.step) == (store, 1)
    assert again.config["dataset"] == run.config["dataset"]
    assert f"the store of the same images is taken, {store}" in caplog.text
    with pytest.raises(ConfigError, match=r"does not exist"):
        assemble(composed(*words), tmp_path / "other")


def test_a_network_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match="model.generator: gan_lab.algorithms.latents.Normal made a Normal, not a torch.nn.Mod"
    ):
        tiny_run(tmp_path, "~model.generator", "+model.generator={_target_: gan_lab.algorithms.latents.Normal, dim: 4}")


@pytest.mark.parametrize(
    ("part", "target", "foreign"),
    [
        ("augmentation", "my_augmentations.Blur", True),
        ("loss", "torchmetrics.Loss", True),
        ("loss", "torch.nn.MSELoss", False),
        ("algorithm", "gan_lab.algorithms.unrolled.Unrolled", False),
        ("callbacks", "my_callbacks.Mine", False),  # takes no part in a round
    ],
)
def test_classes_of_others_are_noticed(part: str, target: str, foreign: bool) -> None:
    config = composed("model=dcgan")
    assert not is_foreign(config)
    config[part] = {"somewhere": [{"deep": {"_target_": target}}]}
    assert is_foreign(config) == foreign


@pytest.mark.parametrize(
    ("target", "capture", "checked"), [("", "auto", False), ("", "check", True), ("x", "auto", True)]
)
def test_replays_are_checked_where_they_may_differ(
    target: str, capture: str, checked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assembling, "is_foreign", lambda config: bool(target))
    run = tiny_run(tmp_path, "model=gan_small", f"engine.capture={capture}")
    assert run.rounds.check == checked


def test_memory_of_an_earlier_run_is_given_back_before_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How much of a card is free decides where the data lies."""
    order: list[str] = []
    real = assembling.build_dataset
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(assembling, "give_back", lambda run: order.append("give back"))
    monkeypatch.setattr(assembling, "build_dataset", lambda config: order.append("data") or real(config))
    tiny_run(tmp_path, "model=gan_small")
    assert order == ["give back", "data"]


def test_what_a_regularizer_chose_is_written_down(tmp_path: Path) -> None:
    """So that a run goes on with it, whatever is there by then."""
    config = composed(*TINY, "model=fastgan")
    distance = config["loss"]["regularizers"]["autoencoding"]["distance"]
    assert distance["weights"] == "auto"
    assemble(config, tmp_path)
    assert distance["weights"] == "random"
