from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import torch
import yaml
from omegaconf import OmegaConf
from torch import Tensor

from gan_lab.config import CONFIG_DIR, build
from gan_lab.data.card import IMAGES
from gan_lab.data.dataset import Dataset, build_dataset
from gan_lab.data.sources.digits import Digits
from gan_lab.data.sources.source import Source
from gan_lab.data.sources.torchvision import Torchvision
from gan_lab.data.store import StoreError
from gan_lab.data.stream import Stream
from gan_lab.degradations.base import Degradation
from gan_lab.engine.engine import Engine
from gan_lab.errors import ConfigError, GanLabError
from tests.compose import composed
from tests.conftest import equal

from .conftest import CIFAR_CLASSES, Array, cifar_like, encoded, mnist_like, noise, write_tree, write_zip

READY_MADE: dict[str, tuple[list[int | str], int | None]] = {
    "digits": ([1, 16, 16], 10),
    "mnist": ([1, 28, 28], 10),
    "fashion_mnist": ([1, 28, 28], 10),
    "kmnist": ([1, 28, 28], 10),
    "cifar10": ([3, 32, 32], 10),
    "cifar100": ([3, 32, 32], 100),
    "svhn": ([3, 32, 32], 10),
    "stl10": ([3, 96, 96], 10),
    "celeba": ([3, 64, 64], None),
    "lsun": ([3, 64, 64], None),
    "imagenet": ([3, 64, 64], 1000),
    "huggingface": (["auto", 64, 64], None),
    "stacked_digits": ([3, 16, 16], 1000),
    "stacked_mnist": ([3, 28, 28], 1000),
    "coloured_shapes": ([3, 32, 32], 12),
    "attributed_shapes": ([3, 16, 16], None),
    "ring": ([2, 1, 1], 8),
    "grid": ([2, 1, 1], 25),
}
OF_A_PATH = ("folder", "arrays", "parquet", "shards")
JOINED = {"paired": 256, "unpaired": 256, "captioned": 64}  # images with inputs or captions, and their side
CONFIGS = (
    READY_MADE
    | {name: (["auto", 64, 64], None) for name in OF_A_PATH}
    | {name: (["auto", side, side], None) for name, side in JOINED.items()}
    | {"facades": ([3, 256, 256], None)}
)
POINTS = ("ring", "grid")
DRAWN = (*POINTS, "coloured_shapes", "attributed_shapes")


def read(config: str) -> Any:
    """The file of a data set, over the one whose form it has, if any."""
    node: Any = OmegaConf.load(CONFIG_DIR / "dataset" / f"{config}.yaml")
    base = node.pop("defaults", ["_self_"])[0]
    return node if base == "_self_" else OmegaConf.merge(OmegaConf.load(CONFIG_DIR / "dataset" / f"{base}.yaml"), node)


def configured(config: str, /, **changes: Any) -> Dataset:
    """The dataset of `configs/dataset/CONFIG.yaml`, with keys replaced."""
    tree = OmegaConf.merge({"dataset": read(config)}, {"dataset": changes})
    built: Dataset = build(tree["dataset"], "dataset")
    return built


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: object, **given: Any) -> None:
        raise URLError("Name or service not known")

    for name in ("MNIST", "FashionMNIST", "KMNIST", "CIFAR10", "CIFAR100", "SVHN", "STL10", "CelebA"):
        monkeypatch.setattr(f"torchvision.datasets.{name}", type(name, (), {"__init__": fail}))


def test_every_config_has_the_common_keys() -> None:
    files = sorted((CONFIG_DIR / "dataset").glob("*.yaml"))
    assert {path.stem for path in files} == {*CONFIGS}
    for path in files:
        node = read(path.stem)
        assert {
            "name",
            "path",
            "image_shape",
            "num_classes",
            "fit",
            "flip",
            "crop",
            "turn",
            "balance",
            "patch",
        } <= node.keys()
        assert (node.flip, node.crop, node.turn, node.balance, node.patch) == (False, None, False, None, None)
        assert path.stem in DRAWN or "labels" in node
        assert node.name == path.stem
        assert path.read_text().startswith("# ")


