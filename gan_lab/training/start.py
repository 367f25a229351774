"""Beginning a run or going on with one: which configuration holds, which checkpoint, and what may not change.

A run takes everything from its own `config.yaml`; only what is typed beside `resume=` differs. To know what was typed,
the run's original overrides are composed twice, with and without the typed ones: a default that has changed between two
versions of gan-lab is then in both and changes nothing.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from gan_lab.command_line.console import already_holds, shown
from gan_lab.command_line.overrides import read
from gan_lab.command_line.stored_overrides import may_change, stored_overrides
from gan_lab.config import check_targets, leaves, remove, settings, targets, to_yaml, with_current_targets
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.storage import checkpoint
from gan_lab.storage.files import remove_unfinished, write_text
from gan_lab.training.changes import check_takes_effect, jumps

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from gan_lab.training.run import Run

log = logging.getLogger(__name__)

PER_CALL = ("resume", "resume_force", "trust")
PROVENANCE = ("choices", "overrides")  # how the configuration came about, kept beside it for tables of runs


@dataclass(frozen=True)
class Asked:
    """What was asked for, as plain data: a process without Hydra can begin with it. `original` is what the run that is
    to go on was begun with, composed anew; None where none is."""

    typed: dict[str, Any]
    overrides: list[str]
    choices: dict[str, str]
    original: dict[str, Any] | None

    def again(self, folder: Path, written: bool) -> Asked:
        """The same once it was begun in `folder`, and perhaps has `written` a checkpoint: go on from there."""
        resume, typed = self.typed["resume"], {**self.typed, "resume": str(folder)}
        if resume:
            return replace(self, typed=typed) if written else self
        if not (folder / "config.yaml").exists():
            return self
        own = sorted({target.rpartition(".")[0] for _, target in targets(typed)})  # it was built from these
        typed["trust"] = [*typed["trust"], *own]
        return replace(self, typed=typed, original=typed)


@dataclass
class Start:
    """The configuration to run, the checkpoint to start from (None: from the beginning), the overrides to remember.
    `source` is the checkpoint's file, `stored` what the run's configuration was before."""

    config: dict[str, Any]
    state: dict[str, Any] | None
    asked: Asked
    source: Path | None = None
    stored: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        of_one_call: dict[str, Any] = {"resume": None, "resume_force": False, "trust": []}
        self.overrides = [override for override in self.asked.overrides if read(override).key not in PER_CALL]
        self.config = {**self.config, **of_one_call, "choices": self.asked.choices, "overrides": self.overrides}

    def told(self) -> Start:
        """What other processes are to hear of it: they read the checkpoint themselves."""
        return replace(self, state=None)

    def read_state(self) -> None:
        """Read the checkpoint, in a process that has heard of it."""
        if self.state is None and self.source is not None:
            state = checkpoint.load(self.source)
            self.state = forget_optimizers(state, self.stored, self.config)


def ask(cfg: DictConfig, folder: Path) -> Asked:
    """What the command line asks for in `folder`."""
    typed, overrides, original = settings(cfg), task_overrides(), None
    begun = (folder / "config.yaml").exists() or any((folder / "checkpoints").glob("*.pt"))
    if typed["resume"] and (begun or str(typed["resume"]).endswith(".pt")):
        original = settings(compose_training(stored_overrides(folder, overrides)))
    return Asked(typed, overrides, choices(), original)


def begin(asked: Asked, folder: Path) -> Start:
    """Decide how the run in `folder` begins. Raises ConfigError when it must not."""
    typed = asked.typed
    if not typed["resume"]:
        if (folder / "config.yaml").exists():
            raise already_holds("hydra.run.dir", folder, "a run")
        return Start(typed, None, asked)
    stored, state, source = read_run(folder, typed)
    if stored is None:
        check_targets(typed, typed["trust"])
        log.info("%s stopped before it had begun; starting it from its first step", shown(folder))
        return Start(typed, None, asked)
    check_targets({key: value for key, value in stored.items() if key not in PROVENANCE}, typed["trust"])
    changes = difference(asked.original or typed, typed)
    config = apply(stored, changes)
    show_and_check(stored, changes, bool(typed["resume_force"]), started=checkpoint.is_begun(state))
    if state is not None:
        check_changes(state, stored, config)
        state = forget_optimizers(state, stored, config)
    return Start(config, state, asked, source, stored)


def check_changes(state: dict[str, Any], stored: dict[str, Any], config: dict[str, Any]) -> None:
    """A word on what jumps, and on what is forgotten. Raises ConfigError where a change would do nothing."""
    now, then = dict(leaves(config)), dict(leaves(stored))
    changed = [key for key in now if key in then and now[key] != then[key]]
    if not checkpoint.is_begun(state):
        check_takes_effect(config, [key for key in changed if key.partition(".")[0] == "initialise"])
        return
    check_takes_effect(config, changed)
    for line in jumps(stored, config, state["step"], state["images_seen"]):
        log.warning("%s", line)
    for player in of_another_class(state, stored, config):
        log.warning("optimizer.%s: is of another class, and remembers nothing of the rounds before", player)


def of_another_class(state: dict[str, Any], stored: dict[str, Any], config: dict[str, Any]) -> list[str]:
    """The players whose optimizer is not of the class that it was."""
    now, then = dict(leaves(config)), dict(leaves(stored))
    keys = {player: f"optimizer.{player}._target_" for player in state["optimizers"]}
    return [player for player, key in keys.items() if now.get(key) != then.get(key)]


def forget_optimizers(state: dict[str, Any], stored: dict[str, Any] | None, config: dict[str, Any]) -> dict[str, Any]:
    """The checkpoint as the changed configuration can take it: another optimizer does not read what one remembers."""
    if stored is None or not checkpoint.is_begun(state):
        return state
    optimizers = dict(state["optimizers"])
    for player in of_another_class(state, stored, config):
        optimizers[player] = {**optimizers[player], "state": {}}
    return {**state, "optimizers": optimizers}


def accept(start: Start, run: Run) -> None:
    """Write down what holds from here on: everything was built and fits, so the run folder may say so."""
    for folder in (run.folder, run.folder / ".hydra"):
        remove_unfinished(folder)
    config = to_yaml(start.config)
    write_text(run.folder / "config.yaml", config)
    write_text(run.folder / ".hydra" / "overrides.yaml", to_yaml(start.overrides))
    run.loggers.open(run.folder, run.step)
    run.loggers.text(run.step, "config", f"```yaml\n{config}```")


def read_run(folder: Path, typed: dict[str, Any]) -> tuple[dict[str, Any] | None, dict[str, Any] | None, Path | None]:
    """A run's stored configuration, checkpoint, and the checkpoint's file; None for what was not written yet."""
    asked = Path(str(typed["resume"]))
    state, path = None, None
    if asked.suffix == ".pt":
        path, state = asked, checkpoint.load(asked)
    elif any((folder / "checkpoints").glob("*.pt")):
        path, state, complaints = checkpoint.load_newest(folder)
        for complaint in complaints:
            log.warning("%s; going on from %s instead", complaint, path.name)
    file = folder / "config.yaml"
    if file.exists():
        return read_config(file), state, path
    return (dict(state["config"]) if state is not None else None), state, path


def read_config(file: Path) -> dict[str, Any]:
    """A run's `config.yaml` as plain data. Raises GanLabError when it is damaged."""
    try:
        stored = OmegaConf.to_container(OmegaConf.load(file), resolve=False)
    except Exception as error:
        raise GanLabError(f"{file}: cannot be read ({' '.join(str(error).split())[:120]})") from error
    if not isinstance(stored, dict) or "trainer" not in stored:
        raise GanLabError(f"{file}: is not the configuration of a run")
    return {str(key): value for key, value in with_current_targets(stored).items()}


