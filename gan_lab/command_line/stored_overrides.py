"""`resume=RUN` (or SWEEP): everything comes from the run, and what is typed beside it stands.

Hydra composes from overrides, so those of the stored run are put before the typed ones. They are data that anybody may
have written: a class that they name must be one that is trusted, and Hydra's own settings are not theirs to set.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from gan_lab.command_line.overrides import is_of_this_call, merge, own_overrides, quote, read, unquote
from gan_lab.config import check_targets, current_target
from gan_lab.errors import ConfigError

LIMIT = 1_000_000  # bytes of a stored override list

# How a run is computed and where its data lies: it may change between two sessions of anything that trains.
COMPUTING = (
    *"device engine.device engine.threads engine.capture engine.deterministic trust logger callbacks.progress".split(),
    *"engine.processes engine.nodes engine.rendezvous engine.restarts engine.timeout engine.compare_every".split(),
    *"dataset.path dataset.path_a dataset.path_b dataset.source dataset.labels dataset.captions".split(),
    *"dataset.inputs.path dataset.inputs.path_a dataset.inputs.path_b".split(),  # the checksum tells other images
)
# A run may also be longer, and be watched in another way.
MAY_CHANGE = (
    *COMPUTING,
    *"trainer.max_steps trainer.max_minutes trainer.log_every trainer.sample_every trainer.checkpoint_every".split(),
    *"trainer.checkpoint_keep callbacks metrics extractor objective expected".split(),
    *"resume resume_force optimizer.schedule.steps".split(),
)


def resumed(words: Sequence[str], sweeping: bool) -> list[str]:
    """The overrides with which to go on: the run's, then `words`, then its folder; without resume= just `words`."""
    typed = [(read(word), word) for word in words]
    value = next((unquote(override.value or "") for override, _ in typed if override.key == "resume"), "")
    if value in ("", "null"):
        return list(words)
    path = Path(value).expanduser().absolute()
    others = [word for override, word in typed if override.key != "resume"]
    if is_sweep(path):
        return resumed_sweep(path, others)
    if sweeping:
        raise ConfigError("resume= goes on with one run; leave out -m")
    if any(override.key == "hydra.run.dir" for override, _ in typed):
        raise ConfigError("resume= goes on in the run's own folder; leave out hydra.run.dir=")
    run = run_folder(path)
    stored = stored_overrides(run, others)
    # No .hydra now: a refused resume must leave the run's as it is.
    own = [f"resume={quote(str(path))}", f"hydra.run.dir={quote(str(run))}", "hydra.output_subdir=null"]
    return [*merge(stored, others), *own]


def resumed_sweep(sweep: Path, typed: Sequence[str]) -> list[str]:
    """The overrides with which a sweep goes on: its own, then what is typed for all its jobs, then its folder.

    Raises ConfigError where what is typed would make other jobs of it.
    """
    if any(read(word).key == "hydra.sweep.dir" for word in typed):
        raise ConfigError("resume= goes on in the sweep's own folder; leave out hydra.sweep.dir=")
    stored = sweep_overrides(sweep, typed)
    swept = {read(word).key for word in stored if values(word)}
    for word in typed:
        if not is_of_this_call(read(word).key) and (read(word).key in swept or values(word)):
            raise ConfigError(f"resume={sweep}: {word} would make other jobs of that sweep; start a new one with -m")
    words = [word for word in typed if read(word).key.lower() != "hydra.mode"]
    own = [f"resume={quote(str(sweep))}", f"hydra.sweep.dir={quote(str(sweep))}", "hydra.mode=MULTIRUN"]
    return [*merge(stored, words), *own]


def sweep_overrides(sweep: Path, typed: Sequence[str] = ()) -> list[str]:
    """The overrides of a sweep from its `multirun.yaml`, under the rules of `stored_overrides`."""
    path = sweep / "multirun.yaml"
    stored = _read(path)
    try:
        words = stored["hydra"]["overrides"]["task"]
        sweeper = stored["hydra"]["runtime"]["choices"]["hydra/sweeper"]
    except (KeyError, TypeError) as error:
        raise ConfigError(f"{path}: is not the configuration of a sweep") from error
    if sweeper != "basic":
        raise ConfigError(f"resume={sweep}: was made with hydra/sweeper={sweeper}, which cannot be taken up again")
    return admitted(path, words, typed)


