"""Every YAML of the control panel composes, builds, and plays a round."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from PIL import Image

from gan_lab.command_line.verbs import VERBS
from gan_lab.config import CONFIG_DIR, build, check_targets
from gan_lab.errors import ConfigError
from tests.compose import choices, composed, tiny_run, unpaired_regularizers, yaml_of
from tests.conftest import in_part, whole
from tests.data.shards.conftest import write_tar
from tests.text.test_clip import weights as clip_weights

PRIMARY = {f"{verb}.yaml" for verb in VERBS}
SPACES = ("space/",)  # of gan-lab tune; tested with it
FILES = sorted(str(path.relative_to(CONFIG_DIR)) for path in CONFIG_DIR.rglob("*.yaml"))
COMPONENTS = [name for name in FILES if name not in PRIMARY and not name.startswith(("hydra/", *SPACES))]

ELSEWHERE = (
    "model/",
    "loss/",
    "technique/",
    "augmentation/",
    "degradation/",
)  # test_matrix and test_capturable play them
OF_MODELS = [f"experiment/{name}.yaml" for name in choices("model")]  # theirs is the model's round
ONLY_HERE = [name for name in COMPONENTS if not name.startswith(ELSEWHERE) and name not in OF_MODELS]


def comment_of(model: str) -> str:
    """What stands above a model's settings, as one line."""
    lines = yaml_of(f"model/{model}").partition("defaults:")[0].splitlines()
    return " ".join(line.lstrip("# ") for line in lines)


def override(file: str) -> str:
    """`loss/regularizers/r1.yaml` -> `loss/regularizers=[r1]`; groups of one choice have no brackets."""
    group, _, name = file.removesuffix(".yaml").rpartition("/")
    if group == "technique":
        return f"+technique=[{name}]"
    listed = group in ("loss/regularizers", "loss/constraints", "metrics")
    return f"{group}=[{name}]" if listed else f"{group}={name}"


# What a choice needs beside itself.
WITH = {
    "technique/label_smoothing.yaml": ["model=dcgan"],  # a loss with targets
    "technique/activation_checkpointing.yaml": ["model=wgan_gp_resnet"],  # blocks
    "model/points.yaml": ["dataset=ring"],  # a plane
    "algorithm/style.yaml": ["model=stylegan2"],
    "algorithm/growing.yaml": ["model=progressive"],
    "algorithm/growing_styles.yaml": ["model=stylegan"],
    "loss/regularizers/path_length_style.yaml": ["model=stylegan2"],
    "loss/regularizers/autoencoding.yaml": ["model=fastgan"],
    "algorithm/pyramid.yaml": ["model=lapgan"],
    "algorithm/translation.yaml": ["model=pix2pix"],
    "algorithm/text_to_image.yaml": ["model=gan_cls"],
    "text_encoder/bag_of_words.yaml": ["model=gan_cls"],
    "text_encoder/clip.yaml": ["model=gan_cls"],
    "text_encoder/hashed_ngrams.yaml": ["model=gan_cls"],
    "text_encoder/transformer.yaml": ["model=gan_cls"],
    "metrics/attribute_accuracy.yaml": ["model=cdcgan", "dataset=attributed_shapes"],
    "metrics/r_precision.yaml": ["model=gan_cls"],
    "technique/conditioning_augmentation.yaml": ["model=gan_cls"],
    "loss/regularizers/matching_aware.yaml": ["model=gan_cls"],
    "algorithm/inpainting.yaml": ["model=deepfill"],
    "algorithm/cycle.yaml": ["model=cyclegan"],
    "algorithm/contrastive.yaml": ["model=cut"],
    "algorithm/style_transfer.yaml": ["model=adain"],
    "algorithm/ganomaly.yaml": ["model=ganomaly"],
    "algorithm/bigan.yaml": ["model=egbad"],
    "algorithm/fanogan.yaml": ["model=fanogan"],
    "loss/unscored.yaml": ["model=ganomaly"],
    "algorithm/regression.yaml": [
        "model=pix2pix",
        "loss=regression",
        "~model.discriminator",
        "~optimizer.discriminator",
    ],
    "loss/regression.yaml": ["model=pix2pix"],
    "loss/regularizers/auxiliary_classifier.yaml": ["model=acgan"],
    "loss/non_saturating_auxiliary.yaml": ["model=acgan", "loss=non_saturating_auxiliary"],
}