@pytest.mark.parametrize("name", CONFIGS)
def test_building_touches_nothing(name: str, root: Path) -> None:
    dataset = configured(name)
    assert (list(dataset.image_shape), dataset.num_classes) == CONFIGS[name]
    assert dataset.ready_made is (name not in (*OF_A_PATH, *JOINED, "facades"))
    assert (dataset.picture is not None) is (name in POINTS)
    assert not root.exists()


def test_digits_open(root: Path) -> None:
    dataset = configured("digits")
    store = dataset.open()
    assert store.folder == dataset.folder
    assert store.folder.parent == root
    assert store.folder.name.startswith("digits-16x16x1-")
    assert (len(store), store.shape, store.num_classes) == (1797, (1, 16, 16), 10)
    before = (store.folder / IMAGES).stat().st_mtime_ns
    assert configured("digits").open().sha256 == store.sha256
    assert (store.folder / IMAGES).stat().st_mtime_ns == before


def test_digits_in_another_shape_is_another_store() -> None:
    native = configured("digits", image_shape=[1, 8, 8]).open()
    np.testing.assert_array_equal(native.images, np.stack([image for _, image, _ in Digits()]))
    colour = configured("digits", image_shape=[3, 8, 8]).open()
    np.testing.assert_array_equal(colour.images, np.repeat(native.images, 3, axis=1))
    folders = {configured("digits", **change).folder for change in ({}, {"image_shape": [1, 8, 8]}, {"fit": "pad"})}
    assert len(folders) == 3