def values(word: str) -> list[str]:
    """One override for each of the values of a sweep (`seed=0,1`); none where there is but one value."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        parsed = OverridesParser.create().parse_override(word)
    except HydraException:
        return []
    if not parsed.is_sweep_override() or not parsed.is_discrete_sweep():
        return []
    return [f"{parsed.get_key_element()}={value}" for value in parsed.sweep_string_iterator()]


def is_sweep(path: Path) -> bool:
    return (path / "multirun.yaml").is_file()


def run_folder(path: Path) -> Path:
    """The run that `path` means: its folder, or one of its checkpoints. Raises ConfigError, offering the nearest."""
    if is_run(path):
        return path
    if path.suffix == ".pt" and path.parent.name == "checkpoints" and is_run(path.parent.parent):
        if path.is_file():
            return path.parent.parent
        there = sorted(other.name for other in path.parent.glob("*.pt"))
        raise ConfigError(f"resume={path}: no such checkpoint; there are: {', '.join(there) or 'none'}")
    found = nearest_run(path)
    what = "is not a run folder (no .hydra, no config.yaml)" if path.exists() else "does not exist"
    raise ConfigError(f"resume={path} {what}" + (f"; nearest: {found}" if found else "; give the folder of a run"))


def is_run(path: Path) -> bool:
    return (path / ".hydra" / "overrides.yaml").is_file() or (path / "config.yaml").is_file()


def nearest_run(path: Path) -> Path | None:
    """The newest run below a folder, else the run beside `path` whose name begins with it or is spelt like it."""
    if path.is_dir():
        below = [folder for depth in ("*", "*/*") for folder in path.glob(depth) if is_run(folder)]
        return max(below, key=lambda folder: folder.stat().st_mtime, default=None)
    if not path.parent.is_dir():
        return None
    beside = {folder.name: folder for folder in sorted(path.parent.iterdir()) if folder.is_dir()}
    names = [name for name in beside if name.startswith(path.name)] or get_close_matches(path.name, beside, n=3)
    runs = (folder if is_run(folder) else nearest_run(folder) for folder in map(beside.__getitem__, names))
    return next((run for run in runs if run), None)


def stored_overrides(run: Path, typed: Sequence[str] = ()) -> list[str]:
    """The run's own overrides without `resume*`, `trust` and Hydra's settings; none where the run has no list.

    Raises ConfigError for a list that cannot be read, or one that names a class outside gan-lab, `torch.nn`,
    `torch.optim` and the modules typed in `trust=`. An override that `typed` replaces is not looked at.
    """
    path = run / ".hydra" / "overrides.yaml"
    if not path.is_file():
        return []
    return admitted(path, _read(path), typed)


def admitted(path: Path, stored: Any, typed: Sequence[str]) -> list[str]:
    """What a stored list of overrides may say. Raises ConfigError where it is none, or says more."""
    if not isinstance(stored, list) or not all(isinstance(word, str) for word in stored):
        raise ConfigError(f"{path} is not a list of overrides (key=value)")
    words = [_with_current_names(word) for word in own_overrides(stored)]
    replaced = {read(word).key for word in typed}
    kept = [word for word in words if read(word).key not in replaced]
    _check(path, [one for word in kept for one in (word, *values(word))], typed)
    return words


def _with_current_names(word: str) -> str:
    """An override with the classes that it names under their present names."""
    return re.sub(r"gan_lab(\.\w+)+", lambda found: current_target(found[0]), word) if "_target_" in word else word


def _read(path: Path) -> Any:
    import yaml  # type: ignore[import-untyped]

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if path.stat().st_size > LIMIT:
            raise ConfigError(f"{path}: larger than any list of overrides")
        return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    except (yaml.YAMLError, ValueError, RecursionError, OSError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ConfigError(f"{path} cannot be read: {reason}") from error


def calls(text: str) -> bool:
    """Whether there is a `${resolver:...}` in it."""
    return ":" in text.partition("${")[2]


def _check(path: Path, words: Sequence[str], typed: Sequence[str]) -> None:
    """A stored override may name only trusted classes, and may not compute (`${oc.env:...}`)."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    parser = OverridesParser.create()

    def value(word: str) -> Any:
        try:
            return parser.parse_override(word).value()
        except HydraException as error:
            raise ConfigError(f"{path}: cannot read {word!r}") from error

    trust = next((value(word) for word in typed if read(word).key == "trust"), None) or []
    for word in words:
        override = read(word)
        meant = None if override.value is None or calls(word) else value(word)
        if calls(word) or calls(str(meant)):  # what is escaped comes to light in the value
            raise ConfigError(
                f"{path}: {word} calls a resolver; type {override.key}= again beside resume= if you mean it"
            )
        parent, _, last = override.key.rpartition(".")
        tree = {last: meant} if override.value is not None else {}
        if "_target_" in word:
            check_targets({parent: tree} if parent else tree, trust)


def may_change(key: str) -> bool:
    """Whether a setting of a run in progress may change: not what makes it another game. How long a schedule takes may
    follow the length of the run; computing activations again changes no number."""
    if re.fullmatch(
        r"schedules\.[^.]+\.steps|.+\.schedule\..+\.steps|wrappers\.[^.]+\.activation_checkpointing(\..*)?", key
    ):
        return True
    return is_among(key, MAY_CHANGE)


def is_among(key: str, names: Sequence[str]) -> bool:
    """Whether a dotted key is one of `names`, or lies below one."""
    return any(key == name or key.startswith(f"{name}.") for name in names)