def task_overrides() -> list[str]:
    """What the user typed for this job, beside what concerns Hydra itself."""
    from hydra.core.hydra_config import HydraConfig

    return list(HydraConfig.get().overrides.task) if HydraConfig.initialized() else []


def choices() -> dict[str, str]:
    """The name chosen in each group: what a person calls this run's model, dataset and loss."""
    from hydra.core.hydra_config import HydraConfig

    if not HydraConfig.initialized():
        return {}
    chosen = HydraConfig.get().runtime.choices.items()
    return {str(group): str(name) for group, name in chosen if name is not None and not str(group).startswith("hydra")}


def compose_training(overrides: list[str]) -> DictConfig:
    """The training configuration with these overrides."""
    from hydra.core.global_hydra import GlobalHydra
    from hydra.types import RunMode

    loader = GlobalHydra.instance().config_loader()
    composed: DictConfig = loader.load_configuration("train", overrides=overrides, run_mode=RunMode.RUN)
    OmegaConf.set_struct(composed, False)
    composed.pop("hydra", None)
    return composed


Changes = dict[str, tuple[Any, Any]]
ABSENT = "(absent)"


def difference(before: dict[str, Any], after: dict[str, Any]) -> Changes:
    """Dotted key -> (before, after) of every leaf that differs. A mapping that was empty is none where it is filled."""
    old, new = dict(leaves(before)), dict(leaves(after))
    old = {key: value for key, value in old.items() if value != {} or not any(k.startswith(f"{key}.") for k in new)}
    keys = [*new, *(key for key in old if key not in new)]
    pairs = {key: (old.get(key, ABSENT), new.get(key, ABSENT)) for key in keys}
    changed = {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
    return {key: pair for key, pair in changed.items() if key.split(".")[0] not in (*PER_CALL, *PROVENANCE)}


def apply(stored: dict[str, Any], changes: Changes) -> dict[str, Any]:
    """`stored` with the changes made: first what is taken away, then what is set."""
    config = OmegaConf.create(stored)
    for key in [key for key, (_, value) in changes.items() if value is ABSENT]:
        remove(config, key)
    for key, (_, value) in changes.items():
        if value is not ABSENT:
            OmegaConf.update(config, key, value, merge=False, force_add=True)
    plain = OmegaConf.to_container(config)
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def show_and_check(stored: dict[str, Any], changes: Changes, force: bool, started: bool) -> None:
    """Say what changes; raise ConfigError when that would make it another game and the user did not insist."""
    now = dict(leaves(stored))
    real = {key: (now.get(key, ABSENT), new) for key, (_, new) in changes.items() if now.get(key, ABSENT) != new}
    for key, (old, new) in real.items():
        log.info("changed  %s: %s -> %s", key, old, new)
    other = [key for key in real if not may_change(key)]
    if other and started and not force:
        raise ConfigError(
            f"{', '.join(other[:4])}{' and more' if len(other) > 4 else ''}: would change the game of a run in "
            "progress; start a new run, or insist with resume_force=true"
        )
