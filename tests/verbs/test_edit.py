"""The verb `edit` at the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from gan_lab.editing import finding
from gan_lab.features.extractor import Extracted
from gan_lab.storage import checkpoint
from tests.compose import tiny_run

QUICK = ("n=2", "count=2", "strengths=[-1,0,1]", "device=cpu")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that has played one round."""
    folder = tmp_path_factory.mktemp("small")
    run = tiny_run(folder, "model=gan_small")
    run.play()
    checkpoint.save(folder / "checkpoints", run.state_dict(), 1)
    return folder


def test_directions_are_found_named_and_read_again(
    trained: Callable[..., Path], gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    trained("run", "model=dcgan", "width=4")
    assert gan_lab("edit", "run=run", *QUICK, "names=[slant,width]", "out=found") == 0
    assert sorted(path.name for path in Path("found").iterdir()) == [
        *("directions.safetensors", "slant.png", "width.png")
    ]
    with safe_open("found/directions.safetensors", "pt") as file:
        assert file.metadata()["names"] == '["slant", "width"]'
        vectors = file.get_tensor("directions")
    torch.testing.assert_close(vectors @ vectors.T, torch.eye(2))
    capsys.readouterr()
    again = ("directions=found/directions.safetensors", "show=width", "strengths=[0,2]")
    assert gan_lab("edit", "run=run", *QUICK[:1], "device=cpu", *again, "out=again") == 0
    assert [path.name for path in sorted(Path("again").iterdir())] == ["directions.safetensors", "width.png"]
    with Image.open("again/width.png") as strip:
        assert strip.size == (2 + 2 * 66, 14 + 2 + 2 * 66)
        assert strip.text["gan-lab:edit"] == "sefa width in z"
    assert "again/width.png" in capsys.readouterr().out


def test_pca_and_attributes(
    trained: Callable[..., Path], gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    trained("run", "model=stylegan2", "width=4", "model.generator.style_dim=8")
    words = ("edit", "run=run", *QUICK, "samples=200")
    assert gan_lab(*words, "method=pca") == 0
    assert len(list(Path("run/edits/pca-step-00000002").iterdir())) == 3
    assert gan_lab(*words, "method=pca", "layer=synthesis.blocks.0.layer", "out=part") == 0
    assert gan_lab(*words, "method=pca", "layer=mapping", "out=none") == 2
    assert "layer: mapping gives no features of its own for each image that is made of w" in capsys.readouterr().err
    assert gan_lab(*words, "method=attribute", "attribute=[1,8]", "independent_of=8", "layers=[0,1]", "out=one") == 0
    assert "attributes are the classes that styles are made of" in capsys.readouterr().out
    with safe_open("one/directions.safetensors", "pt") as file:
        one, eight = file.get_tensor("directions")
        assert file.metadata()["layers"] == "[0, 1]"
    assert abs(float(one @ eight)) < 1e-6
    assert gan_lab(*words, "method=mix") == 0
    assert "rows with layers 0, 1, 2 (of 6) of the columns" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("method=magic",), "method: 'magic' is not one of sefa, pca, attribute, mix"),
        (("samples=3",), "samples: 3 is not a whole number of at least 100"),
        (("share=0.7",), "share: 0.7 does not lie above 0"),
        (("strengths=3",), "strengths: 3 is not a list of numbers"),
        (("strengths=[1,1]",), "strengths: each can be there once"),
        (("layers=[0]",), "layers: what this generator starts from enters it in one place"),
        (("method=mix",), "method=mix: what this generator starts from enters it in one place"),
        (("names=[a]",), "names: 1 for 2 directions"),
        (("show=other",), "show: 'other' is not one of sefa-0, sefa-1"),
        (("directions=none.safetensors",), "directions: there is no file none.safetensors"),
        (("codes=none.safetensors",), "codes: there is no file none.safetensors"),
        (("method=pca", "layer=nothing"), "layer: the generator has no part 'nothing'; it has layers"),
        (("label=3",), "label=3: this generator was trained without labels"),
    ],
)
def test_what_is_refused(
    words: tuple[str, ...],
    message: str,
    small: Path,
    gan_lab: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert gan_lab("edit", f"run={small}", *QUICK, "out=out", *words) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert not Path("out").exists()


def test_attributes_by_a_classifier(
    small: Path, gan_lab: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of one that takes for its class 1 what is bright: the direction makes images brighter."""

    class Bright:
        accuracy = 0.75

        def __call__(self, images: torch.Tensor) -> Extracted:
            share = images.float().flatten(1).mean(1, keepdim=True) / 255
            return Extracted(share, torch.cat([1 - share, share], 1))

    monkeypatch.setattr(finding, "classifier_of", lambda *_: (Bright(), ["dark", "bright"]))
    words = ("method=attribute", "attribute=bright", "samples=2000", "share=0.1", "out=out")
    assert gan_lab("edit", f"run={small}", *QUICK, *words) == 0
    assert "a classifier that is right in 75.0% of held-out images" in capsys.readouterr().out
    with Image.open("out/bright.png") as strip:
        pixels = np.asarray(strip).astype(float)[16:]
    less, same, more = (pixels[:, 2 + 66 * place :][:, :64].mean() for place in range(3))
    assert less < same < more


def test_attributes_of_a_generator_that_is_told_its_classes(
    trained: Callable[..., Path], gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    trained("run", "model=cgan", "width=4")
    capsys.readouterr()
    assert gan_lab("edit", "run=run", *QUICK, "method=attribute") == 2
    assert "method=attribute: this generator is told its classes beside its latents" in capsys.readouterr().err
    assert gan_lab("edit", "run=run", *QUICK, "method=pca", "samples=100", "label=[2]") == 0