@pytest.mark.parametrize(("name", "members"), [("cifar10", cifar_like()), ("mnist", mnist_like())])
@pytest.mark.parametrize("kind", ["zip", "tree"])
@pytest.mark.usefixtures("offline")
def test_packed_from_a_copy_it_is_found_verbatim(
    name: str, members: dict[str, bytes], kind: str, tmp_path: Path
) -> None:
    write = write_zip if kind == "zip" else write_tree
    packed = configured(name).pack(write(tmp_path / "copy.zip", members))
    found = configured(name).open()
    assert found.folder == packed.folder
    assert found.classes == (list(CIFAR_CLASSES) if name == "cifar10" else [str(digit) for digit in range(10)])
    mode = "RGB" if name == "cifar10" else "L"
    side = found.shape[1]
    for index in range(20):
        expected = np.asarray(noise(side, side, mode, seed=100 * (index // 2) + index % 2))
        np.testing.assert_array_equal(found.images[index], expected.reshape(side, side, -1).transpose(2, 0, 1))


@pytest.mark.usefixtures("offline")
def test_path_means_the_same_as_from(tmp_path: Path) -> None:
    copy = write_zip(tmp_path / "copy.zip", cifar_like())
    store = configured("cifar10", path=str(copy)).open()
    assert configured("cifar10").open().sha256 == store.sha256
    assert configured("cifar10", path=str(copy)).open().sha256 == store.sha256


@pytest.mark.usefixtures("offline")
def test_another_path_is_not_silently_ignored(tmp_path: Path) -> None:
    configured("cifar10").pack(write_zip(tmp_path / "one.zip", cifar_like()))
    other = write_zip(tmp_path / "two.zip", cifar_like(3))
    with pytest.raises(ConfigError, match=rf"dataset\.path: cifar10 is packed already, .*from={other} force=true$"):
        configured("cifar10", path=str(other)).open()
    with pytest.raises(ConfigError, match=r"^from: cifar10 is packed already"):
        configured("cifar10").pack(other)
    assert len(configured("cifar10").pack(other, force=True)) == 30
    assert len(configured("cifar10").open()) == 30


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "kmnist", "cifar10", "cifar100", "svhn", "stl10", "celeba"])
def test_no_network_and_no_store_says_the_two_ways_out(name: str, root: Path) -> None:
    dataset = configured(name)
    with pytest.raises(GanLabError) as caught:
        dataset.open()
    assert caught.value.exit_code == 1
    shape = f"[{','.join(map(str, dataset.image_shape))}]"
    assert str(caught.value) == (
        f"{name} could not be downloaded (Name or service not known): either `gan-lab data pack dataset={name} "
        f"'dataset.image_shape={shape}' from=FOLDER_OR_ZIP` here, or pack it on a machine with a network and copy "
        f"the store to {dataset.folder} (or set GAN_LAB_DATA)"
    )
    assert not dataset.folder.exists()


@pytest.mark.usefixtures("offline")
def test_the_way_out_names_what_a_model_has_prescribed(tmp_path: Path) -> None:
    """What is typed makes the very store that is missing."""
    settings = {"image_shape": [3, 16, 16], "fit": "stretch", "classes": [1, 0], "held_out": 0.25}
    dataset = configured("cifar10", **settings)
    with pytest.raises(GanLabError) as caught:
        dataset.open()
    command = str(caught.value).split("`")[1]
    typed = dict(each.removeprefix("dataset.").split("=") for each in shlex.split(command)[3:])
    assert typed.pop("dataset") == "cifar10"
    assert typed.pop("from") == "FOLDER_OR_ZIP"
    again = configured("cifar10", **{key: yaml.safe_load(value) for key, value in typed.items()})
    assert again.pack(write_zip(tmp_path / "copy.zip", cifar_like())).folder == dataset.folder


@pytest.mark.usefixtures("offline")
def test_a_store_copied_from_another_machine_is_found(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = write_zip(tmp_path / "copy.zip", cifar_like())
    there = configured("cifar10").pack(copy)
    monkeypatch.setenv("GAN_LAB_DATA", str(tmp_path / "elsewhere"))
    (tmp_path / "elsewhere").mkdir()
    there.folder.rename(configured("cifar10").folder)
    assert configured("cifar10").open().sha256 == there.sha256


def test_folder_repacks_when_the_images_change(tmp_path: Path) -> None:
    path = write_tree(
        tmp_path / "mine", {f"{name}/{i}.png": encoded(noise(20, 30, seed=i)) for name in "ab" for i in (0, 1)}
    )
    first = configured("folder", path=str(path), image_shape=[3, 8, 8]).open()
    assert (len(first), first.classes) == (4, ["a", "b"])
    assert configured("folder", path=str(path), image_shape=[3, 8, 8]).open().folder == first.folder
    write_tree(path, {"b/2.png": encoded(noise(20, 30, seed=2))})
    second = configured("folder", path=str(path), image_shape=[3, 8, 8]).open()
    assert second.folder != first.folder
    assert len(second) == 5


def test_mixed_sizes_and_kinds_in_one_folder(tmp_path: Path) -> None:
    members = {
        "tall.png": encoded(noise(10, 40)),
        "wide.jpg": encoded(noise(50, 20), "JPEG"),
        "gray.png": encoded(noise(9, 9, "L")),
        "clear.png": encoded(noise(12, 12).convert("RGBA")),
        "cmyk.jpg": encoded(noise(12, 12).convert("CMYK"), "JPEG"),
    }
    path = write_tree(tmp_path / "mine", members)
    for how in ("crop", "pad", "stretch"):
        store = configured("folder", path=str(path), image_shape=[3, 8, 12], fit=how).open()
        assert store.images.shape == (5, 3, 8, 12)
        assert store.labels is None


def test_one_corrupt_image_packs_nothing(tmp_path: Path, root: Path) -> None:
    path = write_tree(tmp_path / "mine", {"a.png": encoded(noise(9, 9)), "b.png": b"\x89PNG\r\n\x1a\nno"})
    with pytest.raises(GanLabError, match=r"1 of 2 files cannot be read as images \(b\.png: "):
        configured("folder", path=str(path)).open()
    assert list(root.iterdir()) == []


def test_a_damaged_store_says_to_repack_and_force_does() -> None:
    dataset = Dataset("array", [3, 4, 4], Array(10))
    (dataset.open().folder / IMAGES).write_bytes(b"")
    with pytest.raises(StoreError, match=r"gan-lab data pack dataset=array \.\.\. force=true"):
        dataset.open()
    dataset.pack(force=True).verify()


def test_classes_must_agree_where_both_are_known(tmp_path: Path) -> None:
    assert Dataset("array", [3, 4, 4], Array(10), num_classes=3).open().num_classes == 3
    with pytest.raises(ConfigError, match=r"^dataset\.num_classes=7: array has 3 classes \(a, b, c\)"):
        Dataset("array", [3, 4, 4], Array(10), num_classes=7).open()
    flat = write_tree(tmp_path / "flat", {"a.png": encoded(noise(4, 4))})
    assert Dataset("flat", [3, 4, 4], num_classes=7, path=str(flat)).open().num_classes is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"flip": 1}, "dataset.flip=1: true or false"),
        ({"turn": "left"}, "dataset.turn=left: true or false"),
        ({"crop": 8}, "dataset.crop=8: [height, width] in pixels of the image"),
        ({"crop": [8]}, "dataset.crop=[8]: "),
        ({"crop": [8, 0]}, "dataset.crop=[8, 0]: "),
        ({"crop": [8, 8.0]}, "dataset.crop=[8, 8.0]: "),
        ({"patch": 8}, "dataset.patch=8: the size of a square and the stride to the next, from 1 to size"),
        ({"patch": {"size": 8, "stride": 9}}, "dataset.patch={'size': 8, 'stride': 9}: "),
        ({"patch": {"stride": 8}}, "dataset.patch={'stride': 8}: "),
        ({"patch": {"size": 8, "step": 8}}, "dataset.patch={'size': 8, 'step': 8}: "),
        ({"patch": {"size": 8.0}}, "dataset.patch={'size': 8.0}: "),
        (
            {"patch": {"size": 8, "stride": 3}, "input_shape": [1, 4, 4]},
            "dataset.patch.stride=3: must be a multiple of 2, as inputs are smaller",
        ),
        (
            {"patch": {"size": 8}, "input_shape": [1, 3, 3]},
            "dataset.input_shape=[1, 3, 3]: the part of a patch of 8 must be a square, smaller or larger by a",
        ),
        ({"input_shape": [2, 8, 8]}, "dataset.input_shape=[2, 8, 8]: [channels, height, width]"),
        ({"input_shape": ["auto", 8, 8]}, "dataset.input_shape=['auto', 8, 8]: "),
        ({"channels": 2}, "dataset.channels=2: 1 (gray), 3 (colour) or auto"),
        ({"channels": True}, "dataset.channels=True: "),
        ({"channels": 3}, "dataset.channels=3: dataset.image_shape=[1, 16, 16] has 1; give one"),
        ({"image_shape": ["auto", 8]}, "dataset.image_shape=['auto', 8]:"),
        ({"image_shape": ["auto", "auto", 8]}, "dataset.image_shape=['auto', 'auto', 8]:"),
        ({"image_shape": [True, 8, 8]}, "dataset.image_shape=[True, 8, 8]:"),
        ({"image_shape": [1.0, 8, 8]}, "dataset.image_shape=[1.0, 8, 8]:"),
        ({"image_shape": [3, 64]}, "dataset.image_shape=[3, 64]:"),
        ({"image_shape": [2, 8, 8]}, "dataset.image_shape=[2, 8, 8]:"),
        ({"image_shape": [3, 8, 0]}, "dataset.image_shape=[3, 8, 0]:"),
        ({"image_shape": [3, 8, 8.0]}, "dataset.image_shape=[3, 8, 8.0]:"),
        ({"image_shape": 64}, "dataset.image_shape=64:"),
        ({"fit": "fill"}, "dataset.fit=fill: choose crop, pad, stretch"),
        ({"num_classes": 0}, "dataset.num_classes=0:"),
        ({"num_classes": True}, "dataset.num_classes=True:"),
        ({"name": "../x"}, "dataset.name=../x:"),
        ({"nmae": "x"}, "dataset (gan_lab.data.dataset.Dataset): "),
    ],
)
def test_wrong_settings_name_their_key(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        configured("digits", **changes)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_folder_needs_a_path_that_exists(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^dataset\.path: say where the images are: dataset=folder dataset\.path="):
        configured("folder").open()
    with pytest.raises(ConfigError, match=r"^dataset\.path: .*/nowhere does not exist$"):
        configured("folder", path=str(tmp_path / "nowhere")).open()
    with pytest.raises(ConfigError, match=r"^from: .*/nowhere does not exist$"):
        configured("digits").pack(tmp_path / "nowhere")


def test_from_is_the_path_of_a_dataset_without_a_source(tmp_path: Path) -> None:
    one, two = (write_zip(tmp_path / f"{n}.zip", {f"{i}.png": encoded(noise(8, 8)) for i in range(n)}) for n in (1, 2))
    assert len(configured("folder", path=str(one)).open()) == 1
    assert len(configured("folder", path=str(one)).pack(two)) == 2
    assert len(configured("folder").pack(two)) == 2
    assert len(configured("folder", path=str(one)).open()) == 1
    assert len(configured("folder", path=str(two)).open()) == 2


def test_the_source_is_part_of_the_key() -> None:
    sources: list[Source] = [Torchvision("MNIST"), Torchvision("MNIST", "test"), Torchvision("FashionMNIST")]
    assert len({Dataset("x", [1, 28, 28], source).folder for source in sources}) == 3
    assert configured("mnist").folder != configured("mnist", split="test").folder


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("name", [name for name in READY_MADE if name not in (*DRAWN, "huggingface")])
def test_a_folder_can_stand_in_for_every_dataset(name: str, tmp_path: Path) -> None:
    count = 10 if name.startswith("stacked") else READY_MADE[name][1] or 2
    members = {f"{label:03d}/{i}.png": encoded(noise(9, 9, "L", label)) for label in range(count) for i in (0, 1)}
    changes = {"source": {"count": 50}} if name.startswith("stacked") else {}
    dataset = configured(name, path=str(write_tree(tmp_path / "mine", members)), **changes)
    store = dataset.open()
    assert [*store.shape] == READY_MADE[name][0]
    assert store.num_classes == (READY_MADE[name][1] or 2)
    assert len(store) == (50 if name.startswith("stacked") else 2 * count)


@pytest.mark.parametrize(("name", "modes"), [("ring", 8), ("grid", 25)])
def test_points_open_as_floats(name: str, modes: int) -> None:
    dataset = configured(name, source={"count": 200})
    store = dataset.open()
    assert (store.dtype, store.shape, store.num_classes, len(store)) == ("float32", (2, 1, 1), modes, 200)
    assert dataset.picture is not None
    assert dataset.picture(store.read(range(200))).shape == (3, 512, 512)
    assert configured(name, source={"count": 200, "std": 0.02}).folder != dataset.folder
    assert dataset.picture.mixture.identity == dataset.source.identity  # type: ignore[union-attr,attr-defined]
    with pytest.raises(
        ConfigError, match=r"^dataset\.image_shape=\[3, 1, 1\]: this dataset has \[2, 1, 1\] and no oth"
    ):
        configured(name, image_shape=[3, 1, 1])


def test_points_are_not_cut() -> None:
    with pytest.raises(ConfigError, match=r"^dataset\.patch=.*: ring has no pictures to cut; leave it null$"):
        configured("ring", patch={"size": 1})


def test_points_are_not_read_from_a_path(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^dataset\.path: these points are drawn, not read"):
        configured("ring", path=str(tmp_path)).open()


def test_as_many_modes_as_the_user_says() -> None:
    store = configured("ring", source={"modes": 5, "count": 100}).open()
    assert (store.num_classes, store.card["source"]) == (5, "5 Gaussians on a ring of radius 1, std 0.01, seed 0")


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_auto_channels_are_those_of_the_images(mode: str, tmp_path: Path) -> None:
    path = write_tree(tmp_path / "mine", {f"{i}.png": encoded(noise(9, 9, mode, i)) for i in range(3)})
    count = {"L": 1, "RGB": 3}[mode]
    auto = configured("folder", path=str(path), image_shape=["auto", 8, 8])
    assert auto.image_shape == ("auto", 8, 8)
    store = auto.open()
    assert store.shape == (count, 8, 8)
    assert auto.folder == store.folder
    assert configured("folder", path=str(path), image_shape=[count, 8, 8]).folder == store.folder
    assert (
        configured("folder", path=str(path), channels=count, image_shape=["${..channels}", 8, 8]).folder == auto.folder
    )
    other = configured("folder", path=str(path), image_shape=[4 - count, 8, 8]).open()
    assert other.shape == (4 - count, 8, 8)
    again = configured("folder", path=str(path), image_shape=["auto", 8, 8])
    assert again.open().folder == store.folder


def test_auto_channels_are_looked_up_once_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_tree(tmp_path / "mine", {"a.png": encoded(noise(9, 9, "L"))})
    colour = configured("folder", path=str(path), image_shape=[3, 8, 8]).open()

    def look(self: object) -> int:
        raise AssertionError("the store knows")

    monkeypatch.setattr("gan_lab.data.sources.folder.Folder.channels", property(look))
    auto = configured("folder", path=str(path), image_shape=["auto", 8, 8])
    assert auto.open().shape == (1, 8, 8)
    assert colour.shape == (3, 8, 8)


@pytest.mark.usefixtures("offline")
def test_auto_channels_of_a_download(tmp_path: Path) -> None:
    with pytest.raises(GanLabError, match=r"^cifar10 could not be downloaded \(Name or service not known\): either "):
        configured("cifar10", image_shape=["auto", 32, 32]).open()
    copy = write_zip(tmp_path / "copy.zip", cifar_like())
    assert configured("cifar10", image_shape=["auto", 32, 32]).pack(copy).shape == (3, 32, 32)
    assert configured("cifar10", image_shape=["auto", 32, 32]).open().shape == (3, 32, 32)


@pytest.mark.parametrize(
    ("typed", "shape"),
    [
        ([], ["auto", 64, 64]),
        (["dataset.channels=3"], [3, 64, 64]),
        (["dataset.channels=1"], [1, 64, 64]),
        (["dataset.image_shape=[3,96,80]"], [3, 96, 80]),
        (["dataset.image_shape=[auto,96,80]"], ["auto", 96, 80]),
    ],
)
@pytest.mark.parametrize("name", [*OF_A_PATH, "huggingface"])
def test_channels_and_shape_as_typed(name: str, typed: list[str], shape: list[int | str]) -> None:
    config = composed(f"dataset={name}", *typed)["dataset"]
    assert config["image_shape"] == shape
    assert list(build(config, "dataset").image_shape) == shape


@pytest.mark.parametrize("how", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("shape", [[3, 96, 80], [1, 7, 33]])
def test_any_height_and_width(how: str, shape: list[int]) -> None:
    assert [
        *configured("cifar10", source={"_target_": f"{__name__}.Few"}, image_shape=shape, fit=how).open().shape
    ] == shape


class Few(Array):
    """Three random images of another shape, for `configured`."""

    def __init__(self, **given: Any) -> None:
        super().__init__(3, (3, 20, 30))
        self.classes = [str(label) for label in range(10)]


def test_an_array_file_opens(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 8), np.uint8)
    np.savez(tmp_path / "a.npz", x=images, y=[0, 1, 1, 0, 1])
    path = str(tmp_path / "a.npz")
    store = configured("arrays", path=path, image_shape=["auto", 8, 8]).open()
    np.testing.assert_array_equal(store.images[:, 0], images)
    assert store.num_classes == 2
    unlabelled = configured("arrays", path=path, image_shape=["auto", 8, 8], labels="none").open()
    assert unlabelled.num_classes is None
    assert unlabelled.folder != store.folder
    assert len(configured("arrays", image_shape=["auto", 8, 8]).pack(path)) == 5
    with pytest.raises(
        ConfigError, match=r"^dataset\.path: say where the images are: dataset=arrays dataset\.path=FILE$"
    ):
        configured("arrays").open()
    with pytest.raises(ConfigError, match=r"^dataset\.reader: .*unexpected keyword argument 'max_corrupt'"):
        configured("arrays", path=path, max_corrupt=1).open()


def test_labels_and_corrupt_files_of_a_folder(tmp_path: Path) -> None:
    members = {f"{name}/{i}.png": encoded(noise(8, 8, seed=i)) for name in "ab" for i in (0, 1)}
    path = write_tree(tmp_path / "mine", {**members, "a/2.png": b"damaged"})
    store = configured("folder", path=str(path), image_shape=[3, 8, 8], max_corrupt=1).open()
    assert (len(store), store.num_classes) == (4, 2)
    plain = configured("folder", path=str(path), image_shape=[3, 8, 8], max_corrupt=1, labels="none").open()
    assert (len(plain), plain.num_classes) == (4, None)


def test_what_streams_do_changes_no_store() -> None:
    assert configured("digits", flip=True, crop=[8, 8], turn=True).folder == configured("digits").folder


def test_a_dataset_makes_its_stream() -> None:
    """As it says: what is cut, mirrored and turned, where and as the engine has it."""
    engine = Engine(device="cpu", precision="fp32", channels_last=False)
    shown: dict[str, Any] = {"flip": True, "crop": [8, 12], "turn": False, "balance": "uniform"}
    dataset = build_dataset({**composed("dataset=digits")["dataset"], **shown})
    ours = dataset.stream(engine, 6, 3)
    expected = Stream(dataset.store, 6, 3, channels_last=False, flip=True, crop=(8, 12), balance="uniform")
    for _ in range(3):
        assert torch.equal(ours.next().image, expected.next().image)
    assert dataset.batch_shapes() == ((1, 8, 12), None)
    assert not ours.channels_last
    batch = dataset.stream(engine, 6, 3, Identity()).next()
    assert torch.equal(batch.image, batch.input)  # type: ignore[arg-type]
    assert dataset.batch_shapes(Identity()) == ((1, 8, 12), (1, 8, 12))


def test_samples_are_those_of_its_stream() -> None:
    """Of a part of each image, with the input that is made of that part; nothing is copied into memory."""
    dataset = build_dataset({**composed("dataset=digits")["dataset"], "crop": [8, 12]})
    engine = Engine(device="cpu", precision="fp32", channels_last=False)
    samples, stream = dataset.samples(Identity()), dataset.stream(engine, 6, 3, Identity())
    assert (samples.resident, stream.resident) == (False, True)
    for one, two in zip(samples.peek(5), stream.peek(5), strict=True):
        assert equal(one, two)
    assert samples.peek(5).image.shape == (5, 1, 8, 12)


class Identity(Degradation):
    def forward(self, images: Tensor) -> Tensor:
        return images


def test_a_dataset_of_the_hub_must_be_named() -> None:
    with pytest.raises(ConfigError, match=r"^dataset\.source\.path: say which"):
        configured("huggingface").open()
