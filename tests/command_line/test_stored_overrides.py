"""`resume=RUN` takes the run's own overrides; what is typed stands; a stored list is not trusted."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from gan_lab.command_line.stored_overrides import resumed
from gan_lab.errors import ConfigError
from tests.command_line.fixtures import Task

Call = Callable[..., tuple[int, str, str]]


def stored(*overrides: str, run: str = "run") -> Path:
    folder = Path(run).absolute()
    (folder / ".hydra").mkdir(parents=True)
    (folder / ".hydra" / "overrides.yaml").write_text(yaml.safe_dump(list(overrides)))
    return folder


@pytest.mark.parametrize("name", ["run", "a b,c=[d]{e} (f)", "it's"])
def test_the_run_goes_on_in_its_folder_with_its_overrides(call: Call, tasks: dict[str, Task], name: str) -> None:
    assert call("train", "model=gan", "+extra.key=3", "seed=2", "hydra.run.dir=placeholder")[0] == 0
    run = Path("placeholder").rename(name).absolute()
    before = (run / ".hydra" / "overrides.yaml").read_text()
    code, _, err = call("train", f"resume={name}", "trainer.max_steps=99", "extra.key=4")
    assert (code, err) == (0, "")
    cfg = tasks["train"].seen[-1]
    assert (cfg.seed, cfg.model.generator.width, cfg.extra.key, cfg.trainer.max_steps) == (2, 128, 4, 99)
    assert cfg.resume == str(run)
    assert (run / ".hydra" / "overrides.yaml").read_text() == before
    assert (run / "train.log").read_text().count("INFO gan_lab.train: seed 2") == 2
    assert not Path("outputs").exists()


def test_a_checkpoint_stands_for_its_run(configs: Path) -> None:
    run = stored("seed=2")
    (run / "checkpoints").mkdir()
    (run / "checkpoints" / "last.pt").write_bytes(b"")
    words = resumed(["resume=run/checkpoints/last.pt", "seed=3"], sweeping=False)
    last = run / "checkpoints" / "last.pt"
    assert words == ["seed=3", f"resume='{last}'", f"hydra.run.dir='{run}'", "hydra.output_subdir=null"]
    with pytest.raises(ConfigError, match=r"first\.pt: no such checkpoint; there are: last\.pt"):
        resumed(["resume=run/checkpoints/first.pt"], sweeping=False)


def test_a_run_without_a_list_goes_on_with_what_is_typed(configs: Path) -> None:
    Path("run").mkdir()
    Path("run/config.yaml").write_text("seed: 1\n")
    assert resumed(["resume=run", "seed=3"], sweeping=False)[0] == "seed=3"


def test_without_resume_nothing_changes(configs: Path) -> None:
    for words in (["seed=1"], ["resume=null", "seed=1"], ["resume="], ["resume_force=true"]):
        assert resumed(words, sweeping=False) == words


def test_what_no_run_is_offers_the_nearest(call: Call) -> None:
    stored(run="outputs/dcgan-digits/2026-01-01_10-00-00")
    time.sleep(0.02)
    newest = stored(run="outputs/dcgan-digits/2026-01-02_10-00-00")
    for typed in ("outputs", "outputs/dcgan-digits", "outputs/dcgan-digits/2026-01-02", "outputs/dcgan-digit"):
        code, _, err = call("train", f"resume={typed}")
        why = "is not a run folder (no .hydra, no config.yaml)" if Path(typed).exists() else "does not exist"
        assert (code, err) == (2, f"gan-lab train: resume={Path.cwd() / typed} {why}; nearest: {newest}\n")
    assert call("train", "resume=zz/y")[2].endswith("/zz/y does not exist; give the folder of a run\n")


def test_a_sweep_and_another_folder_are_refused(call: Call) -> None:
    stored()
    for words in (["-m", "resume=run", "seed=1,2"], ["resume=run", "hydra.mode=MULTIRUN"]):
        assert call("train", *words)[::2] == (2, "gan-lab train: resume= goes on with one run; leave out -m\n")
    code, _, err = call("train", "resume=run", "hydra.run.dir=other")
    assert (code, err) == (
        2,
        "gan-lab train: resume= goes on in the run's own folder; leave out hydra.run.dir=\n",
    )


def test_a_stored_list_sets_neither_hydra_nor_trust(configs: Path) -> None:
    stored(
        "resume=x", "resume_force=true", "trust=[os]", "hydra.launcher=x", "hydra/launcher=y", "+hydra.job.x=1", "n=1"
    )
    assert resumed(["resume=run"], sweeping=False)[:-3] == ["n=1"]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.generator._target_=os.system", "names os.system"),
        ("+callbacks.x={_target_: subprocess.run}", "names subprocess.run"),
        ("+a=[{b: {_target_: torch.nn.functional.os.system}}]", r"names torch\.nn\.functional\.os\.system"),
        ("seed=${oc.env:HOME}", "calls a resolver; type seed= again"),
        ("seed=$\\{oc.env\\:HOME\\}", "calls a resolver"),
        ("+x=${oc.create:'{_target_: os.system}'}", "calls a resolver"),
        ("model._target_=${seed}", "holds an interpolation"),
        ("seed=a(b", "cannot read 'seed=a"),
    ],
)
def test_a_hostile_list_is_refused_before_anything_runs(configs: Path, override: str, message: str) -> None:
    stored(override)
    with pytest.raises(ConfigError, match=message) as error:
        resumed(["resume=run"], sweeping=False)
    assert "\n" not in str(error.value)


def test_trusted_and_replaced_classes_pass(configs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("my_models.py").write_text("class Net: pass\n")
    monkeypatch.syspath_prepend(str(Path.cwd()))
    stored("model.generator._target_=my_models.Net", "+loss.term._target_=torch.nn.BCELoss")
    assert len(resumed(["resume=run", "trust=[my_models]"], sweeping=False)) == 6
    replaced = resumed(["resume=run", "model.generator._target_=other.Net"], sweeping=False)
    assert replaced[:2] == ["+loss.term._target_=torch.nn.BCELoss", "model.generator._target_=other.Net"]


@pytest.mark.parametrize(
    "text", ["a: 1", "- [1]", "- 3", "[", "\x00", "!!python/object:os.system []", "- '" + "x" * 10**6]
)
def test_a_damaged_list_is_one_line(configs: Path, text: str) -> None:
    run = stored()
    (run / ".hydra" / "overrides.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"overrides\.yaml") as error:
        resumed(["resume=run"], sweeping=False)
    assert "\n" not in str(error.value)