def pictures(folder: Path, shape: list[int], classes: int) -> Path:
    """A folder of class folders that holds two images a class."""
    random = np.random.default_rng(0)
    for label in range(classes):
        (folder / str(label)).mkdir(parents=True)
        for index in range(2):
            pixels = random.integers(0, 256, (shape[1], shape[2], 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / str(label) / f"{index}.png")
    return folder


def of_dataset(name: str, folder: Path) -> list[str]:
    """What else is typed so that the dataset of `configs/dataset/NAME.yaml` needs no network and is small."""
    if name in ("digits", "stacked_digits"):
        return []
    if name in ("coloured_shapes", "attributed_shapes"):
        return ["dataset.source.count=60"]
    if name in ("ring", "grid"):
        return ["model=gan_small", "dataset.source.count=100"]
    node = composed(f"dataset={name}")["dataset"]
    classes = 10 if name == "stacked_mnist" else node["num_classes"] or 3
    if name in ("paired", "unpaired"):
        sets = [pictures(folder / f"train{letter}", [3, 20, 24], 2) for letter in "AB"]
        given = [f"dataset.path_a={sets[0]}", f"dataset.path_b={sets[1]}"] if name == "paired" else []
        return [*(given or [f"dataset.path={folder}"]), "dataset.image_shape=[3,16,16]"]
    if name == "facades":
        return [f"dataset.path={pictures(folder / 'train', [3, 16, 32], 1)}", "dataset.image_shape=[3,16,16]"]
    images = pictures(folder / "images", node["image_shape"], classes)
    if name == "stacked_mnist":
        return [f"dataset.path={images}", "dataset.source.count=100"]
    files = sorted(images.rglob("*.png"))
    labels = [int(file.parent.name) for file in files]
    if name == "captioned":
        rows = [f"{file.relative_to(images)},a picture of {label}" for file, label in zip(files, labels, strict=True)]
        (images / "captions.csv").write_text("\n".join(["file,caption", *rows]))
    if name == "arrays":
        arrays = np.stack([np.asarray(Image.open(file)) for file in files])
        np.savez(folder / "images.npz", images=arrays, labels=labels)
        return [f"dataset.path={folder / 'images.npz'}"]
    if name == "parquet":
        pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        table = pa.table({"image": [file.read_bytes() for file in files], "label": labels})
        parquet.write_table(table, folder / "images.parquet")
        return [f"dataset.path={folder / 'images.parquet'}"]
    if name == "shards":
        samples = {
            str(number): {"png": file.read_bytes(), "cls": str(label).encode()}
            for number, (file, label) in enumerate(zip(files, labels, strict=True))
        }
        return [f"dataset.path={write_tar(folder / 'images.tar', samples)}"]
    if name == "huggingface":
        datasets = pytest.importorskip("datasets")
        datasets.disable_progress_bars()
        cells = [{"bytes": file.read_bytes(), "path": None} for file in files]
        features = datasets.Features(image=datasets.Image(), label=datasets.ClassLabel(num_classes=3))
        table = datasets.Dataset.from_dict({"image": cells, "label": labels}, features=features)
        table.save_to_disk(folder / "saved")
        return [f"dataset.source.path={folder / 'saved'}"]
    return [f"dataset.path={images}"]


def test_the_list_is_not_empty() -> None:
    assert len(COMPONENTS) > 25
    assert set(FILES) >= PRIMARY


@pytest.mark.parametrize("file", [*ONLY_HERE, *whole(file for file in COMPONENTS if file not in ONLY_HERE)])
def test_every_component_plays_a_round(file: str, tmp_path: Path) -> None:
    overrides = [*WITH.get(file, []), override(file)]
    if file.startswith("trainer/"):
        overrides = [*overrides, "width=4", "trainer.batch_size=4"] if "debug" in file else [override(file), "+width=4"]
        config = composed(*overrides)
        assert build(config["trainer"], "trainer").batch_size == config["trainer"]["batch_size"]
        return
    if file == "experiment/lapgan.yaml":
        overrides += of_dataset("cifar10", tmp_path)
    if file == "text_encoder/clip.yaml":
        pytest.importorskip("open_clip")
        torch.save(clip_weights(49408, 64, 77), tmp_path / "clip.pt")
        overrides.append(f"text_encoder.weights={tmp_path / 'clip.pt'}")
    if file.startswith("experiment/sr_"):  # of photos
        overrides.append(f"dataset.path={pictures(tmp_path / 'photos', [3, 80, 80], 1)}")
    if file.startswith("dataset/"):
        overrides += of_dataset(Path(file).stem, tmp_path)
    if file.startswith("loss/regularizers/") and Path(file).stem not in unpaired_regularizers():
        with pytest.raises(ConfigError, match=r"loss\.regularizers\.\w+\.pair: '\w+' is not in this game \(none\)"):
            tiny_run(tmp_path, *overrides)
        return
    run = tiny_run(tmp_path, *overrides)
    run.play()
    assert all(math.isfinite(float(value)) for value in run.metrics.values())
    check_targets({key: run.config[key] for key in ("model", "loss", "optimizer", "algorithm", "augmentation")})


@pytest.mark.parametrize("file", COMPONENTS)
def test_every_file_says_what_it_is(file: str) -> None:
    lines = (CONFIG_DIR / file).read_text().splitlines()
    comments = [line for line in lines[:2] if line.startswith("# ") and not line.startswith("# @package")]
    assert comments, f"{file} begins without a comment"


@pytest.mark.parametrize("file", in_part([n for n in COMPONENTS if n.startswith(("model/", "experiment/"))], 3))
def test_no_other_group_overrides_what_a_file_prescribes(file: str) -> None:
    written = OmegaConf.to_container(OmegaConf.load(CONFIG_DIR / file))
    whole = OmegaConf.create(composed(*WITH.get(file, []), override(file)))
    for key, value in leaves(written):
        assert OmegaConf.select(whole, key) == value, key


def leaves(node: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and values, without the defaults list and what is taken from elsewhere."""
    for key, value in node.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{above}{key}.")
        elif key != "defaults" and "${" not in str(value):
            yield f"{above}{key}", value


ADVISED = {
    name: [word.rstrip(".") for word in re.findall(r"~?model\.\S+", text)]
    for name in choices("model")
    if "._target_=" in (text := comment_of(name))
}


@pytest.mark.parametrize("model", ADVISED)
def test_the_network_that_a_model_advises_instead_plays_a_round(model: str, tmp_path: Path) -> None:
    """Hydra takes nothing away that is null."""
    tiny_run(tmp_path, f"model={model}", *ADVISED[model]).play()


def test_what_is_typed_wins_over_what_a_model_prescribes() -> None:
    assert composed("model=wgan_gp")["loss"]["adversarial"]["_target_"].endswith("Wasserstein")
    typed = composed("model=wgan_gp", "loss=hinge", "loss/regularizers=[r1]", "algorithm.critic_steps=2")
    assert typed["loss"]["adversarial"]["_target_"].endswith("Hinge")
    assert list(typed["loss"]["regularizers"]) == ["r1"]
    assert typed["algorithm"]["critic_steps"] == 2


def test_the_discriminator_follows_the_generator_unless_told_otherwise() -> None:
    follows = composed("optimizer.generator.lr=1e-3")["optimizer"]
    assert follows["discriminator"]["lr"] == 1e-3
    apart = composed("optimizer.generator.lr=1e-3", "optimizer.discriminator.lr=4e-3")["optimizer"]
    assert (apart["generator"]["lr"], apart["discriminator"]["lr"]) == (1e-3, 4e-3)
